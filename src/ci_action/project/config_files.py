"""Configuration files of the project: TOML, and YAML with or without the places of its values.

PyYAML is imported when it is needed: it takes as long as thirty of our own modules.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ci_action.system.errors import ProjectFileError, SettingsError, ToolError
from ci_action.system.project_files import find_project_file, shown

if TYPE_CHECKING:
    from yaml.nodes import Node

# Values of a document with all aliases expanded: ten lines of them can expand to more than the memory.
_MOST_VALUES: Final = 1_000_000
_MOST_BITS: Final = 63  # and the sign


def load_toml(file: Path, workspace: Path) -> dict[str, Any]:
    """Return the content of a TOML file of the project, {} if it is absent; raises `SettingsError`."""
    try:
        document = tomllib.loads((find_project_file(file, workspace) or b"").decode("utf-8"))
        _refuse_large_numbers(document)
    except ProjectFileError as error:
        raise SettingsError([error.reason]) from error
    except (ValueError, RecursionError) as error:  # ValueError: also for a number that is too long
        raise SettingsError([f"{shown(file, workspace)} cannot be read as TOML: {error}"]) from error
    return document


def read_toml(file: Path, workspace: Path) -> dict[str, Any]:
    """Return the same for the configuration of a tool; raises `ToolError`."""
    try:
        return load_toml(file, workspace)
    except SettingsError as error:
        raise ToolError(str(error)) from error


def tool_table(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the table `tool` of a pyproject.toml; empty if it is not a table."""
    tool = document.get("tool")
    return tool if isinstance(tool, dict) else {}


def _refuse_large_numbers(value: object) -> None:
    """Raise `ValueError` for a number that is too large for TOML: Python reads it, but cannot print it."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            _refuse_large_numbers(one)
    elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise ValueError("a number has more than 64 bits")


def from_yaml(text: str) -> Any:
    """Return the content of a YAML text; raises `ValueError`, and `RecursionError` if it is nested too deeply.

    An alias of itself, and aliases that multiply, are refused: walking through the values would never end.
    """
    import yaml  # see the module's docstring

    try:
        loader = yaml.SafeLoader(text)  # refuses control characters
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _count(node, {})
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _count(node: "Node", known: dict[int, int]) -> int:
    """Return the number of values in a node with all aliases expanded; raises `ValueError` if there are too many."""
    found = known.get(id(node), -1)
    if found == 0:
        raise ValueError("an alias refers to itself")
    if found < 0:
        known[id(node)] = 0
        value = node.value
        parts = value if isinstance(value, list) else ()
        found = 1
        for part in parts:
            found += sum(_count(one, known) for one in (part if isinstance(part, tuple) else (part,)))
        if found > _MOST_VALUES:
            raise ValueError(f"its aliases expand to more than {_MOST_VALUES:,} values")
        known[id(node)] = found
    return found


@dataclass(frozen=True)
class Field:
    """A value in a YAML file, with its place; an absent one is empty."""

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
        """The text of a scalar as written; empty for anything else, and for null."""
        written = self._is("scalar") and not self.node.tag.endswith(":null")
        return self.node.value if written else ""

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
    """Return a YAML text as values with their places, unresolved. Raises as `from_yaml` does."""
    import yaml  # see the module's docstring

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is not None:
            _count(node, {})
        return Field(node)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
