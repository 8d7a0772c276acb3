"""Who runs the project's code in the container, and what is theirs."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ci_action.system.errors import ToolError
from ci_action.system.folder import Ids
from ci_action.system.process import Owner
from ci_action.system.project_files import read_project_file

# Whoever may write to it is root on the machine.
_ENGINE: Final = Path("/var/run/docker.sock")


def owner_of(workspace: Path, engine: Path = _ENGINE) -> Owner | None:
    """Return the owner of the workspace where we are root and they are not; None where nothing is to be changed.

    The group is that of the workspace, but for one that would open Docker's socket (on GitHub's Ubuntu 22.04 the
    runner's own group is `docker`) or what is root's: then it is a group that nobody else has.
    """
    if os.geteuid() != 0:
        return None
    found = workspace.stat()
    if found.st_uid == 0:
        return None
    closed = {0, engine.stat().st_gid} if engine.exists() else {0}
    return Owner(uid=found.st_uid, gid=found.st_uid if found.st_gid in closed else found.st_gid)


def ids_of(workspace: Path) -> Ids | None:
    """Return whose files are to be in the workspace where we are root and they are not; None where nothing is to be done."""
    if os.geteuid() != 0:
        return None
    found = workspace.stat()
    return (found.st_uid, found.st_gid) if found.st_uid else None


def give_back(workspace: Path) -> None:
    """Give what belongs to root in the workspace to its owner, or the runner could not remove it; raises `OSError`."""
    owner = ids_of(workspace)
    if owner is None:
        return
    for _, folders, names, descriptor in os.fwalk(workspace, follow_symlinks=False):
        for name in (*folders, *names):
            with suppress(FileNotFoundError):
                if os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_uid == 0:
                    os.chown(name, *owner, dir_fd=descriptor, follow_symlinks=False)


def hand_over(folder: Path, owner: Owner | None) -> None:
    """Create a folder and give it to its user; raises `ToolError` for a link, which they may have put there."""
    folder.mkdir(parents=True, exist_ok=True)
    if owner is None:
        return
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise ToolError(f"{str(folder)!r} is no folder that can be given away: {error}") from error
    try:
        os.fchown(opened, owner.uid, owner.gid)
    finally:
        os.close(opened)


def hand_over_whole(folder: Path, owner: Owner) -> None:
    """Give a folder of ours, that nobody else could write to until now, to a user with all that is in it."""
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            os.chown(os.path.join(place, name), owner.uid, owner.gid, follow_symlinks=False)
        os.chown(place, owner.uid, owner.gid, follow_symlinks=False)


def lend(file: Path, copy: Path, owner: Owner) -> None:
    """Give a user a copy of a file that only we may read; raises `ProjectFileError` for a link, which they may have made."""
    content = read_project_file(file, file.parent)
    with tempfile.NamedTemporaryFile(dir=copy.parent, delete=False) as fresh:
        fresh.write(content)
    os.chown(fresh.name, owner.uid, owner.gid)
    os.replace(fresh.name, copy)  # whole at once: another thread may look for it


@contextmanager
def lent_netrc(environ: Mapping[str, str], copy: Path, owner: Owner | None) -> Iterator[dict[str, str]]:
    """Lend another user the credentials of package indexes; yield the variable that names them."""
    file = netrc_of(environ)
    if owner is None or not os.path.lexists(file):
        yield {}
        return
    lend(file, copy, owner)
    try:
        yield {"NETRC": str(copy)}
    finally:
        copy.unlink(missing_ok=True)


def netrc_of(environ: Mapping[str, str]) -> Path:
    """Return where the credentials of package indexes would be."""
    return Path(environ.get("NETRC") or Path(environ.get("HOME") or "/nonexistent", ".netrc"))


def first_given(folders: Sequence[Path], owner: Owner | None) -> Path:
    """Hand over the first of these folders that can be made and written to, or else the last: a cache may be read-only."""
    for folder in folders[:-1]:
        with suppress(OSError):
            hand_over(folder, owner)
            if os.access(folder, os.W_OK):
                return folder
    hand_over(folders[-1], owner)
    return folders[-1]
