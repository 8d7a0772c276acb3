"""Tools, findings and sections as lines of text, for the console and the log of a job."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from ci_action.model.changes import aside
from ci_action.model.finding import Finding, Fix, Location
from ci_action.model.ranking import Row as FindingRow
from ci_action.model.result import Report, Skipped, ToolResult
from ci_action.model.section import (
    Channel,
    Edge,
    Entry,
    Facts,
    Graph,
    Items,
    Line,
    Link,
    Log,
    Look,
    Place,
    Rows,
    Section,
    Table,
)
from ci_action.model.totals import amounts
from ci_action.reporters.limits import WHY_HIDDEN, clipped, left_out
from ci_action.reporters.run_sections import counting
from ci_action.system.text import counted, duration, listed, one_line, visible

# Longer source lines are cut around the place of the finding.
WIDTH: Final = 110
MOST_ENTRIES: Final = 20
MOST_ROWS: Final = {Place.FIRST: 20, Place.MIDDLE: 20, Place.LAST: 5}
# The longest row and the longest cell of a section.
LONGEST_ROW: Final = 1_000
_CELL: Final = 60
_LAST_LINES: Final = 8
_MOST_REMOVED: Final = 6
_MOST_ADDED: Final = 8


BOLD: Final = "1"
RED: Final = "31"
GREEN: Final = "32"
YELLOW: Final = "33"
MAGENTA: Final = "35"
STYLES: Final = {
    Look.PASSED: GREEN,
    Look.WARNED: YELLOW,
    Look.FAILED: RED,
    Look.EMPTY: RED,
    Look.BROKEN: MAGENTA,
}


class Row(NamedTuple):
    """A line of text; the style, as numbers of SGR (ECMA-48), is for the part from `start` on."""

    text: str
    style: str = ""
    start: int = 0


def headline(tool: ToolResult) -> str:
    """Return how a tool ended, in one line."""
    match tool.outcome:
        case Report():
            text = f"{counted(counting(tool), 'finding')}{aside(tool.findings)} in {amounts(tool.examined)}"
        case Skipped(reason):
            text = f"skipped: {reason}"
        case _:
            text = f"broken: {tool.outcome.reason}"
    return one_line(f"{f'{tool.tool} {tool.version}'.strip()}: {text}, {duration(tool.seconds)}")


def finding_line(row: FindingRow) -> str:
    """Return a finding in one line: `path:line:column: tool rule [severity]: message`, and the number of others."""
    finding = row.first
    severity = f" [{finding.severity}]" if finding.severity else ""
    also = f" (also {', '.join(finding.also)})" if finding.also else ""
    upgrade = f" → {finding.package.upgrade}" if finding.package and finding.package.upgrade else ""
    fixable = " [fixable]" if finding.fix is Fix.SAFE else ""
    muted = f" (muted: {finding.muted})" if finding.muted else ""
    head = f"{finding.location or 'project'}: {finding.tool} {finding.rule}{severity}"
    more = f" ({row.more})" if row.more else ""
    return one_line(f"{head}: {finding.message}{also}{upgrade}{fixable}{muted}{more}")


def excerpt(finding: Finding, source: Sequence[str], width: int = WIDTH) -> Iterator[Row]:
    """Yield the source lines of a finding with their numbers, and carets below its place; or the diff of its fix."""
    place = finding.location
    if place is None or place.line is None:
        return
    if finding.before or finding.after:
        yield from _diff(finding, width)
    elif source:
        first = visible(source[0]).replace("\t", " ")
        start = min(max(0, (place.column or 1) - 1), len(first))  # the file may have changed since
        offset = max(0, start - width // 2) if len(first) > width else 0
        text = clipped(f"…{first[offset + 1 :]}" if offset else first, width)
        yield Row(f"  {place.line:>5} | {text}")
        if place.column is not None:
            carets = _carets(place, len(text) - (start - offset))
            yield Row(f"        | {' ' * (start - offset)}{carets}", f"{BOLD};{RED}", len("        |"))


def _diff(finding: Finding, width: int) -> Iterator[Row]:
    left = {"-": _MOST_REMOVED, "+": _MOST_ADDED}
    rest = 0
    for mark, line in finding.diff:
        left[mark] -= 1
        if left[mark] >= 0:
            yield Row(f"    {mark} {clipped(visible(line), width)}", GREEN if mark == "+" else RED)
        else:
            rest += 1
    if rest:
        yield Row(f"      … {rest} more lines")
    if finding.redacted:
        yield Row(f"      {WHY_HIDDEN}")


def _carets(place: Location, room: int) -> str:
    one_row = place.end_line in {None, place.line}
    width = (place.end_column - (place.column or 1)) if one_row and place.end_column else 1
    return "^" * max(1, min(width, max(1, room)))


def failures(sections: Iterable[Section], report: str) -> Iterator[Row]:
    """Yield for each entry of a log the line that names it and the last lines of its text."""
    blocks = (block for section in sections for block in section.rows(Channel.CONSOLE))
    for block in blocks:
        if isinstance(block, Log):
            for entry in block.rows[:MOST_ENTRIES]:
                yield Row(_entry(entry), BOLD)
                lines = [line.rstrip() for line in entry.text.split("\n") if line.strip()]
                yield from (Row(f"    | {clipped(visible(line), WIDTH)}") for line in lines[-_LAST_LINES:])
                yield Row("")
            if note := left_out(block.amount(MOST_ENTRIES), block.amount(len(block.rows)), where=report):
                yield Row(note, YELLOW)


def _entry(entry: Entry) -> str:
    return one_line(f"{entry.place or 'project'}: {entry.word} {entry.name}: {entry.message or entry.word}")


def section_lines(sections: Iterable[Section]) -> Iterator[Row]:
    """Yield the sections without their logs, those that come before everything else first."""
    for section in sorted(sections, key=lambda one: one.place is not Place.FIRST):
        style = f"{BOLD};{YELLOW}" if section.place is Place.FIRST and section.title else ""
        yield from (row._replace(style=row.style or style) for row in _section(section))


def _section(section: Section) -> Iterator[Row]:
    yield from (Row(_text(bar.line)) for bar in section.bars(Channel.CONSOLE))
    title, indent = section.title, "  " if section.title else ""
    for place in Place:
        for block in section.rows(Channel.CONSOLE, place):
            if isinstance(block, Log):
                continue
            if block.title or title:
                yield Row(f"{one_line(block.title or title)}:")
            title = ""
            most = len(block.rows) if block.whole else MOST_ROWS[place]
            for row in _rows(block, most):
                text = f"{indent}{clipped(row.text, LONGEST_ROW)}"
                yield Row(text, row.style, row.start + len(indent))
            if note := left_out(block.amount(most), block.amount(len(block.rows))):
                yield Row(f"{indent}{note}")
            if isinstance(block, Items) and block.note:
                yield Row(_text(block.note))


def _rows(block: Rows, most: int) -> Iterator[Row]:
    match block:
        case Facts():
            yield from (Row(f"{one_line(name)}: {_text(value)}") for name, value in block.rows[:most])
        case Table():
            yield from _table(block, most)
        case Items():
            for item in block.rows[:most]:
                figure = f": {one_line(item.figure)}" if item.figure else ""
                note = f", {one_line(item.note)}" if item.note else ""
                yield Row(f"{_text(item.line)}{figure}{note}")
        case Graph():
            yield from _graph(block, most)
        case Log():
            return


def _graph(block: Graph, most: int) -> Iterator[Row]:
    """Yield a line for each point, with those to which it leads."""
    for number, node in enumerate(block.rows[:most]):
        marks = f" ({', '.join(node.marks)})" if node.marks else ""
        below = [_below(block, edge) for edge in block.edges if edge.above == number]
        after = f", after {listed(below)}" if below else ""
        text = f": {node.text}" if node.text.strip() else ""
        yield Row(one_line(f"{node.name}{marks}{after}{text}"), STYLES.get(node.look, ""))


def _below(block: Graph, edge: Edge) -> str:
    more = f" ({edge.between:,} between)" if edge.between else ""
    return f"{block.rows[edge.below].name}{more}"


def _table(block: Table, most: int) -> Iterator[Row]:
    """Yield aligned rows; the last cell has the colour of its look."""
    rows = [[clipped(_text(line), _CELL) for line in row] for row in block.rows[:most]]
    head = [one_line(name) for name in block.head]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    looks = ["", *(_style(row[-1]) for row in block.rows)]
    for row, style in zip([head, *rows], looks, strict=False):
        text = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield Row(text, style, len(text) - len(row[-1]))


def _style(line: Line) -> str:
    return next((STYLES.get(part, "") for part in line if isinstance(part, Look)), "")


def _text(line: Line) -> str:
    parts = ("" if isinstance(part, Look) else part.text if isinstance(part, Link) else part for part in line)
    return "".join(map(one_line, parts))
