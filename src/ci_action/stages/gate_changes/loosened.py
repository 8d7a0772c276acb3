"""What a change makes less strict, and the ways to compare two values of a setting. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from ci_action.stages.gate_changes.configs import Where
from ci_action.system.errors import ToolError
from ci_action.system.text import quoted

LOWER_MINIMUM: Final = "lower-minimum"
ADDED_IGNORE: Final = "added-ignore"
NARROWER_PATHS: Final = "narrower-paths"
SOFTER_FAIL_ON: Final = "softer-fail-on"
LARGER_BASELINE: Final = "larger-baseline"
ADDED_SUPPRESSION: Final = "added-suppression"
REMOVED_TEST: Final = "removed-test"

# The weight of a rule (`Finding.loosens`): a setting concerns all files, a suppression one line.
WEIGHTS: Final = {
    LOWER_MINIMUM: 3,
    ADDED_IGNORE: 3,
    NARROWER_PATHS: 3,
    SOFTER_FAIL_ON: 3,
    LARGER_BASELINE: 3,
    REMOVED_TEST: 2,
    ADDED_SUPPRESSION: 1,
}

_LONGEST: Final = 100
_SPACE: Final = re.compile(r"\s+|#[^\n]*")
_Any = TypeVar("_Any")


@dataclass(frozen=True, kw_only=True)
class Loosened:
    """One thing that a change makes less strict."""

    rule: str
    message: str
    path: str = ""
    """The file, relative to the workspace."""
    line: int | None = None


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A file before and after; a text is None if the file does not exist."""

    path: str
    """The name after the change, or before it if the change removed the file."""
    previous: str = ""
    """The name before the change."""
    before: str | None
    after: str | None


Seen = tuple[str, str, str]
"""A rule, the message without the name of the setting, and the entry whose line is reported."""
Comparison = Callable[[Any, Any], Iterable[Seen]]
"""Compares two values of a setting; lists are None if their entries are unknown."""


def loosened(label: str, compare: Comparison, before: Any, after: Any, where: Where) -> Iterator[Loosened]:
    """Yield what is less strict in the value of one setting."""
    for rule, text, entry in compare(before, after):
        path, line = where(entry)
        yield Loosened(rule=rule, message=f"{label}{text}", path=path, line=line)


def tried(
    problems: list[str], work: Callable[..., Iterable[_Any]], *given: Any, path: str = ""
) -> list[_Any]:
    """Return the results of `work`; if it raises `ToolError`, add the reason to `problems` and return none."""
    try:
        return list(work(*given))
    except ToolError as error:
        problems.append(f"{path}: {error.reason}" if path else error.reason)
        return []


def minimum(before: Decimal | None, after: Decimal | None) -> Iterator[Seen]:
    """Compare minimums; None is not set."""
    if before is not None and before > 0 and (after is None or after < before):
        now = f"is {after}" if after is not None else "was removed"
        yield LOWER_MINIMUM, f" {now}; it is {before} at the base commit", ""


def more(before: Iterable[str] | None, after: Iterable[str] | None) -> Iterator[Seen]:
    """Compare lists of exceptions: new entries are less strict."""
    if fresh := added(before, after):
        number = "1 new entry" if len(fresh) == 1 else f"{len(fresh):,} new entries"
        yield ADDED_IGNORE, f" has {number}: {listed(fresh)}", fresh[0]


def fewer(covers: Callable[[str, str], bool] | None = None, rule: str = NARROWER_PATHS) -> Comparison:
    """Compare lists of what is checked: fewer entries are less strict."""

    def compare(before: Sequence[str] | None, after: Sequence[str] | None) -> Iterator[Seen]:
        gone = added(after, before, covers)
        if gone and after is not None:
            now = f"is {listed(after)}" if after else "is empty"
            text = f" {now}; at the base commit it also covers {listed(gone)}"
            yield rule, text, after[0] if after else ""

    return compare


def pattern(before: str | None, after: str | None) -> Iterator[Seen]:
    """Compare regular expressions of what is excluded: another alternative is less strict."""
    if before is not None and after is not None and (found := grown(before, after)):
        yield ADDED_IGNORE, f" also excludes {found[:200]!r}", ""


def softer(*orders: Sequence[str]) -> Comparison:
    """Compare words by orders from soft to strict; words that are not in one order are not compared."""

    def compare(before: Any, after: Any) -> Iterator[Seen]:
        if any(
            before in order and after in order and order.index(after) < order.index(before)
            for order in orders
        ):
            text = f" is {after.value!r}; it is {before.value!r} at the base commit"
            yield SOFTER_FAIL_ON, text, ""

    return compare


def listed(entries: Iterable[str]) -> str:
    """Return entries for a message: `'a', 'b' and 3 more`."""
    return quoted([entry[:_LONGEST] for entry in entries])


def number(value: object) -> Decimal | None:
    """Return a minimum; None if it is not set, or not a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def added(
    before: Iterable[str] | None,
    after: Iterable[str] | None,
    covers: Callable[[str, str], bool] | None = None,
) -> list[str]:
    """Return the entries of `after` that no entry of `before` covers (`covers(old, new)`; equal ones always do).

    There are none if one of the lists is unknown (None).
    """
    if before is None or after is None:
        return []
    old = dict.fromkeys(before)
    fresh = [entry for entry in dict.fromkeys(after) if entry not in old]
    return [entry for entry in fresh if covers is None or not any(covers(one, entry) for one in old)]


def below(folder: str, path: str) -> bool:
    """Whether a path is a folder, or lies in it."""
    folder, path = (one.removeprefix("./").rstrip("/") or "." for one in (folder, path))
    return folder in {".", path} or path.startswith(f"{folder}/")


def grown(before: str, after: str) -> str:
    """Return the alternative that a regular expression has more than it had; empty if that cannot be read exactly.

    An expression that was empty matched nothing: all of the new one is more.
    """
    old, new = (_SPACE.sub("", text) if "\n" in text else text for text in (before, after))
    if not old:
        return new
    more = len(new) - len(old)
    if more < len("|x"):
        return ""
    for at in range(len(old) + 1):
        if not new.startswith(old[:at]):
            break
        if new.endswith(old[at:]) and (found := _alternative(old[:at], new[at : at + more], old[at:])):
            return found
    return ""


def _alternative(left: str, text: str, right: str) -> str:
    """Return the alternative that was put between two parts of an expression; empty if it is something else."""
    if text.startswith("|") and (not right or right[0] in "|)"):
        found = text[1:]
    elif text.endswith("|") and (not left or left[-1] in "|("):
        found = text[:-1]
    else:
        return ""
    try:
        re.compile(found)
        re.compile(left + right)
    except (re.error, RecursionError, OverflowError):
        return ""
    # Inside a class of characters a bar is a character.
    return found if found and left.count("[") == left.count("]") else ""
