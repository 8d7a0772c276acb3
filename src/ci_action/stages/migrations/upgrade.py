"""The tool `upgrade`: whether the revisions upgrade an empty database to the heads."""

from typing import Final

from ci_action.model.migrations import Direction
from ci_action.model.result import Counted
from ci_action.stages.migrations.phases import tool_of

TOOL: Final = tool_of(
    "upgrade",
    "The revisions upgrade an empty database to the heads.",
    "https://alembic.sqlalchemy.org/en/latest/tutorial.html#running-our-first-migration",
    counts=Counted.REVISIONS,
    directions=(Direction.UPGRADE,),
    plan="all revisions, on an empty database",
)
