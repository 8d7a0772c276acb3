"""The exit codes of the program; the table of the reference is made from them."""

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

    OK = 0, "no blocking findings (`passed`, `warned`), or the stage does not apply (`skipped`)"
    FOUND = 1, "blocking findings (`failed`)"
    USAGE = (
        2,
        "invalid usage or settings, nothing was run; or nothing to check (`empty`)",
    )
    BROKEN = 3, "a tool failed to run (`broken`)"
    BUG = 4, "a bug in ci-action; the log has a report for an issue"
    INTERRUPTED = 130, "interrupted by SIGINT or SIGTERM; partial results are written"
