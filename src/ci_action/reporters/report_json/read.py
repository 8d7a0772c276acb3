"""Report folders of other runs, read as what they are: foreign data. Nothing in them is trusted before it is checked."""

import math
import os
import stat
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from ci_action.engine.test_run import TESTS
from ci_action.model.finding import SEVERITIES, Finding, Level, Location, Package
from ci_action.model.result import Conclusion
from ci_action.model.tests import RED, TestCase, TestOutcome, counts
from ci_action.reporters.context import REPORT
from ci_action.reporters.report_json.schema import SCHEMA, FindingEntry, PackageEntry, RunReport, ToolEntry
from ci_action.system.exit_codes import ExitCode

# No run of ours writes a larger file: 200,000 tests take 100 MB.
LARGEST: Final = 200_000_000
_MOST_LINES: Final = 100_000_000
_MOST_PROBLEMS: Final = 3
# A stage that only warns is broken and green; a bug and a signal have exit codes of their own.
_ENDED: Final = {
    Conclusion.BROKEN: {ExitCode.OK, ExitCode.BROKEN, ExitCode.BUG, ExitCode.INTERRUPTED},
}


class _Head(TypedDict):
    schema: int
    version: str


# Made when they are needed: that takes longer than to import all the rest.
_adapter: Final = cache(TypeAdapter)


class ReportFolderError(Exception):
    """A report folder cannot be used; the text says why."""


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


def report_of(file: Path, advice: str, largest: int = LARGEST) -> RunReport:
    """Read a report file; raises `ReportFolderError`. `advice` is what to do about one of another version."""
    raw = content(file, largest)
    head = validated(_Head, raw, "it is no report of ci-action")
    if head["schema"] != SCHEMA:
        raise ReportFolderError(
            f"it was written by ci-action {head['version'][:40]!r} with schema {head['schema']}, and this one reads schema"
            f" {SCHEMA}: {advice}"
        )
    report: RunReport = validated(RunReport, raw, "it is no whole report of ci-action")
    return report


def content(file: Path, largest: int = LARGEST) -> bytes:
    """Read a file that must be an ordinary one; raises `ReportFolderError`."""
    try:
        found = file.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise ReportFolderError("it is no ordinary file")
        if found.st_size > largest:
            raise ReportFolderError(f"it is larger than {largest // 1_000_000} MB, which no report is")
        return file.read_bytes()
    except OSError as error:
        raise ReportFolderError(f"it cannot be read: {error.strerror}") from error


def validated(shape: type, raw: bytes, what: str) -> Any:
    """Read JSON of a shape; raises `ReportFolderError` with the first problems."""
    try:
        return _adapter(shape).validate_json(raw, strict=True)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        shown = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ") for one in problems]
        more = f"; and {len(shown) - _MOST_PROBLEMS} more" if len(shown) > _MOST_PROBLEMS else ""
        raise ReportFolderError(
            f"{what}: {'; '.join(one[:200] for one in shown[:_MOST_PROBLEMS])}{more}"
        ) from error


def check(report: RunReport) -> None:
    """Check what the shape does not say; raises `ValueError`."""
    conclusion = Conclusion(report["conclusion"])
    codes = _ENDED.get(conclusion, {int(conclusion.exit_code)})
    if report["exit_code"] not in codes:
        raise ValueError(f"the conclusion {conclusion.value!r} with the exit code {report['exit_code']}")
    tools = [tool for stage in report["stages"] for tool in stage["tools"]]
    numbers = [report["seconds"]]
    for tool in tools:
        numbers += [tool["seconds"], *tool["metrics"].values(), *(case["seconds"] for case in tool["tests"])]
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("a number that is none")
    for tool in tools:
        if tool["tests"] or (tool["name"] == TESTS and tool["outcome"] == "report"):
            _check_tests(tool)


def _check_tests(tool: ToolEntry) -> None:
    """Check that the figures are those of the tests, and that each red test is a finding: an error of no severity."""
    cases = list(cases_of([tool]))
    for name, number in counts(cases).items():
        if tool["metrics"].get(name) != number:
            raise ValueError(f"the metric {name!r} is {tool['metrics'].get(name)}, its tests make {number}")
    parts = {case.nodeid for case in cases if case.subtest and case.outcome.is_red}
    messages = [
        one["message"]
        for one in tool["findings"]
        if one["rule"] in RED and one["level"] == Level.ERROR and not one["severity"]
    ]
    said = {message.partition(": ")[0] for message in messages}
    for case in cases:
        name = f"{case.nodeid} [{case.subtest}]" if case.subtest else case.nodeid
        by_parts = case.nodeid in parts and not case.subtest
        if not case.outcome.is_red or by_parts or name in said:
            continue
        if not any(message.startswith(f"{name}:") for message in messages):  # a name may hold a colon itself
            raise ValueError(f"the test {name[:200]!r} is red, and no finding says so")


def cases_of(tools: Iterable[ToolEntry]) -> Iterator[TestCase]:
    """Yield the tests of some tools; raises `ValueError` for what no run writes."""
    for tool in tools:
        for case in tool["tests"]:
            yield TestCase(
                nodeid=case["nodeid"],
                outcome=TestOutcome(case["outcome"]),
                seconds=case["seconds"],
                path=path_of(case["path"]) if not case["path"].startswith("/") else "",
                line=line_of(case["line"]),
                message=case["message"],
                detail=case["detail"],
                runs=case["runs"],
                subtest=case["subtest"],
            )


def finding_of(tool: str, entry: FindingEntry) -> Finding:
    """Return a finding; raises `ValueError` for what no run writes. Its address is dropped: it may lead anywhere."""
    path = path_of(entry["path"])
    line, last = line_of(entry["line"]), line_of(entry["end_line"])
    # A place outside of the workspace is nobody's to show.
    inside = bool(path) and not path.startswith("/")
    return Finding(
        tool=tool,
        rule=entry["rule"],
        message=entry["message"],
        level=Level(entry["level"]),
        location=Location(path=path, line=line, end_line=last) if inside else None,
        severity=_severity(entry["severity"]),
        muted=entry["muted"],
        package=_package(entry["package"]),
        also=tuple(entry["also"]),
        loosens=entry["loosens"],
        new=entry["new"],
    )


def _severity(severity: str) -> str:
    if severity and severity not in SEVERITIES:
        raise ValueError(f"the severity {severity[:20]!r}")
    return severity


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


def path_of(path: str) -> str:
    """Return a path that leads nowhere up; raises `ValueError`."""
    if "\0" in path or ".." in path.split("/"):
        raise ValueError(f"the path {path[:200]!r}")
    return path


def line_of(line: int | None) -> int | None:
    """Return the number of a line; raises `ValueError`."""
    if line is not None and not 1 <= line <= _MOST_LINES:
        raise ValueError(f"the line {str(line)[:20]}")
    return line
