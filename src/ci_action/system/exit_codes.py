"""The exit codes of the program; the table in the docs is generated from them."""

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """The exit codes with their meaning."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Add the meaning to the number."""
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
