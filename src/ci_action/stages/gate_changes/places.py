"""On which line of a configuration file a key or an entry is: parsers of TOML and INI do not tell."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_HEADER: Final = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:[#;].*)?$")
_KEY: Final = re.compile(
    r"""\s*(?:-\s+)?((?:"[^"]*"|'[^']*'|[\w.-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*[=:]"""
)
_PART: Final = re.compile(r'"([^"]*)"|\'([^\']*)\'|([^.\s"\']+)')


def line_of(text: str, path: Sequence[str], entry: str = "") -> int | None:
    """Return the line of an entry in the value of a key, else that of the key, else of its section; None if unknown.

    `path` names the sections and the key; a section of an INI file is one name.
    """
    lines = text.split("\n")
    wanted = tuple(path)
    keys = [number for number, found in _keys(lines) if found == wanted]
    if keys:
        return _entry(lines, keys[0], entry) if entry else keys[0]
    heads = [number for number, found in _sections(lines) if found == wanted[:-1]]
    return heads[0] if heads else None


def _entry(lines: Sequence[str], start: int, entry: str) -> int:
    """Return the first line of a value that holds an entry, else the line on which the value begins."""
    for number in range(start, len(lines) + 1):
        line = lines[number - 1]
        if number > start and _HEADER.match(line) and not line.strip().startswith(("'", '"')):
            break
        if entry in line:
            return number
    return start


def _sections(lines: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for number, line in enumerate(lines, 1):
        if match := _HEADER.match(line):
            yield number, parts(match[1])


def _keys(lines: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    section: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        if match := _HEADER.match(line):
            section = parts(match[1])
        elif match := _KEY.match(line):
            yield number, (*section, *parts(match[1]))


def parts(name: str) -> tuple[str, ...]:
    """Return the parts of a dotted name; quoted parts may hold dots."""
    return tuple("".join(groups) for groups in _PART.findall(name))
