"""The exceptions that end a run or a tool, and their exit codes.

The tree::

    CiActionError
    ├── SettingsError     invalid settings                         exit 2, nothing was run
    │   └── ShardsError       the results of shards cannot be merged
    ├── ToolError         a tool failed to run                     the tool is `Broken`
    │   ├── ProjectFileError  a file of the project cannot be read
    │   │   └── AbsentFileError  because it does not exist
    │   └── TimedOutError     a program timed out
    └── InterruptedRunError   SIGINT or SIGTERM                    exit 130

Code that handles a `ToolError` by a fallback must not catch an interruption; code that has to keep the results of others
catches both: `UNDONE`.
"""

import errno
from typing import Final


class CiActionError(Exception):
    """The root of our own exceptions."""


class SettingsError(CiActionError):
    """All errors in the settings, one text each."""

    about = "the settings"
    """Where the errors are, for messages."""

    def __init__(self, mistakes: tuple[str, ...] | list[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(self.mistakes))


class ShardsError(SettingsError):
    """All reasons why the results of shards cannot be merged."""

    about = "the report folders of the shards"


class ToolError(CiActionError):
    """A tool failed to run; `detail` has the last lines of its output."""

    def __init__(self, reason: str, *, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason)


class ProjectFileError(ToolError):
    """A file of the project cannot be read: `problem` is the cause, `reason` includes the file."""

    def __init__(self, shown: str, problem: str, reason: str = "") -> None:
        self.problem = problem
        super().__init__(reason or f"could not read {shown!r}: {problem}")


class AbsentFileError(ProjectFileError):
    """A file of the project does not exist."""


class TimedOutError(ToolError):
    """A program timed out; `stdout` has its output until then."""

    def __init__(self, reason: str, *, stdout: bytes = b"", stderr: str = "") -> None:
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(reason, detail=stderr)


class InterruptedRunError(CiActionError):
    """SIGINT or SIGTERM ended the run and its programs; `stdout` has the output of one until then."""

    def __init__(self, reason: str, *, stdout: bytes = b"", stderr: str = "") -> None:
        self.reason = reason
        self.stdout = stdout
        self.stderr = self.detail = stderr
        super().__init__(reason)


ENDED: Final = (TimedOutError, InterruptedRunError)
"""The errors of a program that was ended: `stdout` and `stderr` have its output until then."""

UNDONE: Final = (ToolError, InterruptedRunError)
"""All reasons why something was not done, for code that keeps other results."""


_SHORTAGES: Final = {
    errno.EAGAIN: "could not start a process or thread",
    errno.ENOMEM: "out of memory",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files on this machine",
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "disk quota exceeded",
}
_LIMITS: Final = "the process limit is reached (`ulimit -u`, `docker run --pids-limit`)"


def shortage(error: BaseException) -> str:
    """Return the exhausted resource of the machine that caused an error; empty if there is none."""
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return f"could not start a thread: {_LIMITS}"
    if isinstance(error, OSError) and error.errno in _SHORTAGES:
        what = _SHORTAGES[error.errno]
        return f"{what}: {_LIMITS if error.errno == errno.EAGAIN else error}"
    return ""
