"""The bundle of a shard: its report folder, read as what it is, foreign data. Nothing in it is trusted before it is checked."""

import math
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from ci_action.cases import TestCase, TestOutcome
from ci_action.coverage import Coverage, FileCoverage
from ci_action.model import Conclusion, Finding, Location, Severity
from ci_action.packages import Package
from ci_action.ranking import LEVELS
from ci_action.reporters.publication import COVERAGE, REPORT
from ci_action.reporters.report_schema import SCHEMA, FindingEntry, PackageEntry, RunReport, ToolEntry
from ci_action.stages import MERGE

# No run of ours writes a larger file: 200,000 tests take 100 MB.
LARGEST: Final = 200_000_000
STAGE: Final = "test"
_MOST_LINES: Final = 100_000_000
_MOST_PROBLEMS: Final = 3
_SHARD: Final = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})")

_Line = Annotated[int, Field(ge=-_MOST_LINES, le=_MOST_LINES)]


class _File(TypedDict):
    executed_lines: list[_Line]
    missing_lines: list[_Line]


class _FileWithBranches(_File, total=False):
    executed_branches: list[tuple[_Line, _Line]]
    missing_branches: list[tuple[_Line, _Line]]


class _Document(TypedDict):
    files: dict[str, _FileWithBranches]


class _Head(TypedDict):
    schema: int
    version: str


# Made when they are needed: that takes longer than to import all the rest.
_adapter: Final = cache(TypeAdapter)


class BundleError(Exception):
    """A bundle cannot be used; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
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


def files_below(folders: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """Return the report files below some folders, each once, and what could not be looked into. Links are not followed."""
    found: dict[str, Path] = {}
    problems: list[str] = []

    def note(error: OSError) -> None:
        problems.append(f"{error.filename!r} cannot be looked into: {error.strerror}")

    for folder in folders:
        if folder.is_file():
            found.setdefault(os.path.realpath(folder), folder)
            continue
        for where, names, files in os.walk(folder, onerror=note):
            names.sort()
            if REPORT in files:
                file = Path(where, REPORT)
                found.setdefault(os.path.realpath(file), file)
    return list(found.values()), problems


def read(file: Path, where: str) -> Bundle | None:
    """Read a bundle; None where the file is the report of `merge` itself. Raises `BundleError`."""
    raw = _content(file)
    head = _validated(_Head, raw, "it is no report of ci-action")
    if head["schema"] != SCHEMA:
        raise BundleError(
            f"it was written by ci-action {head['version']} with schema {head['schema']}, and this one reads schema"
            f" {SCHEMA}: use one version of ci-action for the shards and for `merge`"
        )
    report = _validated(RunReport, raw, "it is no whole report of ci-action")
    stages = [stage["name"] for stage in report["stages"]]
    if report["settings"].get("stage") == [MERGE]:
        return None
    if stages != [STAGE]:
        raise BundleError(
            f"it is a run of {', '.join(stages) or 'no stage'}: a shard is a run of '{STAGE}' alone"
        )
    match = _SHARD.fullmatch(str(report["settings"].get("shard", "")))
    if match is None or int(match[1]) > int(match[2]):
        raise BundleError("its run was no shard: set `shard`, such as '2/4', where the tests run")
    try:
        _check(report)
        tests = tuple(_cases(report))
        tools = report["stages"][0]["tools"]
        findings = {
            tool["name"]: tuple(_finding(tool["name"], one) for one in tool["findings"]) for tool in tools
        }
        coverage = _coverage(file.with_name(COVERAGE), report)
    except ValueError as error:
        raise BundleError(f"it holds what no run writes: {error}") from error
    return Bundle(
        where=where,
        part=int(match[1]),
        parts=int(match[2]),
        report=report,
        tests=tests,
        findings=findings,
        coverage=coverage,
    )


def _content(file: Path) -> bytes:
    try:
        found = file.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise BundleError("it is no ordinary file")
        if found.st_size > LARGEST:
            raise BundleError(f"it is larger than {LARGEST // 1_000_000} MB, which no report is")
        return file.read_bytes()
    except OSError as error:
        raise BundleError(f"it cannot be read: {error.strerror}") from error


def _validated(shape: type, raw: bytes, what: str) -> Any:
    try:
        return _adapter(shape).validate_json(raw, strict=True)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        shown = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ") for one in problems]
        more = f"; and {len(shown) - _MOST_PROBLEMS} more" if len(shown) > _MOST_PROBLEMS else ""
        raise BundleError(
            f"{what}: {'; '.join(one[:200] for one in shown[:_MOST_PROBLEMS])}{more}"
        ) from error


def _check(report: RunReport) -> None:
    """Check what the shape does not say; raises `ValueError`."""
    Conclusion(report["conclusion"])
    numbers = [report["seconds"]]
    for tool in report["stages"][0]["tools"]:
        numbers += [tool["seconds"], *tool["metrics"].values(), *(case["seconds"] for case in tool["tests"])]
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("a number that is none")


def _cases(report: RunReport) -> Iterator[TestCase]:
    for tool in report["stages"][0]["tools"]:
        for case in tool["tests"]:
            yield TestCase(
                nodeid=case["nodeid"],
                outcome=TestOutcome(case["outcome"]),
                seconds=case["seconds"],
                path=_path(case["path"]) if not case["path"].startswith("/") else "",
                line=_line(case["line"]),
                message=case["message"],
                detail=case["detail"],
                runs=case["runs"],
                subtest=case["subtest"],
            )


def _finding(tool: str, entry: FindingEntry) -> Finding:
    path = _path(entry["path"])
    line, last = _line(entry["line"]), _line(entry["end_line"])
    # A place outside of the workspace is nobody's to show.
    inside = bool(path) and not path.startswith("/")
    return Finding(
        tool=tool,
        rule=entry["rule"],
        message=entry["message"],
        severity=Severity(entry["severity"]),
        level=_level(entry["level"]),
        location=Location(path=path, line=line, end_line=last) if inside else None,
        muted=entry["muted"],
        package=_package(entry["package"]),
        also=tuple(entry["also"]),
        new=entry["new"],
    )


def _level(level: str) -> str:
    if level and level not in LEVELS:
        raise ValueError(f"the level {level[:20]!r}")
    return level


def _package(entry: PackageEntry | None) -> Package | None:
    if entry is None:
        return None
    return Package(
        name=entry["name"],
        version=entry["version"],
        advisories=tuple(entry["advisories"]),
        fixed_in=tuple(entry["fixed_in"]),
        parents=tuple(entry["parents"]),
        direct=entry["direct"],
        upgrade=entry["upgrade"],
        licenses=entry["licenses"],
    )


def _path(path: str) -> str:
    if "\0" in path or ".." in path.split("/"):
        raise ValueError(f"the path {path[:200]!r}")
    return path


def _line(line: int | None) -> int | None:
    if line is not None and not 1 <= line <= _MOST_LINES:
        raise ValueError(f"the line {str(line)[:20]}")
    return line


def _coverage(file: Path, report: RunReport) -> Coverage | None:
    """Read the coverage that belongs to the report; one that an earlier run has left does not."""
    tool = next((tool for tool in report["stages"][0]["tools"] if tool["coverage"] is not None), None)
    if tool is None:
        return None
    if not os.path.lexists(file):
        raise BundleError(f"{COVERAGE} is not beside it: upload the whole report folder")
    try:
        document = _validated(_Document, _content(file), "it is no coverage report")
    except BundleError as error:
        raise BundleError(f"{COVERAGE} beside it cannot be used: {error}") from error
    files = {
        _path(path): FileCoverage(
            path=path,
            executed=frozenset(one["executed_lines"]),
            missing=frozenset(one["missing_lines"]),
            executed_branches=frozenset(one.get("executed_branches", ())),
            missing_branches=frozenset(one.get("missing_branches", ())),
        )
        for path, one in document["files"].items()
    }
    coverage = Coverage(files=files)
    if any(tool["metrics"].get(name) != value for name, value in coverage.metrics.items()):
        raise BundleError(f"{COVERAGE} beside it is of another run")
    return coverage
