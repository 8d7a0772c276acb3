"""The files between two commits, by git, without a checkout.

Attributes decide which files are binary, and which are marked as generated. They are read from one commit, the base: a
change could mark its own files.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from ci_action.project.git.base_files import difference
from ci_action.project.git.repository import Repository
from ci_action.stages.pr.changed_files import ChangedFile, Marks
from ci_action.system.errors import ToolError
from ci_action.system.ownership import hand_over
from ci_action.system.text import as_bytes

# A file that was moved and edited is one file, as on GitHub. Pairs beyond the limit are counted apart: comparing each
# with each takes minutes.
_DIFF: Final = (
    "diff-tree", "-r", "-z", "--raw", "--numstat", "--find-renames", "-l400", "--no-ext-diff", "--no-textconv",
    "--diff-algorithm=myers", "--ignore-submodules=none",
)  # fmt: skip
# Without the user's own attributes.
_PLAIN: Final = (("core.attributesFile", os.devnull),)
_GENERATED: Final = "linguist-generated"
_VENDORED: Final = "linguist-vendored"
_VALUES: Final = {"set": True, "true": True, "unset": False, "false": False}


def with_attributes_of(repository: Repository, commit: str) -> Repository:
    """Return the repository with the attributes of a commit: its files are in our index, beside an empty folder."""
    found = repository.ask("rev-parse", "--absolute-git-dir")
    folder = repository.tempdir / "pull"
    hand_over(folder, repository.owner)
    empty = repository.tempdir / "empty"
    empty.mkdir(exist_ok=True)
    environ = {
        **repository.environ,
        "GIT_DIR": os.fsdecode(found.removesuffix(b"\n")),
        "GIT_WORK_TREE": str(empty),
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_ATTR_NOSYSTEM": "1",
    }
    seen = replace(repository, top=empty, environ=environ)
    seen.ask("read-tree", commit, settings=_PLAIN)
    return seen


def changed_files(seen: Repository, base: str, tip: str) -> tuple[ChangedFile, ...]:
    """Return the files that differ between two commits; raises `ToolError`."""
    return parse(seen.ask(*_DIFF, base, tip, "--", settings=_PLAIN))


def parse(stdout: bytes) -> tuple[ChangedFile, ...]:
    """Read `git diff-tree -r -z --raw --numstat`; raises `ToolError` for anything else."""
    try:
        return tuple(_files(stdout))
    except (ValueError, RuntimeError) as error:  # RuntimeError: no next field
        raise ToolError(f"git printed an invalid list of changed files: {error}") from error


def _files(stdout: bytes) -> Iterator[ChangedFile]:
    """Yield each file: git first prints the changes of all of them, then the numbers of all of them."""
    *listed, end = stdout.split(b"\0")
    if end:
        raise ValueError("the end is missing")
    fields = iter(listed)
    changes = []
    words = next(fields, b"")
    while words.startswith(b":"):
        changes.append(difference(words, fields))
        words = next(fields, b"")
    for one in changes:
        added, deleted, name = words.split(b"\t", 2)
        names = [os.fsdecode(raw) for raw in ((name, name) if name else (next(fields), next(fields)))]
        if names != [one.previous, one.name]:
            raise ValueError(f"{names[0]!r} instead of {one.previous!r}")
        yield ChangedFile(
            name=one.name,
            previous=one.previous if one.previous != one.name else "",
            lines=0 if added == deleted == b"-" else int(added) + int(deleted),
            moved=one.moved,
        )
        words = next(fields, b"")
    if words:
        raise ValueError("there are numbers for more files")


def marks(seen: Repository, names: Iterable[str]) -> dict[str, Marks]:
    """Return the attributes of files, without files that have none; raises `ToolError`."""
    asked = b"".join(as_bytes(name) + b"\0" for name in names)
    words = ("check-attr", "--cached", "-z", "--stdin", _GENERATED, _VENDORED)
    stdout = seen.ask(*words, stdin=asked, settings=_PLAIN)
    fields = map(os.fsdecode, stdout.split(b"\0")[:-1])
    found: dict[str, dict[str, bool]] = {}
    for name, attribute, value in zip(fields, fields, fields, strict=True):
        if value in _VALUES:
            found.setdefault(name, {})[attribute] = _VALUES[value]
    return {name: Marks(one.get(_GENERATED), one.get(_VENDORED)) for name, one in found.items()}
