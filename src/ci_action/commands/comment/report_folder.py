"""The report folder of a read-only run as a result to show. Whatever no run of ci-action writes is refused."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ci_action.github.pull_request import Pull
from ci_action.model.result import Conclusion, RunResult, StageResult, ToolResult, Verdict
from ci_action.reporters.report_json.read import (
    ReportFolderError,
    check_exit_code,
    outcome_of,
    report_of,
)
from ci_action.reporters.report_json.schema import RunReport, StageEntry
from ci_action.system.exit_codes import ExitCode

# 50,000 tests take 25 MB.
LARGEST: Final = 50_000_000
_MOST_STAGES: Final = 50
_MOST_TOOLS: Final = 50
_MOST_REASONS: Final = 200
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class ReportFolder:
    """The results of another run."""

    where: str
    """Its report file, for messages."""
    result: RunResult
    settings: Mapping[str, Any]


def strange_entries(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield whatever is neither a folder nor a regular file, at or below a folder, and what it is; opens no file."""
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
                yield entry, "not a regular file"
        except OSError as error:
            yield entry, f"unreadable ({error.strerror})"


def read(file: Path, where: str, pull: Pull) -> ReportFolder:
    """Read a report that claims to be about a pull request; raises `ReportFolderError`."""
    report = report_of(file, "use the same version of ci-action in both workflows", LARGEST)
    _check_pull(report, pull)
    try:
        return ReportFolder(where=where, result=_result(report), settings=report.settings)
    except ValueError as error:
        raise ReportFolderError(f"not written by ci-action: {str(error)[:200]}") from error


def _check_pull(report: RunReport, pull: Pull) -> None:
    """Compare the outputs about the pull request with GitHub's data; raises `ReportFolderError` if one differs."""
    known = {"pr-number": str(pull.number), "pr-head": pull.head, "pr-base": pull.base}
    for name, right in known.items():
        found = report.outputs.get(name, "")
        if found and right and found != right:
            raise ReportFolderError(
                f"about another pull request: {name} is {found[:80]!r}, but {right[:80]!r} on GitHub"
            )


def _result(report: RunReport) -> RunResult:
    check_exit_code(report)
    if not 1 <= len(report.stages) <= _MOST_STAGES:
        raise ValueError(f"{len(report.stages)} stages")
    stages = tuple(map(_stage, report.stages))
    code = next(code for code in ExitCode if code == report.exit_code)
    if not code and any(stage.verdict.exit_code for stage in stages):
        raise ValueError(f"the conclusion is {report.conclusion.value!r}, but a stage is worse")
    reasons = tuple(report.reasons[:_MOST_REASONS])
    return RunResult(
        stages=stages,
        verdict=Verdict(conclusion=report.conclusion, reasons=reasons, exit_code=code),
        started=datetime.now(UTC),
        seconds=report.seconds,
        version=report.version,
        commit=report.commit,
    )


def _stage(entry: StageEntry) -> StageResult:
    if len(entry.tools) > _MOST_TOOLS:
        raise ValueError(f"{len(entry.tools)} tools")
    # A stage that only warns can be broken and green.
    code = ExitCode.OK if entry.conclusion is Conclusion.BROKEN else entry.conclusion.exit_code
    return StageResult(
        stage=_name(entry.name),
        tools=tuple(ToolResult(tool=_name(tool.name), outcome=outcome_of(tool)) for tool in entry.tools),
        verdict=Verdict(conclusion=entry.conclusion, exit_code=code),
        because=entry.because,
        reason=entry.not_run or ("" if entry.tools else "no tools"),
    )


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"the name {text[:40]!r}")
    return text
