"""The exceptions that end a run or a tool, and the exit codes that they lead to.

The tree::

    CiActionError
    ├── SettingsError     what the user chose cannot be used       exit 2, nothing was run
    │   └── BundlesError      the results of shards cannot be joined
    └── ToolError         one tool could not do its work           that tool is `Broken`
        ├── ProjectFileError  a file of the project cannot be read
        │   └── AbsentFileError  because it does not exist
        ├── TimedOutError     its time limit was reached
        └── InterruptedRunError  SIGINT or SIGTERM ended it
"""

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """What the exit code of the program says; the README table is made from these."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Give each number the sentence that explains it."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "looked, and nothing counts (passed, warned), or rightly nothing to do (skipped)"
    FOUND = 1, "something was found that counts (failed)"
    USAGE = (
        2,
        "wrong usage or settings, nothing was run; or asked for with nothing to look at (empty)",
    )
    BROKEN = 3, "a tool could not do its work (broken)"
    BUG = 4, "a bug in ci-action itself; the log holds a report to paste into an issue"
    INTERRUPTED = 130, "interrupted by SIGINT or SIGTERM; partial results are written"


class CiActionError(Exception):
    """The root of our own exceptions."""


class SettingsError(CiActionError):
    """Carries every mistake found in the settings, one text each."""

    about = "the settings"
    """What the mistakes are in, for people."""

    def __init__(self, mistakes: tuple[str, ...] | list[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(self.mistakes))


class BundlesError(SettingsError):
    """Carries every reason why the bundles of shards cannot be joined."""

    about = "the bundles of the shards"


class ToolError(CiActionError):
    """A tool could not do its work; `detail` holds the last lines that it wrote."""

    def __init__(self, reason: str, *, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason)


class ProjectFileError(ToolError):
    """A file that the project brings cannot be read: `problem` says why, `reason` names the file as well."""

    def __init__(self, shown: str, problem: str) -> None:
        self.problem = problem
        super().__init__(f"could not read {shown!r}: {problem}")


class AbsentFileError(ProjectFileError):
    """A file that the project is expected to bring does not exist."""


class TimedOutError(ToolError):
    """The time limit of a tool was reached; `stdout` holds what it wrote until then."""

    def __init__(self, reason: str, *, stdout: bytes = b"", stderr: str = "") -> None:
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(reason, detail=stderr)


class InterruptedRunError(TimedOutError):
    """SIGINT or SIGTERM ended the tool; `stdout` holds what it wrote until then."""
