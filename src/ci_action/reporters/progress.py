"""Progress while tools run: a live view on a terminal, a group for each tool in the log of a job, a line elsewhere."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, TextIO

from ci_action.engine.tool import Tool
from ci_action.github.workflow import Workflow
from ci_action.model.ranking import number_of, rows_of
from ci_action.model.result import ToolResult
from ci_action.reporters.context import Screen
from ci_action.reporters.limits import left_out
from ci_action.reporters.lines import finding_line, headline
from ci_action.system.text import neutral

if TYPE_CHECKING:
    from rich.text import Text

# Lines of one kind in a group; report.json has all findings.
MOST_LINES: Final = 1_000


class EndProgress:
    """Shows each tool when it ends: tools run in parallel, and groups in the log of a job cannot be nested."""

    def __init__(self, ended: Callable[[ToolResult], None]) -> None:
        """Show a tool with `ended` when it ends."""
        self.ended: Final = ended

    def started(self, tool: Tool) -> None:
        """Show nothing."""


def lines_on(stream: TextIO) -> EndProgress:
    """Return progress that prints one line for each tool."""
    return EndProgress(lambda result: print(neutral(headline(result)), file=stream, flush=True))


def groups_of(workflow: Workflow) -> EndProgress:
    """Return progress that prints one folded group for each tool in the log of the job."""
    return EndProgress(lambda result: workflow.group(headline(result), "\n".join(_body(result))))


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
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8, transient=True)
        self._live.start()

    def _render(self) -> "Text":
        now = time.monotonic()
        return _text("\n".join(f"{name} … {now - start:.1f} s" for name, start in [*self._running.items()]))

    def started(self, tool: Tool) -> None:
        """Show the tool as running."""
        self._running[tool.name] = time.monotonic()

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
