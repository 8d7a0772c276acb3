"""The tool `drift`: whether the models agree with the database that the revisions make."""

from typing import Final

from ci_action.model.result import Counted
from ci_action.stages.migrations.phases import tool_of

TOOL: Final = tool_of(
    "drift",
    "The models agree with the schema that the revisions make.",
    "https://alembic.sqlalchemy.org/en/latest/autogenerate.html",
    counts=Counted.TABLES,
    directions=(),
    plan="the models against the upgraded database, like `alembic check`",
)
