"""Results of files that did not change, kept between runs; used only if no other user could have written them.

One file for each tool: a line with the SHA-256 of the rest, then one JSON object from keys to results. A key is the
SHA-256 of all that decides about a result (content, version of the tool, configuration, options), so an entry cannot
be out of date; a file that does not match its checksum is as good as absent.

The checksum is not a signature: whoever may write the file can forge it. So the files and their folder must be ours alone, which
in the container means root's, and must be what they were when the run began, but for what we wrote ourselves.
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

from ci_action.system.folder import Folder, Ids, Place, opened
from ci_action.system.project_files import digest_of_project_file

# The least recently used entries go first; about 20 MB of an average project's results.
MOST_ENTRIES: Final = 100_000
# What is larger was not written by us.
_LARGEST: Final = 500_000_000
FOLDER: Final = "results"
# No other file has it, so that nothing of the user is ever taken for ours and removed.
_SUFFIX: Final = ".kept"

Kept = TypeVar("Kept")
Stamp: TypeAlias = tuple[int, int, int, int]
"""Device, inode, size and time of the last change of a file: the last cannot be set back."""


def key_of(*parts: str | bytes) -> str:
    """Return the key for all that decides about a result."""
    digest = sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def distrust(found: os.stat_result, user: int, *, folder: bool = False) -> str:
    """Say why others than a user could have written a file or folder; empty where they could not."""
    right = stat.S_ISDIR(found.st_mode) if folder else stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    if not right:
        return "is not a folder" if folder else "is not a file with one name"
    if found.st_uid != user:
        return f"belongs to the user {found.st_uid}, not to {user}"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"can be written by others (mode {stat.S_IMODE(found.st_mode):o})"
    return ""


def stamp_of(found: os.stat_result) -> Stamp:
    """Return by what a changed file is known."""
    return found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns


class Store:
    """The folder of the results of all tools.

    Nothing is created until a result is written. A folder that is not ours alone is as good as absent, and is replaced
    then, as long as it holds nothing but kept results.
    """

    def __init__(self, cache: Place, *, user: int, owner: Ids | None = None, why_not: str = "") -> None:
        """Look at the folder in `cache` as `user`; what has to be created on the way to it is given to `owner`."""
        self.why_not = why_not
        """Why nothing is read or written; empty where it is."""
        self.place = cache / FOLDER
        self.problem = ""
        """Why what was there at the beginning does not count; empty where it does."""
        self.code_ran = False
        """Whether code of the project was started that could write here."""
        self._user = user
        self._owner = owner
        self._lock = threading.Lock()
        self._stamps: dict[str, Stamp] = {}
        self._identity: tuple[int, int] | None = None
        if why_not:
            return
        try:
            with opened(self.place) as folder:
                self._look(folder)
        except OSError:
            return  # what is wrong with it is said by the first that writes

    def _look(self, folder: Folder) -> None:
        found = os.fstat(folder.descriptor)
        self.problem = distrust(found, self._user, folder=True)
        if not self.problem:
            self._identity = found.st_dev, found.st_ino
            self._stamps = dict(_stamps(folder))

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None where it is absent, or not as we have left it."""
        try:
            with self._ours() as folder, open(folder.open(name), "rb") as stream:
                found = os.fstat(stream.fileno())
                known = self._stamps.get(name)
                if distrust(found, self._user) or stamp_of(found) != known or found.st_size > _LARGEST:
                    return None
                content = stream.read()
                return content if stamp_of(os.fstat(stream.fileno())) == known else None
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all; raises `OSError`."""
        with self._lock:
            if self._identity is None:
                self._create()
            with self._ours() as folder:
                self._stamps[name] = stamp_of(folder.write(name, content))

    def _create(self) -> None:
        with opened(Place(self.place.start, self.place.parts[:-1]), make=True, owner=self._owner) as cache:
            with suppress(FileExistsError):
                os.mkdir(FOLDER, 0o755, dir_fd=cache.descriptor)
            with suppress(FileNotFoundError, NotADirectoryError), opened(self.place) as there:
                if distrust(os.fstat(there.descriptor), self._user, folder=True):
                    _empty(there)
                    os.rmdir(FOLDER, dir_fd=cache.descriptor)
                    os.mkdir(FOLDER, 0o755, dir_fd=cache.descriptor)
        with opened(self.place) as folder:
            found = os.fstat(folder.descriptor)
            if reason := distrust(found, self._user, folder=True):
                raise OSError(f"the folder {str(self.place.path)!r} {reason}")
            os.fchmod(folder.descriptor, 0o755)
            self._identity = found.st_dev, found.st_ino

    @contextmanager
    def _ours(self) -> Iterator[Folder]:
        """Open the folder as it was looked at; raises `OSError` where another one is in its place."""
        with opened(self.place) as folder:
            found = os.fstat(folder.descriptor)
            if (found.st_dev, found.st_ino) != self._identity or distrust(found, self._user, folder=True):
                raise OSError(f"the folder {str(self.place.path)!r} is not the one that it was")
            yield folder

    def settle(self) -> str:
        """Throw everything away where others changed it while code of the project ran; say so, or nothing."""
        if self.why_not or not self.code_ran:
            return ""
        try:
            with opened(self.place) as folder:
                found = os.fstat(folder.descriptor)
                now = dict(_stamps(folder))
                if (found.st_dev, found.st_ino) == self._identity and now == self._stamps:
                    return ""
                self._stamps.clear()
                _empty(folder)
        except FileNotFoundError:
            return ""  # thrown away by others: nothing is left to be believed
        except OSError as error:
            return f"{self._told('changed while code of the project ran')}, and cannot be removed: {error}"
        return f"{self._told('changed while code of the project ran')}, and removed"

    def notice(self, advice: str = "") -> str:
        """Say why what was there at the beginning was ignored; empty where it was not."""
        return f"{self._told('ignored')}: the folder {self.problem}{advice}" if self.problem else ""

    def _told(self, what: str) -> str:
        return f"the kept results in {str(self.place.path)!r} were {what}"

    def discard(self) -> None:
        """Throw everything away; raises `OSError`."""
        self._stamps.clear()
        with suppress(FileNotFoundError), opened(self.place) as folder:
            _empty(folder)


def _stamps(folder: Folder) -> Iterator[tuple[str, Stamp]]:
    for name in _names(folder):
        with suppress(FileNotFoundError):
            yield name, stamp_of(folder.stat(name))


def _names(folder: Folder) -> list[str]:
    # With them what a write that was killed has left.
    return [name for name in os.listdir(folder.descriptor) if _SUFFIX in name]


def _empty(folder: Folder) -> None:
    for name in _names(folder):
        folder.remove(name)


def restored(kind: type[Kept], entries: object) -> list[Kept] | None:
    """Return kept entries as values of a dataclass; None where they do not have its shape."""
    hints = get_type_hints(kind)
    try:
        found = [kind(**one) for one in entries]  # type: ignore[attr-defined] # it may be anything
    except TypeError:
        return None
    right = all(isinstance(getattr(one, name), hint) for one in found for name, hint in hints.items())
    return found if right else None


class Results:
    """The kept results of one tool. Without a store it keeps nothing."""

    def __init__(self, store: Store | None, tool: str = "") -> None:
        """Read the file of a tool; one that is absent, corrupt, unreadable or not ours alone counts as empty."""
        self._store = store
        self._name = f"{tool}{_SUFFIX}"
        self._entries: Mapping[str, Any] = _parsed(store.read(self._name)) if store else {}
        self._fresh: dict[str, Any] = {}
        self._changed = False

    def get(self, key: str) -> Any:
        """Return the kept result, or None."""
        found = self._entries.get(key)
        if found is not None:
            self._fresh[key] = found
        return found

    def put(self, key: str, result: Any) -> None:
        """Keep a result."""
        self._fresh[key] = result
        self._changed = True

    def save(self) -> str:
        """Write what is kept, the entries used in this run last; return why it could not be written, or nothing."""
        if self._store is None or self._store.why_not or not self._changed:
            return ""
        older = {key: value for key, value in self._entries.items() if key not in self._fresh}
        entries = list((older | self._fresh).items())[-MOST_ENTRIES:]
        body = json.dumps(dict(entries), separators=(",", ":")).encode()
        try:
            self._store.write(self._name, sha256(body).hexdigest().encode() + b"\n" + body)
        except OSError as error:
            return (
                f"could not keep the results of unchanged files in {str(self._store.place.path)!r}: {error}"
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
    """The contents of files as SHA-256, each file read once in a run."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, file: Path, workspace: Path) -> str:
        """Return the digest of a file of the project; raises `ProjectFileError`."""
        name = str(file)
        if name not in self._known:
            self._known[name] = digest_of_project_file(file, workspace)
        return self._known[name]
