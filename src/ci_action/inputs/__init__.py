"""The inputs, in the order of the pipeline: each module defines those of one or two stages."""

from typing import Any

from pydantic import Field, JsonValue


def setting(  # noqa: PLR0913 - what a definition says
    default: object,
    help_text: str,
    *,
    stage: str = "all",
    shown: str = "",
    in_pyproject: bool = True,
    ge: int | None = None,
    le: int | None = None,
) -> Any:
    """Declare one input: default, help, the stage it is for, and how the default is shown to people."""
    facts: dict[str, JsonValue] = {
        "x-stage": stage,
        "x-default": shown or str(default),
        "x-pyproject": in_pyproject,
    }
    return Field(default=default, description=help_text, json_schema_extra=facts, ge=ge, le=le)
