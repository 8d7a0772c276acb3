"""The runner's workflow commands and command files: the only module that uses actions-toolkit.

Foreign text reaches the log only through `text.neutral` and between `stop-commands`.
"""

import errno
import os
import re
import stat
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from ci_action.system.text import neutral, one_line, plain

_OUTPUT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# The runner cuts a message here (ExecutionContext.cs, _maxIssueMessageLength); we cut first, at a clean place.
MESSAGE_LIMIT: Final = 4096
_COMMAND_FILES: Final = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STATE", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
# Where nektos/act keeps the command files when it hands us paths of the host (act, runner/step.go).
_ACT_FILES: Final = {
    "GITHUB_OUTPUT": Path("/var/run/act/workflow/outputcmd.txt"),
    "GITHUB_STEP_SUMMARY": Path("/var/run/act/workflow/SUMMARY.md"),
}


class Workflow:
    """Writes the runner's commands and command files; only for use under Actions."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Keep where the command files are."""
        self._environ = environ
        self._act = environ.get("ACT") == "true"
        self._lock = threading.RLock()
        self._token = ""
        """What ends the open stream of foreign lines; empty if there is none."""

    @contextmanager
    def _commands(self) -> Iterator[None]:
        """Let the runner execute commands: while a stream is open, it takes every line for text."""
        from actions_toolkit import command  # only Actions pay for it

        with self._lock:
            token = self._token
            if token:
                command.issue(token)
            try:
                yield
            finally:
                if token:
                    command.issue("stop-commands", token)

    def begin(self, title: str) -> None:
        """Open a group for foreign lines, in which no line is a command."""
        from actions_toolkit import command, core  # only Actions pay for it

        with self._lock:
            core.start_group(self._safe(one_line(title)))
            self._token = uuid4().hex
            command.issue("stop-commands", self._token)
            sys.stdout.flush()

    def lines(self, text: str) -> None:
        """Print foreign lines in the group that `begin` has opened."""
        with self._lock:
            sys.stdout.write(neutral(text) + "\n")
            sys.stdout.flush()

    def end(self) -> None:
        """Close the group that `begin` has opened."""
        from actions_toolkit import command, core  # only Actions pay for it

        with self._lock:
            command.issue(self._token)
            self._token = ""
            core.end_group()
            sys.stdout.flush()

    def annotate(self, level: str, message: str, **properties: str | int) -> None:
        """Print an annotation; properties are the runner's own: file, line, endLine, col, endColumn, title."""
        from actions_toolkit.command import issue_command  # only Actions pay for it

        text = self._safe(message)
        if len(text) > MESSAGE_LIMIT:
            text = text[: MESSAGE_LIMIT - 2].rstrip() + " …"
        # The toolkit's own core.error prints empty properties; only those that are set are given here.
        with self._commands():
            issue_command(level, {name: self._safe(str(value)) for name, value in properties.items()}, text)

    def mask(self, secret: str) -> None:
        """Hide a value in everything that the runner shows from here on."""
        from actions_toolkit import core  # only Actions pay for it

        with self._commands():
            core.set_secret(secret)

    def group(self, title: str, body: str) -> None:
        """Print foreign text in a folded group in which no line is a command."""
        self.begin(title)
        try:
            self.lines(body.rstrip("\n"))
        finally:
            self.end()

    def set_output(self, name: str, value: str) -> bool:
        """Write an output; return whether it could be written."""
        if not _OUTPUT_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a valid name for an output")
        file = self._file("GITHUB_OUTPUT")
        if file is None:
            return False
        from actions_toolkit.file_command import (  # only Actions pay for it
            prepare_key_value_message,
        )

        _append(file, prepare_key_value_message(name, plain(value)) + "\n")
        return True

    def append_summary(self, text: str) -> bool:
        """Append Markdown to the job summary; return whether it could be written."""
        file = self._file("GITHUB_STEP_SUMMARY")
        if file is None:
            return False
        _append(file, plain(text))
        return True

    def summary_size(self) -> int:
        """Return the size of the job summary of this step in bytes."""
        file = self._file("GITHUB_STEP_SUMMARY")
        try:
            return file.lstat().st_size if file else 0
        except OSError:
            return 0

    def forget_foreign(self) -> list[str]:
        """Empty the command files of this step: in the container only the project's code can have written to them.

        They belong to the user who runs that code, so hiding their names does not protect them. Returns an error for
        each that could not be emptied.
        """
        problems = []
        for variable in _COMMAND_FILES:
            named = self._environ.get(variable, "")
            try:
                if named:
                    _empty(Path(named))
            except OSError as error:
                problems.append(
                    f"could not empty {variable}, which the project's code may have written: {error}"
                )
        return problems

    def _file(self, variable: str) -> Path | None:
        named = self._environ.get(variable, "")
        if not named:
            return None
        if Path(named).parent.is_dir():
            return Path(named)
        act = _ACT_FILES[variable]
        return act if act.parent.is_dir() else None

    def _safe(self, text: str) -> str:
        # act reads a message greedily: a `::` in it would be taken for the end of the properties.
        return plain(text).replace("::", ": :") if self._act else plain(text)


def _append(file: Path, text: str) -> None:
    """Append to the file that the runner reads: never through a link, only to a regular file."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(file, flags, 0o644), "ab") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(file))
        stream.write(text.encode())


def _empty(file: Path) -> None:
    """Empty a file through the descriptor of its folder; one that is absent stays so.

    A folder of that name is moved aside. A link, a pipe, or a file with another hard link is replaced by a new file,
    because its target does not belong to the runner.
    """
    try:
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        _empty_in(folder, file.name)
    finally:
        os.close(folder)


def _empty_in(folder: int, name: str) -> None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
        opened = os.open(name, flags, dir_fd=folder)
        try:
            os.ftruncate(opened, 0)
        finally:
            os.close(opened)
        return
    if stat.S_ISDIR(found.st_mode):
        os.rename(name, f"{name}.{uuid4().hex}", src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)
    opened = os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder)
    try:
        if os.geteuid() == 0:
            owner = os.fstat(folder)
            os.fchown(opened, owner.st_uid, owner.st_gid)
    finally:
        os.close(opened)


def with_inputs(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return the environment with every input as the toolkit reads it; outside Actions, a copy."""
    if not is_actions(environ):
        return dict(environ)
    from actions_toolkit import core  # it takes a tenth of a second, which only Actions need

    return {**environ, **{f"INPUT_{name.upper()}": core.get_input(name) for name in names}}


def is_actions(environ: Mapping[str, str]) -> bool:
    """Whether we run under GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def is_debug(environ: Mapping[str, str]) -> bool:
    """Whether the user asked the runner for debug logging."""
    return environ.get("RUNNER_DEBUG") == "1"


def workspace_of(environ: Mapping[str, str]) -> Path | None:
    """Return the workspace of the runner; None if it is not a folder."""
    named = environ.get("GITHUB_WORKSPACE", "")
    return Path(named) if named and Path(named).is_dir() else None
