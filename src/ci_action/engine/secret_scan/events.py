"""What the child script that scans for secrets tells: which files it has scanned, and what it found in them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ci_action.system.json_fields import Facts, as_text, as_whole, facts_of
from ci_action.system.text import plain

SCANNED: Final = "scanned"
UNREADABLE: Final = "unreadable"
BINARY: Final = "binary"
EXCLUDED: Final = "excluded"
FAILED: Final = "failed"
STATES: Final = frozenset({SCANNED, UNREADABLE, BINARY, EXCLUDED, FAILED})
# What says the same as long as the file does not change.
LASTING: Final = frozenset({SCANNED, BINARY, EXCLUDED})


@dataclass(frozen=True)
class Secret:
    """A value of one type, and the lines of the file on which the engine saw it, the first one first."""

    type: str
    value: str = field(repr=False)
    lines: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """What became of one file."""

    state: str = SCANNED
    encoding: str = ""
    """How its text was read."""
    secrets: tuple[Secret, ...] = ()
    problem: str = ""
    """Why it could not be read or scanned."""


@dataclass(kw_only=True)
class Told:
    """What one start of the script told."""

    configuration: Mapping[str, Any] = field(default_factory=dict)
    """The plugins and filters, as a baseline names them."""
    files: dict[str, Scanned] = field(default_factory=dict)
    problem: str = ""
    """Why the script gave up."""
    finished: bool = False
    unreadable: int = 0
    """Lines that are no events: a process that died while it wrote leaves one."""


def parse(stdout: bytes, names: Sequence[str]) -> Told:
    """Read the events about these files; lines that are none are counted, never trusted."""
    told = Told()
    for line in stdout.splitlines():
        try:
            _tell(told, facts_of(line), names)
        except ValueError:
            told.unreadable += 1
    told.finished = told.finished and told.files.keys() >= set(names)
    return told


def _tell(told: Told, event: Facts, names: Sequence[str]) -> None:
    if told.finished:
        raise ValueError("it comes after the end")
    match event.text("event"):
        case "start":
            told.configuration = {key: event.items(key) for key in ("plugins_used", "filters_used")}
        case "file":
            number = event.whole("number")
            if number >= len(names) or names[number] in told.files:
                raise ValueError("it is about no file, or about one a second time")
            told.files[names[number]] = _scanned(event)
        case "finish":
            told.finished = event.whole("files") == len(names)
        case "failed":
            told.problem = plain(event.text("problem")) or "no reason given"
        case _:
            raise ValueError("it is an unknown event")


def _scanned(event: Facts) -> Scanned:
    found: dict[tuple[str, str], list[int]] = {}
    for line, kind, digits in event.items("found", 3):
        value = bytes.fromhex(as_text(digits, "found")).decode("utf-8", "surrogatepass")
        found.setdefault((plain(as_text(kind, "found")), value), []).append(max(1, as_whole(line, "found")))
    return Scanned(
        state=event.word("state", STATES),
        encoding=event.text("encoding"),
        secrets=tuple(Secret(kind, value, tuple(sorted(lines))) for (kind, value), lines in found.items()),
        problem=plain(event.text("problem", "")),
    )


class Text:
    """The lines of a file as the engine counts them: a carriage return ends one too."""

    def __init__(self, raw: bytes, encoding: str) -> None:
        """Decode the content of a file; raises `ValueError` or `LookupError` where it is not in this encoding."""
        self.raw = raw.decode(encoding)
        self.lines = self.raw.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def line(self, number: int) -> str:
        """Return a line; an empty one where there is no such line."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def column(self, number: int, value: str) -> int | None:
        """Return where a value stands on a line, from 0; None where it does not stand there as it is."""
        if not value:
            return None
        text = self.line(number)
        # `admin_password = "admin"`: where it stands alone, it is the value.
        alone = re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text)
        found = alone.start() if alone else text.find(value)
        return found if found >= 0 else None

    def place(self, number: int, column: int, *, carriage_returns: bool) -> tuple[int, int]:
        """Return line and column, from 1 each, as git and GitHub count them, unless carriage returns count."""
        if carriage_returns or "\r" not in self.raw.replace("\r\n", "\n"):
            return number, column + 1
        before = "\n".join(self.lines[: number - 1]) + "\n" if number > 1 else ""
        raw = self.raw.replace("\r\n", "\n")
        position = len(before) + column  # a carriage return takes as much room as the newline in its place
        begin = raw.rfind("\n", 0, position) + 1
        return raw.count("\n", 0, position) + 1, position - begin + 1


def kept(scanned: Scanned, text: Text | None) -> dict[str, Any] | None:
    """Return what may be kept of a file: places, never a value or its hash; None where that says too little."""
    if scanned.state not in LASTING or (scanned.secrets and text is None):
        return None
    found = []
    for secret in scanned.secrets:
        column = text.column(secret.lines[0], secret.value) if text else None
        if column is None:
            return None
        found.append([secret.type, list(secret.lines), column, column + len(secret.value)])
    return {"state": scanned.state, "encoding": scanned.encoding, "found": found}


def restored(entry: Any, raw: bytes) -> Scanned | None:
    """Return the result that was kept of a file, its values read from its content; None where they do not fit."""
    try:
        encoding = str(entry["encoding"])
        text = Text(raw, encoding) if entry["found"] else None
        secrets = tuple(_restored(found, text) for found in entry["found"] if text)
        state = str(entry["state"])
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        return None
    if state not in LASTING or not all(secret.value and min(secret.lines) > 0 for secret in secrets):
        return None
    return Scanned(state=state, encoding=encoding, secrets=secrets)


def _restored(found: Any, text: Text) -> Secret:
    kind, lines, start, end = found
    return Secret(str(kind), text.line(int(lines[0]))[int(start) : int(end)], tuple(map(int, lines)))


def problem_of(told: Iterable[Told]) -> str:
    """Return why a script gave up, the first of them; empty where none did."""
    return next((one.problem for one in told if one.problem), "")
