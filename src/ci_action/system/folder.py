"""Folders held open: files are read and written by descriptor, and links on the way are not followed.

The project's code can write to most of the places that we write to, and in the container we are root: a name that was
a folder a moment ago may be a link to another one by now.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Final, NamedTuple

REPORTS: Final = "ci-action-report"
"""The name of the folder that holds the report folders, one for each set of stages."""
_IGNORE: Final = ".gitignore"
_EVERYTHING: Final = "*\n"
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe without a writer would block.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PART: Final = 1_000_000


class Owner(NamedTuple):
    """The user and group that own a file or run a program."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """The path of a folder: no link below `start` is followed."""

    start: Path
    parts: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The path of the folder."""
        return self.start.joinpath(*self.parts)

    def __truediv__(self, name: str) -> "Place":
        """Return the place of a folder in this one."""
        return Place(self.start, (*self.parts, name))


def place_of(path: Path, workspace: Path, *, strict: bool) -> Place:
    """Return the place of a folder.

    Links in the workspace belong to the project and are never followed. Elsewhere they are followed once, unless
    `strict`: in the container the project's code can write there too.
    """
    normal = Path(os.path.normpath(path))
    if normal.is_relative_to(workspace):
        return Place(workspace, normal.relative_to(workspace).parts)
    found = normal if strict else Path(os.path.realpath(normal))
    return Place(Path(found.anchor), found.parts[1:])


@dataclass(frozen=True)
class Folder:
    """An open folder."""

    descriptor: int

    def open(self, name: str) -> int:
        """Open a file for reading; raises `OSError`, also for a link."""
        return os.open(name, _FILE, dir_fd=self.descriptor)

    def stat(self, name: str) -> os.stat_result:
        """Return the status of an entry; raises `OSError`."""
        return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)

    def has(self, name: str) -> bool:
        """Whether it has an entry of this name."""
        try:
            self.stat(name)
        except OSError:
            return False
        return True

    @property
    def is_own(self) -> bool:
        """Whether it ignores itself in git, as those that we create do."""
        try:
            with open(self.open(_IGNORE), encoding="utf-8", errors="replace") as stream:
                return stream.read(len(_EVERYTHING) + 1) == _EVERYTHING
        except OSError:
            return False

    def remove(self, name: str) -> None:
        """Remove a file or link if it exists; raises `OSError` for a folder."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.descriptor)

    def remove_tree(self, name: str) -> None:
        """Remove an entry with everything in it if it exists, following no link; raises `OSError`."""
        try:
            self.remove(name)
        except (IsADirectoryError, PermissionError):  # the second is that of macOS
            shutil.rmtree(name, dir_fd=self.descriptor)

    def write(self, name: str, content: bytes, owner: Owner | None = None) -> os.stat_result:
        """Write a file atomically for `owner` and return its status; an existing file is replaced. Raises `OSError`."""
        return self.receive(name, BytesIO(content), owner)

    def receive(self, name: str, source: IO[bytes], owner: Owner | None = None) -> os.stat_result:
        """Write what a stream has, in the same way."""
        fresh = f".{name}.{os.urandom(8).hex()}"
        with open(os.open(fresh, _NEW_FILE, 0o600, dir_fd=self.descriptor), "wb") as stream:
            try:
                shutil.copyfileobj(source, stream, _PART)
                stream.flush()
                os.fchmod(stream.fileno(), 0o644)
                if owner:
                    os.fchown(stream.fileno(), *owner)
                os.replace(fresh, name, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
            except OSError:
                self.remove(fresh)
                with suppress(OSError):
                    stream.close()  # after a full disk its buffer still has content
                raise
            return os.fstat(stream.fileno())


@contextmanager
def opened(place: Place, *, make: bool = False, owner: Owner | None = None) -> Iterator[Folder]:
    """Open a folder; raises `OSError` if it does not exist or a part of its path is a link.

    With `make` missing folders are created for `owner`. A new one ignores itself in git if it is the last, or holds our
    report folders.
    """
    descriptor = os.open(place.start, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    path = place.start
    try:
        for number, part in enumerate(place.parts, 1):
            path /= part
            try:
                inner, made = _entered(descriptor, part, make=make, owner=owner)
            except OSError as error:
                # Which of the two errors a link leads to depends on the system.
                link = error.errno in {errno.ELOOP, errno.ENOTDIR}
                text = "a link or not a folder" if link else error.strerror
                raise OSError(error.errno, text, str(path)) from error
            os.close(descriptor)
            descriptor = inner
            if made and (number == len(place.parts) or part == REPORTS):
                Folder(descriptor).write(_IGNORE, _EVERYTHING.encode(), owner)
        yield Folder(descriptor)
    finally:
        os.close(descriptor)


def _entered(above: int, part: str, *, make: bool, owner: Owner | None) -> tuple[int, bool]:
    made = False
    if make:
        with suppress(FileExistsError):
            os.mkdir(part, 0o755, dir_fd=above)
            made = True
    descriptor = os.open(part, _FOLDER, dir_fd=above)
    if made and owner:
        os.fchown(descriptor, *owner)
    return descriptor, made


def is_own(folder: Path) -> bool:
    """Whether a folder ignores itself in git, as those that we create do."""
    try:
        with opened(Place(folder, ())) as found:
            return found.is_own
    except OSError:
        return False
