"""The outcome of a session of pytest: whether it can be trusted, and its findings."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from ci_action.engine.test_run import TESTS
from ci_action.engine.test_run.cause import start_error
from ci_action.engine.test_run.events import UNENDED, Session
from ci_action.engine.test_run.measuring import WARNING as COVERAGE_WARNING
from ci_action.model.finding import Finding, Location
from ci_action.model.result import Broken, Counted, Report
from ci_action.model.tests import TestCase, TestOutcome, counts
from ci_action.system.process import Completed, last_lines

_FAILED: Final = 1
_INTERRUPTED: Final = 2
USAGE: Final = 4
"""The exit code of pytest for an unknown option."""
_WARNINGS: Final = 6
_FOREIGN: Final = (
    "something other than ci-action's pytest plugin wrote to the file that CI_ACTION_PYTEST_EVENTS names"
)
NONE_PASSED: Final = frozenset({"all-skipped", "none-passed"})
"""The rules of a run in which no test passed and none failed."""
_MOST_REASONS: Final = 3


def output(done: Completed) -> str:
    """Return all that pytest printed."""
    return done.stdout.decode("utf-8", "replace") + done.stderr


def problem(session: Session, done: Completed) -> str:
    """Return why the result of pytest cannot be trusted; empty if it can."""
    code = done.returncode
    lines = last_lines(output(done), 8)
    last = lines.splitlines()[-1] if lines else "no output"
    started = [case.nodeid for case in session.cases if case.message == UNENDED]
    culprit = f" in {started[-1]!r}" if started else ""
    red = any(case.outcome.is_red and case.message != UNENDED for case in session.cases)
    error_seen = any(case.outcome is TestOutcome.ERROR for case in session.cases)
    unexplained = not red and session.exit != code and (session.exit, code) != (0, _WARNINGS)
    problems = (
        (session.internal, f"internal error of pytest: {last_lines(session.internal, 1).strip()}"),
        (done.killed_by, f"the tests were killed by {done.killed_by}{culprit}"),
        (session.malformed, f"the events of pytest cannot be trusted ({session.malformed}): {_FOREIGN}"),
        (
            code == USAGE or not session.started,
            f"pytest could not start (exit code {code}): {start_error(output(done)) or last}",
        ),
        (
            not session.finished,
            f"the interpreter exited during the tests (exit code {code}){culprit}: the tests until then are reported",
        ),
        (session.exit == _INTERRUPTED and not error_seen, f"the tests were interrupted: {last}"),
        (
            session.exit == 0 and session.collected > session.reported and not red,
            f"pytest ended early: {session.reported} of {session.collected} tests ran",
        ),
        (
            unexplained and session.exit == 0,
            f"pytest passed, but its process ended with exit code {code}: {last}",
        ),
        (
            unexplained and bool(session.cases),
            f"pytest ended with exit code {session.exit}, but its process with {code}: {last}",
        ),
    )
    return next((text for there, text in problems if there), "")


def broken(reason: str, session: Session, text: str, place: Location | None = None) -> Broken:
    """Return the outcome of a session that cannot be trusted, with the tests that it reported.

    `place` is where the project kept pytest from starting.
    """
    found = [Finding(tool=TESTS, rule="start", message=start_error(text), location=place)] if place else []
    findings = (*found, *_findings(session.cases))
    return Broken(reason, last_lines(text, 40), findings=findings, **_facts(session))


def report(session: Session, done: Completed, *, excused: bool = False) -> Report:
    """Return the outcome of a complete session; `excused` if tests count as passed that failed in it."""
    odd = _odd(session, done, excused=excused)
    return Report(findings=(*_findings(session.cases), *odd), **_facts(session))


def _facts(session: Session) -> dict[str, Any]:
    metrics: dict[str, float] = dict(counts(session.cases))
    metrics["deselected"], metrics["test_warnings"] = session.deselected, session.warnings
    metrics["subtests"] = sum(bool(case.subtest) for case in session.cases)
    tests = tuple(session.cases)
    examined = {Counted.TESTS: int(metrics["tests"])}
    noted = tuple(one for one in session.noted if one.category != COVERAGE_WARNING)
    return {"examined": examined, "metrics": metrics, "tests": tests, "test_warnings": noted}


def _odd(session: Session, done: Completed, *, excused: bool) -> Iterable[Finding]:
    """Yield why a run fails though no test failed."""
    red = any(case.outcome.is_red for case in session.cases)
    flaky = excused or any(case.outcome is TestOutcome.FLAKY for case in session.cases)
    if found := unpassed(session.cases):
        rule, message = found
        yield Finding(tool=TESTS, rule=rule, message=message)
    elif done.returncode == _WARNINGS and not red:
        yield Finding(
            tool=TESTS, rule="max-warnings", message=f"too many warnings for pytest: {session.warnings}"
        )
    elif done.returncode and not red and not (flaky and done.returncode == _FAILED):
        lines = last_lines(output(done), 1)
        text = f"pytest ended with exit code {done.returncode} though no test failed: {lines}"
        yield Finding(tool=TESTS, rule="exit-code", message=text)


def _findings(cases: Sequence[TestCase]) -> Iterable[Finding]:
    parts = {case.nodeid for case in cases if case.subtest and case.outcome.is_red}
    for case in cases:
        by_parts = case.nodeid in parts and not case.subtest
        if not case.outcome.is_red or (by_parts and case.message.endswith("of its subtests failed")):
            continue
        rule = "failed" if case.outcome is TestOutcome.FAILED else "error"
        if "::" not in case.nodeid:
            rule = "collection"
        name = f"{case.nodeid} [{case.subtest}]" if case.subtest else case.nodeid
        first = case.message.splitlines()[0] if case.message else case.outcome.value
        yield Finding(
            tool=TESTS,
            rule=rule,
            message=f"{name}: {first}",
            cause=case.message and first,
            location=Location(path=case.path, line=case.line) if case.path else None,
        )


def unpassed(cases: Iterable[TestCase]) -> tuple[str, str] | None:
    """Return the rule and the message if tests ran, none is red and none passed; else None."""
    cases = list(cases)
    outcomes = {case.outcome for case in cases}
    if not outcomes or outcomes - {TestOutcome.SKIPPED, TestOutcome.XFAILED}:
        return None
    reasons = "; ".join(sorted({case.message for case in cases if case.message})[:_MOST_REASONS])
    found = counts(cases)
    if outcomes == {TestOutcome.SKIPPED}:
        return "all-skipped", f"all {found['tests']} tests were skipped: {reasons or 'no reason given'}"
    counted = (
        f"of {found['tests']} tests {found['xfailed']} failed as expected and {found['skipped']} were skipped"
    )
    return "none-passed", f"no test passed: {counted}: {reasons or 'no reason given'}"
