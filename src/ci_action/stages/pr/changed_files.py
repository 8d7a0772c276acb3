"""The changed files of a pull request as values, and as GitHub lists them. Names are foreign text.

Names are relative to the top of the repository; other bytes than UTF-8 in them are surrogates, as in Python.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from ci_action.system.errors import ToolError

# GitHub does not list more files of a pull request.
MOST_LISTED: Final = 3000


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedFile:
    """A file that a pull request changes."""

    name: str
    previous: str = ""
    """The name before a rename or copy."""
    lines: int = 0
    """The number of added and removed lines; git counts none in a binary file."""
    moved: bool = False
    """Whether it was renamed without another change."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its name, and the previous one if it was renamed."""
        return (self.name, self.previous) if self.previous else (self.name,)


@dataclass(frozen=True, slots=True)
class Marks:
    """The attributes of a file in `.gitattributes`; None is not set."""

    generated: bool | None = None
    vendored: bool | None = None


@dataclass(frozen=True, kw_only=True)
class PullFiles:
    """The known changed files of a pull request."""

    files: tuple[ChangedFile, ...]
    total: int
    """The number of changed files, also of those that are not known."""
    lines: int
    """The number of added and removed lines in all of them."""
    note: str = ""
    """A warning about them; empty if all are known."""
    marks: Mapping[str, Marks] = field(default_factory=dict)
    """The attributes in `.gitattributes`, by name."""
    unmarked: str = ""
    """Why `.gitattributes` was not read; empty if it was."""

    @property
    def numbers_only(self) -> bool:
        """Whether no file is known."""
        return self.truncated and not self.files

    @property
    def truncated(self) -> bool:
        """Whether not all files are known."""
        return self.total > len(self.files)


def listing(files: Iterable[ChangedFile]) -> PullFiles:
    """Return these files as all files of a pull request."""
    known = tuple(files)
    return PullFiles(files=known, total=len(known), lines=sum(file.lines for file in known))


class _Entry(msgspec.Struct):
    filename: str
    status: Literal["added", "removed", "modified", "renamed", "copied", "changed", "unchanged"]
    additions: int
    deletions: int
    previous_filename: str | None = None


def from_github(entries: Iterable[Mapping[str, Any]]) -> tuple[ChangedFile, ...]:
    """Read the list of GitHub; raises `ToolError` if it is invalid."""
    try:
        return tuple(_file(msgspec.convert(entry, _Entry)) for entry in entries)
    except msgspec.ValidationError as error:
        raise ToolError(f"GitHub's list of changed files is invalid: {error}") from error


def _file(entry: _Entry) -> ChangedFile:
    renamed = entry.status in {"renamed", "copied"}
    lines = entry.additions + entry.deletions
    return ChangedFile(
        name=entry.filename,
        previous=entry.previous_filename or "" if renamed else "",
        lines=lines,
        moved=entry.status == "renamed" and not lines,
    )
