"""The report folders of shards. Everything in them is foreign data, and is checked before it is used."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from ci_action.engine.test_run import COVERAGE as COVERAGE_TOOL
from ci_action.engine.test_run import TESTS
from ci_action.engine.test_run.job import NO_TESTS
from ci_action.model.coverage import Coverage, FileCoverage
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Conclusion, Outcome, Skipped
from ci_action.model.tests import TestCase
from ci_action.project.layout import Layout
from ci_action.reporters.context import COVERAGE
from ci_action.reporters.report_json.read import (
    ReportFolderError,
    check_exit_code,
    content,
    decoded,
    files_below,
    outcome_of,
    path_of,
    report_of,
)
from ci_action.reporters.report_json.schema import MOST_LINES, RunReport, ToolEntry
from ci_action.settings.general import MERGE
from ci_action.system.errors import ShardsError

STAGE: Final = "test"
# Reasons of one kind: the others are similar.
_MOST: Final = 10
_ADVICE: Final = "its job must upload its report folder; download each artifact into a separate folder"
_SHARD: Final = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})")

# Coverage writes the exit of a function as a negative line.
_Line = Annotated[int, Meta(ge=-MOST_LINES, le=MOST_LINES)]


class _Summary(Struct, frozen=True):
    num_branches: Annotated[int, Meta(ge=0, le=MOST_LINES)] | None = None


class _File(Struct):
    executed_lines: frozenset[_Line]
    missing_lines: frozenset[_Line]
    executed_branches: frozenset[tuple[_Line, _Line]] = frozenset()
    missing_branches: frozenset[tuple[_Line, _Line]] = frozenset()
    summary: _Summary = _Summary()


class _Document(Struct):
    files: dict[str, _File]


@dataclass(frozen=True, kw_only=True)
class Shard:
    """The results of one shard."""

    where: str
    """Its report file, for messages."""
    part: int
    parts: int
    report: RunReport
    outcomes: Mapping[str, Outcome]
    """The outcome of each tool; its findings have no fingerprints."""
    coverage: Coverage | None

    @property
    def name(self) -> str:
        """The value of `shard`: `2/4`."""
        return f"{self.part}/{self.parts}"

    @property
    def tests(self) -> tuple[TestCase, ...]:
        """The tests that ran in it."""
        return self.outcomes[TESTS].tests

    def tool(self, name: str) -> ToolEntry | None:
        """Return the entry of a tool."""
        return next((tool for tool in self.report.stages[0].tools if tool.name == name), None)

    def metric(self, tool: str, name: str) -> float | None:
        """Return a metric of a tool."""
        found = self.tool(tool)
        return found.metrics.get(name) if found else None


def shards_of(layout: Layout) -> tuple[Shard, ...]:
    """Read the shards below the paths of the project, in their order; raises `ShardsError`."""
    files, reasons = files_below(layout.root / path for path in layout.paths)
    found: list[Shard] = []
    unusable = []
    for file in sorted(files):
        where = layout.shown(file)
        try:
            shard = _read(file, where)
        except ReportFolderError as error:
            unusable.append(f"{where}: {error}")
            continue
        if shard is not None:
            found.append(shard)
    reasons += _first(unusable)
    if found:
        reasons += [*_differences(found), *_parts(found), *_tests(found)]
    elif not unusable:
        shown = ", ".join(map(repr, layout.paths))
        advice = "download the report folders of the shards into it, each with its report.json"
        reasons.append(f"no report folder of a shard found below {shown}: {advice}")
    if reasons:
        raise ShardsError(reasons)
    return tuple(sorted(found, key=lambda shard: shard.part))


def _differences(found: Sequence[Shard]) -> Iterator[str]:
    if shown := _differing(found, lambda one: one.parts, lambda one: one.name):
        yield f"the numbers of shards differ: {shown}; all shards must be from one run"
    if shown := _differing(
        found, lambda one: one.report.commit, lambda one: one.report.commit[:12] or "none"
    ):
        yield f"the commits of the shards differ: {shown}"


def _differing(found: Sequence[Shard], key: Callable[[Shard], Any], text: Callable[[Shard], str]) -> str:
    """Return one shard for each value; empty if the value of all is the same."""
    first = {key(shard): shard for shard in reversed(found)}
    shown = (f"{text(one)} ({one.where})" for _, one in sorted(first.items()))
    return " and ".join(shown) if len(first) > 1 else ""


def _parts(found: Sequence[Shard]) -> Iterator[str]:
    names = Counter(shard.name for shard in found)
    for name in [name for name, times in names.items() if times > 1][:_MOST]:
        where = ", ".join(shard.where for shard in found if shard.name == name)
        yield f"duplicate results for shard {name}: {where}"
    parts = found[0].parts
    if all(shard.parts == parts for shard in found):
        missing = [name for part in range(1, parts + 1) if (name := f"{part}/{parts}") not in names]
        yield from _first([f"shard {name} is missing: {_ADVICE}" for name in missing])


def _tests(found: Sequence[Shard]) -> Iterator[str]:
    """Find tests that ran in two shards: then the shards did not split the same tests, and some may not have run."""
    owner: dict[str, Shard] = {}
    twice: dict[str, tuple[Shard, Shard]] = {}
    for shard in found:
        for nodeid in {case.nodeid for case in shard.tests if "::" in case.nodeid}:
            first = owner.setdefault(nodeid, shard)
            if first.name != shard.name:
                twice.setdefault(nodeid, (first, shard))
    if twice:
        name = min(twice)
        first, second = twice[name]
        more = f" (and {len(twice) - 1:,} more)" if len(twice) > 1 else ""
        yield (
            f"the test {name[:300]!r} ran in shard {first.name} and in shard {second.name}{more}: the shards did not"
            " split the same tests, so some may not have run; use the same .test_durations for all"
        )


def _first(texts: Sequence[str]) -> list[str]:
    more = [f"and {len(texts) - _MOST:,} more"] if len(texts) > _MOST else []
    return [*texts[:_MOST], *more]


def _read(file: Path, where: str) -> Shard | None:
    """Read a shard; None if it is the report of `merge` or of a run without tests. Raises `ReportFolderError`."""
    report = report_of(file, "use the same version of ci-action for the shards and for `merge`")
    names = [stage.name for stage in report.stages]
    if report.settings.get("stage") == [MERGE] or (names and STAGE not in names):
        return None
    if names != [STAGE]:
        shown = ", ".join(names) or "no stage"
        raise ReportFolderError(
            f"a run of {shown}: a shard is a run of only '{STAGE}'; leave this report out"
        )
    match = _SHARD.fullmatch(str(report.settings.get("shard", "")))
    if match is None or int(match[1]) > int(match[2]):
        raise ReportFolderError("not a run of a shard: set `shard`, such as '2/4', where the tests run")
    try:
        return Shard(
            where=where,
            part=int(match[1]),
            parts=int(match[2]),
            report=report,
            outcomes=_outcomes(report),
            coverage=_coverage(file.with_name(COVERAGE), report),
        )
    except ValueError as error:
        raise ReportFolderError(f"not written by ci-action: {error}") from error


def _outcomes(report: RunReport) -> dict[str, Outcome]:
    """Return the outcome of each tool; raises `ValueError` if a shard has other tools, or concludes something else."""
    check_exit_code(report)
    tools = report.stages[0].tools
    names = Counter(tool.name for tool in tools)
    for name in (TESTS, COVERAGE_TOOL, *names):
        if names[name] != 1:
            raise ValueError(f"{names[name]} results of {name[:40]!r}")
    outcomes = {tool.name: outcome_of(tool) for tool in tools}
    for name, outcome in outcomes.items():
        if outcome.tests and name != TESTS:
            raise ValueError(f"tests of {name[:40]!r}")
    broken = any(isinstance(one, Broken) for one in outcomes.values())
    findings = (finding for one in outcomes.values() for finding in one.findings)
    failed = any(finding.counts and finding.level is Level.ERROR for finding in findings)
    least = Conclusion.BROKEN if broken else Conclusion.FAILED if failed else Conclusion.SKIPPED
    for conclusion in (report.conclusion, report.stages[0].conclusion):
        if conclusion.rank < least.rank:
            raise ValueError(f"the conclusion is {conclusion.value!r}, but must be at least {least.value!r}")
    tests = outcomes[TESTS]
    if isinstance(tests, Skipped) and not broken and not tests.reason.startswith(NO_TESTS):
        raise ValueError(f"{TESTS} was skipped for an unknown reason: {tests.reason[:200]!r}")
    return outcomes


def _coverage(file: Path, report: RunReport) -> Coverage | None:
    """Read the coverage that belongs to the report, not that of an earlier run."""
    tool = next((tool for tool in report.stages[0].tools if tool.coverage), None)
    if tool is None:
        return None
    if not os.path.lexists(file):
        raise ReportFolderError(f"{COVERAGE} not found beside it: upload the whole report folder")
    try:
        document = decoded(content(file), _Document, "not a coverage report")
    except ReportFolderError as error:
        raise ReportFolderError(f"{COVERAGE} beside it: {error}") from error
    files = {
        path_of(path): FileCoverage(
            path=path,
            executed=one.executed_lines,
            missing=one.missing_lines,
            executed_branches=one.executed_branches,
            missing_branches=one.missing_branches,
            branch_total=one.summary.num_branches,
        )
        for path, one in document.files.items()
    }
    coverage = Coverage(files=files)
    if any(tool.metrics.get(name) != value for name, value in coverage.metrics.items()):
        raise ReportFolderError(f"{COVERAGE} beside it is from another run")
    return coverage
