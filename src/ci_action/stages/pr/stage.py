"""The stage `pr`: its tools, when it applies, its labels, and the errors of its settings."""

import re
from collections.abc import Iterator
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.stage import Label, Stage
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import StageResult
from ci_action.model.totals import told_by
from ci_action.settings import Settings
from ci_action.stages.pr import metadata, size, title
from ci_action.stages.pr.title.rules import TYPES, literals, title_mistakes

_SIZE: Final = "size/"
_TYPE: Final = "type: "
_SIZES: Final = frozenset(f"{_SIZE}{name}" for name in size.CLASSES)
# GitHub accepts fifty characters, and the type in a title may be anything.
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{0,39}")


def why_not(ctx: Context) -> str:
    """Return why there is no pull request; one that GitHub does not return is reported by the stage."""
    return ctx.pull.reason if isinstance(ctx.pull, NoPull) and not ctx.pull.broken else ""


def why(ctx: Context) -> str:
    """Return the pull request in words."""
    return f"pull request #{ctx.pull.number}" if isinstance(ctx.pull, Pull) else "the event of a pull request"


def labels(stage: StageResult, settings: Settings) -> Iterator[Label]:
    """Yield the labels `size/…` and `type: …` of the pull request, without those that are unknown."""
    if (name := told_by(stage.tools, "pr-size")) in size.CLASSES:
        yield Label(f"{_SIZE}{name}", _SIZES)
    if _LABEL.fullmatch(word := told_by(stage.tools, "pr-type")):
        # Patterns of the project are not matched with labels: that could take long, and the labels may be somebody else's.
        types = {*TYPES, *literals(settings.title_types)}
        yield Label(f"{_TYPE}{word}", frozenset(f"{_TYPE}{one}" for one in types))


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
