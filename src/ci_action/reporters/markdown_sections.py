"""The sections of the stages as Markdown, for the job summary and the comment: each kind of block is drawn here alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, assert_never

from ci_action.github.event import Event
from ci_action.model.section import (
    Bar,
    Channel,
    Entry,
    Facts,
    Item,
    Items,
    Line,
    Link,
    Log,
    Ours,
    Place,
    Rows,
    Section,
    Table,
)
from ci_action.reporters.links import blob, where
from ci_action.reporters.markdown import cell, code, fenced, html_link, html_table, link

# Rows of one block; the report file has them all.
MOST: Final = {Place.FIRST: 20, Place.MIDDLE: 200, Place.LAST: 10}
MOST_FOLDED: Final = 10
MOST_ENTRIES: Final = 100
_MOST_OF_A_PART: Final = 20
_TEXT_LINES: Final = 60
# What a title and the number of rows that were left out may take.
_FRAME: Final = 150
_UNLIMITED: Final = 1 << 40


@dataclass(frozen=True)
class Drawing:
    """Draws sections for a channel."""

    channel: Channel
    event: Event
    size: Callable[[str], int]
    """Measures text as the channel counts it."""
    rest: str = ""
    """Where the rest is, as Markdown."""

    def totals(self, sections: Iterable[Section]) -> str:
        """Return the totals of all sections, a line each; empty where there are none."""
        bars = [bar for section in sections for bar in section.bars(self.channel)]
        return "\n".join(line for bar in bars for line in self._total(bar))

    def _total(self, bar: Bar) -> Iterator[str]:
        yield f"- {self._line(bar.line)}"
        for part in bar.parts:
            yield from (f"  - {self._line(row)}" for row in part.rows[:_MOST_OF_A_PART])
            if len(part.rows) > _MOST_OF_A_PART:
                yield f"  - and {len(part.rows) - _MOST_OF_A_PART:,} more {self._text(part.words)}"

    def first(self, section: Section, level: int) -> list[str]:
        """Return a section that comes before everything else; nothing of another."""
        return self._blocks(section, level) if section.place is Place.FIRST else []

    def middle(self, section: Section, level: int, room: int) -> list[str]:
        """Return what of a section comes before the findings, as many rows as there is room for."""
        if section.place is not Place.MIDDLE:
            return []
        return self._blocks(section, level, lambda block: not block.folded, room)

    def last(self, section: Section, level: int) -> list[str]:
        """Return what of a section comes after the findings."""
        if section.place is Place.FIRST:
            return []
        return self._blocks(section, level, lambda block: block.folded or section.place is Place.LAST)

    def _blocks(
        self,
        section: Section,
        level: int,
        wanted: Callable[[Rows], bool] = lambda _: True,
        room: int = _UNLIMITED,
    ) -> list[str]:
        """Return blocks under their titles; a first one without a title has that of the section above it."""
        blocks = [block for block in section.rows(self.channel) if wanted(block)]
        room -= _FRAME * len(blocks)
        found = []
        if blocks and not blocks[0].title:
            found.append(f"{'#' * level} {self._text(section.title)}")
            level += 1
        mark = "⚠️ " if section.place is Place.FIRST else ""
        for block in blocks:
            kept = self._fitting(section, block, room)
            room -= sum(self.size(row) + 2 for row in kept)
            text = self._whole(block, kept, self._left(section, block, len(kept)))
            if block.folded:
                found.append(f"<details><summary>{self._cell(block.title)}</summary>\n\n{text}\n\n</details>")
            else:
                title = f"{'#' * level} {mark}{self._text(block.title)}" if block.title else ""
                found += filter(None, (title, text))
        return found

    def _fitting(self, section: Section, block: Rows, room: int) -> list[str]:
        most = MOST_FOLDED if block.folded else MOST[section.place]
        kept = []
        for row in islice(self._rows(block), MOST_ENTRIES if isinstance(block, Log) else most):
            room -= self.size(row) + 2
            if room < 0:
                break
            kept.append(row)
        return kept

    def _left(self, section: Section, block: Rows, shown: int) -> str:
        """Say how many rows were left out; empty where all are there."""
        total = len(block.rows)
        if shown == total:
            return ""
        if block.folded or section.place is not Place.MIDDLE:
            return f"and {total - shown:,} more"
        rest = f", the rest is in {self.rest}" if self.rest else ""
        return f"**{shown:,} of {total:,} are shown here**{rest}."

    def _rows(self, block: Rows) -> Iterator[str]:
        match block:
            case Facts():
                return (_columns(self._cell(name), self._cells(value)) for name, value in block.rows)
            case Table():
                return (_columns(*map(self._cells, row)) for row in block.rows)
            case Items():
                return map(self._item, block.rows)
            case Log():
                return (self._entry(entry, block.what) for entry in block.rows)
            case unknown:
                assert_never(unknown)

    def _whole(self, block: Rows, rows: Sequence[str], left: str) -> str:
        match block:
            case Facts():
                parts = [html_table((), rows), left]
            case Table():
                parts = [html_table([*map(self._cell, block.head)], rows), left]
            case Items():
                if left and not left.startswith("*"):
                    rows, left = [*rows, f"- {left}"], ""
                parts = ["\n".join(rows), left, self._line(block.note)]
            case Log():
                parts = [*rows, left]
            case unknown:
                assert_never(unknown)
        return "\n\n".join(filter(None, parts))

    def _item(self, item: Item) -> str:
        figure = f": {self._text(item.figure)}" if item.figure else ""
        return f"- {self._line(item.line)}{figure}" + (f", {self._text(item.note)}" if item.note else "")

    def _entry(self, entry: Entry, what: str) -> str:
        place = entry.place
        at = where(place.path, place.line, self.event) if place else "—"
        text = f"{code(entry.name)} · {at} · {code(entry.message or entry.word)}"
        if entry.text.strip():
            lines = entry.text.strip("\n").split("\n")
            # The end of a traceback says what happened.
            cut = [f"… {len(lines) - _TEXT_LINES:,} lines before", *lines[-_TEXT_LINES:]]
            detail = "\n".join(lines if len(lines) <= _TEXT_LINES + 1 else cut)
            block = fenced(detail, lines=_TEXT_LINES + 1)
            text += f"\n\n<details><summary>{self._cell(what)}</summary>\n\n{block}\n\n</details>"
        return text

    def _line(self, line: Line) -> str:
        return "".join(map(self._text, line))

    def _text(self, part: str | Link) -> str:
        if isinstance(part, Link):
            return link(self._address(part), self._text(part.text))
        return part if isinstance(part, Ours) else code(part)

    def _cells(self, line: Line) -> str:
        return "".join(map(self._cell, line))

    def _cell(self, part: str | Link) -> str:
        """Return text for a place where Markdown has no meaning."""
        if isinstance(part, Link):
            return html_link(self._address(part), self._cell(part.text))
        return part if isinstance(part, Ours) else cell(part)

    def _address(self, part: Link) -> str:
        place = part.place
        return part.url or (blob(place.path, place.line or 1, self.event) if place else "")


def _columns(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{one}</td>" for one in cells) + "</tr>"
