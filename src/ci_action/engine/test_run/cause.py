"""The error in what pytest prints: the exception itself, and the place in the project where it was raised."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

_LONGEST: Final = 500
# Characters at the end of an output in which places are searched.
_TAIL: Final = 100_000
# An exception as Python and pytest print it: `ValueError: text`, `pkg.errors.Failed`.
_NAMED: Final = re.compile(
    r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Warning|Exit|Interrupt|Iteration|Failed|Skipped|Timeout|Group)"
    r"(?::\s|:?$)"
)
_ANY: Final = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*: ")
_MARK: Final = re.compile(r"E(?:\s+|$)")
TRACEBACK: Final = "Traceback (most recent call last):"
_USAGE: Final = re.compile(r"^(?:ERROR: (?!usage:)|.*\berror: |\S*python\S*: )(.*\S)", re.MULTILINE)
_PLACE: Final = re.compile(r"^(?P<file>[^\s:\0][^:\n\0]*):(?P<line>\d{1,9}): ", re.MULTILINE)
_FRAME: Final = re.compile(r'^\s*(?:E\s+)?File "(?P<file>[^"\n\0]+)", line (?P<line>\d{1,9})', re.MULTILINE)


def error_in(text: str) -> str:
    """Return the exception in the text of a failed test or collection, in one line; empty without text."""
    lines = [line for line in text.splitlines() if line.strip()]
    blocks = [
        list(found) for marked, found in groupby(lines, key=lambda line: bool(_MARK.match(line))) if marked
    ]
    if blocks:
        block = [line[1:].strip() for line in blocks[-1]]
        return _exception(block)[:_LONGEST]
    return lines[-1].strip()[:_LONGEST] if lines else ""


def start_error(text: str) -> str:
    """Return why pytest did not start, from all that it printed; empty if it printed nothing."""
    lines = text.splitlines()
    if any(_MARK.match(line) for line in lines):
        return error_in(text)
    if TRACEBACK in lines:
        last = len(lines) - 1 - lines[::-1].index(TRACEBACK)
        raised = [line for line in lines[last + 1 :] if line.strip() and not line[:1].isspace()]
        if raised:
            return _exception(raised)[:_LONGEST]
    if usage := _USAGE.findall(text):
        return str(usage[0])[:_LONGEST]
    named = [line.strip() for line in lines if _NAMED.match(line.strip())]
    whole = [line.strip() for line in lines if line.strip()]
    return (named or whole or [""])[-1][:_LONGEST]


def places_in(text: str) -> Iterator[tuple[str, int]]:
    """Yield the places that a traceback of pytest or Python names, the innermost last."""
    end = text[-_TAIL:]
    found = [*_PLACE.finditer(end), *_FRAME.finditer(end)]
    for match in sorted(found, key=lambda match: match.start()):
        yield match["file"], int(match["line"])


def _exception(lines: list[str]) -> str:
    """Return the line that names the exception: the others are its message, or the source of a syntax error."""
    named = (line for pattern in (_NAMED, _ANY) for line in lines if pattern.match(line))
    return next(named, lines[-1] if lines else "")
