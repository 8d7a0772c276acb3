"""The title of a pull request: what is wrong with it, and what it could be instead. No input or output here."""

from dataclasses import dataclass
from typing import Final

# GitHub takes no longer title.
LONGEST: Final = 256


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a title says, as far as it can be read."""

    type: str = ""
    scopes: tuple[str, ...] = ()
    breaking: bool = False
    subject: str = ""


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with a title: the rule that it breaks, and a sentence."""

    rule: str
    text: str


def quoted(text: str) -> str:
    """Return foreign text in quotes, whatever is not printed written by its number."""
    shown = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text[: LONGEST + 1])
    return f"'{shown}{'…' if len(text) > LONGEST + 1 else ''}'"
