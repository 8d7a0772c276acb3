"""JSON objects that others wrote."""

import json
from typing import Any, Final

MOST: Final = 1_000_000_000
"""No count, line or duration of a real run is larger."""


def json_object(raw: str | bytes) -> dict[str, Any]:
    """Parse one JSON object. Raises `ValueError`, never with the text that it read."""
    try:
        value = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # the message of json may quote what it read
        raise ValueError("it is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - one kind for all that is wrong
    return value


def _no_constant(_name: str) -> float:
    raise ValueError("NaN and Infinity are not JSON")
