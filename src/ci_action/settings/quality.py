"""Inputs of the quality stage."""

from pydantic import BaseModel

from ci_action.settings.field import SetBy, setting
from ci_action.settings.types import Words


class Quality(BaseModel):
    """What Black and Ruff go by."""

    black_args: Words = setting(
        (), "Additional options for Black, as in a shell.", stage="quality", shown=" ", set_by=SetBy.ANYONE
    )
    ruff_args: Words = setting(
        (),
        "Additional options for `ruff check`, as in a shell.",
        stage="quality",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
