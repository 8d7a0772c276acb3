"""The console: a live view while tools run and coloured findings on a terminal, plain lines elsewhere.

The only module that uses Rich, and only where there are colours or a terminal: foreign text goes in as `Text`, which
has no markup.
"""

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from ci_action.engine.tool import Tool
from ci_action.model.finding import Finding, Fix
from ci_action.model.result import Conclusion, RunResult, ToolResult
from ci_action.model.totals import other_findings
from ci_action.reporters.context import REPORT, Publication, Screen
from ci_action.reporters.lines import (
    WIDTH,
    accounts,
    excerpt,
    facts,
    failures,
    finding_line,
    headline,
    hints,
    table,
    urgent,
    verdict,
)
from ci_action.system.text import neutral, one_line

if TYPE_CHECKING:
    from rich.console import Console

# A screenful or two; the report file has them all.
MOST_FINDINGS: Final = 60
_STYLES: Final = {
    Conclusion.PASSED: "bold green",
    Conclusion.WARNED: "bold yellow",
    Conclusion.SKIPPED: "bold",
    Conclusion.FAILED: "bold red",
    Conclusion.EMPTY: "bold red",
    Conclusion.BROKEN: "bold magenta",
}


def report(result: RunResult, publication: Publication) -> None:
    """Print findings, table, notes, report files and, in the last line, the verdict."""
    screen = publication.screen
    if screen.terminal or screen.color:
        _Painted(screen).show(result, publication)
        return
    for line in plain(result, publication):
        print(neutral(line), file=screen.stream)
    screen.stream.flush()


def plain(result: RunResult, publication: Publication) -> Iterator[str]:
    """Yield the lines for a stream without colours."""
    sections = publication.sections(result)
    if publication.workflow is None:  # under Actions the groups have shown them
        findings = other_findings(result)
        yield ""
        for line, traceback in failures(sections, _where(publication)):
            yield from (line, *traceback, "")
        for finding in findings[:MOST_FINDINGS]:
            yield finding_line(finding)
            yield from excerpt(finding, publication.source_lines(finding))
            yield ""
        yield from _rest(len(findings), publication)
    yield from urgent(sections)
    yield from table(result)
    yield from accounts(result)
    yield from facts(sections)
    yield from hints(result)
    yield from (f"note: {one_line(text)}" for text in [*result.warnings, *publication.problems])
    yield from _end(result, publication)
    yield verdict(result)


def _rest(total: int, publication: Publication) -> Iterator[str]:
    if total > MOST_FINDINGS:
        yield f"{MOST_FINDINGS} of {total:,} findings are shown, the rest is in {_where(publication)}"


def _where(publication: Publication) -> str:
    return publication.shown(REPORT) or "the report"


def _end(result: RunResult, publication: Publication) -> Iterator[str]:
    if publication.written:
        yield "reports: " + ", ".join(publication.shown(name) for name in sorted(publication.written))
    if result.reproduce and (result.verdict.exit_code or result.verdict.conclusion is Conclusion.BROKEN):
        yield f"reproduce: {result.reproduce}"
    fixable = sum(finding.fix is Fix.SAFE for finding in result.counting)
    if fixable:
        yield f"fix: ci-action fix (does {fixable:,} of the findings)"


class _Painted:
    """Prints with colours."""

    def __init__(self, screen: Screen) -> None:
        self._console = console_of(screen)

    def show(self, result: RunResult, publication: Publication) -> None:
        findings, sections = other_findings(result), publication.sections(result)
        self._line("", "none")
        for line, traceback in failures(sections, _where(publication)):
            self._line(line, "bold")
            for row in (*traceback, ""):
                self._line(row, "none")
        for finding in findings[:MOST_FINDINGS]:
            self._finding(finding, publication)
        for line in _rest(len(findings), publication):
            self._line(line, "yellow")
        for line in urgent(sections):
            self._line(line, "bold yellow")
        self._table(result)
        for line in (*accounts(result), *facts(sections)):
            self._line(line, "none")
        for line in hints(result):
            self._line(line, "bold")
        for text in [*result.warnings, *publication.problems]:
            self._line(f"note: {one_line(text)}", "yellow")
        for line in _end(result, publication):
            self._line(line, "dim")
        self._line(verdict(result), _STYLES[result.verdict.conclusion])

    def _line(self, text: str, style: str, start: int = 0) -> None:
        from rich.text import Text  # noqa: PLC0415 - see the module's docstring

        shown = Text(neutral(text))
        shown.stylize(style, start)
        self._console.print(shown, soft_wrap=True)

    def _finding(self, finding: Finding, publication: Publication) -> None:
        self._line(finding_line(finding), "bold")
        width = min(WIDTH, max(20, self._console.width - len("  12345 | ")))
        for line in excerpt(finding, publication.source_lines(finding), width):
            mark = line.lstrip()[:1]
            style = {"-": "red", "+": "green", "|": "bold red"}.get(mark, "none")
            self._line(line, style, line.index("|") + 1 if mark == "|" else 0)
        self._line("", "none")

    def _table(self, result: RunResult) -> None:
        head, *lines = table(result)
        self._line(head, "dim")
        for line in lines:
            outcome = line.rpartition(" ")[2]
            style = {"found": "red", "broken": "magenta", "passed": "green"}.get(outcome, "none")
            self._line(line, style, len(line) - len(outcome))


def console_of(screen: Screen) -> "Console":
    """Return Rich's console for a screen."""
    from rich.console import Console  # noqa: PLC0415 - see the module's docstring

    return Console(
        file=screen.stream,
        force_terminal=screen.terminal or screen.color,
        color_system="standard" if screen.color else None,
        no_color=not screen.color,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if screen.terminal else screen.width,
    )


class LiveProgress:
    """A live view of the running tools on a terminal, with the time that each has taken."""

    def __init__(self, screen: Screen) -> None:
        from rich.live import Live  # noqa: PLC0415 - see the module's docstring

        self._running: dict[str, float] = {}
        self._live = Live(
            console=console_of(screen),
            get_renderable=self._render,
            refresh_per_second=8,
            transient=True,
        )
        self._live.start()

    def _render(self) -> Any:
        from rich.text import Text  # noqa: PLC0415 - see the module's docstring

        now = time.monotonic()
        rows_ = [f"{name} … {now - start:.1f} s" for name, start in tuple(self._running.items())]
        return Text("\n".join(rows_))

    def started(self, tool: Tool) -> None:
        """Show the tool as running."""
        self._running[tool.name] = time.monotonic()

    def ended(self, result: ToolResult) -> None:
        """Say what became of the tool; the view ends with the last one."""
        from rich.text import Text  # noqa: PLC0415 - see the module's docstring

        self._running.pop(result.tool, None)
        self._live.console.print(Text(neutral(headline(result))))
        if not self._running:
            self._live.stop()


def wants_color(choice: str, *, terminal: bool, no_color: str) -> bool:
    """Whether to use colours: the `--color` option first, then `NO_COLOR` (https://no-color.org), then the terminal."""
    if choice != "auto":
        return choice == "always"
    return terminal and not no_color


def screen_of(choice: str, environ: Any, *, verbose: bool) -> Screen:
    """Return the screen that standard output is."""
    actions = environ.get("GITHUB_ACTIONS") == "true"
    terminal = sys.stdout.isatty() and not actions and environ.get("TERM") != "dumb"
    color = wants_color(choice, terminal=terminal, no_color=environ.get("NO_COLOR", ""))
    return Screen(stream=sys.stdout, terminal=terminal, color=color, verbose=verbose)
