"""The diff of a pull request as GitHub shows it: which lines of a file, as it has become, can be commented."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_HUNK: Final = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True)
class Shown:
    """The lines of one file that the diff shows, by their numbers."""

    lines: Mapping[int, str]
    added: frozenset[int]
    """Those that the pull request has added or changed."""
    hunks: Mapping[int, int]
    """The hunk of each line: a comment may not reach from one into the next."""

    def has(self, first: int, texts: Sequence[str]) -> bool:
        """Whether it shows exactly these lines from one on, together, some of them changed."""
        numbers = range(first, first + len(texts))
        if any(self.lines.get(number) != text for number, text in zip(numbers, texts, strict=True)):
            return False
        return len({self.hunks[number] for number in numbers}) == 1 and not self.added.isdisjoint(numbers)


def shown_lines(files: Iterable[Mapping[str, Any]]) -> dict[str, Shown]:
    """Return what the diff shows by file; binary and very large files have no patch."""
    found = {}
    for file in files:
        path, patch = file.get("filename"), file.get("patch")
        if isinstance(path, str) and isinstance(patch, str) and file.get("status") != "removed":
            found[path] = _read(patch)
    return found


def _read(patch: str) -> Shown:
    lines: dict[int, str] = {}
    added: set[int] = set()
    hunks: dict[int, int] = {}
    hunk = number = 0
    for row in patch.split("\n"):
        if head := _HUNK.match(row):
            hunk, number = hunk + 1, int(head[1])
        elif hunk and row[:1] in {"+", " "}:
            lines[number], hunks[number] = row[1:], hunk
            if row[0] == "+":
                added.add(number)
            number += 1
    return Shown(lines, frozenset(added), hunks)
