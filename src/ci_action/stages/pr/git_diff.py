"""What git tells of the files between two commits. Nothing is checked out, and no file of the change is obeyed.

Attributes decide what git takes for binary and what is marked as generated. They are read as one commit has them, the
base: a change could mark its own files.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from ci_action.project.git.repository import Repository
from ci_action.stages.pr.changed_files import ChangedFile, Marks, from_git
from ci_action.system.errors import ToolError
from ci_action.system.ownership import hand_over
from ci_action.system.process import Completed, last_lines

# A file that was moved and edited is one file, as on GitHub. Pairs beyond the limit are counted apart: comparing each
# with each takes minutes.
_DIFF: Final = (
    "diff-tree", "-r", "-z", "--raw", "--numstat", "--find-renames", "-l400", "--no-ext-diff", "--no-textconv",
    "--diff-algorithm=myers", "--ignore-submodules=none",
)  # fmt: skip
# The user's own attributes are left aside.
_PLAIN: Final = (("core.attributesFile", os.devnull),)
_GENERATED: Final = "linguist-generated"
_VENDORED: Final = "linguist-vendored"
_SAID: Final = {b"set": True, b"true": True, b"unset": False, b"false": False}


@dataclass(frozen=True)
class PullDiff:
    """A repository seen with the attributes of a commit, whatever lies in its folder."""

    repository: Repository

    @classmethod
    def at(cls, repository: Repository, commit: str) -> "PullDiff":
        """Put the names of the commit's files into an index of ours, beside an empty folder."""
        found = _done(repository.git("rev-parse", "--absolute-git-dir"))
        folder = repository.tempdir / "pull"
        hand_over(folder, repository.owner)
        empty = repository.tempdir / "empty"
        empty.mkdir(exist_ok=True)
        environ = {
            **repository.environ,
            "GIT_DIR": os.fsdecode(found.stdout.removesuffix(b"\n")),
            "GIT_WORK_TREE": str(empty),
            "GIT_INDEX_FILE": str(folder / "index"),
            "GIT_ATTR_NOSYSTEM": "1",
        }
        seen = replace(repository, top=empty, environ=environ)
        _done(seen.git("read-tree", commit, settings=_PLAIN))
        return cls(seen)

    def changed_files(self, base: str, tip: str) -> tuple[ChangedFile, ...]:
        """Return what is different between two commits."""
        return from_git(_done(self.repository.git(*_DIFF, base, tip, "--", settings=_PLAIN)).stdout)

    def marks(self, names: Iterable[str]) -> dict[str, Marks]:
        """Return what the attributes say of these files; those of which they say nothing are left out."""
        asked = b"".join(name.encode("utf-8", "surrogateescape") + b"\0" for name in names)
        words = ("check-attr", "--cached", "-z", "--stdin", _GENERATED, _VENDORED)
        stdout = _done(self.repository.git(*words, stdin=asked, settings=_PLAIN)).stdout
        fields = iter(stdout.split(b"\0")[:-1])
        said: dict[bytes, dict[bytes, bool]] = {}
        for name, attribute, value in zip(fields, fields, fields, strict=True):
            if value in _SAID:
                said.setdefault(name, {})[attribute] = _SAID[value]
        return {
            name.decode("utf-8", "surrogateescape"): Marks(
                generated=one.get(_GENERATED.encode()), vendored=one.get(_VENDORED.encode())
            )
            for name, one in said.items()
        }


def _done(done: Completed) -> Completed:
    if done.returncode != 0:
        told = last_lines(done.stderr).splitlines()[:1] or [f"exit code {done.returncode}"]
        raise ToolError(f"git failed: {told[0]}")
    return done
