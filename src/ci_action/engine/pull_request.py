"""When the pull request of a run is looked for, and what becomes of it: once, before any tool."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from ci_action.engine.context import Context
from ci_action.github.pull_request import pull_of
from ci_action.settings import Settings
from ci_action.settings.general import COMMENT
from ci_action.settings.types import CommentWhen

STAGE: Final = "pr"


def is_needed(settings: Settings, stages: Collection[str]) -> bool:
    """Whether a stage or a reporter wants to know the pull request."""
    reported = settings.comment is not CommentWhen.NEVER or settings.check_run or settings.suggestions
    return STAGE in stages or COMMENT in stages or reported


def with_pull(ctx: Context, stages: Collection[str]) -> Context:
    """Return the context with the pull request, where anything wants it."""
    if not is_needed(ctx.settings, stages):
        return ctx
    return replace(ctx, pull=pull_of(ctx.event, ctx.github))
