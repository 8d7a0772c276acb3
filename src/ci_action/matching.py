"""Match patterns that the project brings, with an end.

A short pattern can keep `re` busy for ever, and with it every thread: neither a time limit nor a signal would end it. So
these are matched by `regex`, which lets other threads run and stops in time.
"""

import re
import time
from collections.abc import Iterable
from typing import Final, Protocol, cast

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from ci_action.errors import ToolError

SECONDS: Final = 10.0
"""What all matches of one pattern may take together."""


class Pattern(Protocol):
    """What can be searched for: a compiled expression, or one with an end."""

    @property
    def pattern(self) -> str:
        """The text of the expression."""
        ...

    def search(self, text: str, /) -> re.Match[str] | None:
        """Return the first match, or None; raises `ToolError` if that takes too long."""
        ...


class Bounded:
    """An expression whose matches take a limited time."""

    def __init__(self, pattern: re.Pattern[str], shown: str = "", seconds: float = SECONDS) -> None:
        """Take over a compiled expression; `shown` is how its author wrote it."""
        import regex  # noqa: PLC0415 - 30 ms that only unusual patterns pay

        self.pattern = pattern.pattern
        self._shown = shown or pattern.pattern
        self._regex = regex.compile(pattern.pattern, pattern.flags)
        self._left = seconds

    def search(self, text: str, /) -> re.Match[str] | None:
        """Return the first match, or None; raises `ToolError` when the time is used up."""
        started = time.monotonic()
        try:
            found = self._regex.search(text, timeout=max(self._left, 0.001), concurrent=True)
            return cast("re.Match[str] | None", found)  # which it is modelled on
        except TimeoutError as error:
            raise ToolError(f"the pattern {self._shown!r} takes too long on {text!r}: simplify it") from error
        finally:
            self._left -= time.monotonic() - started


class _Pattern(GitIgnoreSpecPattern):
    """A line of a .gitignore, matched with an end if it could take long."""

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        if self.regex is not None and not _is_quick(pattern):
            self.regex = Bounded(self.regex, pattern)  # type: ignore[assignment]  # it is only searched for


def _is_quick(line: str) -> bool:
    """Whether matching takes about as many steps as the path has characters, squared at most."""
    parts = line.split("/")
    return parts.count("**") <= 1 and all(part == "**" or part.count("*") <= 1 for part in parts)


def gitignore(lines: Iterable[str]) -> GitIgnoreSpec:
    """Return the patterns of a .gitignore, ready to match; raises `ValueError` for a line that is none."""
    return GitIgnoreSpec.from_lines(lines, _Pattern, backend="simple")
