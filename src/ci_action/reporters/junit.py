"""junit.xml: the tests for other programs, in the shape of pytest's xunit2, with places.

One suite for each file, one case for each test and each reported subtest; `file` is relative to the workspace. A flaky
test is a passed test with the properties `flaky` and `runs`.
https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from ci_action.model.result import RunResult
from ci_action.model.tests import TestCase, TestOutcome
from ci_action.model.totals import shortened, totals
from ci_action.reporters.context import JUNIT, Publication
from ci_action.reporters.encode import xml_attribute, xml_content
from ci_action.system.text import named_marks

_LONGEST_MESSAGE: Final = 1_000
# The element, and its type.
_ELEMENTS: Final = {
    TestOutcome.FAILED: ("failure", "failed"),
    TestOutcome.ERROR: ("error", "error"),
    TestOutcome.SKIPPED: ("skipped", "pytest.skip"),
    TestOutcome.XFAILED: ("skipped", "pytest.xfail"),
}
_PROPERTIES: Final = {
    TestOutcome.FLAKY: "it failed first and passed on a rerun",
    TestOutcome.XPASSED: "it was expected to fail and passed",
}


def render(cases: Sequence[TestCase], started: datetime) -> Iterator[str]:
    """Yield the document in pieces."""
    suites: dict[str, list[TestCase]] = {}
    for case in cases:
        suites.setdefault(case.nodeid.partition("::")[0], []).append(case)
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f"<testsuites{_totals('ci-action', cases)}>\n"
    stamp = xml_attribute(started.isoformat(timespec="seconds"))
    for name, suite in suites.items():
        yield f"<testsuite{_totals(name, suite)} timestamp={stamp}>\n"
        yield from map(_case, suite)
        yield "</testsuite>\n"
    yield "</testsuites>\n"


def _totals(name: str, cases: Sequence[TestCase]) -> str:
    found = Counter(_ELEMENTS.get(case.outcome, ("passed", ""))[0] for case in cases)
    seconds = sum(case.seconds for case in cases if not case.subtest)
    return (
        f' name={_attribute(name)} tests="{found.total()}" failures="{found["failure"]}"'
        f' errors="{found["error"]}" skipped="{found["skipped"]}" time="{seconds:.3f}"'
    )


def names(case: TestCase) -> tuple[str, str]:
    """Return the class and the name of a test as in pytest's own file: `pkg.test_it.TestX`, `test_a[1]`."""
    head, bracket, parameters = case.nodeid.partition("[")
    file, *parts = head.split("::")
    module = file.removesuffix(".py").replace("/", ".")
    name = (parts.pop() if parts else "") + bracket + parameters
    if case.subtest:
        name += f" ({case.subtest})"
    return ".".join([module, *parts]), name or module


def _case(case: TestCase) -> str:
    class_name, name = map(_attribute, names(case))
    place = f" file={_attribute(case.path)}" if case.path else ""
    place += f' line="{case.line}"' if case.line is not None else ""
    head = f'<testcase classname={class_name} name={name}{place} time="{case.seconds:.3f}"'
    inner = _properties(case) + _element(case)
    return f"{head}>{inner}</testcase>\n" if inner else f"{head}/>\n"


def _properties(case: TestCase) -> str:
    found = {case.outcome.value: _PROPERTIES[case.outcome]} if case.outcome in _PROPERTIES else {}
    if case.runs != 1:
        found["runs"] = str(case.runs)
    rows = "".join(f'<property name="{name}" value="{value}"/>' for name, value in found.items())
    return rows and f"<properties>{rows}</properties>"


def _element(case: TestCase) -> str:
    detail = xml_content(named_marks(shortened(case.detail or case.message)))
    if case.outcome in _ELEMENTS:
        element, kind = _ELEMENTS[case.outcome]
        message = _attribute(case.message, _LONGEST_MESSAGE)
        return f'<{element} message={message} type="{kind}">{detail}</{element}>'
    return f"<system-out>{detail}</system-out>" if case.outcome is TestOutcome.FLAKY and detail else ""


def _attribute(text: str, longest: int | None = None) -> str:
    return xml_attribute(named_marks(text)[:longest])


def report(result: RunResult, publication: Publication) -> None:
    """Write the file."""
    publication.write(JUNIT, "".join(render(totals(result).tests, result.started)).encode("utf-8"))
