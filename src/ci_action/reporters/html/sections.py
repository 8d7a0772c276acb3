"""The sections on the page: each kind of block is drawn only here."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Final

from ci_action.github.event import Event
from ci_action.model.finding import SEVERITIES
from ci_action.model.section import (
    Bar,
    Block,
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
    Section,
    Table,
)
from ci_action.model.totals import LONGEST_DETAIL, shortened
from ci_action.reporters.context import REPORT
from ci_action.reporters.html.graph import drawn
from ci_action.reporters.html.markup import (
    NOTHING,
    Html,
    bar,
    details,
    h,
    icon,
    join,
    link,
    pre,
    text,
)
from ci_action.reporters.limits import Room, left_out
from ci_action.reporters.markdown import address, blob

MOST: Final = 1_000
MOST_ENTRIES: Final = 500
MOST_NODES: Final = 200
# In characters: a block with wide rows comes to this before their number does.
LARGEST: Final = 4_000_000
_MOST_OPEN: Final = 5
_OPEN_UP_TO: Final = 40


def anchor(section: Section) -> str:
    """Return the name of a section in addresses."""
    return "-".join(re.findall("[a-z0-9]+", section.title.lower()))


def note(shown: int, total: int, what: str = "") -> Html:
    """Return the note above rows that are not complete; nothing if they are."""
    cut = left_out(shown, total, what, REPORT)
    return h("p", h("strong", cut), class_="cut") if cut else NOTHING


@dataclass(frozen=True)
class Drawing:
    """Draws sections; the event has the address of their places on GitHub."""

    event: Event

    def section(self, given: Section) -> Html:
        """Return a section; nothing if it has no block for the page."""
        blocks = [block for block in given.blocks if Channel.PAGE in block.on]
        if not blocks:
            return NOTHING
        opened = [block for block in blocks if not block.folded]
        ordered = (*opened, *_parts(given.bars(Channel.PAGE)), *(block for block in blocks if block.folded))
        heading = h("h2", given.title) if opened else NOTHING
        return h("section", heading, *map(self._block, ordered), id=anchor(given))

    def _block(self, block: Block) -> Html:
        if isinstance(block, Bar):
            return self._bar(block)
        if isinstance(block, Graph):
            return self._graph(block)
        most = MOST_ENTRIES if isinstance(block, Log) else MOST
        kept = Room(LARGEST).fitting(self._rows(block), most)
        body = join(note(block.amount(len(kept)), block.amount(len(block.rows))), self._body(block, kept))
        if isinstance(block, Items) and block.title:
            opened = not block.folded and len(block.rows) <= _OPEN_UP_TO
            number = len(block.rows) if block.number is None else block.number
            return details(f"{block.title} ({number:,})", body, opened=opened)
        if block.folded:
            return details(block.title, body)
        return join(h("h3", block.title) if block.title else NOTHING, body)

    def _graph(self, block: Graph) -> Html:
        kept = block.first(MOST_NODES)
        urls = [address(Link(node.name, place=node.place), self.event) for node in kept.rows]
        picture = h("div", drawn(kept, block.title, urls), class_="card wide", tabindex=0)
        body = join(note(block.amount(len(kept.rows)), block.amount(len(block.rows))), picture)
        if block.folded:
            return details(block.title, body)
        return join(h("h3", block.title) if block.title else NOTHING, body)

    def _rows(self, block: Facts | Table | Items | Log) -> Iterator[Html]:
        match block:
            case Facts():
                return (h("div", h("dt", name), h("dd", *self._line(value))) for name, value in block.rows)
            case Table():
                return (h("tr", *(h("td", *self._line(line)) for line in row)) for row in block.rows)
            case Items():
                return map(self._item, block.rows)
            case _:
                return starmap(self._entry, enumerate(block.rows))

    def _body(self, block: Facts | Table | Items | Log, rows: Sequence[Html]) -> Html:
        match block:
            case Facts():
                return h("dl", *rows, class_="facts card")
            case Table():
                head = h("thead", h("tr", *(h("th", name) for name in block.head)))
                return h("div", h("table", head, h("tbody", *rows)), class_="card wide", tabindex=0)
            case Items():
                bars = any(item.share is not None for item in block.rows)
                look = ("bars" if block.title else "bars large") if bars else None
                below = h("p", *self._line(block.note), class_="quiet") if block.note else NOTHING
                body = join(h("ul", *rows, class_=look), below)
                return body if block.title else h("div", body, class_="card")
            case _:
                return h("div", *rows, class_="card failures")

    def _item(self, item: Item) -> Html:
        parts = [*self._line(item.line)]
        lost = h("span", item.note, class_="lost quiet") if item.note else NOTHING
        if item.share is None:
            figure = (Html(": "), h("span", item.figure)) if item.figure else ()
            return h("li", *parts, *figure, Html(" ") if lost else NOTHING, lost)
        name = parts[0] if len(parts) == 1 else h("span", *parts)
        drawn = bar(item.figure, (item.share, item.look.value), mark=item.mark)
        return h("li", name, drawn, h("span", item.figure, class_="figure"), lost)

    def _entry(self, number: int, entry: Entry) -> Html:
        summary = join(
            icon(entry.look.value),
            h("span", entry.name, class_="path"),
            h("span", entry.message or entry.word, class_="message"),
        )
        place = entry.place
        url = blob(place.path, place.line, self.event) if place and place.line else ""
        about = [entry.word, *([link(url, str(place))] if place else []), *entry.about]
        written = shortened(entry.text)
        body = pre(written, lines=LONGEST_DETAIL, width=2_000) if written.strip() else NOTHING
        return details(
            summary,
            h("p", *(h("span", one) for one in about), class_="about"),
            body,
            opened=number < _MOST_OPEN,
            class_="failure",
        )

    def _bar(self, block: Bar) -> Html:
        """Return a total with its parts, the worst first."""
        if not block.parts:
            return h("div", h("p", *self._line(block.line), class_="quiet"), class_="card")
        parts = sorted(
            filter(lambda part: part.amount, block.parts), key=lambda part: list(Look).index(part.look)
        )
        total = sum(part.amount for part in parts)
        legend = (
            h("li", icon(part.look.value), h("b", f"{part.amount:,}"), f" {part.words}") for part in parts
        )
        label = ", ".join(f"{part.amount:,} {part.words}" for part in parts)
        number, _, words = block.title.partition(" ")
        return h(
            "div",
            h("p", h("b", number, class_="large"), f" {words}"),
            bar(label, *((part.amount * 100 / total, part.look.value) for part in parts)),
            h("ul", *legend, class_="legend"),
            class_="card",
        )

    def _line(self, line: Line) -> Iterator[Html]:
        for part in line:
            if isinstance(part, Link):
                yield link(address(part, self.event), _text(part.text))
            else:
                yield icon(part.value) if isinstance(part, Look) else _text(part)


def _text(given: str) -> Html:
    if isinstance(given, Ours):
        return h("span", given, class_=f"severity is-{given}") if given in SEVERITIES else text(given)
    return h("span", given, class_="path")


def _parts(bars: Iterable[Bar]) -> Iterator[Items]:
    """Yield what the parts of totals are made of."""
    for part in (part for one in bars for part in one.parts if part.rows):
        title, rows = part.head or part.words, tuple(map(Item, part.rows))
        yield Items(title=title, rows=rows, number=part.amount, folded=True)
