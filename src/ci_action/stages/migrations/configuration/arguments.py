"""The options in `alembic-args`: `-x key=value` and `-n name`, as Alembic's own command line reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_NAME: Final = ("-n", "--name")
_VALUE: Final = ("-x",)


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """The options of Alembic that have an effect on env.py."""

    section: str = ""
    """The section of the ini file; empty if none is named."""
    x: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """The words that are something else."""


def read(words: Sequence[str]) -> Arguments:
    """Return the options in the words of `alembic-args`; of several sections the last one counts."""
    section, values, refused = "", list[str](), list[str]()
    for option, value in _pairs(iter(words)):
        if value is None:
            refused.append(option)
        elif option in _NAME:
            section = value
        else:
            values.append(value)
    return Arguments(section=section, x=tuple(values), refused=tuple(refused))


def mistakes(words: Sequence[str]) -> Iterator[str]:
    """Yield an error for each word that is not one of these options with a value."""
    for word in read(words).refused:
        yield f"alembic-args: {word!r} is not allowed: only `-x key=value` and `-n name` are, each with a value"


def _pairs(words: Iterator[str]) -> Iterator[tuple[str, str | None]]:
    """Yield each option with its value: None if it has none, or is not an option of ours."""
    for word in words:
        short, glued = word[:2], word[2:].removeprefix("=")
        name, equals, value = word.partition("=")
        if word in _NAME + _VALUE:
            yield word, next(words, "") or None
        elif name == "--name" and equals:
            yield (name, value) if value else (word, None)
        elif short in {"-n", "-x"} and glued:
            yield short, glued
        else:
            yield word, None
