"""Follow a run of pytest: the lines that it prints, and the events of our plugin while their file grows.

Both come from code of the project: what is not valid is ignored here, and reported after the end.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from ci_action.engine.live import Live, Standing
from ci_action.engine.test_run import TESTS
from ci_action.engine.test_run.cause import error_in
from ci_action.system.errors import ProjectFileError
from ci_action.system.process import Growing
from ci_action.system.project_files import LARGEST_SOURCE, read_part
from ci_action.system.text import one_line, plain

# A line that is longer is shown without its end: in full it is in memory only up to the second limit.
LONGEST_LINE: Final = 4_000
LONGEST_KEPT: Final = 1_000_000
_PART: Final = 1_000_000
_LONGEST_MESSAGE: Final = 300


class Lines:
    """Joins parts of output to lines, so that a secret in a line is never divided."""

    def __init__(self) -> None:
        self._open = b""
        self._cut = False
        """Whether the start of the open line was returned already."""

    def add(self, part: bytes) -> Iterator[str]:
        """Yield the lines that are complete now."""
        *ended, rest = (self._open + part).split(b"\n")
        for line in ended:
            yield from self._line(line)
            self._cut = False
        self._open = rest
        if len(rest) > LONGEST_KEPT:
            yield from self._line(rest)
            self._open, self._cut = b"", True

    def end(self) -> Iterator[str]:
        """Yield the last line, which no newline ended."""
        if self._open:
            yield from self._line(self._open)
        self._open = b""

    def _line(self, line: bytes) -> Iterator[str]:
        if not self._cut:
            yield line.decode("utf-8", "replace").rstrip("\r")


class _Event(msgspec.Struct):
    event: str
    nodeid: str = ""
    when: str = ""
    outcome: str = ""
    message: str = ""
    text: str = ""
    subtest: str | None = None
    tests: int = 0


_EVENT: Final = msgspec.json.Decoder(_Event)


class Tally:
    """Counts tests by the events of the plugin."""

    def __init__(self) -> None:
        self._done: set[str] = set()
        self._failed: set[str] = set()
        self._total = 0
        self._failures: list[str] = []

    def read(self, line: bytes) -> None:
        """Count one event; one that the plugin did not write is ignored."""
        try:
            event = _EVENT.decode(line)
        except (msgspec.DecodeError, ValueError):
            return
        if event.event == "collected":
            self._total = max(0, event.tests)
        elif event.event == "collect":
            self._fail(event, "ERROR")
        elif event.event == "test" and event.subtest is None:
            if event.outcome == "failed":
                self._fail(event, "FAILED" if event.when == "call" else "ERROR")
            if event.when == "teardown":
                self._done.add(event.nodeid)

    def _fail(self, event: _Event, word: str) -> None:
        if event.nodeid not in self._failed:
            self._failed.add(event.nodeid)
            message = next(iter(event.message.splitlines()), "") or error_in(event.text)
            self._failures.append(
                one_line(plain(f"{word} {event.nodeid}: {message[:_LONGEST_MESSAGE]}".rstrip(": ")))
            )

    def standing(self) -> Standing:
        """Return the counts, and the failures since the last call."""
        failures, self._failures = tuple(self._failures), []
        return Standing(done=len(self._done), total=self._total, failed=len(self._failed), failures=failures)


class Watch:
    """Shows a run of pytest while it runs."""

    def __init__(self, live: Live, events: Path, *, again: bool = False) -> None:
        """Follow the file of events; `again` is whether its tests have failed before."""
        self._live = live
        self._again = again
        self._head = ["ci-action: running failed tests again"] if again else []
        self._events = events
        self._offset = 0
        self._rest = b""
        self._tally = Tally()
        self._streams = (Lines(), Lines())

    def look(self, printed: Growing) -> None:
        """Show what is new."""
        if not self._live.ready():
            return
        for stream, lines in enumerate(self._streams):
            while part := printed.read(stream, _PART):
                self._show(list(lines.add(part)))
        self._follow()
        standing = self._tally.standing()
        self._live.moved(TESTS, replace(standing, failures=()) if self._again else standing)

    def end(self) -> None:
        """Show the lines that no newline ended."""
        for lines in self._streams:
            self._show(list(lines.end()))

    def _show(self, lines: list[str]) -> None:
        if lines:
            self._live.printed(TESTS, [*self._head, *lines])
            self._head = []

    def _follow(self) -> None:
        """Read the events since the last time; raises nothing: the whole file is read and judged after the end."""
        try:
            while part := read_part(
                self._events, self._events.parent, self._offset, _PART, largest=LARGEST_SOURCE
            ):
                self._offset += len(part)
                *ended, self._rest = (self._rest + part).split(b"\n")
                for line in ended:
                    self._tally.read(line)
                if len(self._rest) > LONGEST_KEPT:
                    self._rest = b""
        except ProjectFileError:
            return
