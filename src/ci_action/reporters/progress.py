"""Progress while tools run: a live view on a terminal, a group for each tool in the log of a job, a line elsewhere."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TextIO

from ci_action.engine.live import Standing
from ci_action.engine.tool import Tool
from ci_action.github.workflow import Workflow
from ci_action.model.ranking import number_of, rows_of
from ci_action.model.result import ToolResult
from ci_action.reporters.context import Screen
from ci_action.reporters.limits import left_out
from ci_action.reporters.lines import finding_line, headline
from ci_action.system.text import duration, neutral

if TYPE_CHECKING:
    from rich.text import Text

# Lines of one kind in a group; report.json has all findings.
MOST_LINES: Final = 1_000
# Lines of one tool that are shown while it runs.
MOST_STREAMED: Final = 20_000
# Seconds without a line after which the counts are printed.
BEAT_SECONDS: Final = 30.0


class LineProgress:
    """Prints a line for each tool that has ended, for each failed test, and now and then for the tests so far."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._pace = _Pace(clock)

    def started(self, tool: Tool) -> None:
        """Print nothing."""

    def printed(self, tool: str, lines: Sequence[str]) -> None:
        """Print nothing: the output of a tool is in the report."""

    def moved(self, tool: str, at: Standing) -> None:
        """Print failures at once, and the counts if nothing was printed for a while."""
        lines = [f"{tool}: {failure}" for failure in at.failures]
        if line := self._pace.line(at, busy=bool(lines)):
            lines.append(f"{tool}: {line}")
        self._print(lines)

    def ended(self, result: ToolResult) -> None:
        """Print how a tool ended."""
        self._print([headline(result)])

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            print(neutral(line), file=self._stream, flush=True)


class _Pace:
    """Decides when counts are printed: if nothing else was for a while."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began: float | None = None
        self._last = 0.0

    def line(self, at: Standing, *, busy: bool) -> str:
        """Return the counts with the time since the first call, or nothing; `busy` is whether something else is printed."""
        now = self._clock()
        if self._began is None:
            self._began = self._last = now
        if not busy and (now - self._last < BEAT_SECONDS or not at.line):
            return ""
        self._last = now
        return "" if busy else f"{at.line}, {duration(now - self._began)}"


class GroupProgress:
    """Prints one folded group for each tool in the log of a job; one at a time streams its output into an open group.

    Groups cannot be nested: those of tools that end meanwhile follow.
    """

    def __init__(self, workflow: Workflow, clock: Callable[[], float] = time.monotonic) -> None:
        self._workflow = workflow
        self._pace = _Pace(clock)
        self._paced = 0
        self._lock = threading.Lock()
        self._streaming = ""
        self._number = 0
        self._held: list[ToolResult] = []

    def started(self, tool: Tool) -> None:
        """Print nothing."""

    def printed(self, tool: str, lines: Sequence[str]) -> None:
        """Print lines into the open group of the tool, up to a limit."""
        with self._lock:
            kept = lines[: max(0, MOST_STREAMED - self._number)]
            if self._number <= MOST_STREAMED < self._number + len(lines):
                kept = [*kept, f"… after {MOST_STREAMED:,} lines only the last ones are shown, at the end"]
            self._number += len(lines)
            self._stream(tool, kept)

    def moved(self, tool: str, at: Standing) -> None:
        """Print the counts if nothing was printed for a while."""
        with self._lock:
            line = self._pace.line(at, busy=self._number != self._paced)
            self._paced = self._number
            self._stream(tool, [f"ci-action: {line}"] if line else [])

    def ended(self, result: ToolResult) -> None:
        """Print the group of a tool, or keep it until the open one can be closed."""
        with self._lock:
            if self._streaming not in {"", result.tool}:
                self._held.append(result)
                return
            streamed = bool(self._streaming) and self._number <= MOST_STREAMED
            if self._streaming:
                self._workflow.end()
            self._streaming = ""
            self._show(replace(result, log="") if streamed else result)
            for one in self._held:
                self._show(one)
            self._held.clear()

    def _stream(self, tool: str, lines: Sequence[str]) -> None:
        if not lines or self._streaming not in {"", tool}:
            return
        if not self._streaming:
            self._workflow.begin(f"{tool}: output")
            self._streaming = tool
        self._workflow.lines("\n".join(lines))

    def _show(self, result: ToolResult) -> None:
        self._workflow.group(headline(result), "\n".join(_body(result)))


def _body(result: ToolResult) -> Iterator[str]:
    if result.version or result.version_source:  # else it is a part of ci-action
        yield f"version {result.version or 'unknown'} from {result.version_source or 'an unknown source'}"
    if result.because:
        yield result.because
    rows = rows_of(result.findings)
    yield from map(finding_line, rows[:MOST_LINES])
    if note := left_out(number_of(rows[:MOST_LINES]), number_of(rows), "findings", "report.json"):
        yield f"… {note}"
    if result.log.strip():
        yield from result.log.strip().split("\n")[-MOST_LINES:]


class LiveProgress:
    """A live view of the running tools on a terminal, with the time that each has taken."""

    def __init__(self, screen: Screen) -> None:
        # Only a terminal needs Rich, and importing it takes time.
        from rich.console import Console
        from rich.live import Live

        console = Console(file=screen.stream, force_terminal=True, no_color=not screen.color, highlight=False)
        self._running: dict[str, float] = {}
        self._standings: dict[str, str] = {}
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8, transient=True)

    def _render(self) -> "Text":
        now = time.monotonic()
        return _text("\n".join(self._row(name, now - start) for name, start in [*self._running.items()]))

    def _row(self, name: str, seconds: float) -> str:
        standing = self._standings.get(name, "")
        return f"{name} … {seconds:.1f} s{f', {standing}' if standing else ''}"

    def started(self, tool: Tool) -> None:
        """Show the tool as running."""
        self._running[tool.name] = time.monotonic()
        self._live.start()  # again, if the tools of a former phase have ended

    def printed(self, tool: str, lines: Sequence[str]) -> None:
        """Show nothing: the output of a tool is in the report."""

    def moved(self, tool: str, at: Standing) -> None:
        """Print failures above the view, and the counts in it."""
        self._standings[tool] = at.line
        for failure in at.failures:
            self._live.console.print(_text(neutral(failure)))

    def ended(self, result: ToolResult) -> None:
        """Print how the tool ended; the view ends with the last one."""
        self._running.pop(result.tool, None)
        self._live.console.print(_text(neutral(headline(result))))
        if not self._running:
            self._live.stop()


def _text(text: str) -> "Text":
    """Return foreign text without markup."""
    from rich.text import Text  # see above

    return Text(text)
