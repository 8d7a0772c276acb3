"""Caches in folders: in the container, where buildx runs as root, it works on copies of ours.

The project's code can write to the workspace: there no link is followed, and what is written belongs to its owner.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.stages.docker.build.caches import LOCAL, Cache, Caches
from ci_action.system.errors import ToolError
from ci_action.system.folder import Folder, Owner, Place, opened, place_of

_INDEX: Final = "index.json"
_FILES: Final = ("oci-layout", _INDEX)
"""The files of a cache beside its blobs; the one that names the blobs is the last."""
_BLOBS: Final = ("blobs", "sha256")
_BLOB: Final = re.compile(r"[0-9a-f]{64}")
_SOURCE: Final = "src"
_GOAL: Final = "dest"


class Folders:
    """The folders of the caches of one build."""

    def __init__(self, ctx: Context, caches: Caches, tempdir: Path) -> None:
        """Copy what is read; raises `ToolError`."""
        self._ctx = ctx
        self._tempdir = tempdir
        self._numbers = count()
        self._written: list[tuple[Path, Place]] = []
        self.absent: list[str] = []
        """The folders that are read and do not exist, as before the first build."""
        read = [self._read(one) if one.kind == LOCAL else one for one in caches.read]
        self.paths = [self._place(one.get(_GOAL)).path for one in caches.written if one.kind == LOCAL]
        """The folders that are written."""
        self.caches = Caches(
            read=tuple(one for one in read if one),
            written=tuple(self._writing(one) if one.kind == LOCAL else one for one in caches.written),
        )
        """The caches as buildx gets them."""

    def _place(self, given: str) -> Place:
        layout = self._ctx.layout
        return place_of(layout.workspace / given, layout.workspace, strict=self._ctx.container)

    def _read(self, cache: Cache) -> Cache | None:
        given = cache.get(_SOURCE)
        place = self._place(given)
        copy = self._new() if self._ctx.container else None
        with _problems("read", place.path):
            exists = _exists(place)
            if exists and copy:
                _copy(place, Place(copy, ()), None)
        if not exists:
            self.absent.append(given)
            return None
        return cache.having(_SOURCE, str(copy or place.path))

    def _writing(self, cache: Cache) -> Cache:
        place = self._place(cache.get(_GOAL))
        with _problems("write", place.path), opened(place, make=True, owner=self._ctx.holder):
            pass
        if not self._ctx.container:
            return cache.having(_GOAL, str(place.path))
        copy = self._new()
        self._written.append((copy, place))
        return cache.having(_GOAL, str(copy))

    def _new(self) -> Path:
        folder = self._tempdir / f"cache-{next(self._numbers)}"
        folder.mkdir()
        return folder

    def keep(self) -> None:
        """Write what buildx has written to where it belongs; raises `ToolError`."""
        for copy, place in self._written:
            with _problems("write", place.path):
                _copy(Place(copy, ()), place, self._ctx.holder)


@contextmanager
def _problems(verb: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ToolError(f"could not {verb} the cache {str(path)!r}: {error}") from error


def _exists(place: Place) -> bool:
    try:
        with opened(place) as folder:
            return folder.has(_INDEX)
    except FileNotFoundError:
        return False


def _copy(source: Place, goal: Place, owner: Owner | None) -> None:
    """Copy a cache, and remove the blobs that it does not have any more; raises `OSError`."""
    with opened(goal, make=True, owner=owner) as target:
        wanted = _copied_blobs(source, goal, owner)
        with opened(source) as folder:
            for name in _FILES:
                if folder.has(name):
                    _copy_file(folder, target, name, owner)
    with opened(_blobs(goal)) as folder:
        for name in os.listdir(folder.descriptor):
            if _BLOB.fullmatch(name) and name not in wanted:
                folder.remove(name)


def _copied_blobs(source: Place, goal: Place, owner: Owner | None) -> set[str]:
    wanted = set()
    with opened(_blobs(source)) as folder, opened(_blobs(goal), make=True, owner=owner) as target:
        for name in filter(_BLOB.fullmatch, os.listdir(folder.descriptor)):
            wanted.add(name)
            if not _has(target, name, folder.stat(name).st_size):
                _copy_file(folder, target, name, owner)
    return wanted


def _blobs(place: Place) -> Place:
    return place / _BLOBS[0] / _BLOBS[1]


def _has(folder: Folder, name: str, size: int) -> bool:
    """Whether a blob, whose name is its digest, was copied before."""
    if not folder.has(name):
        return False
    found = folder.stat(name)
    return stat.S_ISREG(found.st_mode) and found.st_size == size


def _copy_file(source: Folder, goal: Folder, name: str, owner: Owner | None) -> None:
    with open(source.open(name), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(f"{name!r} is not a regular file")
        goal.receive(name, stream, owner)
