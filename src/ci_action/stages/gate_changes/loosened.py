"""What a change loosens, as a value, and how two values of one setting are compared. Nothing is read here."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

LOWER_MINIMUM: Final = "lower-minimum"
ADDED_IGNORE: Final = "added-ignore"
NARROWER_PATHS: Final = "narrower-paths"
SOFTER_FAIL_ON: Final = "softer-fail-on"
LARGER_BASELINE: Final = "larger-baseline"
ADDED_SUPPRESSION: Final = "added-suppression"
REMOVED_TEST: Final = "removed-test"

# How much a rule is about (`Finding.loosens`): a setting is about all files, a suppression about a line.
WEIGHTS: Final = {
    LOWER_MINIMUM: 3,
    ADDED_IGNORE: 3,
    NARROWER_PATHS: 3,
    SOFTER_FAIL_ON: 3,
    LARGER_BASELINE: 3,
    REMOVED_TEST: 2,
    ADDED_SUPPRESSION: 1,
}

_MOST_NAMED: Final = 5
_LONGEST: Final = 100
_SPACE: Final = re.compile(r"\s+|#[^\n]*")


@dataclass(frozen=True, kw_only=True)
class Loosened:
    """One thing that a change makes less strict."""

    rule: str
    message: str
    path: str = ""
    """The file, relative to the workspace."""
    line: int | None = None


def listed(entries: Sequence[str]) -> str:
    """Return entries for a message: `'a', 'b' and 3 more`."""
    shown = [repr(entry[:_LONGEST]) for entry in entries[:_MOST_NAMED]]
    more = len(entries) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def counted(number: int, what: str) -> str:
    """Return a number with its noun: `2 entries`, `1 test`."""
    if number == 1:
        return f"1 {what}"
    return f"{number:,} {what.removesuffix('y')}ies" if what.endswith("y") else f"{number:,} {what}s"


def number(value: object) -> Decimal | None:
    """Return a minimum; None if it is not set, or is not a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def lower(label: str, before: Decimal | None, after: Decimal | None) -> str:
    """Return a sentence if a minimum was lowered, else an empty text. None means that no minimum is set."""
    if before is None or before <= 0 or (after is not None and after >= before):
        return ""
    now = f"is {after}" if after is not None else "is no longer set"
    return f"{label} {now}; it is {before} at the base commit"


def added(
    before: Iterable[str], after: Iterable[str], covers: Callable[[str, str], bool] | None = None
) -> list[str]:
    """Return the entries of `after` that no entry of `before` covers (`covers(old, new)`; equal ones always do)."""
    old = list(dict.fromkeys(before))
    known = set(old)
    fresh = [entry for entry in dict.fromkeys(after) if entry not in known]
    return [entry for entry in fresh if covers is None or not any(covers(one, entry) for one in old)]


def below(folder: str, path: str) -> bool:
    """Whether a path is a folder, or lies in it."""
    folder, path = _normal(folder), _normal(path)
    return folder in {".", path} or path.startswith(f"{folder}/")


def _normal(path: str) -> str:
    return path.removeprefix("./").rstrip("/") or "."


def grown(before: str, after: str) -> str:
    """Return the alternative that a regular expression has more than it had; empty if that cannot be read exactly.

    An expression that was empty matched nothing: all of the new one is more.
    """
    old, new = (_SPACE.sub("", text) if "\n" in text else text for text in (before, after))
    if not old:
        return new
    more = len(new) - len(old)
    if more < 2:  # noqa: PLR2004 - the bar and a character
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


def softer(order: Sequence[str], before: str, after: str) -> bool:
    """Whether a word comes earlier in an order from soft to strict; words that are not in it are not compared."""
    return before in order and after in order and order.index(after) < order.index(before)
