"""The results of a run across its tools, for the reporters: tests, coverage, metrics, hints."""

import shlex
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from ci_action.model.coverage import Coverage, shown
from ci_action.model.finding import Finding, Fix
from ci_action.model.result import Conclusion, Counted, Examined, Hint, Report, RunResult, ToolResult
from ci_action.model.tests import RED, TestCase, TestOutcome

# These counts are shown even if they are 0.
_ALWAYS: Final = frozenset({Counted.FILES, Counted.PACKAGES})
# Limits the traceback and output of a test in a file, so that 50,000 failures remain readable.
LONGEST_DETAIL: Final = 10_000


@dataclass(frozen=True)
class Totals:
    """The tests, coverage and metrics of several tools."""

    tests: tuple[TestCase, ...]
    coverage: Coverage | None
    metrics: dict[str, float]

    @property
    def percent(self) -> str:
        """The coverage, cut to two decimals; empty if it was not measured."""
        return shown(self.coverage.percent) if self.coverage else ""

    @property
    def patch_percent(self) -> str:
        """The coverage of the changed lines; empty if it is unknown."""
        value = self.metrics.get("patch_coverage")
        return "" if value is None else shown(Fraction(repr(value)))

    def count(self, *names: str) -> int | None:
        """Return the sum of some counts of tests; None if no tests were run."""
        if "tests" not in self.metrics:
            return None
        return int(sum(self.metrics.get(name, 0) for name in names))


def amounts(examined: Examined) -> str:
    """Return counts as text: those that are not 0, and files and packages in any case."""
    counts = (what.amount(number) for what, number in examined.items() if number or what in _ALWAYS)
    return ", ".join(counts) or "nothing"


def coverage_of(tool: ToolResult) -> Coverage | None:
    """Return the coverage that a tool measured."""
    return tool.outcome.coverage if isinstance(tool.outcome, Report) else None


def fix_command(result: RunResult) -> tuple[str, int]:
    """Return the command that writes the safe fixes, and the number of findings that it fixes."""
    flags, fixable = list(result.fix_flags), 0
    for tool in tools_of(result):
        number = sum(one.fix is Fix.SAFE and one.counts for one in tool.findings)
        if number and tool.offer:
            flags.append(f"--{tool.offer.setting}={tool.offer.value}")
        fixable += number
    return shlex.join(["ci-action", "fix", *flags]), fixable


def why_exit_0(result: RunResult) -> str:
    """Return why a broken run has exit code 0; empty for any other run."""
    if result.verdict.conclusion is not Conclusion.BROKEN or result.verdict.exit_code:
        return ""
    broken = [stage for stage in result.stages if stage.verdict.conclusion is Conclusion.BROKEN]
    reasons = dict.fromkeys(stage.warns_because for stage in broken if stage.warns_because)
    return f"exit 0 because {' and '.join(reasons) or 'the broken stage only warns'}"


def totals(result: RunResult) -> Totals:
    """Return the totals of a run."""
    return totals_of(tools_of(result))


def totals_of(tools: Iterable[ToolResult]) -> Totals:
    """Return the totals of some tools."""
    tests: list[TestCase] = []
    coverage: Coverage | None = None
    metrics: dict[str, float] = {}
    for tool in tools:
        tests += tool.outcome.tests
        coverage = coverage_of(tool) or coverage
        metrics |= tool.outcome.metrics
    return Totals(tuple(tests), coverage, metrics)


def told_by(tools: Iterable[ToolResult], name: str) -> str:
    """Return the output of that name; empty if no tool sets it."""
    return next((text for tool in tools if (text := tool.outputs.get(name, ""))), "")


def tools_of(result: RunResult) -> Iterator[ToolResult]:
    """Yield the tools of all stages."""
    return (tool for stage in result.stages for tool in stage.tools)


def red_tests(tools: Iterable[ToolResult]) -> list[TestCase]:
    """Return the failed tests whose findings count, errors first: a failed collection or set-up hides others.

    A test that failed only because of its subtests is omitted.
    """
    cases = []
    for tool in tools:
        parts = {case.nodeid for case in tool.outcome.tests if case.subtest and case.outcome.is_red}
        for case, finding in _paired(tool):
            by_parts = finding is None and not case.subtest and case.nodeid in parts
            if not by_parts and (finding is None or finding.counts):
                cases.append(case)
    return sorted(cases, key=lambda case: case.outcome is not TestOutcome.ERROR)


def other_findings(result: RunResult) -> list[Finding]:
    """Return the findings that count and are about no failed test."""
    return [finding for finding in beside_tests(result) if finding.counts]


def beside_tests(result: RunResult) -> list[Finding]:
    """Return the findings, including ignored ones, but those of failed tests that count."""
    paired = {
        id(finding) for tool in tools_of(result) for _, finding in _paired(tool) if finding and finding.counts
    }
    return [finding for finding in result.findings if id(finding) not in paired]


def _paired(tool: ToolResult) -> Iterator[tuple[TestCase, Finding | None]]:
    """Yield each failed test with its finding, whose message starts with its name: both are in the same order."""
    findings = deque(finding for finding in tool.findings if finding.rule in RED)
    for case in tool.outcome.tests:
        if case.outcome.is_red:
            mine = bool(findings) and findings[0].message.startswith(f"{name_of(case)}: ")
            yield case, findings.popleft() if mine else None


def hints_of(result: RunResult) -> list[Hint]:
    """Return the hints of a run."""
    return [hint for tool in tools_of(result) for hint in tool.hints]


def hint_line(hint: Hint) -> str:
    """Return a hint as one line, which may contain foreign text."""
    return f"{hint.cause} → {hint.fix}" + (f" ({hint.url})" if hint.url else "")


def name_of(case: TestCase) -> str:
    """Return the name of a test, including that of its subtest."""
    return f"{case.nodeid} [{case.subtest}]" if case.subtest else case.nodeid


def shortened(text: str, limit: int = LONGEST_DETAIL) -> str:
    """Cut the middle of a long text: the end of a traceback has the error, and captured output follows it."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n… {left_out:,} characters are left out here …\n{text[-half:]}"
