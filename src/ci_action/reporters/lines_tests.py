"""The words of the console about tests, coverage and hints, as text without colours."""

from collections.abc import Iterator
from typing import Final

from ci_action.model.result import RunResult
from ci_action.model.tests import TestCase
from ci_action.model.totals import hint_line, hints_of, metrics_of, name_of, red_tests, tools_of, totals
from ci_action.reporters.lines import WIDTH
from ci_action.reporters.markdown import clipped
from ci_action.reporters.summary_tests import counted, coverage_line, file_line, worst
from ci_action.system.text import one_line, visible

MOST_FAILURES: Final = 20
MOST_FILES: Final = 5
_LAST_LINES: Final = 8


def failed_tests(result: RunResult) -> Iterator[tuple[str, list[str]]]:
    """Yield for each failed test the line that names it and the last lines of its traceback."""
    cases = red_tests(result)
    for case in cases[:MOST_FAILURES]:
        yield _failed(case), _last(case)
    if len(cases) > MOST_FAILURES:
        rest = f"{MOST_FAILURES} of {len(cases):,} failed tests are shown, the rest is in report.json and junit.xml"
        yield rest, []


def _failed(case: TestCase) -> str:
    place = f"{one_line(case.path)}:{case.line}" if case.line else one_line(case.path) or "project"
    word = one_line(case.message) or case.outcome.value
    return f"{place}: {case.outcome.value} {one_line(name_of(case))}: {word}"


def _last(case: TestCase) -> list[str]:
    lines = [line.rstrip() for line in case.detail.split("\n") if line.strip()]
    return [f"    | {clipped(visible(line), WIDTH)}" for line in lines[-_LAST_LINES:]]


def facts(result: RunResult) -> Iterator[str]:
    """Yield what was measured: counts of tests, coverage, the worst files, then what may help."""
    for tool in tools_of(result):
        metrics = metrics_of(tool)
        if "tests" in metrics:
            yield counted(metrics)
    found = totals(result)
    if line := coverage_line(found):
        yield line
    if found.coverage is not None:
        for one in worst(found.coverage)[:MOST_FILES]:
            yield f"  {one_line(one.path)}: {file_line(one)}"
    yield from (f"hint: {one_line(hint_line(hint))}" for hint in hints_of(result))
