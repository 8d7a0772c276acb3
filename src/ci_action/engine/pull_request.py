"""When the pull request of a run is looked for, and what becomes of it: once, before any tool."""

from dataclasses import replace

from ci_action.engine.context import Context
from ci_action.github.pull_request import pull_of
from ci_action.settings import Settings
from ci_action.settings.types import CommentWhen


def is_reported_to(settings: Settings) -> bool:
    """Whether a reporter wants to know the pull request."""
    return settings.comment is not CommentWhen.NEVER or settings.check_run or settings.suggestions


def with_pull(ctx: Context, *, judged: bool) -> Context:
    """Return the context with the pull request, where a stage judges it or a reporter wants it."""
    if not judged and not is_reported_to(ctx.settings):
        return ctx
    return replace(ctx, pull=pull_of(ctx.event, ctx.github))
