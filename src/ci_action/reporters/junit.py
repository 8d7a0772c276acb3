"""junit.xml: the tests for whatever else reads them, in the shape of pytest's xunit2, with places.

One suite for each file, one case for each test and each reported part of one; `file` and `line` are relative to the
workspace. A flaky test is a passed one with the properties `flaky` and `runs`.
https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr  # nosec B406 # it writes XML and parses none

from ci_action.model.result import RunResult
from ci_action.model.tests import TestCase, TestOutcome
from ci_action.model.totals import shortened, totals
from ci_action.reporters.context import JUNIT, Publication
from ci_action.reporters.xml import xml_text
from ci_action.system.text import named_marks

_LONGEST_MESSAGE: Final = 1_000
# Element, and the type that it names.
_ELEMENTS: Final = {
    TestOutcome.FAILED: ("failure", "failed"),
    TestOutcome.ERROR: ("error", "error"),
    TestOutcome.SKIPPED: ("skipped", "pytest.skip"),
    TestOutcome.XFAILED: ("skipped", "pytest.xfail"),
}


def render(cases: Iterable[TestCase], started: datetime) -> Iterator[str]:
    """Yield the document in pieces; secrets are taken out before anything is escaped."""
    suites: dict[str, list[TestCase]] = {}
    for case in cases:
        suites.setdefault(case.nodeid.partition("::")[0], []).append(case)
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f"<testsuites{_totals('ci-action', [case for suite in suites.values() for case in suite])}>\n"
    for name, suite in suites.items():
        stamp = quoteattr(started.isoformat(timespec="seconds"))
        yield f"<testsuite{_totals(_clean(name), suite)} timestamp={stamp}>\n"
        for case in suite:
            yield from _case(case)
        yield "</testsuite>\n"
    yield "</testsuites>\n"


def _totals(name: str, cases: Iterable[TestCase]) -> str:
    found = Counter(_ELEMENTS.get(case.outcome, ("passed", ""))[0] for case in cases)
    seconds = sum(case.seconds for case in cases if not case.subtest)
    return (
        f' name={quoteattr(name)} tests="{found.total()}" failures="{found["failure"]}"'
        f' errors="{found["error"]}" skipped="{found["skipped"]}" time="{seconds:.3f}"'
    )


def names(case: TestCase) -> tuple[str, str]:
    """Return the class and the name of a test as pytest's own file has them: `pkg.test_it.TestX`, `test_a[1]`."""
    head, bracket, parameters = case.nodeid.partition("[")
    file, *parts = head.split("::")
    module = file.removesuffix(".py").replace("/", ".")
    name = (parts.pop() if parts else "") + bracket + parameters
    if case.subtest:
        name += f" ({case.subtest})"
    return ".".join([module, *parts]), name or module


def _case(case: TestCase) -> Iterator[str]:
    class_name, name = (_clean(part) for part in names(case))
    place = f" file={quoteattr(_clean(case.path))}" if case.path else ""
    place += f' line="{case.line}"' if case.line is not None else ""
    head = (
        f'<testcase classname={quoteattr(class_name)} name={quoteattr(name)}{place} time="{case.seconds:.3f}"'
    )
    inner = "".join((*_properties(case), *_element(case)))
    yield f"{head}>{inner}</testcase>\n" if inner else f"{head}/>\n"


def _properties(case: TestCase) -> Iterator[str]:
    told: dict[str, str] = {}
    if case.outcome is TestOutcome.FLAKY:
        told["flaky"] = "it failed first and passed when it was run again"
    if case.outcome is TestOutcome.XPASSED:
        told["xpassed"] = "it was expected to fail and passed"
    if case.runs != 1:
        told["runs"] = str(case.runs)
    if told:
        rows = "".join(f'<property name="{name}" value="{value}"/>' for name, value in told.items())
        yield f"<properties>{rows}</properties>"


def _element(case: TestCase) -> Iterator[str]:
    if case.outcome not in _ELEMENTS:
        if case.outcome is TestOutcome.FLAKY and (case.message or case.detail):
            yield f"<system-out>{escape(_detail(case))}</system-out>"
        return
    element, kind = _ELEMENTS[case.outcome]
    message = quoteattr(_clean(case.message)[:_LONGEST_MESSAGE])
    yield f"<{element} message={message} type={quoteattr(kind)}>{escape(_detail(case))}</{element}>"


def _detail(case: TestCase) -> str:
    return _clean(shortened(case.detail or case.message))


def _clean(text: str) -> str:
    return xml_text(named_marks(text))


def report(result: RunResult, publication: Publication) -> None:
    """Write the file where the run has tests."""
    cases = totals(result).tests
    if cases:
        text = "".join(render(cases, result.started))
        publication.write(JUNIT, text.encode("utf-8"))
