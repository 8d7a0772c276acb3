"""Read what buildx prints with `--progress=rawjson`: JSON objects, one after the other, and lines of text between them."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

_OBJECT: Final = re.compile(r"^\{", re.MULTILINE)
_DECODER: Final = json.JSONDecoder()
# Nanoseconds, and a place for them in what Python can read.
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
# Bytes of the log of one step that are kept, its end.
_MOST_LOG: Final = 200_000


@dataclass(frozen=True, kw_only=True)
class Warned:
    """A warning of BuildKit about the Dockerfile."""

    short: str
    """`FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 2)`."""
    detail: str = ""
    url: str = ""
    line: int | None = None
    end_line: int | None = None


@dataclass(kw_only=True)
class Vertex:
    """One step of a build, as far as it is known."""

    name: str = ""
    spans: dict[str, str] = field(default_factory=dict)
    """When it started and ended, more than once for some; an end that is not known is empty."""
    cached: bool = False
    error: str = ""
    printed: list[str] = field(default_factory=list)
    size: int = 0
    """The number of characters in `printed`."""

    @property
    def log(self) -> str:
        """The end of what it has printed."""
        return "".join(self.printed)[-_MOST_LOG:]

    @property
    def started(self) -> bool:
        """Whether it has begun."""
        return bool(self.spans)

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return not all(self.spans.values())

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(_seconds(start, end) for start, end in self.spans.items() if end)

    def print(self, text: str) -> None:
        """Add to its log."""
        self.printed.append(text)
        self.size += len(text)
        if self.size > 2 * _MOST_LOG:
            self.printed = [self.log]
            self.size = len(self.printed[0])


class Progress:
    """The progress of a build, fed by what buildx prints; nothing that is printed raises."""

    def __init__(self) -> None:
        """Nothing was printed yet."""
        self.vertices: dict[str, Vertex] = {}
        """The steps by their digests, in the order in which they were announced."""
        self.warnings: list[Warned] = []
        self.lines: list[str] = []
        """The text between the objects: it has the error of the build."""
        self._rest = ""
        self._open: dict[str, str] = {}
        """The last line that each step has printed, as far as it has come."""

    @classmethod
    def of(cls, text: str) -> "Progress":
        """Return the progress of a build that has ended."""
        progress = cls()
        progress.feed(text)
        progress.end()
        return progress

    def feed(self, text: str) -> list[str]:
        """Read a part of what is printed; return lines that show what it means."""
        return list(self._read(text))

    def end(self) -> None:
        """Read what is left: an object whose end is missing is dropped."""
        if not self._rest.startswith("{"):
            self._keep(self._rest)
        self._rest = ""

    def _read(self, text: str) -> Iterator[str]:
        rest, place = self._rest + text, 0
        while place < len(rest):
            if rest[place] != "{":
                end = rest.find("\n", place)
                if end < 0:
                    break
                self._keep(rest[place:end])
                place = end + 1
                continue
            try:
                found, end = _DECODER.raw_decode(rest, place)
            except (ValueError, RecursionError):
                following = _OBJECT.search(rest, place + 1)
                if not following:  # more of it may come
                    break
                place = following.start()
                continue
            yield from self._learn(found)
            place = end + 1 if rest[end : end + 1] == "\n" else end
        self._rest = rest[place:]

    def _keep(self, line: str) -> None:
        if line.strip():
            self.lines.append(line.rstrip())

    def _learn(self, found: object) -> Iterator[str]:
        for one in _objects(found, "vertexes"):
            yield from self._vertex(one)
        for one in _objects(found, "logs"):
            yield from self._log(one)
        for one in _objects(found, "warnings"):
            self.warnings.append(_warned(one))

    def _vertex(self, given: Mapping[str, Any]) -> Iterator[str]:
        vertex = self.vertices.setdefault(_text(given, "digest"), Vertex())
        vertex.name = _text(given, "name") or vertex.name
        vertex.error = _text(given, "error") or vertex.error
        start, end = _text(given, "started"), _text(given, "completed")
        before, known = vertex.started, vertex.spans.get(start, "")
        if start:
            vertex.spans[start] = end or known
        # One that is loaded from a cache starts again for its download, and is not called cached then.
        vertex.cached = vertex.cached or given.get("cached") is True
        if start and not before:
            yield vertex.name
        if end:
            yield from self._open.pop(_text(given, "digest"), "").splitlines()
            if given.get("cached") is True and not known:
                yield f"{vertex.name}: cached"

    def _log(self, given: Mapping[str, Any]) -> Iterator[str]:
        digest, text = _text(given, "vertex"), _decoded(given.get("data"))
        self.vertices.setdefault(digest, Vertex()).print(text)
        # Whole lines, so that a secret in a line is never divided.
        *ended, rest = (self._open.get(digest, "") + text).split("\n")
        self._open[digest] = rest[-_MOST_LOG:]
        yield from ended


def _objects(found: object, name: str) -> Iterator[Mapping[str, Any]]:
    entries = found.get(name) if isinstance(found, dict) else None
    for one in entries if isinstance(entries, list) else ():
        if isinstance(one, dict):
            yield one


def _text(given: Mapping[str, Any], name: str) -> str:
    found = given.get(name)
    return found if isinstance(found, str) else ""


def _decoded(data: object) -> str:
    try:
        return base64.b64decode(data if isinstance(data, str) else "").decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _warned(given: Mapping[str, Any]) -> Warned:
    details = given.get("detail")
    ranges = list(_objects(given, "range"))
    return Warned(
        short=_decoded(given.get("short")),
        detail=" ".join(_decoded(one) for one in (details if isinstance(details, list) else ())),
        url=_text(given, "url"),
        line=_line(ranges[:1], "start"),
        end_line=_line(ranges[-1:], "end"),
    )


def _line(ranges: Iterable[Mapping[str, Any]], edge: str) -> int | None:
    for one in ranges:
        place = one.get(edge)
        line = place.get("line") if isinstance(place, dict) else None
        if type(line) is int and line > 0:
            return line
    return None


def _seconds(start: str, end: str) -> float:
    begun, ended = _moment(start), _moment(end)
    return max(0.0, (ended - begun).total_seconds()) if begun and ended else 0.0


def _moment(text: str) -> datetime | None:
    found = _TIME.fullmatch(text)
    if not found:
        return None
    zone = "+00:00" if found[3] == "Z" else found[3]
    try:
        return datetime.fromisoformat(f"{found[1]}.{(found[2] or '').ljust(6, '0')[:6]}{zone}")
    except ValueError:
        return None
