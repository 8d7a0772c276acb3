"""The folder of our temporary files, which no other user can replace."""

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ci_action.system.errors import ToolError

_TEMPORARY: Final = "/tmp"  # nosec B108 # noqa: S108 - only a folder with a random name is created in it


@contextmanager
def temporary_folder(environ: Mapping[str, str]) -> Iterator[Path]:
    """Create a folder in `RUNNER_TEMP`, or else in Python's default, and remove it at the end.

    `RUNNER_TEMP` belongs to the user who runs the project's code and could replace our folder: as root we use `/tmp`
    instead if it is safe. Raises `ToolError` if the folder cannot be created.
    """
    given = environ.get("RUNNER_TEMP", "")
    place = given if os.path.isabs(given) and os.access(given, os.W_OK) else None
    if place and os.geteuid() == 0 and not _keeps(place) and _keeps(_TEMPORARY):
        place = _TEMPORARY
    try:
        made = tempfile.TemporaryDirectory(prefix="ci-action-", dir=place, ignore_cleanup_errors=True)
        Path(made.name, "work").mkdir()
    except OSError as error:
        raise ToolError(f"could not create a temporary folder: {error}") from error
    with made as folder:
        yield Path(folder)


def _keeps(place: str) -> bool:
    """Whether other users cannot rename what root creates in a folder."""
    try:
        found = os.stat(place)
    except OSError:
        return False
    shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
    return found.st_uid == 0 and not shared and os.access(place, os.W_OK)
