"""The part of the page about tests and coverage, and what may help."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ci_action.model.coverage import Coverage, FileCoverage, percent, ranges, shown
from ci_action.model.result import RunResult, ToolResult
from ci_action.model.tests import TestCase, TestOutcome
from ci_action.model.totals import (
    Totals,
    coverage_of,
    hints_of,
    metrics_of,
    name_of,
    red_tests,
    tests_of,
    tools_of,
    totals,
)
from ci_action.reporters.markdown import code, fenced, link
from ci_action.system.text import duration

MOST_FAILURES: Final = 100
MOST_SLOW: Final = 10
MOST_FILES: Final = 10
_MOST_REASONS: Final = 10
_MOST_NAMES: Final = 20
_MOST_RANGES: Final = 8
_TRACEBACK_LINES: Final = 60
# In the order in which they are told; the first is told always.
_COUNTS: Final = {
    "passed": "passed",
    "failed": "failed",
    "errors": "errors",
    "flaky": "flaky",
    "skipped": "skipped",
    "xfailed": "failed as expected (xfailed)",
    "xpassed": "passed unexpectedly (xpassed)",
}


def counted(metrics: dict[str, float]) -> str:
    """Say how the tests of a tool ended: `12 tests: 10 passed, 2 failed`."""
    total = int(metrics["tests"])
    parts = [
        f"{int(metrics[name]):,} {'error' if word == 'errors' and metrics[name] == 1 else word}"
        for name, word in _COUNTS.items()
        if metrics.get(name) or name == "passed"
    ]
    return f"{total:,} {'test' if total == 1 else 'tests'}: {', '.join(parts)}"


def coverage_line(found: Totals) -> str:
    """Say the coverage in a line; empty where there is none."""
    if found.coverage is None:
        return ""
    files = found.coverage.files.values()
    covered, statements = sum(len(one.executed) for one in files), sum(one.statements for one in files)
    text = f"coverage {found.percent} %: {covered:,} of {statements:,} statements"
    if branches := sum(one.branches for one in files):
        hit = sum(one.covered_branches for one in files)
        text += f", {hit:,} of {branches:,} branches"
    minimum = found.metrics.get("coverage_min")
    if minimum is not None:
        text += f"; at least {minimum:g} % is asked for"
    if found.patch_percent:
        text += f"; {found.patch_percent} % of the changed lines"
    return text


def opening(result: RunResult) -> str:
    """Return what was measured, in a few lines; empty where nothing was."""
    return "\n".join(_opening(result))


def _opening(result: RunResult) -> Iterator[str]:
    for tool in tools_of(result):
        metrics, cases = metrics_of(tool), tests_of(tool)
        if "tests" in metrics:
            yield f"- {counted(metrics)}"
        for outcome, word in ((TestOutcome.FLAKY, "flaky"), (TestOutcome.XPASSED, "passed unexpectedly")):
            names = [case for case in cases if case.outcome is outcome]
            yield from (f"  - {word}: {code(name_of(case))}{_runs(case)}" for case in names[:_MOST_NAMES])
            if len(names) > _MOST_NAMES:
                yield f"  - and {len(names) - _MOST_NAMES:,} more {word}"
        reasons = Counter(case.message for case in cases if case.outcome is TestOutcome.SKIPPED)
        for reason, number in reasons.most_common(_MOST_REASONS):
            yield f"  - {number:,} skipped: {code(reason or 'no reason given')}"
        if len(reasons) > _MOST_REASONS:
            yield f"  - and {len(reasons) - _MOST_REASONS:,} more reasons to skip"
    if line := coverage_line(totals(result)):
        yield f"- {line}"


def _runs(case: TestCase) -> str:
    return f" in run {case.runs}" if case.outcome is TestOutcome.FLAKY else ""


def failures(result: RunResult, room: int, place: Callable[[TestCase], str]) -> list[str]:
    """Return a block for each failed test that there is room for, in bytes, under a heading.

    `place` says where a test is, as Markdown.
    """
    cases = red_tests(result)
    if not cases:
        return []
    kept = []
    for case in cases[:MOST_FAILURES]:
        block = _failure(case, place(case))
        room -= len(block.encode("utf-8", "replace")) + 2
        if room < 0:
            break
        kept.append(block)
    title = f"## {len(cases):,} {'test' if len(cases) == 1 else 'tests'} failed"
    rest = [f"{len(kept):,} of them are shown here."] if len(kept) < len(cases) else []
    return [title, *rest, *kept]


def _failure(case: TestCase, place: str) -> str:
    text = f"{code(name_of(case))} · {place} · {code(case.message or case.outcome.value)}"
    if case.detail.strip():
        lines = case.detail.strip("\n").split("\n")
        # The end of a traceback says what happened.
        cut = [f"… {len(lines) - _TRACEBACK_LINES:,} lines before", *lines[-_TRACEBACK_LINES:]]
        detail = "\n".join(lines if len(lines) <= _TRACEBACK_LINES + 1 else cut)
        block = fenced(detail, lines=_TRACEBACK_LINES + 1)
        text += f"\n\n<details><summary>Traceback</summary>\n\n{block}\n\n</details>"
    return text


def closing(result: RunResult) -> list[str]:
    """Return the files that are covered worst, and the slowest tests."""
    return [*_coverage(result), *_slowest(result)]


def helping(result: RunResult) -> Iterator[str]:
    """Yield the known errors that were recognised, and what to do."""
    rows = []
    for hint in hints_of(result):
        more = f" · {link(hint.url, 'read more')}" if hint.url.startswith("https://") else ""
        rows.append(f"- {code(hint.cause, 600)}\n  - {code(hint.fix, 600)}{more}")
    if rows:
        yield "## What may help\n\n" + "\n".join(rows)


def worst(coverage: Coverage) -> list[FileCoverage]:
    """Return the files with something uncovered, those with the most of it first."""
    files = [one for one in coverage.files.values() if one.missing or one.missing_branches]
    return sorted(files, key=lambda one: (-len(one.missing) - len(one.missing_branches), one.path))


def file_line(one: FileCoverage) -> str:
    """Say what is not covered in a file, without its name: `75.00 %, not run: 3-7, 12`."""
    found = ranges(one.missing)
    lines = [f"{first}–{last}" if last > first else f"{first}" for first, last in found[:_MOST_RANGES]]
    more = [f"and {len(found) - _MOST_RANGES:,} more places"] if len(found) > _MOST_RANGES else []
    parts = [f"not run: {', '.join([*lines, *more])}"] if lines else []
    if number := len(one.missing_branches):
        parts.append(f"{number:,} {'branch' if number == 1 else 'branches'} not taken")
    return f"{shown(percent([one]))} %, {'; '.join(parts)}"


def _coverage(result: RunResult) -> Iterator[str]:
    for tool in tools_of(result):
        coverage = coverage_of(tool)
        if coverage is None:
            continue
        changed = _changed(tool, coverage)
        if changed:
            yield _files("Changed files that the tests do not cover", changed)
        if files := [one for one in worst(coverage) if one not in changed]:
            yield _files("Files with the most that no test runs", files)
        if coverage.unreadable:
            rows = [f"- {code(path)}" for path in coverage.unreadable[:_MOST_NAMES]]
            yield "## Files that coverage could not read\n\n" + "\n".join(rows)


def _changed(tool: ToolResult, coverage: Coverage) -> list[FileCoverage]:
    paths = {one.location.path: None for one in tool.findings if one.rule == "uncovered" and one.location}
    return [coverage.files[path] for path in paths if path in coverage.files]


def _files(title: str, files: Sequence[FileCoverage]) -> str:
    rows = [f"- {code(one.path)}: {file_line(one)}" for one in files[:MOST_FILES]]
    more = [f"- and {len(files) - MOST_FILES:,} more files"] if len(files) > MOST_FILES else []
    return f"## {title}\n\n" + "\n".join([*rows, *more])


def _slowest(result: RunResult) -> Iterator[str]:
    cases = [case for case in totals(result).tests if not case.subtest and case.seconds > 0]
    slow = sorted(cases, key=lambda case: -case.seconds)[:MOST_SLOW]
    if slow:
        rows = "\n".join(f"- {duration(case.seconds)} {code(case.nodeid)}" for case in slow)
        yield f"<details><summary>The slowest tests</summary>\n\n{rows}\n\n</details>"
