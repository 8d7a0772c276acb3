"""The user who runs the project's code in the container, and the files that are given to this user."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ci_action.system.errors import ToolError
from ci_action.system.folder import Owner
from ci_action.system.project_files import read_project_file

# A group that can write to it is root on the machine.
_DOCKER_SOCKET: Final = Path("/var/run/docker.sock")


def owner_of(workspace: Path, socket: Path = _DOCKER_SOCKET) -> Owner | None:
    """Return the user and group that run the project's code; None if it runs as we do.

    The group is that of the workspace, except for a group of root or of Docker's socket (on GitHub's Ubuntu 22.04 the
    runner's own group is `docker`): then it is one without other members.
    """
    owner = ids_of(workspace)
    if owner is None:
        return None
    closed = {0, socket.stat().st_gid} if socket.exists() else {0}
    return owner._replace(gid=owner.uid) if owner.gid in closed else owner


def ids_of(workspace: Path) -> Owner | None:
    """Return the owner of the workspace if we are root and the owner is not; else None."""
    if os.geteuid() != 0:
        return None
    found = workspace.stat()
    return Owner(found.st_uid, found.st_gid) if found.st_uid else None


def give_back(workspace: Path) -> None:
    """Give files of root in the workspace to its owner, or the runner could not remove them; raises `OSError`."""
    owner = ids_of(workspace)
    if owner is None:
        return
    for _, folders, names, descriptor in os.fwalk(workspace, follow_symlinks=False):
        for name in (*folders, *names):
            with suppress(FileNotFoundError):
                if os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_uid == 0:
                    os.chown(name, *owner, dir_fd=descriptor, follow_symlinks=False)


def hand_over(folder: Path, owner: Owner | None) -> None:
    """Create a folder and give it to its user; raises `ToolError` for a link, which the user may have put there."""
    folder.mkdir(parents=True, exist_ok=True)
    if owner is None:
        return
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise ToolError(f"could not change the owner of {str(folder)!r}: {error}") from error
    try:
        os.fchown(opened, *owner)
    finally:
        os.close(opened)


def hand_over_whole(folder: Path, owner: Owner) -> None:
    """Give a folder with everything in it to a user; only we can have written to it before."""
    for place, _, names in os.walk(folder, topdown=False):
        for path in (*(os.path.join(place, name) for name in names), place):
            os.chown(path, *owner, follow_symlinks=False)


def lend(file: Path, copy: Path, owner: Owner) -> None:
    """Give a user a copy of a file that only we may read; raises `ProjectFileError` for a link, which the user may have put there."""
    content = read_project_file(file, file.parent)
    with tempfile.NamedTemporaryFile(dir=copy.parent, delete=False) as fresh:
        fresh.write(content)
    os.chown(fresh.name, *owner)
    os.replace(fresh.name, copy)  # atomic: another thread may read it


@contextmanager
def lent_netrc(environ: Mapping[str, str], copy: Path, owner: Owner | None) -> Iterator[dict[str, str]]:
    """Give another user the credentials of package indexes meanwhile; yield the variable with the path of the copy."""
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
    """Return the path of the file with credentials of package indexes."""
    return Path(environ.get("NETRC") or Path(environ.get("HOME") or "/nonexistent", ".netrc"))


def first_given(folders: Sequence[Path], owner: Owner | None) -> Path:
    """Hand over and return the first folder that can be created and written to, else the last: a cache may be read-only."""
    for folder in folders[:-1]:
        with suppress(OSError):
            hand_over(folder, owner)
            if os.access(folder, os.W_OK):
                return folder
    hand_over(folders[-1], owner)
    return folders[-1]
