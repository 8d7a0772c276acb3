"""The stage `migrations`: its tools, when it applies, and what is wrong with its settings."""

from typing import Final

from ci_action.engine import environment
from ci_action.engine.stage import Stage

STAGE: Final = Stage(
    name="migrations",
    summary="The migrations of Alembic, on a real database.",
    tools=(environment.TOOL,),
    applies=lambda _: "no configuration of Alembic",
)
