"""The labels `size/…` and `type: …` of the pull request."""

import re
from collections.abc import Iterator
from typing import Final

from ci_action.engine.stage import Label
from ci_action.model.result import StageResult
from ci_action.model.totals import told_by
from ci_action.settings import Settings
from ci_action.stages.pr.measure import CLASSES
from ci_action.stages.pr.title.rules import TYPES, literals

_SIZE: Final = "size/"
_TYPE: Final = "type: "
_SIZES: Final = frozenset(f"{_SIZE}{name}" for name in CLASSES)
# GitHub takes fifty characters, and a title may name anything for its type.
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{0,39}")


def labels(stage: StageResult, settings: Settings) -> Iterator[Label]:
    """Yield the label of each kind that is right; a kind of which nothing is known is left as it is."""
    if (size := told_by(stage.tools, "pr-size")) in CLASSES:
        yield Label(f"{_SIZE}{size}", _SIZES)
    if _LABEL.fullmatch(word := told_by(stage.tools, "pr-type")):
        # An expression of the project is not tried on labels: it might not end, and what it matches may be somebody else's.
        types = {*TYPES, *literals(settings.title_types)}
        yield Label(f"{_TYPE}{word}", frozenset(f"{_TYPE}{one}" for one in types))
