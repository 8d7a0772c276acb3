"""Results of files that did not change, kept between runs; never trusted when they are not what was written.

One JSON file for each tool: a line with the SHA-256 of the rest, then one object from keys to results. A key is the
SHA-256 of all that decides about a result (content, version of the tool, configuration, options), so an entry cannot
be out of date; a file that does not match its checksum is as good as absent.
"""

import json
import os
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ci_action.project_files import digest_of_project_file

# The least recently used entries go first; about 20 MB of an average project's results.
MOST_ENTRIES: Final = 100_000


def key_of(*parts: str | bytes) -> str:
    """Return the key for all that decides about a result."""
    digest = sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


class Results:
    """The kept results of one tool. Without a file it keeps nothing."""

    def __init__(self, file: Path | None) -> None:
        """Read the file; one that is absent, corrupt or unreadable counts as empty."""
        self._file = file
        self._entries: dict[str, Any] = _read(file) if file else {}
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
        if self._file is None or not self._changed:
            return ""
        older = {key: value for key, value in self._entries.items() if key not in self._fresh}
        entries = list((older | self._fresh).items())[-MOST_ENTRIES:]
        body = json.dumps(dict(entries), separators=(",", ":")).encode()
        text = sha256(body).hexdigest().encode() + b"\n" + body
        try:
            write_atomically(self._file, text)
        except OSError as error:
            return f"results of unchanged files cannot be kept in {str(self._file.parent)!r}: {error}"
        return ""


def _read(file: Path) -> dict[str, Any]:
    try:
        checksum, _, body = file.read_bytes().partition(b"\n")
        if sha256(body).hexdigest().encode() != checksum:
            return {}
        entries = json.loads(body)
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def own_folder(folder: Path) -> Path:
    """Create a folder of ours that git ignores by itself; one that is there already stays as it is."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    return folder


def write_atomically(file: Path, text: bytes) -> None:
    """Write a file whole or not at all."""
    own_folder(file.parent)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text)
        os.chmod(name, 0o644)
        os.replace(name, file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


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


class GuardedFolder:
    """The cache folder of a tool that takes a file for unchanged when its time stamp is: used only while that is safe.

    Safe means that the folder is byte for byte as it was left, that the same files are looked at, and that no file
    has kept its time stamp but not its content.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder; its state is written beside it."""
        self.folder = folder
        self._state = folder.with_name(f"{folder.name}.state.json")

    def prepare(self, files: dict[str, tuple[int, str]]) -> None:
        """Throw the folder away unless it is safe to use for these files: name to (time stamp, digest)."""
        if not self._is_safe(files):
            shutil.rmtree(self.folder, ignore_errors=True)
        own_folder(self.folder.parent)
        self._state.unlink(
            missing_ok=True
        )  # a run that is killed leaves no state, so nothing is trusted after it

    def _is_safe(self, files: dict[str, tuple[int, str]]) -> bool:
        try:
            state = json.loads(self._state.read_bytes())
            before = {name: (int(stamp), str(digest)) for name, (stamp, digest) in state["files"].items()}
            as_left = state["folder"] == self._digest() and before.keys() == files.keys()
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return False
        return as_left and not any(
            stamp == before[name][0] and digest != before[name][1] for name, (stamp, digest) in files.items()
        )

    def seal(self, files: dict[str, tuple[int, str]]) -> None:
        """Note how the folder is left; raises `OSError` where that cannot be written."""
        state = {"folder": self._digest(), "files": files}
        write_atomically(self._state, json.dumps(state).encode())

    def _digest(self) -> str:
        digest = sha256()
        for file in sorted(self.folder.rglob("*")):
            if file.is_file():
                content = file.read_bytes()
                digest.update(
                    f"{file.relative_to(self.folder)}\0{len(content)}\0".encode("utf-8", "surrogatepass")
                )
                digest.update(content)
        return digest.hexdigest()
