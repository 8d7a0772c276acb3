"""Where our temporary files are: nobody else may put something in their place."""

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ci_action.system.errors import ToolError

_TEMPORARY: Final = "/tmp"  # nosec B108 # noqa: S108 - only a folder of random name is made in it


@contextmanager
def temporary_folder(environ: Mapping[str, str]) -> Iterator[Path]:
    """Make the folder of our temporary files, gone at the end, where the runner keeps its own: Python might take the workspace.

    The runner's belongs to the user who runs the project's code, who could put another folder in the place of ours:
    as root we take one where that cannot be, if there is any. Raises `ToolError` where nothing can be written.
    """
    given = environ.get("RUNNER_TEMP", "")
    place = given if os.path.isabs(given) and os.access(given, os.W_OK) else None
    if place and os.geteuid() == 0 and not _keeps(place) and _keeps(_TEMPORARY):
        place = _TEMPORARY
    try:
        made = tempfile.TemporaryDirectory(prefix="ci-action-", dir=place, ignore_cleanup_errors=True)
        Path(made.name, "work").mkdir()
    except OSError as error:
        raise ToolError(f"no temporary files can be written: {error}") from error
    with made as folder:
        yield Path(folder)


def _keeps(place: str) -> bool:
    """Whether what root creates in a folder stays where it is."""
    try:
        found = os.stat(place)
    except OSError:
        return False
    shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
    return found.st_uid == 0 and not shared and os.access(place, os.W_OK)
