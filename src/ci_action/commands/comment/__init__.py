"""The stage `comment`: what a read-only run has left becomes the comment of its pull request.

Runs for forks and of Dependabot may write nothing. So a second workflow, on `workflow_run`, has the rights and none of the
code: it downloads the report folder and posts it. Which pull request it is about is GitHub's word alone; what lies in the
folder is a stranger's, is checked first, is never executed and is shown as text.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from ci_action.commands.comment.origin import Origin, origin_of
from ci_action.commands.comment.report_folder import Told, read, strange_entries
from ci_action.engine.context import Context
from ci_action.engine.stage import Selected, Stage
from ci_action.engine.tool import Checked, Tool
from ci_action.github.protocol import ApiError
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import Broken, Outcome, Report, Skipped
from ci_action.project.programs import Program
from ci_action.reporters import comment
from ci_action.reporters.comment.text import text_of
from ci_action.reporters.report_json.read import ReportFolderError, files_below
from ci_action.settings.general import COMMENT
from ci_action.settings.types import CommentWhen
from ci_action.system.errors import ToolError
from ci_action.system.redaction import Redact

# A matrix has fewer jobs.
MOST: Final = 100
_MOST_REASONS: Final = 10


def selected(redact: Redact = str, wait: Callable[[], None] = comment.wait) -> Selected:
    """Return the stage `comment` with its one tool, which posts the report folders below `paths`."""
    tool = Tool(
        name="comment",
        summary="Posts the report folder of a read-only run.",
        url="https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflow_run",
        check=lambda ctx, _program: _check(ctx, redact, wait),
        program=lambda _: Program(argv=(), version="", source=""),
    )
    stage = Stage(name=COMMENT, summary="Posts what a read-only run has left.", tools=(tool,), quotes=False)
    return Selected(stage, by_name=True)


def _check(ctx: Context, redact: Redact, wait: Callable[[], None]) -> Checked:
    if isinstance(ctx.pull, NoPull):
        return Checked(outcome=_without_pull(ctx.pull))
    origin = origin_of(ctx.event, ctx.pull)
    if isinstance(origin, Skipped):
        return Checked(outcome=origin)
    told, reasons = _reports(ctx, ctx.pull)
    if not told:
        shown = "; ".join(reasons[:_MOST_REASONS])
        raise ToolError(f"no report folder can be posted: {shown or 'the folder holds none'}")
    warnings = [f"a report folder was not posted: {reason}" for reason in reasons[:_MOST_REASONS]]
    posted = 0
    for one in told:
        try:
            _post(ctx, ctx.pull, origin, one, redact, wait)
            posted += 1
        except ApiError as error:
            warnings.append(f"{one.where} was not posted: {error.reason}")
    report = Report(examined={"reports": len(told), "refused": len(reasons), "posted": posted})
    return Checked(outcome=report, warnings=tuple(warnings))


def _without_pull(pull: NoPull) -> Outcome:
    return Broken(pull.reason) if pull.broken else Skipped(pull.reason, rightly=True)


def _reports(ctx: Context, pull: Pull) -> tuple[list[Told], list[str]]:
    """Read the report folders below the paths; return those that can be posted, and why others cannot."""
    folders = [ctx.layout.root / path for path in ctx.layout.paths]
    reasons = list(_strange(ctx, folders))
    if reasons:  # whoever has put one there has made the folder, so nothing else in it is believed either
        return [], reasons
    files, reasons = files_below(folders)
    told = []
    for file in sorted(files)[:MOST]:
        where = ctx.layout.shown(file)
        try:
            told.append(read(file, where, pull))
        except ReportFolderError as error:
            reasons.append(f"{where}: {error}")
    if len(files) > MOST:
        reasons.append(f"found {len(files):,} report folders, of which {MOST} are read")
    return told, reasons


def _strange(ctx: Context, folders: list[Path]) -> Iterator[str]:
    for folder in folders:
        for entry, kind in strange_entries(folder):
            yield f"{ctx.layout.shown(entry)!r} is {kind}, which no run leaves in its report folder"


def _post(
    ctx: Context, pull: Pull, origin: Origin, told: Told, redact: Redact, wait: Callable[[], None]
) -> None:
    if ctx.github is None:
        raise ApiError("there is no token: give `github-token`")
    when, event = ctx.settings.comment, replace(ctx.event, sha=origin.commit)
    place = comment.place_of(told.settings)
    entry = comment.Entry(
        result=told.result,
        render=lambda limit: redact(
            text_of(told.result, event, place=place, commit=origin.commit, url=origin.url, limit=limit)
        ),
        key=comment.key_of([stage.stage for stage in told.result.stages], told.settings),
        commit=origin.commit,
        run=origin.run,
        step=sha256(told.where.encode("utf-8", "surrogatepass")).hexdigest()[:8],
        keep=when is not CommentWhen.ON_FAILURE or bool(told.result.verdict.exit_code),
        copy=True,
    )
    comment.write(ctx.github, pull.number, entry, wait)
