"""Settings that are regular expressions or patterns of paths: how their text becomes a value, and what is wrong with it."""

import re
from typing import Annotated, Final

from pathspec import GitIgnoreSpec
from pydantic import BaseModel, BeforeValidator, ConfigDict

from ci_action.system.patterns import gitignore

# Several words in a line are meant as a list, which these settings do not have.
_WORDS: Final = re.compile(r"[\w.-]+(?:\s*,\s*[\w.-]+)+")


class Area(BaseModel):
    """A part of the project: a name, and the patterns of its files as in `.gitignore`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    patterns: tuple[str, ...]

    def __str__(self) -> str:
        """Render as the input takes it."""
        return f"{self.name}: {', '.join(self.patterns)}"

    @property
    def spec(self) -> GitIgnoreSpec:
        """The patterns, ready to match."""
        return gitignore(self.patterns)


def _expression(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from error
    return value


def _expressions(value: object) -> object:
    given = value.splitlines() if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        return given
    lines = [entry.strip() if isinstance(entry, str) else entry for entry in given]
    for line in lines:
        if isinstance(line, str) and _WORDS.fullmatch(line):
            raise ValueError(f"{line!r}: write one expression a line, since a comma may be a part of it")
    return [_expression(line) for line in lines if line != ""]


def _glob(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        gitignore([value])
    except (ValueError, re.error) as error:
        raise ValueError(f"{value!r} is no pattern of .gitignore") from error
    return value


def _globs(value: object) -> object:
    given = re.split(r"[,\n\r]", value) if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        return given
    entries = [entry.strip() if isinstance(entry, str) else entry for entry in given]
    return [_glob(entry) for entry in entries if entry != ""]


def _areas(value: object) -> object:
    if isinstance(value, dict):
        return [_area(str(name), patterns) for name, patterns in value.items()]
    if isinstance(value, str):
        value = [line for line in value.splitlines() if line.strip()]
    return [_area_of(entry) for entry in value] if isinstance(value, list | tuple) else value


def _area_of(entry: object) -> object:
    if not isinstance(entry, str):
        return entry
    name, separator, patterns = entry.partition(":")
    if not separator or not name.strip() or not patterns.strip():
        raise ValueError(f"{entry!r}: write 'name: pattern, pattern', such as 'api: src/api/, tests/api/'")
    return _area(name, patterns)


def _area(name: str, patterns: object) -> object:
    given = patterns.split(",") if isinstance(patterns, str) else patterns
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise ValueError(f"{name!r}: write its patterns as a list of texts")
    known = _globs(given)
    if not name.strip() or not known:
        raise ValueError(f"{name!r}: an area needs a name, and a pattern at least")
    return {"name": name.strip(), "patterns": known}


Pattern = Annotated[str, BeforeValidator(_expression)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_expressions)]
Globs = Annotated[tuple[str, ...], BeforeValidator(_globs)]
Areas = Annotated[tuple[Area, ...], BeforeValidator(_areas)]
