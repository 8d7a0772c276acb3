"""Match patterns of the project with a time limit.

A short pattern can keep `re` busy forever, and with it every thread: neither a timeout nor a signal would end it. So these
are matched by `regex`, which lets other threads run and supports a timeout.
"""

import math
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from ci_action.system.errors import TimedOutError, ToolError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

SECONDS: Final = 10.0
"""Seconds for all matches of one pattern, or of several that share a budget."""

# Syntax that `regex` reads differently: a brace without numbers is a fuzzy match, a bracket in a set is a class.
_MISREAD: Final = r"\\.|\(\?#[^)]*+\)|\[\^?\]?(?:\\.|[^\]\\])*+\]|\{(?!\d*+,?\d*+\})"
_ANY: Final = re.compile(_MISREAD, re.DOTALL)
_ANY_VERBOSE: Final = re.compile(rf"#[^\n]*+|{_MISREAD}", re.DOTALL)
_INNER: Final = re.compile(r"(\\.)|\[", re.DOTALL)
# `regex` expands repetitions: the counts of nested groups multiply and would use all memory.
_COUNT: Final = re.compile(r"\{(\d+)")
_MOST_COPIES: Final = 1_000_000


class Pattern(Protocol):
    """A compiled expression, with or without a time limit."""

    @property
    def pattern(self) -> str:
        """The text of the expression."""
        ...

    def search(self, text: str, /) -> re.Match[str] | None:
        """Return the first match, or None; raises `TimedOutError`."""
        ...


@dataclass
class Budget:
    """The seconds left for matches."""

    left: float = SECONDS


class Bounded:
    r"""An expression with a time limit.

    It matches like `re`, except that `\w`, `\s` and `\b` follow the definitions of Unicode.
    """

    def __init__(self, pattern: re.Pattern[str], shown: str = "", budget: Budget | None = None) -> None:
        """Convert an expression; `shown` is its text in messages. Raises `ToolError` if `regex` refuses it."""
        import regex  # 30 ms that only unusual patterns pay

        self.pattern = pattern.pattern
        self._shown = shown or pattern.pattern
        self._budget = budget or Budget()
        if math.prod(max(int(count), 1) for count in _COUNT.findall(self.pattern)) > _MOST_COPIES:
            raise self._refused(f"its counts multiply to more than {_MOST_COPIES:,}")
        try:
            self._regex = regex.compile(_as_read_by_re(pattern), pattern.flags)
        except regex.error as error:
            raise self._refused(error) from error

    def _refused(self, why: object) -> ToolError:
        return ToolError(
            f"the pattern {self._shown!r} cannot be matched with a time limit: {why}; simplify it"
        )

    def search(self, text: str, /) -> re.Match[str] | None:
        """Return the first match, or None; raises `TimedOutError`."""
        return self._matched(self._regex.search, text)

    def fullmatch(self, text: str, /) -> re.Match[str] | None:
        """Return the match of the whole text, or None; raises `TimedOutError`."""
        return self._matched(self._regex.fullmatch, text)

    def _matched(self, method: Callable[..., Any], text: str) -> re.Match[str] | None:
        started = time.monotonic()
        try:
            found = method(text, timeout=max(self._budget.left, 0.001), concurrent=True)
            return cast("re.Match[str] | None", found)  # it has the same methods
        except TimeoutError as error:
            reason = f"the pattern {self._shown!r} takes too long on {text!r}: simplify it"
            raise TimedOutError(reason) from error
        finally:
            self._budget.left -= time.monotonic() - started


def _as_read_by_re(pattern: re.Pattern[str]) -> str:
    """Return the expression with syntax escaped that only `regex` has."""
    parts = _ANY_VERBOSE if pattern.flags & re.VERBOSE else _ANY
    return parts.sub(_escaped, pattern.pattern)


def _escaped(match: re.Match[str]) -> str:
    part = match[0]
    if part == "{":
        return r"\{"
    return f"[{_INNER.sub(_kept, part[1:])}" if part.startswith("[") else part


def _kept(match: re.Match[str]) -> str:
    return match[1] or r"\["


class Expressions:
    """Matches expressions of the project against whole texts, with one budget for all."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._budget = Budget(seconds)
        self._bounded: dict[str, Bounded] = {}

    def fullmatch(self, expression: str, text: str) -> re.Match[str] | None:
        """Return the match of the whole text, or None; raises `TimedOutError`."""
        if _ends_soon(expression):
            return re.fullmatch(expression, text)
        if expression not in self._bounded:
            self._bounded[expression] = Bounded(re.compile(expression), budget=self._budget)
        return self._bounded[expression].fullmatch(text)


def _ends_soon(expression: str) -> bool:
    """Whether matching any text is fast: a single repetition or group cannot multiply."""
    return sum(map(expression.count, "*+?{(")) <= 1


def _is_quick(line: str) -> bool:
    """Whether matching takes at most about the square of the length of a path."""
    parts = line.split("/")
    return parts.count("**") <= 1 and all(part == "**" or part.count("*") <= 1 for part in parts)


def gitignore(lines: Iterable[str]) -> "GitIgnoreSpec":
    """Return the patterns of a .gitignore, slow ones with a time limit; raises `ValueError` for an invalid line."""
    from pathspec import GitIgnoreSpec  # 20 ms that most runs do not need
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # as above

    def pattern(line: str) -> "GitIgnoreSpecPattern":
        made = GitIgnoreSpecPattern(line)
        if made.regex is not None and not _is_quick(line):
            made.regex = Bounded(made.regex, line)  # type: ignore[assignment]  # only `search` is used
        return made

    return GitIgnoreSpec.from_lines(lines, pattern, backend="simple")
