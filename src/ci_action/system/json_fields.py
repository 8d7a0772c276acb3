"""JSON objects that others wrote."""

import json
from typing import Any, Final

MOST: Final = 1_000_000_000
"""The maximum of counts, lines and durations: no real run exceeds it."""


def json_object(raw: str | bytes) -> dict[str, Any]:
    """Parse one JSON object. Raises `ValueError`, never with the text that it read."""
    try:
        value = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # its message may quote the input
        raise ValueError("it is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def _no_constant(_name: str) -> float:
    raise ValueError("NaN and Infinity are not JSON")
