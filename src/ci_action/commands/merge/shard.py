"""A shard: its report folder, read as what it is, foreign data. Nothing in it is trusted before it is checked."""

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from ci_action.engine.test_run import COVERAGE as COVERAGE_TOOL
from ci_action.engine.test_run import TESTS
from ci_action.engine.test_run.job import NO_TESTS
from ci_action.model.coverage import Coverage, FileCoverage
from ci_action.model.finding import Finding, Level
from ci_action.model.result import Conclusion
from ci_action.model.tests import TestCase
from ci_action.reporters.context import COVERAGE
from ci_action.reporters.report_json.read import (
    ReportFolderError,
    cases_of,
    check,
    content,
    finding_of,
    path_of,
    report_of,
    validated,
)
from ci_action.reporters.report_json.schema import RunReport, ToolEntry
from ci_action.settings.general import MERGE

STAGE: Final = "test"
_OUTCOMES: Final = frozenset({"report", "broken", "skipped"})
_MOST_LINES: Final = 100_000_000
_SHARD: Final = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})")

_Line = Annotated[int, Field(ge=-_MOST_LINES, le=_MOST_LINES)]


class _File(TypedDict):
    executed_lines: list[_Line]
    missing_lines: list[_Line]


class _Summary(TypedDict, total=False):
    num_branches: Annotated[int, Field(ge=0, le=_MOST_LINES)]


class _FileWithBranches(_File, total=False):
    summary: _Summary
    executed_branches: list[tuple[_Line, _Line]]
    missing_branches: list[tuple[_Line, _Line]]


class _Document(TypedDict):
    files: dict[str, _FileWithBranches]


@dataclass(frozen=True, kw_only=True)
class Shard:
    """What one shard left."""

    where: str
    """Its report file, for people."""
    part: int
    parts: int
    report: RunReport
    tests: tuple[TestCase, ...]
    findings: Mapping[str, tuple[Finding, ...]]
    """What each tool found, without fingerprints."""
    coverage: Coverage | None

    @property
    def name(self) -> str:
        """The shard as its user wrote it: `2/4`."""
        return f"{self.part}/{self.parts}"

    @property
    def conclusion(self) -> Conclusion:
        """How its run ended."""
        return Conclusion(self.report["conclusion"])

    @property
    def tools(self) -> list[ToolEntry]:
        """What its tools did."""
        return self.report["stages"][0]["tools"]

    def tool(self, name: str) -> ToolEntry | None:
        """Return what one tool did."""
        return next((tool for tool in self.tools if tool["name"] == name), None)

    def metric(self, tool: str, name: str) -> float | None:
        """Return a figure of a tool."""
        found = self.tool(tool)
        return found["metrics"].get(name) if found else None


def read(file: Path, where: str) -> Shard | None:
    """Read a shard; None where the file is the report of `merge` itself. Raises `ReportFolderError`."""
    report = report_of(file, "use one version of ci-action for the shards and for `merge`")
    stages = [stage["name"] for stage in report["stages"]]
    if report["settings"].get("stage") == [MERGE]:
        return None
    if stages != [STAGE]:
        raise ReportFolderError(
            f"it is a run of {', '.join(stages) or 'no stage'}: a shard is a run of '{STAGE}' alone"
        )
    match = _SHARD.fullmatch(str(report["settings"].get("shard", "")))
    if match is None or int(match[1]) > int(match[2]):
        raise ReportFolderError("its run was no shard: set `shard`, such as '2/4', where the tests run")
    try:
        check(report)
        tests = tuple(cases_of(report["stages"][0]["tools"]))
        tools = report["stages"][0]["tools"]
        findings = {
            tool["name"]: tuple(finding_of(tool["name"], one) for one in tool["findings"]) for tool in tools
        }
        _check_tools(report)
        coverage = _coverage(file.with_name(COVERAGE), report)
    except ValueError as error:
        raise ReportFolderError(f"it holds what no run writes: {error}") from error
    return Shard(
        where=where,
        part=int(match[1]),
        parts=int(match[2]),
        report=report,
        tests=tests,
        findings=findings,
        coverage=coverage,
    )


def _check_tools(report: RunReport) -> None:
    """Check that the tools of the stage are those of a shard, and that the conclusion follows from them."""
    tools = report["stages"][0]["tools"]
    names = Counter(tool["name"] for tool in tools)
    if missing := [name for name in (TESTS, COVERAGE_TOOL) if names[name] != 1]:
        raise ValueError(f"{names[missing[0]]} results of {missing[0]}")
    if unknown := [tool["outcome"] for tool in tools if tool["outcome"] not in _OUTCOMES]:
        raise ValueError(f"the outcome {unknown[0][:40]!r}")
    for tool in tools:
        if tool["tests"] and tool["name"] != TESTS:
            raise ValueError(f"tests of {tool['name'][:40]!r}")
        if tool["findings"] and tool["outcome"] == "skipped":
            raise ValueError(f"findings of {tool['name'][:40]!r}, which was skipped")
    broken = any(tool["outcome"] == "broken" for tool in tools)
    counting = any(
        one["level"] == Level.ERROR and not one["muted"] for tool in tools for one in tool["findings"]
    )
    least = Conclusion.BROKEN if broken else Conclusion.FAILED if counting else Conclusion.SKIPPED
    said = Conclusion(report["conclusion"])
    if said.rank < least.rank or Conclusion(report["stages"][0]["conclusion"]).rank < least.rank:
        raise ValueError(f"the conclusion {said.value!r} over a tool that is {least.value}")
    tests = next(tool for tool in tools if tool["name"] == TESTS)
    if tests["outcome"] == "skipped" and not broken and not tests["reason"].startswith(NO_TESTS):
        raise ValueError(f"{TESTS} was skipped for an unknown reason: {tests['reason'][:200]!r}")


def _coverage(file: Path, report: RunReport) -> Coverage | None:
    """Read the coverage that belongs to the report; one that an earlier run has left does not."""
    tool = next((tool for tool in report["stages"][0]["tools"] if tool["coverage"] is not None), None)
    if tool is None:
        return None
    if not os.path.lexists(file):
        raise ReportFolderError(f"{COVERAGE} is not beside it: upload the whole report folder")
    try:
        document = validated(_Document, content(file), "it is no coverage report")
    except ReportFolderError as error:
        raise ReportFolderError(f"{COVERAGE} beside it cannot be used: {error}") from error
    files = {
        path_of(path): FileCoverage(
            path=path,
            executed=frozenset(one["executed_lines"]),
            missing=frozenset(one["missing_lines"]),
            executed_branches=frozenset(one.get("executed_branches", ())),
            missing_branches=frozenset(one.get("missing_branches", ())),
            branch_total=one.get("summary", {}).get("num_branches"),
        )
        for path, one in document["files"].items()
    }
    coverage = Coverage(files=files)
    if any(tool["metrics"].get(name) != value for name, value in coverage.metrics.items()):
        raise ReportFolderError(f"{COVERAGE} beside it is of another run")
    return coverage
