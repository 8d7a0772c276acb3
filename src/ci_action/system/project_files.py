"""Read files of the project: regular, inside the workspace, of a limited size.

The author of a pull request decides what a name leads to: an endless device, a pipe without a writer, a file of the
machine. Every file that is not ours is read here.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import file_digest
from io import BufferedReader
from pathlib import Path
from typing import Final

from ci_action.system.errors import AbsentFileError, ProjectFileError
from ci_action.system.text import quoted

LARGEST: Final = 20_000_000
"""Maximum size of a configuration, a lock file or another text."""
LARGEST_SOURCE: Final = 500_000_000
"""Maximum size of a file that a tool checks, and of data written while the project's code ran."""
_GIT: Final = ".git"
# Options with patterns: their values are compared with names and never read.
_PATTERNS: Final = frozenset({
    "--exclude", "--extend-exclude", "--force-exclude", "--include", "--extend-include",
    "--per-file-ignores", "--extend-per-file-ignores", "--per-file-target-version",
})  # fmt: skip


def read_project_file(file: Path, workspace: Path, *, largest: int = LARGEST) -> bytes:
    """Return the content of a regular file inside the workspace; raises `ProjectFileError`, `AbsentFileError` if absent."""
    name = shown(file, workspace)
    with _opened(file, workspace, name, largest) as stream:
        size = os.fstat(stream.fileno()).st_size
        raw = stream.read(size + 1)
    if len(raw) > size:
        raise ProjectFileError(name, "it grew while being read")
    return raw


def read_part(file: Path, workspace: Path, offset: int, size: int, *, largest: int) -> bytes:
    """Return bytes of a regular file inside the workspace from an offset on; empty at its end and if it does not exist.

    Raises `ProjectFileError`, also for a file that has become larger than `largest`.
    """
    name = shown(file, workspace)
    try:
        with _opened(file, workspace, name, largest) as stream:
            return os.pread(stream.fileno(), size, offset)
    except AbsentFileError:
        return b""


def find_project_file(file: Path, workspace: Path, *, largest: int = LARGEST) -> bytes | None:
    """Return the content of a file, or None if it does not exist; raises `ProjectFileError`."""
    try:
        return read_project_file(file, workspace, largest=largest)
    except AbsentFileError:
        return None


def find_project_text(file: Path, workspace: Path) -> str:
    """Return the text of a file, empty if it does not exist; invalid UTF-8 is replaced."""
    return (find_project_file(file, workspace) or b"").decode("utf-8", "replace")


def digest_of_project_file(file: Path, workspace: Path) -> str:
    """Return the SHA-256 of a regular file inside the workspace; raises `ProjectFileError`."""
    with _opened(file, workspace, shown(file, workspace), LARGEST_SOURCE) as stream:
        return file_digest(stream, "sha256").hexdigest()


def outside(file: Path, workspace: Path) -> str:
    """Return why a path leads out of the workspace or into git's own folder; empty if it does not."""
    try:
        return _why_outside(os.path.realpath(file), _real(workspace))
    except (OSError, ValueError) as error:
        return str(error)


def leading_outside(names: Iterable[str], root: Path, workspace: Path) -> list[str]:
    """Return the names, relative to `root`, of links out of the workspace and of pipes and devices."""
    return [name for name in names if _is_strange(root / name, workspace)]


def _is_strange(file: Path, workspace: Path) -> bool:
    try:
        found = os.lstat(file)
        if stat.S_ISLNK(found.st_mode):
            if outside(file, workspace):
                return True
            found = os.stat(file)
    except (OSError, ValueError):  # removed meanwhile, or a broken link
        return False
    return not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode))


def left_out(names: Sequence[str]) -> str:
    """Return a warning that these files were not checked; empty for no files."""
    if not names:
        return ""
    return f"not checked, because it is not a regular file in the workspace: {quoted(names)}"


def leading_words(words: Sequence[str], root: Path, workspace: Path) -> list[str]:
    """Return an error for each word of a command that leads a tool out of the workspace, as a path or an option's value."""
    mistakes = []
    before = ""
    for word in words:
        name, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
        pattern = (name or before) in _PATTERNS
        before = name if not equals else ""
        if value.startswith("@"):
            mistakes.append(f"{word!r} is a file with arguments: write them here instead")
        elif value and not pattern and os.path.lexists(root / value.replace("\0", "")):
            problem = outside(root / value, workspace)
            mistakes += [f"{word!r} is refused: {problem}"] if problem else []
    return mistakes


@contextmanager
def _opened(file: Path, workspace: Path, shown: str, largest: int) -> Iterator[BufferedReader]:
    try:
        # Checked before it is opened: opening some devices has an effect.
        _refuse(os.stat(file), shown, largest)
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with os.fdopen(descriptor, "rb") as stream:
            _refuse(os.fstat(descriptor), shown, largest)
            problem = _why_outside(_real_of(descriptor, file), _real(workspace))
            if problem:
                raise ProjectFileError(shown, problem)
            yield stream
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AbsentFileError(shown, "it does not exist") from error
    except (OSError, ValueError) as error:
        raise ProjectFileError(shown, _cause(error)) from error


def _refuse(found: os.stat_result, shown: str, largest: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ProjectFileError(shown, f"it is {_kind(found.st_mode)}, not a regular file")
    if found.st_size > largest:
        raise ProjectFileError(
            shown, f"its {found.st_size:,} bytes exceed the limit of {largest // 1_000_000} MB"
        )


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


def _cause(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "it is a link that leads to itself"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _real_of(descriptor: int, file: Path) -> str:
    """Return the real path of an open file, from the kernel: a link may have been created meanwhile."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:  # macOS
        return os.path.realpath(file)


@cache
def _real(workspace: Path) -> str:
    return os.path.realpath(workspace)


def _why_outside(real: str, workspace: str) -> str:
    below = os.path.relpath(real, workspace)
    parts = below.split(os.sep)
    if parts[0] == os.pardir:
        return f"its real path {real!r} is outside the workspace {workspace!r}"
    if _GIT in map(str.lower, parts):
        return f"its real path {below!r} is a file of git itself"
    return ""


def shown(file: Path, workspace: Path) -> str:
    """Return the path of a file in messages: relative inside the workspace."""
    name = os.path.normpath(file)
    for base in (os.path.normpath(workspace), _real(workspace)):
        if name.startswith(base + os.sep):
            return name[len(base) + 1 :]
    return name
