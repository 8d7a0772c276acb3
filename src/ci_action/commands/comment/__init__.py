"""The command `comment`: posts the report folder of a read-only run as a comment on its pull request.

Runs for forks and of Dependabot have no write access. So a second workflow, on `workflow_run`, has write access and runs no
code of the project: it downloads the report folder and posts it. Only GitHub decides which pull request it is about. The
folder is foreign data: it is checked first, nothing in it is executed, and it is shown as text.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from ci_action.commands.comment.report_folder import ReportFolder, read, strange_entries
from ci_action.commands.session import Session
from ci_action.engine.context import Context
from ci_action.engine.hints import with_hints
from ci_action.engine.redact import redacted
from ci_action.engine.run import Run
from ci_action.github.errors import ApiError
from ci_action.github.event import Event
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import (
    Broken,
    Counted,
    Report,
    RunResult,
    Skipped,
    StageResult,
    ToolResult,
)
from ci_action.reporters import comment
from ci_action.reporters.comment import About, text_of
from ci_action.reporters.feedback import place_of
from ci_action.reporters.report_json.read import ReportFolderError, files_below
from ci_action.settings.general import COMMENT
from ci_action.settings.types import CommentWhen
from ci_action.stages import sections_of
from ci_action.system.errors import UNDONE, ToolError

EVENT: Final = "workflow_run"
_COMMIT: Final = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
# Matrices have fewer jobs.
MOST: Final = 100
_MOST_REASONS: Final = 10
_DOCUMENTATION: Final = (
    "https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflow_run"
)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The run that wrote the report folder."""

    commit: str
    """The head of the pull request that it checked."""
    run: str
    """The run and its attempt, as comments record them."""
    url: str


def post_comments(session: Session) -> RunResult:
    """Post the report folders below the paths; return the result."""
    with Run(session.ctx, session.resolved, session.progress()) as run:
        return commented(run, session.ctx)


def commented(run: Run, ctx: Context, wait: Callable[[], None] = comment.wait) -> RunResult:
    """Return the result of a run that posts the report folders below the paths."""
    clock = time.monotonic()
    try:
        posted = _posted(ctx, wait)
    except UNDONE as error:
        posted = ToolResult(tool=COMMENT, outcome=Broken(error.reason, error.detail), log=error.detail)
    posted = replace(posted, url=_DOCUMENTATION, seconds=time.monotonic() - clock)
    tool = run.ended(with_hints(posted, ctx))
    return run.result([StageResult(stage=COMMENT, tools=(tool,), seconds=tool.seconds)])


def _posted(ctx: Context, wait: Callable[[], None]) -> ToolResult:
    """Post every usable report folder; raises `ToolError` if there is none."""
    if isinstance(ctx.pull, NoPull):
        reason = ctx.pull.reason
        outcome = Broken(reason) if ctx.pull.broken else Skipped(reason, rightly=True)
        return ToolResult(tool=COMMENT, outcome=outcome)
    origin = origin_of(ctx.event, ctx.pull)
    if isinstance(origin, Skipped):
        return ToolResult(tool=COMMENT, outcome=origin)
    found, reasons = _reports(ctx, ctx.pull)
    if not found:
        shown = "; ".join(reasons[:_MOST_REASONS]) or "the folder contains none"
        raise ToolError(f"no report folder can be posted: {shown}")
    warnings = [f"a report folder was not posted: {reason}" for reason in reasons[:_MOST_REASONS]]
    posted = 0
    for one in found:
        try:
            _post(ctx, ctx.pull, origin, one, wait)
            posted += 1
        except ApiError as error:
            warnings.append(f"{one.where} was not posted: {error.reason}")
    examined = {Counted.REPORTS: len(found), Counted.REFUSED: len(reasons), Counted.POSTED: posted}
    return ToolResult(tool=COMMENT, outcome=Report(examined=examined), warnings=tuple(warnings))


def _reports(ctx: Context, pull: Pull) -> tuple[list[ReportFolder], list[str]]:
    """Read the report folders below the paths; return those that can be posted, and why others cannot."""
    folders = [ctx.layout.root / path for path in ctx.layout.paths]
    reasons = [
        f"{ctx.layout.shown(entry)!r} is {kind}, which no run leaves in its report folder"
        for folder in folders
        for entry, kind in strange_entries(folder)
    ]
    if reasons:  # the folder is forged, so nothing else in it is used either
        return [], reasons
    files, reasons = files_below(folders)
    found = []
    for file in sorted(files)[:MOST]:
        where = ctx.layout.shown(file)
        try:
            folder = read(file, where, pull)
        except ReportFolderError as error:
            reasons.append(f"{where}: {error}")
            continue
        if [stage.stage for stage in folder.result.stages] != [COMMENT]:  # that of an earlier `comment`
            found.append(folder)
    if len(files) > MOST:
        reasons.append(f"found {len(files):,} report folders, but only {MOST} are read")
    return found, reasons


def _post(ctx: Context, pull: Pull, origin: Origin, folder: ReportFolder, wait: Callable[[], None]) -> None:
    if ctx.github is None:
        raise ApiError("`github-token` is not set")
    when, event = ctx.settings.comment, replace(ctx.event, sha=origin.commit)
    result = redacted(folder.result, ctx.redact)
    sections = sections_of(result, pull.shown(ctx.redact))
    place = ctx.redact(place_of(folder.settings))
    about = About(place=place, commit=origin.commit, url=origin.url)
    entry = comment.Entry(
        result=result,
        render=lambda limit: text_of(result, sections, event, about, limit),
        key=comment.key_of([stage.stage for stage in result.stages], folder.settings),
        commit=origin.commit,
        run=origin.run,
        step=sha256(folder.where.encode("utf-8", "surrogatepass")).hexdigest()[:8],
        keep=when is not CommentWhen.ON_FAILURE or bool(result.verdict.exit_code),
        copy=True,
    )
    comment.write(ctx.github, pull.number, entry, wait)


def origin_of(event: Event, pull: Pull) -> Origin | Skipped:
    """Return the run; `Skipped` if the pull request has newer commits. Raises `ToolError` if it is of another run."""
    run = event.payload.get(EVENT)
    if event.name != EVENT or not isinstance(run, Mapping):
        reason = event.problem or f"this is the event {event.name!r}"
        raise ToolError(f"the stage 'comment' requires a workflow on `{EVENT}`: {reason}")
    if run.get("event") != "pull_request":
        started_by = str(run.get("event"))[:40]
        raise ToolError(f"the workflow run was started by {started_by!r}, not by a pull request")
    commit, name = run.get("head_sha"), _full_name(run)
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise ToolError("the event payload does not contain the commit of the workflow run")
    if name.casefold() != pull.head_repository.casefold():
        raise ToolError(
            f"the workflow run was for {name[:140]!r}, but pull request {pull.number} is from"
            f" {pull.head_repository[:140]!r}"
        )
    if pull.head_sha != commit:
        reason = f"pull request {pull.number} has newer commits than the workflow run: their own run will be posted"
        return Skipped(reason, rightly=True)
    number, attempt = _count(run.get("id")), _count(run.get("run_attempt")) or 1
    run_url = f"{event.server_url}/{event.repository}/actions/runs/{number}"
    return Origin(commit=commit, run=f"{number or ''}-{attempt}", url=run_url if number else "")


def _full_name(run: Mapping[str, Any]) -> str:
    repository = run.get("head_repository")
    name = repository.get("full_name") if isinstance(repository, Mapping) else None
    return name if isinstance(name, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else 0
