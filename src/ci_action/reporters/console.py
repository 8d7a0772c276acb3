"""The console: the findings and the verdict as lines of text, with colours if the screen has them."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from ci_action.model.ranking import fair, number_of, rows_of
from ci_action.model.result import Conclusion, RunResult
from ci_action.model.section import Look
from ci_action.model.totals import fix_command, hint_line, hints_of, other_findings, why_exit_0
from ci_action.reporters.context import REPORT, Publication, Screen
from ci_action.reporters.limits import left_out
from ci_action.reporters.lines import (
    BOLD,
    STYLES,
    WIDTH,
    YELLOW,
    Row,
    excerpt,
    failures,
    finding_line,
    section_lines,
)
from ci_action.system.text import counted, neutral, one_line

# A screenful or two; report.json has all findings.
MOST_FINDINGS: Final = 60
_DIM: Final = "2"
# The margin of the source in an excerpt.
_MARGIN: Final = len("  12345 | ")


def report(result: RunResult, publication: Publication) -> None:
    """Print findings, tools, notes, report files and, in the last line, the verdict."""
    screen = publication.screen
    for row in _rows(result, publication):
        text = neutral(row.text)
        if screen.color and row.style:
            text = f"{text[: row.start]}\x1b[{row.style}m{text[row.start :]}\x1b[0m"
        print(text, file=screen.stream)
    screen.stream.flush()


def _rows(result: RunResult, publication: Publication) -> Iterator[Row]:
    sections = publication.sections(result)
    if publication.workflow is None:  # under Actions the groups of the log have shown them
        where = publication.shown(REPORT) or "the report"
        yield Row("")
        yield from failures(sections, where)
        rows = rows_of(other_findings(result))
        shown = fair(rows, MOST_FINDINGS)
        for row in shown:
            yield Row(finding_line(row), BOLD)
            width = min(WIDTH, max(20, publication.screen.width - _MARGIN))
            yield from excerpt(row.first, publication.source_lines(row.first), width)
            yield Row("")
        if note := left_out(number_of(shown), number_of(rows), "findings", where):
            yield Row(note, YELLOW)
    yield from section_lines(sections)
    yield from (Row(f"hint: {one_line(hint_line(hint))}", BOLD) for hint in hints_of(result))
    notes = (*result.warnings, *publication.problems)
    yield from (Row(f"note: {one_line(text)}", YELLOW) for text in notes)
    yield from (Row(text, _DIM) for text in _end(result, publication))
    if why := why_exit_0(result):
        yield Row(why, YELLOW)
    verdict = result.verdict
    reasons = f" ({one_line('; '.join(verdict.reasons))})" if verdict.reasons else ""
    text = f"ci-action: {verdict.conclusion}{reasons}, exit {int(verdict.exit_code)}"
    yield Row(text, f"{BOLD};{STYLES.get(Look(verdict.conclusion), '')}".rstrip(";"))


def _end(result: RunResult, publication: Publication) -> Iterator[str]:
    if publication.written:
        yield "reports: " + ", ".join(publication.shown(name) for name in sorted(publication.written))
    if result.reproduce and (result.verdict.exit_code or result.verdict.conclusion is Conclusion.BROKEN):
        yield f"reproduce: {result.reproduce}"
    command, fixable = fix_command(result)
    if fixable:
        yield f"fix: {command} ({counted(fixable, 'finding')})"


def wants_color(choice: str, *, terminal: bool, no_color: str) -> bool:
    """Whether to use colours: the `--color` option first, then `NO_COLOR` (https://no-color.org), then the terminal."""
    return choice == "always" if choice != "auto" else terminal and not no_color


def screen_of(choice: str, environ: Mapping[str, str], *, verbose: bool) -> Screen:
    """Return the screen that standard output is."""
    actions = environ.get("GITHUB_ACTIONS") == "true"
    terminal = sys.stdout.isatty() and not actions and environ.get("TERM") != "dumb"
    color = wants_color(choice, terminal=terminal, no_color=environ.get("NO_COLOR", ""))
    screen = Screen(stream=sys.stdout, terminal=terminal, color=color, verbose=verbose)
    return replace(screen, width=shutil.get_terminal_size().columns) if terminal else screen
