"""Reads what `docker save` wrote: its layers, and the entries of each layer, without unpacking anything.

An image is foreign: its base can come from anybody, and a layer is a tar archive with any content. Names are only texts
here, links are never followed, and sizes and numbers have limits. What cannot be read to its end is an error with a reason.
"""

import gzip
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any, Final, Protocol

import msgspec

from ci_action.system.errors import ToolError

_MANIFEST: Final = "manifest.json"
_LARGEST_JSON: Final = 20_000_000
# Of an unpacked layer: a compressed one can be any size.
_LARGEST_LAYER: Final = 50_000_000_000
_MOST_ENTRIES: Final = 3_000_000
# Of an extended header, such as a long name; Docker itself accepts one megabyte.
_LARGEST_READ: Final = 1_100_000
_BLOCK: Final = 512
_GZIP: Final = b"\x1f\x8b"
_KINDS: Final = ((b"\x28\xb5\x2f\xfd", "Zstandard"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "XZ"))
_LINKS: Final = 8
WHITEOUT: Final = ".wh."
OPAQUE: Final = ".wh..wh..opq"

_FAULTS: Final = (
    tarfile.TarError, OSError, EOFError, ValueError, OverflowError, RecursionError, MemoryError, zlib.error, KeyError,
    IndexError,
)  # fmt: skip


class LayerError(ToolError):
    """A layer or the whole archive cannot be read; `reason` does not name it."""


class Kind(Enum):
    """What an entry of a layer does."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"
    """A link, a device or another special file."""
    REMOVED = "removed"
    """The path does not exist from this layer on."""
    EMPTIED = "emptied"
    """The folder only has the entries of this layer and of later ones."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a layer."""

    path: str
    """Absolute, without `..`."""
    kind: Kind
    size: int = 0
    offset: int = -1
    """Where the content begins in the unpacked layer; negative if there is none to read."""
    target: str = ""
    """The earlier file of the same layer that it is another name of (a hard link)."""


class Stream(Protocol):
    """A file that is read: a part of the archive, or its unpacked form."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes."""

    def seek(self, offset: int, /) -> int:
        """Go to an offset."""

    def tell(self) -> int:
        """Return the offset."""


class _Limited:
    """A stream that refuses to read large parts at once, or beyond a limit: tarfile reads headers of any size."""

    def __init__(self, stream: Stream, largest: int) -> None:
        self._stream = stream
        self._largest = largest

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= _LARGEST_READ:
            raise LayerError(f"it has a header of {size:,} bytes")
        return self._stream.read(size)

    def seek(self, offset: int, /) -> int:
        if not 0 <= offset <= self._largest:
            raise LayerError(f"it has more than {self._largest:,} bytes")
        return self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()


class LayerReader:
    """The entries of one layer, read in order."""

    def __init__(
        self,
        stream: Stream,
        *,
        largest: int = _LARGEST_LAYER,
        most: int = _MOST_ENTRIES,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Read nothing yet; reading ends with a `LayerError` as soon as `stopped` returns true."""
        self._stream: Any = _Limited(stream, largest)
        self._most = most
        self._stopped = stopped

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries; raises `LayerError` for an archive that is invalid or too large."""
        try:
            yield from self._entries()
        except _FAULTS as error:
            raise LayerError(f"it is not a valid archive: {error}") from error

    def _entries(self) -> Iterator[Entry]:
        tar: Any
        with tarfile.open(fileobj=self._stream, mode="r:", encoding="utf-8", errors="surrogateescape") as tar:
            last = -1
            for number in range(self._most + 1):
                found = tar.next()
                tar.members.clear()  # they would all be kept
                if found is None:
                    self._check_end(tar.offset)
                    return
                if found.offset <= last or found.size < 0:
                    raise LayerError("its entries overlap")
                if number >= self._most:
                    raise LayerError(f"it has more than {self._most:,} entries")
                if self._stopped():
                    raise LayerError("the time limit was reached")
                last = found.offset
                yield _entry(found)

    def _check_end(self, offset: int) -> None:
        """Raise `LayerError` if the archive goes on: tarfile takes an invalid header for its end."""
        self._stream.seek(offset)
        if self._stream.read(_BLOCK).strip(b"\0"):
            raise LayerError("it has an invalid header")

    def content(self, entry: Entry, most: int) -> bytes:
        """Return the first bytes of a file, at most `most`; raises `LayerError`."""
        wanted = min(entry.size, most)
        parts = []
        try:
            self._stream.seek(entry.offset)
            while wanted > 0:
                part = self._stream.read(min(wanted, _LARGEST_READ))
                if not part:
                    raise LayerError("it ends within a file")
                parts.append(part)
                wanted -= len(part)
        except _FAULTS as error:
            raise LayerError(f"it is not a valid archive: {error}") from error
        return b"".join(parts)


def _entry(found: tarfile.TarInfo) -> Entry:
    path = absolute(found.name)
    folder, name = posixpath.split(path)
    if name == OPAQUE:
        return Entry(folder, Kind.EMPTIED)
    if name.startswith(WHITEOUT) and name != WHITEOUT:
        return Entry(posixpath.join(folder, name.removeprefix(WHITEOUT)), Kind.REMOVED)
    if found.isdir():
        return Entry(path, Kind.FOLDER)
    # Not a link, and not a sparse file, whose content is scattered.
    if found.type in {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE} and not found.issparse():
        return Entry(path, Kind.FILE, found.size, found.offset_data)
    return Entry(path, Kind.OTHER, target=absolute(found.linkname) if found.islnk() else "")


def absolute(name: str) -> str:
    """Return the name of an entry as an absolute path without `..`."""
    return posixpath.normpath("/" + name.lstrip("/"))


class _Manifest(msgspec.Struct, rename="pascal"):
    config: str
    layers: tuple[str, ...]


class _HistoryEntry(msgspec.Struct):
    empty_layer: bool = False


class _RootFS(msgspec.Struct):
    diff_ids: tuple[str, ...] = ()


class _Config(msgspec.Struct):
    rootfs: _RootFS = msgspec.field(default_factory=_RootFS)
    history: tuple[_HistoryEntry, ...] | None = None


class Archive:
    """A saved image."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        """Read its manifest and its configuration; raises `LayerError`."""
        self._tar = tar
        try:
            self._members: Mapping[str, tarfile.TarInfo] = {one.name: one for one in tar}
        except _FAULTS as error:
            raise LayerError(f"it is not a valid archive: {error}") from error
        manifest = self._document(_MANIFEST, tuple[_Manifest, ...])
        if len(manifest) != 1:
            raise LayerError(f"it has {len(manifest)} images")
        config = self._document(manifest[0].config, _Config)
        self._names = manifest[0].layers
        self.layers: Final = config.rootfs.diff_ids
        """The digests of the unpacked layers, the first one first."""
        self.empty: Final = tuple(one.empty_layer for one in config.history or ())
        """Whether an entry of the history, the first one first, has no layer."""
        if len(self._names) != len(self.layers):
            raise LayerError("its manifest contradicts its configuration")

    def _document(self, name: str, kind: type[Any]) -> Any:
        try:
            return msgspec.json.decode(self._stream(name, _LARGEST_JSON).read(_LARGEST_JSON), type=kind)
        except _FAULTS as error:
            raise LayerError(f"could not read {name!r} in it: {error}") from error

    def _stream(self, name: str, largest: int) -> IO[bytes]:
        member = self._member(name)
        if member.size > largest:
            raise LayerError(f"{name!r} in it has {member.size:,} bytes")
        stream = self._tar.extractfile(member)
        if stream is None:
            raise LayerError(f"{name!r} in it is not a file")
        return stream

    def _member(self, name: str) -> tarfile.TarInfo:
        """Return a file of the archive by its name: Docker writes links instead of layers that it has written before."""
        for _ in range(_LINKS):
            found = self._members.get(name)
            if found is None:
                break
            if found.isreg():
                return found
            if not (found.issym() or found.islnk()):
                break
            folder = posixpath.dirname(found.name) if found.issym() else ""
            name = posixpath.normpath(posixpath.join(folder, found.linkname))
        raise LayerError(f"{name!r} is missing in it")

    def layer(self, number: int, stopped: Callable[[], bool]) -> LayerReader:
        """Return the reader of a layer; raises `LayerError`."""
        stream = self._stream(self._names[number], _LARGEST_LAYER)
        start = stream.read(_BLOCK)
        stream.seek(0)
        kind = next((kind for magic, kind in _KINDS if start.startswith(magic)), "")
        if kind:
            raise LayerError(f"it is compressed by {kind}, which ci-action cannot read")
        unpacked: Any = gzip.GzipFile(fileobj=stream) if start.startswith(_GZIP) else stream
        return LayerReader(unpacked, stopped=stopped)


@contextmanager
def opened(file: Path, layers: tuple[str, ...]) -> Iterator[Archive]:
    """Open what `docker save` wrote; raises `LayerError`, also if it has other layers than these."""
    with _opened(file) as tar:
        archive = Archive(tar)
        if archive.layers != layers:
            raise LayerError("it has other layers than the image")
        yield archive


def _opened(file: Path) -> AbstractContextManager[tarfile.TarFile]:
    try:
        return tarfile.open(file, mode="r:", encoding="utf-8", errors="surrogateescape")
    except _FAULTS as error:
        raise LayerError(f"it is not a valid archive: {error}") from error
