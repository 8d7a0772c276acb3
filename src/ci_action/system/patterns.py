"""Match patterns that the project brings, with an end.

A short pattern can keep `re` busy for ever, and with it every thread: neither a time limit nor a signal would end it. So
these are matched by `regex`, which lets other threads run and stops in time.
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
"""What all matches of one pattern, or of several that share a budget, may take together."""

# What `regex` would read otherwise than `re`: a brace that counts nothing is a fuzzy match, a bracket in a set a class.
_MISREAD: Final = r"\\.|\(\?#[^)]*+\)|\[\^?\]?(?:\\.|[^\]\\])*+\]|\{(?!\d*+,?\d*+\})"
_ANY: Final = re.compile(_MISREAD, re.DOTALL)
_ANY_VERBOSE: Final = re.compile(rf"#[^\n]*+|{_MISREAD}", re.DOTALL)
_INNER: Final = re.compile(r"(\\.)|\[", re.DOTALL)
# `regex` writes out what has to be repeated, which is all of the memory where the counts of nested groups multiply.
_COUNT: Final = re.compile(r"\{(\d+)")
_MOST_COPIES: Final = 1_000_000


class Pattern(Protocol):
    """What can be searched for: a compiled expression, or one with an end."""

    @property
    def pattern(self) -> str:
        """The text of the expression."""
        ...

    def search(self, text: str, /) -> re.Match[str] | None:
        """Return the first match, or None; raises `ToolError` if that takes too long."""
        ...


@dataclass
class Budget:
    """The time that is left for matches."""

    left: float = SECONDS


class Bounded:
    r"""An expression whose matches take a limited time.

    It means what it means to `re`, but for `\w`, `\s` and `\b`, which go by the definitions of Unicode.
    """

    def __init__(self, pattern: re.Pattern[str], shown: str = "", budget: Budget | None = None) -> None:
        """Take over a compiled expression; `shown` is how its author wrote it. Raises `ToolError` if `regex` refuses it."""
        import regex  # noqa: PLC0415 - 30 ms that only unusual patterns pay

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
            f"the pattern {self._shown!r} cannot be matched in limited time: {why}; write it otherwise"
        )

    def search(self, text: str, /) -> re.Match[str] | None:
        """Return the first match, or None; raises `TimedOutError` when the time is used up."""
        return self._matched(self._regex.search, text)

    def fullmatch(self, text: str, /) -> re.Match[str] | None:
        """Return the match of the whole text, or None; raises `TimedOutError` when the time is used up."""
        return self._matched(self._regex.fullmatch, text)

    def _matched(self, method: Callable[..., Any], text: str) -> re.Match[str] | None:
        started = time.monotonic()
        try:
            found = method(text, timeout=max(self._budget.left, 0.001), concurrent=True)
            return cast("re.Match[str] | None", found)  # which it is modelled on
        except TimeoutError as error:
            reason = f"the pattern {self._shown!r} takes too long on {text!r}: simplify it"
            raise TimedOutError(reason) from error
        finally:
            self._budget.left -= time.monotonic() - started


def _as_read_by_re(pattern: re.Pattern[str]) -> str:
    """Return an expression in which `regex` sees no syntax that `re` lacks."""
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
    """Matches expressions of the project with whole texts; all of them share a budget."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._budget = Budget(seconds)
        self._bounded: dict[str, Bounded] = {}

    def fullmatch(self, expression: str, text: str) -> re.Match[str] | None:
        """Return the match of the whole text, or None; raises `TimedOutError` when the time is used up."""
        if _ends_soon(expression):
            return re.fullmatch(expression, text)
        if expression not in self._bounded:
            self._bounded[expression] = Bounded(re.compile(expression), budget=self._budget)
        return self._bounded[expression].fullmatch(text)


def _ends_soon(expression: str) -> bool:
    """Whether matching ends in time whatever the text: one repetition or group cannot multiply."""
    return sum(map(expression.count, "*+?{(")) <= 1


def _is_quick(line: str) -> bool:
    """Whether matching takes about as many steps as the path has characters, squared at most."""
    parts = line.split("/")
    return parts.count("**") <= 1 and all(part == "**" or part.count("*") <= 1 for part in parts)


def gitignore(lines: Iterable[str]) -> "GitIgnoreSpec":
    """Return the patterns of a .gitignore, ready to match; raises `ValueError` for an invalid line.

    A line that could take long is matched with an end.
    """
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - 20 ms that most runs do not need
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # noqa: PLC0415 - as above

    def pattern(line: str) -> "GitIgnoreSpecPattern":
        made = GitIgnoreSpecPattern(line)
        if made.regex is not None and not _is_quick(line):
            made.regex = Bounded(made.regex, line)  # type: ignore[assignment]  # it is only searched for
        return made

    return GitIgnoreSpec.from_lines(lines, pattern, backend="simple")
