"""Runs of the command `comment` over report folders, as in the workflow that follows an untrusted one."""

from pathlib import Path
from typing import Any

from support.builders import (
    at,
    case,
    context,
    event,
    finding,
    publication,
    resolved,
    run_result,
    stage_result,
    tool_result,
    with_tests,
)
from support.execution import RecordedProgress
from support.fake_feedback import HEAD, Feedback
from support.fake_github import pull

from ci_action.commands.comment import commented
from ci_action.engine.run import Run
from ci_action.model.finding import with_fingerprints
from ci_action.model.result import RunResult
from ci_action.reporters.report_json import write

Document = dict[str, Any]
RED = run_result(
    stage_result(
        with_tests(case("t.py::a", "failed", message="no")),
        tool_result(*with_fingerprints([finding(location=at("a.py", 3), severity="")])),
        stage="test",
    )
)


def payload(**overrides: Any) -> Document:
    values = {
        "id": 99,
        "run_attempt": 1,
        "event": "pull_request",
        "head_sha": HEAD,
        "head_repository": {"full_name": "stranger/r"},
        "pull_requests": [],
    }
    return {"workflow_run": {**values, **overrides}}


def report_folder(folder: Path, result: RunResult = RED, **chosen: Any) -> Path:
    """Write the report folder of a run below a folder."""
    where = folder / "reports" / "quality"
    shown = publication(folder, folder=where, resolved=resolved(**chosen))
    write.report(result, shown)
    return where / "report.json"


def posted(folder: Path, github: Feedback | None, **overrides: Any) -> RunResult:
    """Run the stage over the report folders below a folder."""
    (folder / "reports").mkdir(exist_ok=True)
    values: Document = {
        "settings": {"stage": "comment", "paths": "reports"},
        "event": event(name="workflow_run", payload=payload()),
        "pull": pull(head_sha=HEAD, head_repository="stranger/r", is_fork=True),
        "github": github,
        **overrides,
    }
    given_ = resolved(**values["settings"])
    ctx = context(folder, **values)
    with Run(ctx, given_, RecordedProgress()) as run:
        return commented(run, ctx, wait=lambda: None)


def ended(result: RunResult) -> tuple[str, int, str]:
    return result.verdict.conclusion.value, int(result.verdict.exit_code), " ".join(result.verdict.reasons)
