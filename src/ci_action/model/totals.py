"""What a run measured, for the reporters: its tests, its coverage, its figures, its hints."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from ci_action.model.coverage import Coverage, shown
from ci_action.model.finding import Finding, ranked
from ci_action.model.result import Counted, Examined, Hint, Report, RunResult, Skipped, ToolResult
from ci_action.model.tests import RED, TestCase, TestOutcome

# These counts are shown even if they are 0.
_ALWAYS: Final = frozenset({Counted.FILES, Counted.PACKAGES})
# A traceback and what a test printed, in a file: beyond this nobody reads, and 50,000 failures stay bearable.
LONGEST_DETAIL: Final = 10_000


@dataclass(frozen=True)
class Totals:
    """Everything that the tools of a run measured, together."""

    tests: tuple[TestCase, ...]
    coverage: Coverage | None
    metrics: dict[str, float]

    @property
    def percent(self) -> str:
        """The coverage, cut to two decimals; empty where there is none."""
        return shown(self.coverage.percent) if self.coverage else ""

    @property
    def patch_percent(self) -> str:
        """The coverage of the changed lines; empty where there is none."""
        value = self.metrics.get("patch_coverage")
        return "" if value is None else shown(Fraction(repr(value)))

    def count(self, *names: str) -> int | None:
        """Return the sum of some counts of tests; None where no tests were run."""
        if "tests" not in self.metrics:
            return None
        return int(sum(self.metrics.get(name, 0) for name in names))


def amounts(examined: Examined) -> str:
    """Say some counts of what was looked at; nothing of those that are 0, but of what every run has."""
    counts = (what.told(number) for what, number in examined.items() if number or what in _ALWAYS)
    return ", ".join(counts) or "nothing"


def tests_of(tool: ToolResult) -> tuple[TestCase, ...]:
    """Return the tests that a tool ran, whatever the outcome."""
    return () if isinstance(tool.outcome, Skipped) else tool.outcome.tests


def coverage_of(tool: ToolResult) -> Coverage | None:
    """Return the coverage that a tool measured."""
    return tool.outcome.coverage if isinstance(tool.outcome, Report) else None


def metrics_of(tool: ToolResult) -> dict[str, float]:
    """Return the figures of a tool, whatever the outcome."""
    return {} if isinstance(tool.outcome, Skipped) else dict(tool.outcome.metrics)


def totals(result: RunResult) -> Totals:
    """Gather what the tools of a run measured."""
    return totals_of(tools_of(result))


def totals_of(tools: Iterable[ToolResult]) -> Totals:
    """Gather what some tools measured."""
    tests: list[TestCase] = []
    coverage: Coverage | None = None
    metrics: dict[str, float] = {}
    for tool in tools:
        tests += tests_of(tool)
        coverage = coverage_of(tool) or coverage
        metrics |= metrics_of(tool)
    return Totals(tuple(tests), coverage, metrics)


def told_by(tools: Iterable[ToolResult], name: str) -> str:
    """Return an output that a tool filled in; empty where none did."""
    return next((text for tool in tools if (text := tool.outputs.get(name, ""))), "")


def tools_of(result: RunResult) -> Iterator[ToolResult]:
    """Yield the tools of all stages."""
    return (tool for stage in result.stages for tool in stage.tools)


def red_tests(tools: Iterable[ToolResult]) -> list[TestCase]:
    """Return the tests that failed and count, errors first: what could not be collected or set up hides others.

    A test that failed because of its parts is left out, for the parts say more.
    """
    cases = []
    for tool in tools:
        parts = {case.nodeid for case in tests_of(tool) if case.subtest and case.outcome.is_red}
        for case, finding in _paired(tool):
            said_by_parts = finding is None and not case.subtest and case.nodeid in parts
            if not said_by_parts and (finding is None or finding.counts):
                cases.append(case)
    return sorted(cases, key=lambda case: case.outcome is not TestOutcome.ERROR)


def other_findings(result: RunResult) -> list[Finding]:
    """Return the findings that count, the weightiest first, without those that stand for a failed test."""
    return ranked(finding for finding in beside_tests(result) if finding.counts)


def beside_tests(result: RunResult) -> list[Finding]:
    """Return the findings, the muted too, without those that count and stand for a failed test."""
    paired = {
        id(finding) for tool in tools_of(result) for _, finding in _paired(tool) if finding and finding.counts
    }
    return [finding for finding in result.findings if id(finding) not in paired]


def _paired(tool: ToolResult) -> Iterator[tuple[TestCase, Finding | None]]:
    """Yield each failed test with its finding, which begins with its name: both are in the same order."""
    findings = deque(finding for finding in tool.findings if finding.rule in RED)
    for case in tests_of(tool):
        if case.outcome.is_red:
            mine = bool(findings) and findings[0].message.startswith(f"{name_of(case)}: ")
            yield case, findings.popleft() if mine else None


def hints_of(result: RunResult) -> list[Hint]:
    """Return the hints of a run."""
    return [hint for tool in tools_of(result) for hint in tool.hints]


def hint_line(hint: Hint) -> str:
    """Say a hint in one line: foreign text may be in it."""
    return f"{hint.cause} → {hint.fix}" + (f" ({hint.url})" if hint.url else "")


def name_of(case: TestCase) -> str:
    """Return the name of a test, with that of its part."""
    return f"{case.nodeid} [{case.subtest}]" if case.subtest else case.nodeid


def shortened(text: str, limit: int = LONGEST_DETAIL) -> str:
    """Cut the middle out of a long text: a traceback says at its end what happened, and what was printed follows."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n… {left_out:,} characters are left out here …\n{text[-half:]}"
