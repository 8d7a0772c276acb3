"""Finds the pull request of a run: once, before any tool, if a stage or a reporter needs it."""

from dataclasses import replace

from ci_action.engine.context import Context
from ci_action.github.pull_request import pull_of
from ci_action.settings.types import CommentWhen


def with_pull(ctx: Context, *, judged: bool) -> Context:
    """Return the context with the pull request if it is `judged` by a stage, or a reporter needs it."""
    settings = ctx.settings
    reported = settings.comment is not CommentWhen.NEVER or settings.check_run or settings.suggestions
    return replace(ctx, pull=pull_of(ctx.event, ctx.github)) if judged or reported else ctx
