"""The words of the console: what is said of tools, findings and verdicts, as text without colours."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, assert_never

from ci_action.model.changes import aside
from ci_action.model.finding import Finding, Fix, Location
from ci_action.model.result import Broken, Report, RunResult, Skipped, ToolResult
from ci_action.model.section import (
    Channel,
    Entry,
    Facts,
    Items,
    Line,
    Link,
    Log,
    Place,
    Rows,
    Section,
    Table,
)
from ci_action.model.totals import amounts, hint_line, hints_of
from ci_action.reporters.markdown import clipped
from ci_action.system.text import duration, one_line, visible

# Longer lines are cut around the place of the finding.
WIDTH: Final = 110
MOST_ENTRIES: Final = 20
MOST_ROWS: Final = {Place.FIRST: 20, Place.MIDDLE: 20, Place.LAST: 5}
# A row and a cell of sections.
LONGEST_ROW: Final = 1_000
_CELL: Final = 60
_LAST_LINES: Final = 8
HEAD: Final = ("stage", "tool", "version", "from", "looked at", "findings", "seconds", "outcome")


def headline(tool: ToolResult) -> str:
    """Say in one line what became of a tool."""
    name = f"{tool.tool} {tool.version}".strip()
    match tool.outcome:
        case Report():
            counting = sum(finding.counts for finding in tool.findings)
            plural = "finding" if counting == 1 else "findings"
            text = f"{counting:,} {plural}{aside(tool.findings)} in {looked_at(tool)}"
        case Skipped(reason):
            text = f"skipped: {reason}"
        case Broken(reason):
            text = f"broken: {reason}"
        case unknown:
            assert_never(unknown)
    return one_line(f"{name}: {text}, {duration(tool.seconds)}")


def rows(result: RunResult) -> list[tuple[str, ...]]:
    """Return the rows of the table of tools, for the columns of `HEAD`."""
    return [
        tuple(
            one_line(cell)
            for cell in (
                stage.stage,
                tool.tool,
                tool.version,
                tool.version_source,
                looked_at(tool),
                f"{sum(finding.counts for finding in tool.findings):,}{aside(tool.findings)}",
                f"{tool.seconds:.2f}",
                _word(tool),
            )
        )
        for stage in result.stages
        for tool in stage.tools
    ]


def looked_at(tool: ToolResult) -> str:
    """Say what a tool looked at: `12 files, 1 unreadable`."""
    return amounts(tool.examined)


def _word(tool: ToolResult) -> str:
    match tool.outcome:
        case Report(findings=findings):
            return "found" if any(finding.counts for finding in findings) else "passed"
        case Skipped():
            return "skipped"
        case Broken():
            return "broken"
        case unknown:
            assert_never(unknown)


def table(result: RunResult) -> Iterator[str]:
    """Yield the table of tools as aligned text."""
    return _aligned([HEAD, *rows(result)])


def _aligned(cells: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def accounts(result: RunResult) -> list[str]:
    """Return for each stage of `all` why it was run or not."""
    return [f"stage {one_line(stage.account)}" for stage in result.stages if stage.account]


def finding_line(finding: Finding) -> str:
    """Say a finding in one line: `path:line:column: tool rule [severity]: message`."""
    place = one_line(str(finding.location)) if finding.location else "project"
    fixable = " [fixable]" if finding.fix is Fix.SAFE else ""
    muted = f" (muted: {one_line(finding.muted)})" if finding.muted else ""
    severity = f" [{finding.severity}]" if finding.severity else ""
    also = f" (also {one_line(', '.join(finding.also))})" if finding.also else ""
    upgrade = f" → {one_line(finding.package.upgrade)}" if finding.package and finding.package.upgrade else ""
    head = f"{place}: {finding.tool} {one_line(finding.rule)}{severity}"
    return f"{head}: {one_line(finding.message)}{also}{upgrade}{fixable}{muted}"


def excerpt(finding: Finding, source: Sequence[str], width: int = WIDTH) -> list[str]:
    """Return the source lines of a finding with their numbers, and carets under what it is about.

    For a change that Black would make: the lines as they are and as they should become.
    """
    place = finding.location
    if place is None or place.line is None:
        return []
    if finding.before or finding.after:
        removed = [("-", line) for line in finding.before.split("\n")[:-1]]
        added = [("+", line) for line in finding.after.split("\n")[:-1]]
        shown = [*removed[:6], *added[:8]]
        lines = [f"    {mark} {clipped(visible(line), width)}" for mark, line in shown]
        rest = len(removed) + len(added) - len(shown)
        return [*lines, f"      … {rest} more lines"] if rest else lines
    if not source:
        return []
    first = visible(source[0]).replace("\t", " ")
    start = min(max(0, (place.column or 1) - 1), len(first))  # the file may have changed since
    offset = max(0, start - width // 2) if len(first) > width else 0
    text = clipped(f"…{first[offset + 1 :]}" if offset else first, width)
    lines = [f"  {place.line:>5} | {text}"]
    if place.column is not None:
        lines.append(f"        | {' ' * (start - offset)}{_carets(place, len(text) - (start - offset))}")
    return lines


def _carets(place: Location, room: int) -> str:
    one_row = place.end_line in {None, place.line}
    width = (place.end_column - (place.column or 1)) if one_row and place.end_column else 1
    return "^" * max(1, min(width, max(1, room)))


def failures(sections: Iterable[Section], rest: str) -> Iterator[tuple[str, list[str]]]:
    """Yield for each entry of a log the line that names it and the last lines of its text."""
    blocks = (block for section in sections for block in section.rows(Channel.CONSOLE))
    for block in blocks:
        if isinstance(block, Log):
            yield from ((_entry(entry), _last(entry)) for entry in block.rows[:MOST_ENTRIES])
            if len(block.rows) > MOST_ENTRIES:
                yield f"{MOST_ENTRIES} of {len(block.rows):,} are shown, the rest is in {rest}", []


def _entry(entry: Entry) -> str:
    place = one_line(str(entry.place)) if entry.place else "project"
    message = one_line(entry.message) or one_line(entry.word)
    return f"{place}: {one_line(entry.word)} {one_line(entry.name)}: {message}"


def _last(entry: Entry) -> list[str]:
    lines = [line.rstrip() for line in entry.text.split("\n") if line.strip()]
    return [f"    | {clipped(visible(line), WIDTH)}" for line in lines[-_LAST_LINES:]]


def urgent(sections: Iterable[Section]) -> Iterator[str]:
    """Yield the sections that come before everything else."""
    for section in sections:
        if section.place is Place.FIRST:
            yield from _section(section)


def facts(sections: Iterable[Section]) -> Iterator[str]:
    """Yield what the other sections say, but their logs."""
    for section in sections:
        if section.place is not Place.FIRST:
            yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield from (_text(bar.line) for bar in section.bars(Channel.CONSOLE))
    blocks = [block for block in section.rows(Channel.CONSOLE) if not isinstance(block, Log)]
    for number, block in enumerate(blocks):
        if title := block.title or ("" if number else section.title):
            yield f"{one_line(title)}:"
        most = MOST_ROWS[section.place]
        yield from (f"  {clipped(row, LONGEST_ROW)}" for row in _rows(block, most))
        if len(block.rows) > most:
            yield f"  and {len(block.rows) - most:,} more"
        if isinstance(block, Items) and block.note:
            yield _text(block.note)


def _rows(block: Rows, most: int) -> Iterator[str]:
    match block:
        case Facts():
            yield from (f"{one_line(name)}: {_text(value)}" for name, value in block.rows[:most])
        case Table():
            cells = [[clipped(_text(line), _CELL) for line in row] for row in block.rows[:most]]
            yield from _aligned([[one_line(name) for name in block.head], *cells])
        case Items():
            for item in block.rows[:most]:
                figure = f": {one_line(item.figure)}" if item.figure else ""
                yield f"{_text(item.line)}{figure}" + (f", {one_line(item.note)}" if item.note else "")
        case Log():
            return
        case unknown:
            assert_never(unknown)


def hints(result: RunResult) -> Iterator[str]:
    """Yield the known errors that were recognised, and what to do."""
    return (f"hint: {one_line(hint_line(hint))}" for hint in hints_of(result))


def _text(line: Line) -> str:
    return "".join(one_line(part.text if isinstance(part, Link) else part) for part in line)


def verdict(result: RunResult) -> str:
    """Return the last line: the conclusion with its reasons."""
    reasons = f" ({one_line('; '.join(result.verdict.reasons))})" if result.verdict.reasons else ""
    return f"ci-action: {result.verdict.conclusion.value}{reasons}, exit {int(result.verdict.exit_code)}"
