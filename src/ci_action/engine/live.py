"""What a running tool shows of itself before it has ended: what it prints, and how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ci_action.system.text import counted


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a run of tests is."""

    done: int = 0
    total: int = 0
    """The number of tests to run; 0 if it is unknown."""
    failed: int = 0
    failures: tuple[str, ...] = ()
    """The failed tests since the last time, each in one line."""

    @property
    def line(self) -> str:
        """The counts in words: `40 of 120 tests, 2 failed`; empty before the first test."""
        if not self.done and not self.total:
            return ""
        of = f"{self.done:,} of {counted(self.total, 'test')}" if self.total else counted(self.done, "test")
        return f"{of}, {self.failed:,} failed" if self.failed else of


class Live(Protocol):
    """Shows what running tools report; called in their threads."""

    def ready(self) -> bool:
        """Whether text from the project can be shown: before, its files are searched for secrets."""

    def printed(self, tool: str, lines: Sequence[str]) -> None:
        """Show complete lines of a tool's output."""

    def moved(self, tool: str, at: Standing) -> None:
        """Show how far a tool is."""


class _Nothing:
    """Shows nothing."""

    def ready(self) -> bool:
        return False

    def printed(self, tool: str, lines: Sequence[str]) -> None: ...

    def moved(self, tool: str, at: Standing) -> None: ...


NOTHING: Final[Live] = _Nothing()
