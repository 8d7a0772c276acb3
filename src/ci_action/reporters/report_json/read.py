"""Reads the report folders of other runs. Everything in them is foreign data, and is checked before it is used."""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import asdict

from ci_action.engine.test_run import TESTS
from ci_action.model.docker import BuildStep, Image
from ci_action.model.finding import Finding, Level, Location, Package
from ci_action.model.migrations import Migration, Migrations
from ci_action.model.result import Broken, Conclusion, Counted, Outcome, Report, Skipped
from ci_action.model.tests import RED, TestCase, TestWarning, counts
from ci_action.model.totals import name_of
from ci_action.reporters.context import REPORT
from ci_action.reporters.report_json.schema import (
    MOST_LINES,
    SCHEMA,
    CaseEntry,
    FindingEntry,
    RunReport,
    ToolEntry,
)
from ci_action.system.exit_codes import ExitCode
from ci_action.system.text import one_line

_Shape = TypeVar("_Shape")

# ci-action writes no larger file: 200,000 tests take 100 MB.
LARGEST: Final = 200_000_000
# A stage that only warns can be broken and green; bugs and signals have their own exit codes.
_EXIT_CODES_OF_BROKEN: Final = {ExitCode.OK, ExitCode.BROKEN, ExitCode.BUG, ExitCode.INTERRUPTED}
_COUNTED: Final = frozenset(map(str, Counted))


class _Head(msgspec.Struct):
    schema: int
    version: str


class ReportFolderError(Exception):
    """A report folder cannot be used; the text is the reason."""


def files_below(folders: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """Return the report files below some folders, each once, and a message for each unreadable folder. Follows no links."""
    found: dict[str, Path] = {}
    problems: list[str] = []

    def note(error: OSError) -> None:
        problems.append(f"could not read {error.filename!r}: {error.strerror}")

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
    """Read a report file; raises `ReportFolderError`, with the advice if its schema is of another version."""
    raw = content(file, largest)
    head = decoded(raw, _Head, "not a report of ci-action")
    if head.schema != SCHEMA:
        raise ReportFolderError(
            f"written by ci-action {head.version[:40]!r} with report schema {head.schema}, but this version reads schema"
            f" {SCHEMA}: {advice}"
        )
    return decoded(raw, RunReport, "not a complete report of ci-action")


def content(file: Path, largest: int = LARGEST) -> bytes:
    """Read a regular file; raises `ReportFolderError`."""
    try:
        found = file.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise ReportFolderError("not a regular file")
        if found.st_size > largest:
            raise ReportFolderError(f"larger than {largest // 1_000_000} MB, the maximum for a report")
        return file.read_bytes()
    except OSError as error:
        raise ReportFolderError(f"could not be read: {error.strerror}") from error


def decoded(raw: bytes, shape: type[_Shape], problem: str) -> _Shape:
    """Decode JSON of a shape; raises `ReportFolderError`."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except (ValueError, RecursionError) as error:
        raise ReportFolderError(f"{problem}: {one_line(str(error)[:200])}") from error


def check_exit_code(report: RunReport) -> None:
    """Raise `ValueError` if no run ends with this conclusion and exit code."""
    conclusion = report.conclusion
    codes = _EXIT_CODES_OF_BROKEN if conclusion is Conclusion.BROKEN else {conclusion.exit_code}
    if report.exit_code not in codes:
        raise ValueError(f"conclusion {conclusion.value!r} with exit code {str(report.exit_code)[:20]}")


def outcome_of(tool: ToolEntry) -> Outcome:
    """Return the outcome of a tool; raises `ValueError` for what no run writes."""
    findings = tuple(_finding(tool.name, one) for one in tool.findings)
    tests = tuple(map(_case, tool.tests))
    if tests or (tool.name == TESTS and tool.outcome == "report"):
        _check_tests(tool, tests, findings)
    if tool.outcome == "skipped":
        if findings or tests or tool.migrations or tool.image:
            raise ValueError(f"results of {tool.name[:40]!r}, which was skipped")
        return Skipped(tool.reason)
    found: dict[str, Any] = {
        "findings": findings,
        "examined": {Counted(what): number for what, number in tool.examined.items() if what in _COUNTED},
        "metrics": tool.metrics,
        "tests": tests,
        "test_warnings": tuple(TestWarning(**asdict(one)) for one in tool.test_warnings),
        "migrations": _migrations(tool.migrations) if tool.migrations else None,
        "image": _image(tool.image) if tool.image else None,
    }
    return Broken(tool.reason, **found) if tool.outcome == "broken" else Report(**found)


def _check_tests(tool: ToolEntry, cases: Sequence[TestCase], findings: Iterable[Finding]) -> None:
    """Check that the metrics are those of the tests, and that each red test has a finding: an error without a severity."""
    for name, number in counts(cases).items():
        if tool.metrics.get(name) != number:
            raise ValueError(f"the metric {name!r} is {tool.metrics.get(name)}, but {number} by its tests")
    parts = {case.nodeid for case in cases if case.subtest and case.outcome.is_red}
    messages = [
        one.message for one in findings if one.rule in RED and one.level is Level.ERROR and not one.severity
    ]
    reported = {message.partition(": ")[0] for message in messages}
    for case in cases:
        name = name_of(case)
        by_parts = case.nodeid in parts and not case.subtest
        if not case.outcome.is_red or by_parts or name in reported:
            continue
        # A name may contain a colon itself.
        if not any(message.startswith(f"{name}:") for message in messages):
            raise ValueError(f"the test {name[:200]!r} is red but has no finding")


def _migrations(given: Migrations) -> Migrations:
    """Return the migrations of a report; raises `ValueError` for a bad path."""
    histories = (replace(one, revisions=tuple(map(_migration, one.revisions))) for one in given.histories)
    return replace(given, histories=tuple(histories))


def _image(given: Image) -> Image:
    """Return the image of a report, whose numbers its types limit; raises `ValueError` for a bad path."""
    return replace(given, steps=tuple(map(_build_step, given.steps)))


def _build_step(given: BuildStep) -> BuildStep:
    place = given.place
    if place is None or not (path := path_of(place.path)) or path.startswith("/"):
        return replace(given, place=None)
    line = place.line if place.line and 0 < place.line <= MOST_LINES else None
    return replace(given, place=Location(path=path, line=line))


def _migration(given: Migration) -> Migration:
    path = "" if given.path.startswith("/") else path_of(given.path)
    line = given.line if given.line and 0 < given.line <= MOST_LINES else None
    return replace(given, path=path, line=line)


def _case(entry: CaseEntry) -> TestCase:
    path = "" if entry.path.startswith("/") else path_of(entry.path)
    return TestCase(**{**asdict(entry), "path": path})


def _finding(tool: str, entry: FindingEntry) -> Finding:
    """Return a finding without its fix and its link, which may lead anywhere; raises `ValueError` for a bad path."""
    place = Location(path=path_of(entry.path), line=entry.line, end_line=entry.end_line)
    return Finding(
        tool=tool,
        rule=entry.rule,
        message=entry.message,
        level=entry.level,
        # Files outside the workspace are not shown.
        location=place if place.path and not place.path.startswith("/") else None,
        severity=entry.severity,
        muted=entry.muted,
        package=Package(**asdict(entry.package)) if entry.package else None,
        also=entry.also,
        loosens=entry.loosens,
        new=entry.new,
        reach=entry.reach,
        bulk=entry.bulk,
    )


def path_of(path: str) -> str:
    """Return a path without `..` and NUL; raises `ValueError`."""
    if "\0" in path or ".." in path.split("/"):
        raise ValueError(f"the path {path[:200]!r}")
    return path
