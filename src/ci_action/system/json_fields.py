"""The fields of a JSON object that others wrote, each read by its type. An error names the field, never its value."""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

MOST: Final = 1_000_000_000
"""No count, line or duration of a real run is larger."""


class Facts:
    """One JSON object; every method raises `ValueError` for a field that is missing or of another type."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        """Whether there is such a field."""
        return name in self._fields

    def value(self, name: str) -> Any:
        """Return a field of any type."""
        if name not in self._fields:
            raise ValueError(f"{name!r} is missing")
        return self._fields[name]

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text, or the default if it is missing."""
        if default is not None and name not in self._fields:
            return default
        return as_text(self.value(name), name)

    def name(self, name: str) -> str:
        """Return a text that the system can hold: as the name of a file, or as a word of a command."""
        return as_name(self.value(name), name)

    def word(self, name: str, known: Iterable[str]) -> str:
        """Return one of the known words."""
        word = as_text(self.value(name), name)
        if word not in known:
            raise ValueError(f"{name!r} is an unknown word")
        return word

    def whole(self, name: str, least: int = 0) -> int:
        """Return a whole number from `least` to `MOST`."""
        return as_whole(self.value(name), name, least)

    def seconds(self, name: str) -> float:
        """Return a duration: finite and not negative."""
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name!r} is not a number")  # noqa: TRY004 - one kind for all that is wrong
        if not 0 <= value <= MOST:  # False for NaN
            raise ValueError(f"{name!r} is not a duration")
        return float(value)

    def items(self, name: str, length: int | None = None, default: list[Any] | None = None) -> list[Any]:
        """Return a list, or the default if it is missing; with `length`, of lists of that length."""
        if default is not None and name not in self._fields:
            return default
        value = self.value(name)
        if not isinstance(value, list):
            raise ValueError(f"{name!r} is not a list")  # noqa: TRY004 - as above
        if length is not None and not all(isinstance(one, list) and len(one) == length for one in value):
            raise ValueError(f"{name!r} holds an item that is not a list of {length}")
        return value


def facts_of(raw: str | bytes) -> Facts:
    """Read one JSON object; raises `ValueError`."""
    return Facts(json_object(raw))


def json_object(raw: str | bytes) -> dict[str, Any]:
    """Parse one JSON object; raises `ValueError`."""
    try:
        value = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # the message of json may quote what it read
        raise ValueError("it is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - as above
    return value


def _no_constant(_name: str) -> float:
    raise ValueError("NaN and Infinity are not JSON")


def as_object(value: object, name: str) -> dict[str, Any]:
    """Return a value that must be a JSON object."""
    if not isinstance(value, dict):
        raise ValueError(f"{name!r} is not an object")  # noqa: TRY004 - as above
    return value


def as_text(value: object, name: str) -> str:
    """Return a value that must be a text."""
    if not isinstance(value, str):
        raise ValueError(f"{name!r} is not a text")  # noqa: TRY004 - as above
    return value


def as_name(value: object, name: str) -> str:
    """Return a text that the system can hold."""
    text = as_text(value, name)
    try:
        if b"\0" not in os.fsencode(text):
            return text
    except UnicodeEncodeError:
        pass
    raise ValueError(f"{name!r} holds characters that no file name holds")


def as_whole(value: object, name: str, least: int = 0) -> int:
    """Return a value that must be a whole number from `least` to `MOST`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name!r} is not a whole number")  # noqa: TRY004 - as above
    if not least <= value <= MOST:
        raise ValueError(f"{name!r} is out of range")
    return value
