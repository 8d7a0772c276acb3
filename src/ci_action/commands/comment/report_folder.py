"""The report folder of a read-only run, made into a result that can be shown: whatever no run of ours writes is refused."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ci_action.github.pull_request import Pull
from ci_action.model.result import (
    Broken,
    Conclusion,
    Outcome,
    Report,
    RunResult,
    Skipped,
    StageResult,
    ToolResult,
    Verdict,
)
from ci_action.reporters.report_json.read import ReportFolderError, cases_of, check, finding_of, report_of
from ci_action.reporters.report_json.schema import RunReport, StageEntry, ToolEntry
from ci_action.system.exit_codes import ExitCode

# 50,000 tests take 25 MB.
LARGEST: Final = 50_000_000
_MOST_STAGES: Final = 50
_MOST_TOOLS: Final = 50
_MOST_REASONS: Final = 200
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class ReportFolder:
    """What another run has left."""

    where: str
    """Its report file, for people."""
    result: RunResult
    settings: Mapping[str, Any]


def strange_entries(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield what is neither a folder nor an ordinary file, at or below a folder, and what it is; nothing is opened."""
    waiting = [folder]
    while waiting:
        entry = waiting.pop()
        try:
            mode = entry.lstat().st_mode
            if stat.S_ISDIR(mode):
                waiting += [Path(one.path) for one in os.scandir(entry)]
            elif stat.S_ISLNK(mode):
                yield entry, "a link"
            elif not stat.S_ISREG(mode):
                yield entry, "no ordinary file"
        except OSError as error:
            yield entry, f"unreadable ({error.strerror})"


def read(file: Path, where: str, pull: Pull) -> ReportFolder:
    """Read a report that claims to be about a pull request; raises `ReportFolderError`."""
    report = report_of(file, "use one version of ci-action in both workflows", LARGEST)
    _about(report, pull)
    try:
        check(report)
        return ReportFolder(where=where, result=_result(report), settings=_settings(report))
    except (ValueError, OverflowError) as error:
        raise ReportFolderError(f"it holds what no run writes: {str(error)[:200]}") from error


def _about(report: RunReport, pull: Pull) -> None:
    """Hold what it says of the pull request against what GitHub says; what it leaves out is not asked for."""
    known = {"pr-number": str(pull.number), "pr-head": pull.head, "pr-base": pull.base}
    for name, right in known.items():
        said = report["outputs"].get(name, "")
        if said and right and said != right:
            raise ReportFolderError(
                f"it is about another pull request: {name} is {said[:80]!r}, and GitHub says {right[:80]!r}"
            )


def _settings(report: RunReport) -> dict[str, Any]:
    """Return the settings that tell runs apart."""
    return dict(report["settings"])


def _result(report: RunReport) -> RunResult:
    if not 1 <= len(report["stages"]) <= _MOST_STAGES:
        raise ValueError(f"{len(report['stages'])} stages")
    conclusion, code = Conclusion(report["conclusion"]), _code(report["exit_code"])
    stages = tuple(_stage(stage) for stage in report["stages"])
    if not code and any(stage.verdict.exit_code for stage in stages):
        raise ValueError(f"the conclusion {conclusion.value!r} over a stage that is worse")
    return RunResult(
        stages=stages,
        verdict=Verdict(
            conclusion=conclusion, reasons=tuple(report["reasons"][:_MOST_REASONS]), exit_code=code
        ),
        started=datetime.now(UTC),
        seconds=report["seconds"],
        version=report["version"],
        commit=report["commit"],
    )


def _code(number: int) -> ExitCode:
    found = next((code for code in ExitCode if code == number), None)
    if found is None:
        raise ValueError(f"the exit code {number}")
    return found


def _stage(entry: StageEntry) -> StageResult:
    if len(entry["tools"]) > _MOST_TOOLS:
        raise ValueError(f"{len(entry['tools'])} tools")
    conclusion = Conclusion(entry["conclusion"])
    code = ExitCode.OK if conclusion is Conclusion.BROKEN else conclusion.exit_code
    return StageResult(
        stage=_name(entry["name"]),
        tools=tuple(_tool(tool) for tool in entry["tools"]),
        verdict=Verdict(conclusion=conclusion, exit_code=code),
        reason="" if entry["tools"] else "not run",
    )


def _tool(entry: ToolEntry) -> ToolResult:
    return ToolResult(tool=_name(entry["name"]), outcome=_outcome(entry))


def _outcome(entry: ToolEntry) -> Outcome:
    findings = tuple(finding_of(entry["name"], one) for one in entry["findings"])
    tests, metrics = tuple(cases_of([entry])), dict(entry["metrics"])
    match entry["outcome"]:
        case "report":
            return Report(findings=findings, metrics=metrics, tests=tests)
        case "broken":
            return Broken(entry["reason"], findings=findings, metrics=metrics, tests=tests)
        case "skipped":
            return Skipped(entry["reason"])
        case other:
            raise ValueError(f"the outcome {other[:40]!r}")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"the name {text[:40]!r}")
    return text
