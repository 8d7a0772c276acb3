"""Who runs the project's code in the container, and what is theirs."""

import os
from pathlib import Path

from ci_action.process import Owner


def owner_of(workspace: Path) -> Owner | None:
    """Return the owner of the workspace where we are root and they are not; None where nothing is to be changed."""
    if os.geteuid() != 0:
        return None
    found = workspace.stat()
    return Owner(uid=found.st_uid, gid=found.st_gid) if found.st_uid != 0 else None


def hand_over(folder: Path, owner: Owner | None) -> None:
    """Create a folder and give it to its user."""
    folder.mkdir(parents=True, exist_ok=True)
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid)
