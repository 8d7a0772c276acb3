"""The changed files of a pull request as a value, read from git's output or from GitHub's answer. Names are foreign text.

Names are relative to the top of the repository; what is not UTF-8 in them is kept as Python keeps it (surrogates).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from ci_action.system.errors import ToolError

# GitHub lists no more files of a pull request than these.
MOST_LISTED: Final = 3000


class Status(StrEnum):
    """What became of a file, in GitHub's words."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"
    RENAMED = "renamed"
    COPIED = "copied"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


_LETTERS: Final = {
    "A": Status.ADDED,
    "D": Status.REMOVED,
    "M": Status.MODIFIED,
    "R": Status.RENAMED,
    "C": Status.COPIED,
    "T": Status.CHANGED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedFile:
    """A file that a pull request changes."""

    name: str
    previous: str = ""
    """Its name before, where it has another one now."""
    status: Status = Status.MODIFIED
    additions: int = 0
    deletions: int = 0
    binary: bool = False
    """Whether git counts no lines in it; GitHub's list does not tell."""
    moved: bool = False
    """Whether it has another name and nothing else about it is new."""

    @property
    def lines(self) -> int:
        """How many lines are added and taken away."""
        return self.additions + self.deletions

    @property
    def names(self) -> tuple[str, ...]:
        """Its name, and the one before if there is another."""
        return (self.name, self.previous) if self.previous else (self.name,)


@dataclass(frozen=True, slots=True)
class Marks:
    """What `.gitattributes` says of a file; None where it says nothing."""

    generated: bool | None = None
    vendored: bool | None = None


@dataclass(frozen=True, kw_only=True)
class PullFiles:
    """The changed files of a pull request, as far as they are known."""

    files: tuple[ChangedFile, ...]
    total: int
    """How many there are, also where not all of them are known."""
    additions: int
    deletions: int
    source: str
    """Who told them: `git` or `GitHub`."""
    note: str = ""
    """What is to be said about them; empty where nothing is."""
    marks: Mapping[str, Marks] = field(default_factory=dict)
    """What `.gitattributes` says, by name."""
    unmarked: str = ""
    """Why `.gitattributes` was not asked; empty where it was."""

    @property
    def numbers_only(self) -> bool:
        """Whether there are files of which not one is known."""
        return self.truncated and not self.files

    @property
    def truncated(self) -> bool:
        """Whether there are more files than are known."""
        return self.total > len(self.files)

    @property
    def lines(self) -> int:
        """How many lines are added and taken away in all files."""
        return self.additions + self.deletions


def listing(files: Iterable[ChangedFile], source: str) -> PullFiles:
    """Return these files as all files of a pull request."""
    known = tuple(files)
    return PullFiles(
        files=known,
        total=len(known),
        additions=sum(file.additions for file in known),
        deletions=sum(file.deletions for file in known),
        source=source,
    )


def from_git(stdout: bytes) -> tuple[ChangedFile, ...]:
    """Read `git diff-tree -r -z --raw --numstat`; raises `ToolError` where it is something else."""
    fields = stdout.split(b"\0")
    if fields.pop():
        raise ToolError("git printed a list of changed files that ends in the middle")
    rest = iter(fields)
    try:
        return tuple(_paired(rest))
    except (StopIteration, ValueError, KeyError, RuntimeError) as error:
        raise ToolError(f"git printed a list of changed files that cannot be read: {error}") from error


def _paired(fields: Iterator[bytes]) -> Iterator[ChangedFile]:
    """Yield each file: git first prints what became of all of them, then the numbers of all of them."""
    heads: list[tuple[list[str], str, str]] = []
    words = next(fields, b"")
    while words.startswith(b":"):
        head = words[1:].decode("ascii").split(" ")
        first = _name(next(fields))
        heads.append((head, first, _name(next(fields)) if head[4][0] in "RC" else ""))
        words = next(fields, b"")
    for head, first, second in heads:
        added, deleted, name = words.split(b"\t", 2)
        names = (_name(name), "") if name else (_name(next(fields)), _name(next(fields)))
        if names != (first, second):
            raise ValueError(f"numbers for {names[0]!r} stand where those for {first!r} belong")
        yield _file(head, first, second, (added, deleted))
        words = next(fields, b"")
    if words:
        raise ValueError("there are numbers for more files than were named")


def _file(head: list[str], first: str, second: str, numbers: tuple[bytes, bytes]) -> ChangedFile:
    before, after, _, _, letter = head
    binary = numbers == (b"-", b"-")
    return ChangedFile(
        name=second or first,
        previous=first if second else "",
        status=_LETTERS[letter[0]],
        additions=0 if binary else int(numbers[0]),
        deletions=0 if binary else int(numbers[1]),
        binary=binary,
        moved=letter == "R100" and before == after,
    )


def _name(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def from_github(entries: Iterable[Mapping[str, Any]]) -> tuple[ChangedFile, ...]:
    """Read the files of a pull request as GitHub lists them; raises `ToolError` where it is no such list."""
    try:
        return tuple(_entry(entry) for entry in entries)
    except (KeyError, TypeError, ValueError) as error:
        raise ToolError(f"GitHub's list of changed files cannot be read: {error!r}") from error


def _entry(entry: Mapping[str, Any]) -> ChangedFile:
    name, previous = entry["filename"], entry.get("previous_filename") or ""
    if not isinstance(name, str) or not isinstance(previous, str):
        raise TypeError(f"{name!r} is no name of a file")
    status = Status(entry["status"])
    additions, deletions = int(entry["additions"]), int(entry["deletions"])
    return ChangedFile(
        name=name,
        previous=previous if status in {Status.RENAMED, Status.COPIED} else "",
        status=status,
        additions=additions,
        deletions=deletions,
        moved=status is Status.RENAMED and not additions and not deletions,
    )
