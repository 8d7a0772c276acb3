"""The stage `types`: the type checkers that the project runs, in its own environment."""

from pathlib import Path
from typing import Final

from ci_action.engine.stage import Stage
from ci_action.stages.types import environment, mypy, pyright, ty
from ci_action.stages.types.chosen import why, why_not

STAGE: Final = Stage(
    name="types",
    summary="Type checks, by the checkers that the project runs.",
    tools=(environment.TOOL, mypy.TOOL, pyright.TOOL, ty.TOOL),
    applies=why_not,
    because=why,
    hints=Path(__file__).with_name("hints.toml"),
)
