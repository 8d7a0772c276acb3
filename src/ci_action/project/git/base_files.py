"""Files at another commit: their names from git's diff, their contents by the names of their objects.

Names of files never reach git's standard input, where a newline in one would be another question.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from ci_action.project.git.repository import Repository
from ci_action.system.errors import ToolError

_DIFF: Final = (
    "diff", "--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--find-renames", "-l400", "--ignore-submodules=all",
)  # fmt: skip
_FILES: Final = frozenset({b"100644", b"100755"})
_HEAD: Final = re.compile(rb":(\d{6}) (\d{6}) ([0-9a-f]+) [0-9a-f]+ (([A-Z])\d*)")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A file that differs between a commit and now, or another commit; names are relative to the top of the repository."""

    name: str
    """The name now, or at the commit if the file is gone."""
    previous: str
    """The name at the commit."""
    blob: str = ""
    """The object at the commit; empty if there is none, or it is not a regular file."""
    exists: bool = True
    """Whether it exists now."""
    moved: bool = False
    """Whether it was renamed without another change."""


def differences(repository: Repository, commit: str) -> tuple[Difference, ...]:
    """Compare the files in the workspace with a commit; raises `ToolError`."""
    return parse(repository.ask(*_DIFF, commit, "--"))


def parse(stdout: bytes) -> tuple[Difference, ...]:
    """Read `git diff --raw -z --no-abbrev`; raises `ToolError` for anything else."""
    fields = iter(stdout.split(b"\0"))
    try:
        return tuple([difference(head, fields) for head in fields if head])
    except StopIteration as error:
        raise ToolError("git printed an incomplete list of changed files") from error


def difference(head: bytes, fields: Iterator[bytes]) -> Difference:
    """Read an entry of `git diff --raw -z`, whose names are the next fields; raises `ToolError`."""
    match = _HEAD.fullmatch(head)
    if match is None:
        raise ToolError(f"git printed an invalid list of changed files: {head[:80]!r}")
    before, after, blob, status, letter = match.groups()
    previous = os.fsdecode(next(fields))
    return Difference(
        name=os.fsdecode(next(fields)) if letter in {b"R", b"C"} else previous,
        previous=previous,
        blob=blob.decode() if before in _FILES else "",
        exists=after != b"000000",
        moved=status == b"R100" and before == after,
    )


def contents(
    repository: Repository, blobs: Iterable[str], largest: int, most: int
) -> Mapping[str, bytes | None]:
    """Return the contents of objects, None for one above `largest`; without those that exceed `most` together.

    Raises `ToolError`.
    """
    asked = list(dict.fromkeys(blobs))
    sizes = _answers(repository, asked, "--batch-check=%(objectname) %(objecttype) %(objectsize)")
    found: dict[str, bytes | None] = {}
    wanted: dict[str, int] = {}
    total = 0
    for line in sizes.decode("ascii", "replace").split("\n"):
        name, kind, size = (*line.split(" "), "", "")[:3]
        if kind != "blob":  # missing
            continue
        if int(size) > largest:
            found[name] = None
        elif total + int(size) <= most:
            wanted[name] = int(size)
            total += int(size)
    answers = BytesIO(_answers(repository, list(wanted), "--batch"))
    for name, length in wanted.items():
        answers.readline()
        found[name] = answers.read(length)
        answers.read(1)
    return found


def _answers(repository: Repository, asked: list[str], option: str) -> bytes:
    if not asked:
        return b""
    stdin = "".join(f"{name}\n" for name in asked).encode()
    return repository.ask("cat-file", option, stdin=stdin)
