"""The exceptions that end a run or a tool, and the exit codes that they lead to.

The tree::

    CiActionError
    ├── SettingsError     what the user chose cannot be used       exit 2, nothing was run
    │   └── ShardsError       the results of shards cannot be joined
    ├── ToolError         one tool could not do its work           that tool is `Broken`
    │   ├── ProjectFileError  a file of the project cannot be read
    │   │   └── AbsentFileError  because it does not exist
    │   └── TimedOutError     its time limit was reached
    └── InterruptedRunError   SIGINT or SIGTERM ended the run      exit 130; not an answer of a tool

An interruption passes through all that looks for another way after a `ToolError`. Where what others found would be lost
with it, it is taken for an answer like any other: `UNDONE`.
"""

import errno
from typing import Final


class CiActionError(Exception):
    """The root of our own exceptions."""


class SettingsError(CiActionError):
    """Carries every mistake found in the settings, one text each."""

    about = "the settings"
    """What the mistakes are in, for people."""

    def __init__(self, mistakes: tuple[str, ...] | list[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(self.mistakes))


class ShardsError(SettingsError):
    """Carries every reason why the results of shards cannot be joined."""

    about = "the report folders of the shards"


class ToolError(CiActionError):
    """A tool could not do its work; `detail` holds the last lines that it wrote."""

    def __init__(self, reason: str, *, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason)


class ProjectFileError(ToolError):
    """A file that the project brings cannot be read: `problem` says why, `reason` names the file as well."""

    def __init__(self, shown: str, problem: str, reason: str = "") -> None:
        self.problem = problem
        super().__init__(reason or f"could not read {shown!r}: {problem}")


class AbsentFileError(ProjectFileError):
    """A file that the project is expected to bring does not exist."""


class TimedOutError(ToolError):
    """The time limit of a tool was reached; `stdout` holds what it wrote until then."""

    def __init__(self, reason: str, *, stdout: bytes = b"", stderr: str = "") -> None:
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(reason, detail=stderr)


class InterruptedRunError(CiActionError):
    """SIGINT or SIGTERM ended the run, and with it a program; `stdout` holds what that wrote until then."""

    def __init__(self, reason: str, *, stdout: bytes = b"", stderr: str = "") -> None:
        self.reason = reason
        self.stdout = stdout
        self.stderr = self.detail = stderr
        super().__init__(reason)


ENDED: Final = (TimedOutError, InterruptedRunError)
"""What ends a program early: `stdout` and `stderr` hold what it wrote until then."""

UNDONE: Final = (ToolError, InterruptedRunError)
"""Why something was not done, for those who keep what was done beside it."""


_SHORTAGES: Final = {
    errno.EAGAIN: "no process or thread can be started",
    errno.ENOMEM: "no memory is left",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "the disk quota is exceeded",
}
_LIMITS: Final = "the limit of processes is reached (`ulimit -u`, `docker run --pids-limit`)"


def shortage(error: BaseException) -> str:
    """Return which resource of the machine ran out if that caused the error; else an empty text."""
    if isinstance(error, MemoryError):
        return "no memory is left"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return f"no thread can be started: {_LIMITS}"
    if isinstance(error, OSError) and error.errno in _SHORTAGES:
        what = _SHORTAGES[error.errno]
        return f"{what}: {_LIMITS if error.errno == errno.EAGAIN else error}"
    return ""
