"""What files said at another commit: their names from git's diff, their contents by the names of their objects.

Names of files never reach git's standard input, where a newline in one would be another question.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ci_action.project.git.repository import Repository
from ci_action.system.errors import ToolError

_DIFF: Final = (
    "diff", "--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--find-renames", "-l400", "--ignore-submodules=all",
)  # fmt: skip
_FILES: Final = frozenset({"100644", "100755"})
_HEAD: Final = re.compile(rb":(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([A-Z])\d*")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A file that differs between a commit and now; names are relative to the top of the repository."""

    name: str
    """As it is now, or was, where it is gone."""
    previous: str
    """As it was; the same where it was not renamed."""
    blob: str = ""
    """The object of what it said; empty where it was not there, or was no regular file."""
    exists: bool = True
    """Whether it is there now."""


def differences(repository: Repository, commit: str) -> tuple[Difference, ...]:
    """Compare the files as they are now with a commit; raises `ToolError`."""
    done = repository.git(*_DIFF, commit, "--")
    if done.returncode != 0:
        raise ToolError(
            f"git diff failed: {done.stderr.strip().splitlines()[0] if done.stderr.strip() else ''}"
        )
    return parse(done.stdout)


def parse(stdout: bytes) -> tuple[Difference, ...]:
    """Read `git diff --raw -z --no-abbrev`; raises `ToolError` where it is something else."""
    fields = iter(stdout.split(b"\0"))
    try:
        return tuple(_entries(fields))
    except StopIteration as error:
        raise ToolError("git printed a list of changed files that ends in the middle") from error


def _entries(fields: Iterator[bytes]) -> list[Difference]:
    found = []
    for head in fields:
        if not head:
            continue
        match = _HEAD.fullmatch(head)
        if match is None:
            raise ToolError(f"git printed a list of changed files that cannot be read: {head[:80]!r}")
        before, after, blob, letter = match[1].decode(), match[2].decode(), match[3].decode(), match[5]
        previous = os.fsdecode(next(fields))
        name = os.fsdecode(next(fields)) if letter in {b"R", b"C"} else previous
        found.append(
            Difference(
                name=name,
                previous=previous,
                blob=blob if before in _FILES else "",
                exists=after != "000000",
            )
        )
    return found


def contents(
    repository: Repository, blobs: Iterable[str], largest: int, most: int | None = None
) -> Mapping[str, bytes | None]:
    """Return the contents of objects, None for one above `largest`; what exceeds `most` together is left out.

    Raises `ToolError`.
    """
    asked = list(dict.fromkeys(blobs))
    sizes = _answers(repository, asked, "--batch-check=%(objectname) %(objecttype) %(objectsize)")
    found: dict[str, bytes | None] = {}
    wanted, total = [], 0
    for name, size in _sizes(sizes.split(b"\n")):
        if size > largest:
            found[name] = None
        elif most is None or total + size <= most:
            wanted.append(name)
            total += size
    rest = _answers(repository, wanted, "--batch")
    for name in wanted:
        head, _, rest = rest.partition(b"\n")
        size = int(head.rpartition(b" ")[2])
        found[name], rest = rest[:size], rest[size + 1 :]
    return found


def _answers(repository: Repository, asked: list[str], option: str) -> bytes:
    if not asked:
        return b""
    done = repository.git("cat-file", option, stdin="".join(f"{name}\n" for name in asked).encode())
    if done.returncode != 0:
        raise ToolError(f"git cat-file failed: {done.stderr.strip()[:200]}")
    return done.stdout


def _sizes(lines: Iterable[bytes]) -> Iterator[tuple[str, int]]:
    for line in lines:
        words = line.decode("ascii", "replace").split(" ")
        if len(words) == 3 and words[1] == "blob":  # noqa: PLR2004 - <name> <type> <size>, else: missing
            yield words[0], int(words[2])
