"""The files that building a project in place writes into its tree: without them a kept environment is not whole."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Final

from ci_action.system.folder import REPORTS

# The inode and the time of the last change, by path relative to the folder.
Stamps = Mapping[str, tuple[int, int]]
# Nothing of a package is built into these, and they may have many files.
_SKIPPED: Final = frozenset({"node_modules", "__pycache__", REPORTS})
# A build does not write an extension again that is newer than its sources.
_EXTENSION: Final = ".so"


def stamps_of(top: Path, own: Collection[Path]) -> Stamps:
    """Return the files below a folder, without hidden folders and those that are our `own`."""
    found: dict[str, tuple[int, int]] = {}
    for place, folders, files in os.walk(top):
        if "pyvenv.cfg" in files:  # an environment
            folders.clear()
            continue
        folder = Path(place)
        folders[:] = [
            name for name in folders if name[:1] != "." and name not in _SKIPPED and folder / name not in own
        ]
        below = os.path.relpath(place, top)
        for name in files:
            try:
                state = os.lstat(os.path.join(place, name))
            except OSError:  # removed meanwhile
                continue
            found[os.path.normpath(os.path.join(below, name))] = (state.st_ino, state.st_mtime_ns)
    return found


def written_since(before: Stamps, after: Stamps) -> tuple[str, ...]:
    """Return the files that are new or were written again, and every compiled extension."""
    return tuple(
        sorted(
            name for name, stamp in after.items() if before.get(name) != stamp or name.endswith(_EXTENSION)
        )
    )


def all_there(names: Sequence[str], top: Path) -> bool:
    """Whether files exist in a folder; never for a path that leads out of it, whoever wrote it down."""
    return all(_is_below(PurePath(name)) and os.path.lexists(top / name) for name in names)


def _is_below(path: PurePath) -> bool:
    return not path.is_absolute() and os.pardir not in path.parts
