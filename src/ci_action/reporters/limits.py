"""The limits of the channels: the room for a report, and the note about rows that did not fit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from ci_action.system.redaction import HIDDEN

_Text = TypeVar("_Text", bound=str)

WHY_HIDDEN: Final = f"{HIDDEN} replaces a possible secret"
"""The note below lines in which secrets were replaced."""


def byte_size(text: str) -> int:
    """Return the number of bytes that a text has in a file."""
    return len(text.encode("utf-8", "replace"))


def code_units(text: str) -> int:
    """Return the number of characters as JavaScript and Java count them: twice beyond the basic plane."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clipped(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters; one that was cut ends in an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clipped_bytes(text: str, limit: int) -> str:
    """Return the beginning of a text that has at most `limit` bytes."""
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def left_out(shown: int, total: int, what: str = "", where: str = "") -> str:
    """Return `20 of 1,005 findings are shown; all are in report.json`, or nothing if all are shown."""
    if shown >= total:
        return ""
    noun = f" {what}" if what else ""
    return f"{shown:,} of {total:,}{noun} are shown" + (f"; all are in {where}" if where else "")


@dataclass
class Room:
    """The room that is left on a channel, in its own unit."""

    left: int
    size: Callable[[str], int] = len

    def takes(self, text: str) -> bool:
        """Whether a text fits; if so, its size is subtracted."""
        size = self.size(text)
        if size > self.left:
            return False
        self.left -= size
        return True

    def fitting(self, rows: Iterable[_Text], most: int) -> list[_Text]:
        """Return the first rows, as long as they fit with an empty line after each, and at most `most`."""
        kept: list[_Text] = []
        for row in rows:
            if len(kept) == most or not self.takes(f"{row}\n\n"):
                break
            kept.append(row)
        return kept
