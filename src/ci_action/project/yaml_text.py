"""YAML, read by PyYAML, which is imported where there is some: it takes as long as thirty of our own modules."""

from dataclasses import dataclass
from typing import Any


def from_yaml(text: str) -> Any:
    """Return what a text holds; raises `ValueError`, and `RecursionError` where it is nested too deeply."""
    import yaml  # noqa: PLC0415 - see the module's docstring

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


@dataclass(frozen=True)
class Field:
    """A value in a YAML file, with its place; one that is not there is empty."""

    node: Any = None

    def names(self) -> list[str]:
        """Return the keys of a mapping."""
        return [key.value for key, _ in self._pairs() if isinstance(key.value, str)]

    def at(self, name: str) -> "Field":
        """Return the value of a key."""
        return Field(next((value for key, value in self._pairs() if key.value == name), None))

    def items(self) -> list["Field"]:
        """Return the entries of a list."""
        return [Field(one) for one in self.node.value] if self._is("sequence") else []

    @property
    def text(self) -> str:
        """The text of a scalar, as it is written; empty for anything else, and for null."""
        written = self.node.value if self._is("scalar") else ""
        return "" if self._is("scalar") and self.node.tag.endswith(":null") else written

    @property
    def line(self) -> int | None:
        """The line on which it begins."""
        return int(self.node.start_mark.line) + 1 if self.node is not None else None

    def line_of(self, entry: str) -> int | None:
        """Return the line of an entry in a text of several lines, else that on which it begins."""
        mark = self.node.start_mark if self.node is not None else None
        if mark is None or not entry or mark.buffer is None:
            return self.line
        rows = mark.buffer[mark.pointer : self.node.end_mark.pointer].split("\n")
        first = int(mark.line) + 1
        return next((first + number for number, row in enumerate(rows) if entry in row), first)

    def _is(self, kind: str) -> bool:
        return self.node is not None and self.node.id == kind

    def _pairs(self) -> list[tuple[Any, Any]]:
        return list(self.node.value) if self._is("mapping") else []


def fields_of(text: str) -> Field:
    """Return a text as values with their places; nothing is resolved. Raises `ValueError` and `RecursionError`."""
    import yaml  # noqa: PLC0415 - see the module's docstring

    try:
        return Field(yaml.compose(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
