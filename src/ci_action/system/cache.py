"""Cached results of unchanged files, and programs, used only if no other user could have written them.

One file per tool: a line with the SHA-256 of the rest, then one JSON object from keys to results. A key is the SHA-256
of everything that the result depends on (content, version of the tool, configuration, options), so an entry cannot be
out of date. A file that does not match its checksum counts as missing. What consists of many files is in folders beside
them (`Store.trees`).

The checksum is not a signature: who can write the file can forge it. So the files and their folder must belong to us
alone, in the container to root, and must not have changed since the run began, except by us.
"""

import json
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, get_type_hints

from ci_action.system.folder import Folder, Owner, Place, opened
from ci_action.system.project_files import digest_of_project_file

# Then the entries that were not used for longest are dropped; about 20 MB of results of an average project.
MOST_ENTRIES: Final = 100_000
# We write no larger file.
_LARGEST: Final = 500_000_000
FOLDER: Final = "results"
# Unique to our files, so that no file of the user is read or removed.
_SUFFIX: Final = ".kept"
_TREES: Final = "trees"

Kept = TypeVar("Kept")
Stamp: TypeAlias = tuple[int, int, int, int]
"""Device, inode, size and time of the last change of a file: the last cannot be set back."""


def key_of(*parts: str | bytes) -> str:
    """Return the key of everything that a result depends on."""
    digest = sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def distrust(found: os.stat_result, user: int, *, folder: bool = False) -> str:
    """Return why another user could have written a file or folder; empty if no other could."""
    if folder and not stat.S_ISDIR(found.st_mode):
        return "is not a folder"
    if not folder and not (stat.S_ISREG(found.st_mode) and found.st_nlink == 1):
        return "is not a file with one name"
    if found.st_uid != user:
        return f"belongs to user {found.st_uid}, not {user}"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"is writable by others (mode {stat.S_IMODE(found.st_mode):o})"
    return ""


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns


class Store:
    """The folder with the results of all tools.

    It is created by the first write. A folder that another user could have written to counts as missing, and is replaced
    then if it contains nothing but results and trees.
    """

    def __init__(self, cache: Place, *, user: int, owner: Owner | None = None, why_not: str = "") -> None:
        """Check the folder in `cache` as `user`; folders created on the way to it belong to `owner`."""
        self.why_not = why_not
        """Why nothing is read or written; empty if it is."""
        self.place = cache / FOLDER
        self.problem = ""
        """Why existing results are ignored; empty if they are not."""
        self.code_ran = False
        """Whether code of the project ran that could write here."""
        self._cache = cache
        self._user = user
        self._owner = owner
        self._lock = threading.Lock()
        self._stamps: dict[str, Stamp] = {}
        self._identity: tuple[int, int] | None = None
        if not why_not:
            with suppress(OSError), opened(self.place) as folder:  # the first write reports the error
                self.problem = self._distrusted(folder)
                if not self.problem:
                    self._identity = _identity(folder)
                    self._stamps = _stamps(folder)

    def _distrusted(self, folder: Folder) -> str:
        return distrust(os.fstat(folder.descriptor), self._user, folder=True)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None if it is missing or was changed by others."""
        try:
            with self._ours() as folder, open(folder.open(name), "rb") as stream:
                found = os.fstat(stream.fileno())
                known = self._stamps.get(name)
                if distrust(found, self._user) or _stamp(found) != known or found.st_size > _LARGEST:
                    return None
                content = stream.read()
                return content if _stamp(os.fstat(stream.fileno())) == known else None
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file atomically; raises `OSError`."""
        with self._lock:
            if self._identity is None:
                self._create()
            with self._ours() as folder:
                self._stamps[name] = _stamp(folder.write(name, content))

    def trees(self, make: int = 0) -> Path:
        """Return the folder of folders, in which only we can write; raises `OSError`, also if it is missing.

        A missing one is created with the mode `make`, if there is one.
        """
        with self._lock:
            if make and self._identity is None:
                self._create()
        with self._ours() as folder:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(_TREES, make, dir_fd=folder.descriptor)
                if distrust(folder.stat(_TREES), self._user, folder=True):
                    folder.remove_tree(_TREES)
                    os.mkdir(_TREES, make, dir_fd=folder.descriptor)
            if problem := distrust(folder.stat(_TREES), self._user, folder=True):
                raise OSError(f"the folder {str(self.place.path / _TREES)!r} {problem}")
        return self.place.path / _TREES

    def _create(self) -> None:
        with opened(self._cache, make=True, owner=self._owner) as cache:
            with suppress(FileExistsError):
                os.mkdir(FOLDER, 0o755, dir_fd=cache.descriptor)
            with suppress(FileNotFoundError, NotADirectoryError), opened(self.place) as found:
                if self._distrusted(found):
                    _empty(found)
                    os.rmdir(FOLDER, dir_fd=cache.descriptor)
                    os.mkdir(FOLDER, 0o755, dir_fd=cache.descriptor)
        with opened(self.place) as folder:
            if problem := self._distrusted(folder):
                raise OSError(f"the folder {str(self.place.path)!r} {problem}")
            os.fchmod(folder.descriptor, 0o755)
            self._identity = _identity(folder)

    @contextmanager
    def _ours(self) -> Iterator[Folder]:
        """Open the folder; raises `OSError` if it was replaced."""
        with opened(self.place) as folder:
            if _identity(folder) != self._identity or self._distrusted(folder):
                raise OSError(f"the folder {str(self.place.path)!r} was replaced")
            yield folder

    def settle(self) -> str:
        """Remove all results if others changed them while code of the project ran; return a notice of that."""
        if self.why_not or not self.code_ran:
            return ""
        shown = f"the cached results in {str(self.place.path)!r}"
        try:
            with opened(self.place) as folder:
                if _identity(folder) == self._identity and _stamps(folder) == self._stamps:
                    return ""
                self._stamps.clear()
                _empty(folder)
        except FileNotFoundError:
            return ""  # others removed them
        except OSError as error:
            return f"could not remove {shown}, which changed while code of the project ran: {error}"
        return f"removed {shown}: they changed while code of the project ran"

    def notice(self, advice: str = "") -> str:
        """Return why existing results are ignored; empty if they are not."""
        if not self.problem:
            return ""
        return f"ignoring the cached results in {str(self.place.path)!r}: the folder {self.problem}{advice}"

    def discard(self) -> None:
        """Remove all results; raises `OSError`."""
        self._stamps.clear()
        with suppress(FileNotFoundError), opened(self.place) as folder:
            _empty(folder)


def _identity(folder: Folder) -> tuple[int, int]:
    found = os.fstat(folder.descriptor)
    return found.st_dev, found.st_ino


def _names(folder: Folder) -> list[str]:
    # These include the remains of writes that were killed.
    return [name for name in os.listdir(folder.descriptor) if _SUFFIX in name]


def _stamps(folder: Folder) -> dict[str, Stamp]:
    found = {}
    for name in _names(folder):
        with suppress(FileNotFoundError):
            found[name] = _stamp(folder.stat(name))
    return found


def _empty(folder: Folder) -> None:
    for name in _names(folder):
        folder.remove(name)
    folder.remove_tree(_TREES)


def restored(kind: type[Kept], entries: object) -> list[Kept] | None:
    """Return cached entries as values of a dataclass; None if they have another shape."""
    hints = get_type_hints(kind)
    try:
        found = [kind(**one) for one in entries]  # type: ignore[attr-defined] # it may be anything
    except TypeError:
        return None
    right = all(isinstance(getattr(one, name), hint) for one in found for name, hint in hints.items())
    return found if right else None


class Results:
    """The cached results of one tool, if there is a store."""

    def __init__(self, store: Store | None, tool: str = "", most: int = MOST_ENTRIES) -> None:
        """Read the file of a tool; a missing, corrupt, unreadable or untrusted one counts as empty.

        `most` is the number of entries to keep.
        """
        self._store = store
        self._most = most
        self._name = f"{tool}{_SUFFIX}"
        self._entries: Mapping[str, Any] = _parsed(store.read(self._name)) if store else {}
        self._fresh: dict[str, Any] = {}
        self._changed = False

    def get(self, key: str) -> Any:
        """Return the cached result, or None."""
        found = self._entries.get(key)
        if found is not None:
            self._fresh[key] = found
        return found

    def put(self, key: str, result: Any) -> None:
        """Cache a result."""
        self._fresh[key] = result
        self._changed = True

    def save(self) -> str:
        """Write the results, those used in this run last; return a notice if that fails."""
        if self._store is None or self._store.why_not or not self._changed:
            return ""
        older = {key: value for key, value in self._entries.items() if key not in self._fresh}
        entries = list((older | self._fresh).items())[-self._most :]
        body = json.dumps(dict(entries), separators=(",", ":")).encode()
        try:
            self._store.write(self._name, sha256(body).hexdigest().encode() + b"\n" + body)
        except OSError as error:
            return (
                f"could not cache the results of unchanged files in {str(self._store.place.path)!r}: {error}"
            )
        return ""


def _parsed(content: bytes | None) -> dict[str, Any]:
    checksum, _, body = (content or b"").partition(b"\n")
    if sha256(body).hexdigest().encode() != checksum:
        return {}
    try:
        entries = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return entries if isinstance(entries, dict) else {}


class Digests:
    """The SHA-256 of files, each read once in a run."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, file: Path, workspace: Path) -> str:
        """Return the digest of a file of the project; raises `ProjectFileError`."""
        name = str(file)
        if name not in self._known:
            self._known[name] = digest_of_project_file(file, workspace)
        return self._known[name]
