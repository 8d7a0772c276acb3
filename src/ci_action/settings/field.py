"""How an input is declared."""

from enum import StrEnum
from typing import Any

from pydantic import Field, JsonValue


class SetBy(StrEnum):
    """The source policy of an input: whose word counts for it."""

    ANYONE = "anyone"
    """The workflow, the command line and `[tool.ci-action]`, which the author of a pull request writes: what is checked, and
    how strictly."""
    WORKFLOW = "workflow"
    """The workflow and the command line alone: rights, places, addresses, and whatever writes to GitHub or deploys."""


def setting(  # noqa: PLR0913 - what a definition says
    default: object,
    help_text: str,
    *,
    set_by: SetBy,
    stage: str = "all",
    shown: str = "",
    ge: int | None = None,
    le: int | None = None,
) -> Any:
    """Declare one input: default, help, who may set it, the stage it is for, and the default as people read it."""
    facts: dict[str, JsonValue] = {"x-stage": stage, "x-default": shown or str(default), "x-set-by": set_by}
    return Field(default=default, description=help_text, json_schema_extra=facts, ge=ge, le=le)
