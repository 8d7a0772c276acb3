"""The stage `pr`: its tools, when it applies, and what is wrong with its settings."""

from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.stage import Stage
from ci_action.github.pull_request import NoPull, Pull
from ci_action.stages.pr import metadata, size, title
from ci_action.stages.pr.labels import labels
from ci_action.stages.pr.title.rules_from_settings import title_mistakes


def why_not(ctx: Context) -> str:
    """Return why there is no pull request; one that GitHub does not return is reported by the stage."""
    return ctx.pull.reason if isinstance(ctx.pull, NoPull) and not ctx.pull.broken else ""


def why(ctx: Context) -> str:
    """Say which pull request there is."""
    return f"pull request #{ctx.pull.number}" if isinstance(ctx.pull, Pull) else "the event of a pull request"


STAGE: Final = Stage(
    name="pr",
    summary="Title and size of a pull request, and outputs about it for later jobs.",
    tools=(title.TOOL, size.TOOL, metadata.TOOL),
    applies=why_not,
    because=why,
    mistakes=lambda given: title_mistakes(given.settings),
    quotes=False,
    labels=labels,
    of_pull=True,
)
