"""The sections of the stages on the page: each kind of block is drawn here alone."""

import re
from collections.abc import Iterator
from typing import Final, assert_never

from ci_action.github.event import Event
from ci_action.model.finding import SEVERITIES
from ci_action.model.section import (
    Bar,
    Block,
    Channel,
    Entry,
    Facts,
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
from ci_action.reporters.html.markup import NOTHING, Html, Markup
from ci_action.reporters.markdown import blob

MOST: Final = 1_000
MOST_ENTRIES: Final = 500
# In characters: a block with wide rows comes to this before their number does.
LARGEST: Final = 4_000_000
_MOST_OPEN: Final = 5
_OPEN_UP_TO: Final = 40


def anchor(section: Section) -> str:
    """Return the name of a section in addresses."""
    return "-".join(re.findall("[a-z0-9]+", section.title.lower()))


def section(h: Markup, given: Section, event: Event) -> Html:
    """Return a section; nothing where it has nothing for the page."""
    blocks = [block for block in given.blocks if Channel.PAGE in block.on]
    if not blocks:
        return NOTHING
    ordered = (
        *(block for block in blocks if not block.folded),
        *_parts(given.bars(Channel.PAGE)),
        *(block for block in blocks if block.folded),
    )
    drawn = (_block(h, block, event) for block in ordered)
    heading = NOTHING if all(block.folded for block in blocks) else h("h2", given.title)
    return h("section", heading, *drawn, id=anchor(given))


def _block(h: Markup, block: Block, event: Event) -> Html:
    match block:
        case Facts():
            return _facts(h, block, event)
        case Table():
            return _table(h, block, event)
        case Items():
            return _items(h, block, event)
        case Log():
            return _log(h, block, event)
        case Bar():
            return _bar(h, block, event)
        case unknown:
            assert_never(unknown)


def _titled(h: Markup, block: Block, *body: Html) -> Html:
    return h.join(h("h3", block.title) if block.title else NOTHING, *body)


def _line(h: Markup, line: Line, event: Event) -> Iterator[Html]:
    for part in line:
        if isinstance(part, Link):
            place = part.place
            url = part.url or (blob(place.path, place.line or 1, event) if place else "")
            yield h.link(url, _text(h, part.text))
        else:
            yield _text(h, part)


def _text(h: Markup, text: str) -> Html:
    if isinstance(text, Ours):
        return h("span", text, class_=f"severity is-{text}") if text in SEVERITIES else h.text(text)
    return h("span", text, class_="path")


def _fitting(rows: Iterator[Html], most: int) -> list[Html]:
    """Return as many rows as a browser likes."""
    kept: list[Html] = []
    room = LARGEST
    for row in rows:
        room -= len(row)
        if len(kept) == most or (room < 0 and kept):
            break
        kept.append(row)
    return kept


def _cut(h: Markup, shown: int, total: int) -> Html:
    if shown == total:
        return NOTHING
    said = h("strong", f"{shown:,} of {total:,} are on this page")
    return h("p", said, "; the rest is in ", h("code", REPORT), ".", class_="cut")


def _facts(h: Markup, block: Facts, event: Event) -> Html:
    pairs = _fitting(
        (h("div", h("dt", name), h("dd", *_line(h, value, event))) for name, value in block.rows), MOST
    )
    body = h.join(_cut(h, len(pairs), len(block.rows)), h("dl", *pairs, class_="facts card"))
    return h.details(block.title, body, class_="card") if block.folded else _titled(h, block, body)


def _table(h: Markup, block: Table, event: Event) -> Html:
    cells = ((h("td", *_line(h, line, event)) for line in row) for row in block.rows)
    rows = _fitting((h("tr", *row) for row in cells), MOST)
    head = h("thead", h("tr", *(h("th", name) for name in block.head)))
    table = h("div", h("table", head, h("tbody", *rows)), class_="card wide", tabindex=0)
    body = h.join(_cut(h, len(rows), len(block.rows)), table)
    return h.details(block.title, body, class_="card") if block.folded else _titled(h, block, body)


def _items(h: Markup, block: Items, event: Event) -> Html:
    rows = _fitting((_item(h, item, event) for item in block.rows), MOST)
    if len(rows) < len(block.rows):
        rows.append(h("li", f"and {len(block.rows) - len(rows):,} more", class_="quiet"))
    look = None
    if any(item.share is not None for item in block.rows):
        look = "bars" if block.title else "bars large"
    body = [h("ul", *rows, class_=look)]
    if block.note:
        body.append(h("p", *_line(h, block.note, event), class_="quiet"))
    if not block.title:
        return h("div", *body, class_="card")
    opened = not block.folded and len(block.rows) <= _OPEN_UP_TO
    number = len(block.rows) if block.number is None else block.number
    return h.details(f"{block.title} ({number:,})", *body, opened=opened, class_="card")


def _item(h: Markup, item: Item, event: Event) -> Html:
    parts = [*_line(h, item.line, event)]
    note = h("span", item.note, class_="lost quiet") if item.note else NOTHING
    if item.share is None:
        figure = (Html(": "), h("span", item.figure)) if item.figure else ()
        return h("li", *parts, *figure, Html(" ") if note else NOTHING, note)
    bar = h.bar(item.figure, (item.share, item.look.value), mark=item.mark)
    name = parts[0] if len(parts) == 1 else h("span", *parts)
    return h("li", name, bar, h("span", item.figure, class_="figure"), note)


def _log(h: Markup, block: Log, event: Event) -> Html:
    entries = (_entry(h, entry, event, opened=number < _MOST_OPEN) for number, entry in enumerate(block.rows))
    kept = _fitting(entries, MOST_ENTRIES)
    cut = _cut(h, len(kept), len(block.rows))
    return _titled(h, block, cut, h("div", *kept, class_="card failures"))


def _entry(h: Markup, entry: Entry, event: Event, *, opened: bool) -> Html:
    summary = h.join(
        h.icon(entry.look.value),
        h("span", entry.name, class_="path"),
        h("span", entry.message or entry.word, class_="message"),
    )
    place = entry.place
    url = blob(place.path, place.line, event) if place and place.line else ""
    about = h(
        "p",
        h("span", entry.word),
        h("span", h.link(url, str(place))) if place else NOTHING,
        *(h("span", text) for text in entry.about),
        class_="about",
    )
    text = shortened(entry.text)
    body = h.block(text, lines=LONGEST_DETAIL, width=2_000) if text.strip() else NOTHING
    return h.details(summary, about, body, opened=opened, class_="failure")


def _bar(h: Markup, block: Bar, event: Event) -> Html:
    """Return a total with its parts, the worst first."""
    if not block.parts:
        return h("div", h("p", *_line(h, block.line, event), class_="quiet"), class_="card")
    parts = sorted(
        (part for part in block.parts if part.amount), key=lambda part: list(Look).index(part.look)
    )
    total = sum(part.amount for part in parts)
    legend = (
        h("li", h.icon(part.look.value), h("b", f"{part.amount:,}"), f" {part.words}") for part in parts
    )
    number, _, words = block.title.partition(" ")
    return h(
        "div",
        h("p", h("b", number, class_="large"), f" {words}"),
        h.bar(
            ", ".join(f"{part.amount:,} {part.words}" for part in parts),
            *((part.amount * 100 / total, part.look.value) for part in parts),
        ),
        h("ul", *legend, class_="legend"),
        class_="card",
    )


def _parts(bars: list[Bar]) -> Iterator[Items]:
    """Return what the parts of totals are made of."""
    for part in (part for bar in bars for part in bar.parts if part.rows):
        yield Items(
            title=part.head or part.words, rows=tuple(map(Item, part.rows)), number=part.amount, folded=True
        )
