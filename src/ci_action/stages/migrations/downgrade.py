"""The tool `downgrade`: whether each revision comes down and up again, and leaves the schema as it was."""

from typing import Final

from ci_action.model.migrations import Direction
from ci_action.model.result import Counted
from ci_action.stages.migrations.phases import tool_of

TOOL: Final = tool_of(
    "downgrade",
    "Each revision can be downgraded and upgraded again, which leaves the same schema.",
    "https://alembic.sqlalchemy.org/en/latest/tutorial.html#downgrading",
    counts=Counted.REVISIONS,
    directions=(Direction.DOWNGRADE, Direction.AGAIN),
    plan="each revision of `migration-depth` down and up again",
)
