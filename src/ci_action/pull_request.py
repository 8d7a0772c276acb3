"""When the pull request of a run is looked for, and what becomes of it: once, before any tool."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from ci_action.context import Context
from ci_action.gh.api import open_api
from ci_action.gh.pull import pull_of
from ci_action.settings import Settings
from ci_action.values import CommentWhen

STAGE: Final = "pr"


def is_needed(settings: Settings, stages: Collection[str]) -> bool:
    """Whether a stage or a reporter wants to know the pull request."""
    reported = settings.comment is not CommentWhen.NEVER or settings.check_run or settings.suggestions
    return STAGE in stages or reported


def with_pull(ctx: Context, stages: Collection[str], environ: Mapping[str, str]) -> Context:
    """Return the context with GitHub's API and the pull request, where anything wants them."""
    if not is_needed(ctx.settings, stages):
        return ctx
    github = open_api(ctx.settings, environ, ctx.event, stopped=ctx.stopped)
    return replace(ctx, github=github, pull=pull_of(ctx.event, github))
