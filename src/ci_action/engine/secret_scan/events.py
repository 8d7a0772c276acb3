"""The events of the script that scans for secrets, and the cached form of its results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

import msgspec

from ci_action.system.json_fields import MOST, json_object
from ci_action.system.text import plain

SCANNED: Final = "scanned"
UNREADABLE: Final = "unreadable"
BINARY: Final = "binary"
EXCLUDED: Final = "excluded"
FAILED: Final = "failed"
# Results that stay the same as long as the file does not change.
_Lasting: TypeAlias = Literal["scanned", "binary", "excluded"]


@dataclass(frozen=True)
class Secret:
    """A value of one type, and the lines on which the engine found it, in order."""

    type: str
    value: str = field(repr=False)
    lines: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """The result for one file."""

    state: str = SCANNED
    encoding: str = ""
    """The encoding by which it was read."""
    secrets: tuple[Secret, ...] = ()
    problem: str = ""
    """Why it could not be read or scanned."""


class _Start(msgspec.Struct, tag_field="event", tag="start"):
    plugins_used: list[Any]
    filters_used: list[Any]


class _File(msgspec.Struct, tag_field="event", tag="file"):
    number: Annotated[int, msgspec.Meta(ge=0)]
    state: _Lasting | Literal["unreadable", "failed"]
    encoding: str
    found: list[tuple[Annotated[int, msgspec.Meta(ge=0, le=MOST)], str, str]]
    problem: str = ""


class _Finish(msgspec.Struct, tag_field="event", tag="finish"):
    files: int


class _Failed(msgspec.Struct, tag_field="event", tag="failed"):
    problem: str


_Event: TypeAlias = _Start | _File | _Finish | _Failed


class _Kept(msgspec.Struct):
    state: _Lasting
    encoding: str
    found: list[tuple[str, tuple[Annotated[int, msgspec.Meta(gt=0)], ...], int, int]]


@dataclass(kw_only=True)
class Events:
    """The events of one run of the script."""

    configuration: Mapping[str, Any] = field(default_factory=dict)
    """The plugins and filters, as a baseline names them."""
    files: dict[str, Scanned] = field(default_factory=dict)
    problem: str = ""
    """Why the script gave up."""
    finished: bool = False
    unreadable: int = 0
    """Number of invalid lines, as a process leaves that died while it wrote."""


def parse(stdout: bytes, names: Sequence[str]) -> Events:
    """Parse the events about these files; invalid lines are counted, never trusted."""
    events = Events()
    for line in stdout.splitlines():
        try:
            _add(events, line, names)
        except ValueError:
            events.unreadable += 1
    events.finished = events.finished and events.files.keys() >= set(names)
    return events


def _add(events: Events, line: bytes, names: Sequence[str]) -> None:
    event: _Event = msgspec.convert(json_object(line), _Event)
    if events.finished:
        raise ValueError("an event after the end")
    match event:
        case _Start():
            events.configuration = {"plugins_used": event.plugins_used, "filters_used": event.filters_used}
        case _File(number=number) if number < len(names) and names[number] not in events.files:
            events.files[names[number]] = _scanned(event)
        case _File():
            raise ValueError("an unknown or duplicate file")
        case _Finish(files=files):
            events.finished = files == len(names)
        case _Failed(problem=problem):
            events.problem = plain(problem) or "no reason given"


def _scanned(file: _File) -> Scanned:
    found: dict[tuple[str, str], list[int]] = {}
    for line, kind, digits in file.found:
        value = bytes.fromhex(digits).decode("utf-8", "surrogatepass")
        found.setdefault((plain(kind), value), []).append(max(1, line))
    return Scanned(
        state=file.state,
        encoding=file.encoding,
        secrets=tuple(Secret(kind, value, tuple(sorted(lines))) for (kind, value), lines in found.items()),
        problem=plain(file.problem),
    )


class Text:
    """The lines of a file as the engine counts them: a carriage return ends a line too."""

    def __init__(self, raw: bytes, encoding: str) -> None:
        """Decode the content of a file. Raises `ValueError` or `LookupError` if it has another encoding."""
        self.raw = raw.decode(encoding)
        plain_ends = self.raw.replace("\r\n", "\n")
        self._lone = "\r" in plain_ends
        self.lines = plain_ends.replace("\r", "\n").split("\n")

    def line(self, number: int) -> str:
        """Return a line; empty if it does not exist."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def column(self, number: int, value: str) -> int | None:
        """Return the position of a value on a line, from 0; None if the line does not contain it literally."""
        if not value:
            return None
        text = self.line(number)
        first = found = text.find(value)
        while found >= 0:
            # `admin_password = "admin"`: a whole word comes first. Not by an expression: each would be compiled.
            if not _in_word(text[found - 1 : found]) and not _in_word(text[found + len(value) :][:1]):
                return found
            found = text.find(value, found + 1)
        return first if first >= 0 else None

    def place(self, number: int, column: int, *, carriage_returns: bool) -> tuple[int, int]:
        """Return line and column, from 1 each, as git and GitHub count them, unless carriage returns count."""
        if carriage_returns or not self._lone:
            return number, column + 1
        before = "\n".join(self.lines[: number - 1]) + "\n" if number > 1 else ""
        raw = self.raw.replace("\r\n", "\n")
        position = len(before) + column  # a carriage return is as long as the newline that replaced it
        begin = raw.rfind("\n", 0, position) + 1
        return raw.count("\n", 0, position) + 1, position - begin + 1


def _in_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def kept(scanned: Scanned, text: Text | None) -> dict[str, Any] | None:
    """Return the cached form of a result: places, never a value or its hash; None if that is not enough to restore it."""
    if scanned.state not in get_args(_Lasting) or (scanned.secrets and text is None):
        return None
    found = []
    for secret in scanned.secrets:
        column = text.column(secret.lines[0], secret.value) if text else None
        if column is None:
            return None
        found.append([secret.type, list(secret.lines), column, column + len(secret.value)])
    return {"state": scanned.state, "encoding": scanned.encoding, "found": found}


def restored(entry: object, raw: bytes) -> Scanned | None:
    """Return a cached result, its values read from the content of the file; None if they do not match."""
    try:
        result = msgspec.convert(entry, _Kept)
        text = Text(raw, result.encoding) if result.found else None
        secrets = tuple(
            Secret(kind, text.line(lines[0])[start:end] if text else "", lines)
            for kind, lines, start, end in result.found
        )
    except (ValueError, LookupError):
        return None
    if not all(secret.value for secret in secrets):
        return None
    return Scanned(state=result.state, encoding=result.encoding, secrets=secrets)
