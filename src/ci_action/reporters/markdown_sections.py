"""Sections and findings as Markdown, for the job summary and the comment: each kind of block is drawn only here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ci_action.github.event import Event
from ci_action.model.ranking import Row
from ci_action.model.section import (
    Bar,
    Channel,
    Entry,
    Facts,
    Graph,
    Item,
    Items,
    Line,
    Link,
    Log,
    Look,
    Ours,
    Place,
    Rows,
    Section,
    Table,
    known,
)
from ci_action.reporters import mermaid
from ci_action.reporters.limits import Room, left_out
from ci_action.reporters.markdown import (
    address,
    bar,
    cell,
    code,
    fenced,
    html_link,
    html_row,
    html_table,
    link,
    where,
)

# Rows of one block; report.json has them all.
MOST: Final = {Place.FIRST: 20, Place.MIDDLE: 200, Place.LAST: 10}
MOST_OF: Final[Mapping[type[Rows], int]] = {Log: 100, Graph: mermaid.MOST}
_MOST_OF_A_PART: Final = 20
_TEXT_LINES: Final = 60
# What the title of a block and the number of its rows that were left out may take.
_FRAME: Final = 150
SIGNS: Final = {
    Look.PASSED: "✅",
    Look.WARNED: "⚠️",
    Look.SKIPPED: "⏭️",
    Look.FAILED: "❌",
    Look.EMPTY: "🈳",
    Look.BROKEN: "💥",
    Look.NOTICE: "💡",
    Look.PLAIN: "",
}


@dataclass(frozen=True)
class Drawing:
    """Draws sections for a channel."""

    channel: Channel
    event: Event
    level: int
    """The level of their headings."""
    rest: str = ""
    """Where all rows are, as Markdown."""

    def totals(self, sections: Iterable[Section]) -> str:
        """Return the totals of all sections, a line each; empty if there are none."""
        bars = [bar for section in sections for bar in section.bars(self.channel)]
        return "\n".join(line for bar in bars for line in self._total(bar))

    def _total(self, bar: Bar) -> Iterator[str]:
        yield f"- {self._line(bar.line)}"
        for part in bar.parts:
            yield from (f"  - {self._line(row)}" for row in part.rows[:_MOST_OF_A_PART])
            if len(part.rows) > _MOST_OF_A_PART:
                yield f"  - and {len(part.rows) - _MOST_OF_A_PART:,} more {self._text(part.words)}"

    def at(self, place: Place, sections: Iterable[Section], room: Room) -> Iterator[str]:
        """Yield the blocks for a place, as many rows as there is room for; in the middle each section gets two thirds."""
        for section in sections:
            blocks = [block for block in section.rows(self.channel, place) if block.rows]
            if blocks and room.left > _FRAME * len(blocks):
                share = Room(room.left * 2 // 3 if place is Place.MIDDLE else room.left, room.size)
                before = share.left
                yield from self._blocks(section, blocks, place, share)
                room.left -= before - share.left

    def _blocks(self, section: Section, blocks: Sequence[Rows], place: Place, room: Room) -> Iterator[str]:
        """Yield blocks under their titles; a first one without a title has that of its section."""
        level = self.level
        room.left -= _FRAME * len(blocks)
        if section.title and not blocks[0].title:
            yield f"{'#' * level} {self._text(section.title)}"
            level += 1
        mark = "⚠️ " if place is Place.FIRST else ""
        for block in blocks:
            if isinstance(block, Graph):
                room.left -= mermaid.FRAME
            most = MOST_OF.get(type(block)) or (len(block.rows) if block.whole else MOST[place])
            rows = room.fitting(self._rows(block), most)
            rest = left_out(block.amount(len(rows)), block.amount(len(block.rows)), where=self.rest)
            text = self._whole(block, rows, f"**{rest}**" if rest else "")
            if block.folded:
                yield f"<details><summary>{self._text(block.title, html=True)}</summary>\n\n{text}\n\n</details>"
            elif block.title:
                yield f"{'#' * level} {mark}{self._text(block.title)}\n\n{text}"
            else:
                yield text

    def _rows(self, block: Rows) -> Iterator[str]:
        match block:
            case Facts():
                return (
                    html_row(self._line(line, html=True) for line in ((name,), value))
                    for name, value in block.rows
                )
            case Table():
                return (html_row(self._line(line, html=True) for line in row) for row in block.rows)
            case Items():
                # A folded list comes last, and leaves the room to what failed.
                return (self._item(one, bars=not block.folded) for one in block.rows)
            case Graph():
                return mermaid.rows(block)
            case _:
                return (self._entry(entry, block.what) for entry in block.rows)

    def _whole(self, block: Rows, rows: Sequence[str], rest: str) -> str:
        match block:
            case Facts():
                parts = [html_table((), rows), rest]
            case Table():
                parts = [html_table([self._text(name, html=True) for name in block.head], rows), rest]
            case Items():
                parts = ["\n".join(rows), rest, self._line(block.note)]
            case Graph():
                parts = [mermaid.diagram(block.title, rows) if rows else "", rest]
            case _:
                parts = [*rows, rest]
        return "\n\n".join(filter(None, parts))

    def _item(self, item: Item, *, bars: bool) -> str:
        figure = f": {self._text(item.figure)}" if item.figure else ""
        share = f"{bar(item.share)} " if bars and item.share is not None else ""
        note = f", {self._text(item.note)}" if item.note else ""
        return f"- {share}{self._line(item.line)}{figure}{note}"

    def _entry(self, entry: Entry, what: str) -> str:
        place = entry.place
        at = f" · {where(place, self.event)}" if place else ""
        text = f"{code(entry.name)}{at} · {code(entry.message or entry.word)}"
        if entry.text.strip():
            lines = entry.text.strip("\n").split("\n")
            # The end of a traceback has the error.
            cut = [f"… {len(lines) - _TEXT_LINES:,} lines before", *lines[-_TEXT_LINES:]]
            detail = "\n".join(lines if len(lines) <= _TEXT_LINES + 1 else cut)
            block = fenced(detail, lines=_TEXT_LINES + 1)
            text += f"\n\n<details><summary>{self._text(what, html=True)}</summary>\n\n{block}\n\n</details>"
        return text

    def finding(self, row: Row) -> str:
        """Return the row of a finding, from its line to its severity, and the number of others."""
        finding = row.first
        place = finding.location
        at = where(place, self.event) if place else "the project"
        # A comment may be about a report that a fork has written: no link of its choice.
        url = finding.url if self.channel is Channel.SUMMARY else ""
        rule = link(url, code(finding.rule, 80))
        severity = f" · {self._text(known(finding.severity))}" if finding.severity else ""
        more = f" · {row.more}" if row.more else ""
        return f"{at} · {self._text(known(finding.tool))} {rule} · {code(finding.message)}{severity}{more}"

    def _line(self, line: Line, *, html: bool = False) -> str:
        return "".join(self._text(part, html=html) for part in line)

    def _text(self, part: str | Link, *, html: bool = False) -> str:
        """Return text as Markdown, or for a place inside HTML, where Markdown has no meaning."""
        if isinstance(part, Link):
            inner = self._text(part.text, html=html)
            return (html_link if html else link)(address(part, self.event), inner)
        if isinstance(part, Look):
            return f"{SIGNS[part]} "
        return part if isinstance(part, Ours) else cell(part) if html else code(part)
