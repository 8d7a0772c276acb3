"""Make foreign text safe for a line, a terminal and a log, and format our own messages."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_BREAKS: Final = re.compile(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# Direction marks reorder text for a reader (CVE-2021-42574); the others are invisible.
_UNSEEN: Final = "\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_CONTROL: Final = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_UNSEEN}]")
_MARKS: Final = re.compile(f"[{_UNSEEN}]")
_UNITS: Final = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def plain(text: str) -> str:
    """Return text that can be encoded: lone surrogates become the replacement character."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def as_bytes(path: str) -> bytes:
    """Return a file name as bytes; characters that no file name can contain are replaced."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return plain(path).encode("utf-8")


def visible(text: str) -> str:
    """Replace invisible characters (controls, terminal sequences, direction marks) by symbols or numbers."""
    return _CONTROL.sub(_picture, plain(text))


def named_marks(text: str) -> str:
    """Replace direction marks and other characters without a width by their numbers: `<U+202E>`."""
    return text if text.isascii() else _MARKS.sub(_number, text)


def _number(match: re.Match[str]) -> str:
    return f"<U+{ord(match[0]):04X}>"


def _picture(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x20:  # noqa: PLR2004 - the C0 controls have symbols from U+2400 on
        return chr(0x2400 + number)
    if number == 0x7F:  # noqa: PLR2004 - delete has one too
        return "\u2421"
    return "\ufffd" if number < 0xA0 else _number(match)  # noqa: PLR2004 - the end of the C1 controls


def one_line(text: str) -> str:
    """Return text on one line without control characters."""
    return visible(_BREAKS.sub(" ", text))


def lines_of(text: str) -> list[str]:
    """Split text at every character that the runner, a terminal or a reader may treat as a line break."""
    return _BREAKS.split(text)


def neutral(text: str) -> str:
    """Return foreign text with normalised line breaks and without commands of the runner.

    The runner executes `::name::` at the start of a line and `##[name]` anywhere in it, on both streams, and ends a line
    at a lone carriage return too (actions/runner, ActionCommand.cs and OutputManager.cs).
    """
    lines = []
    for raw in lines_of(text):
        line = visible(raw).replace("##[", "##\\[")
        body = line.lstrip()
        if body.startswith("::"):
            line = f"{line[: len(line) - len(body)]}\\{body}"
        lines.append(line)
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """Return a duration for people: two decimals below a second, one above."""
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"


def data_size(number: int) -> str:
    """Return a number of bytes for people: `181.3 MB`, in decimal units.

    It is cut, not rounded: what is below a limit never looks as if it reached it.
    """
    unit, factor = next((one for one in _UNITS if number >= one[1]), ("", 1))
    if not unit:
        return counted(number, "byte")
    tenths = number * 10 // factor
    part = f".{tenths % 10}" if tenths % 10 else ""
    return f"{tenths // 10:,}{part} {unit}"


def near(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most like this one, or an empty text."""
    from difflib import get_close_matches  # only mistakes need it

    return next(iter(get_close_matches(word, known, n=1)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or all choices if none is similar."""
    choice = sorted(known)
    nearest = near(word, choice)
    return f"; did you mean {nearest!r}?" if nearest else f"; available: {', '.join(choice)}"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 finding`, `2,000 findings`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def listed(entries: Sequence[str], most: int = 5) -> str:
    """Return entries for a message: `a, b and 3 more`."""
    more = f" and {len(entries) - most:,} more" if len(entries) > most else ""
    return f"{', '.join(entries[:most])}{more}"


def quoted(entries: Sequence[str]) -> str:
    """Return quoted names for a message: `'a', 'b' and 3 more`."""
    return listed([repr(entry) for entry in entries])


def kebab(name: str) -> str:
    """Return the name as users write it: `report_dir` is `report-dir`."""
    return name.replace("_", "-")
