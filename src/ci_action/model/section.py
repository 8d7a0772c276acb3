"""What a stage reports beside its findings: sections made of blocks, as plain data that each channel draws in its own way.

Every text in them is foreign, and is escaped, unless it is `Ours`. The most important rows come first: a channel may show
only these and the number of all.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum, StrEnum, auto
from typing import Final, Self, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ci_action.model.finding import Finding, Location
from ci_action.system.text import counted

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,39}")


class Channel(Enum):
    """A channel that draws sections."""

    CONSOLE = auto()
    SUMMARY = auto()
    PAGE = auto()
    COMMENT = auto()


EVERYWHERE: Final = frozenset(Channel)


class Place(Enum):
    """The place of a section: before everything else, or before or after the findings."""

    FIRST = auto()
    MIDDLE = auto()
    LAST = auto()


class Look(StrEnum):
    """The sign and the colour of a figure or an entry, the worst first. In a line it is drawn as its sign."""

    FAILED = auto()
    BROKEN = auto()
    WARNED = auto()
    EMPTY = auto()
    PASSED = auto()
    NOTICE = auto()
    SKIPPED = auto()
    PLAIN = auto()


class Ours(str):
    """Our own text, without characters that have a meaning in Markdown or HTML."""

    __slots__ = ()


class Link(Struct, frozen=True):
    """Text that links to an address, or to a place in the project's files."""

    text: str
    url: str = ""
    place: Location | None = None


Line: TypeAlias = tuple[str | Link, ...]
"""Parts of one line without anything between them."""


def known(word: str) -> str:
    """Return the name of a tool, a severity and the like as `Ours` if it is a plain word."""
    return Ours(word) if _WORD.fullmatch(word) else word


def joined(texts: Iterable[str], separator: str = ", ") -> Line:
    """Return texts with a separator between them."""
    parts = [part for text in texts for part in (Ours(separator), text)]
    return tuple(parts[1:])


def place_link(place: Location) -> Link:
    """Return a link to a place, as editors write it."""
    return Link(str(place), place=place)


class _Block(Struct, frozen=True, kw_only=True):
    """A part of a section."""

    title: str = ""
    on: frozenset[Channel] = EVERYWHERE
    folded: bool = False
    """Whether it is collapsed at first. Texts have it after the findings."""
    whole: bool = False
    """Whether all rows are shown wherever there is room, not only the first."""
    counts: tuple[int, ...] = ()
    """The number of things in each row, if a row can be about several."""

    def amount(self, rows: int) -> int:
        """Return the number of things in the first rows."""
        return sum(self.counts[:rows]) if self.counts else rows


class Facts(_Block, frozen=True, kw_only=True):
    """Names with their values."""

    rows: tuple[tuple[str, Line], ...]


class Table(_Block, frozen=True, kw_only=True):
    """Rows of cells below the names of the columns."""

    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]


class Item(Struct, frozen=True):
    """A row of a list; with a share in percent, the page draws a bar beside it, and Markdown if the list is not folded."""

    line: Line
    figure: str = ""
    share: float | None = None
    note: str = ""
    mark: float | None = None
    """The position of a mark across the bar, in percent."""
    look: Look = Look.PASSED


class Items(_Block, frozen=True, kw_only=True):
    """A list."""

    rows: tuple[Item, ...]
    note: Line = ()
    """What to do about them."""
    number: int | None = None
    """The number of things in all rows, if a row can be about several."""


class Entry(Struct, frozen=True, kw_only=True):
    """Something that failed, with its output."""

    name: str
    message: str
    word: str
    """Its outcome."""
    text: str = ""
    """Its output, of which the end matters most."""
    place: Location | None = None
    about: tuple[str, ...] = ()
    look: Look = Look.FAILED


class Log(_Block, frozen=True, kw_only=True):
    """What failed, each with its output. The first entries are open on the page."""

    rows: tuple[Entry, ...]
    what: str = Ours("Output")
    """The name of the text of an entry."""


class Part(Struct, frozen=True, kw_only=True):
    """A part of a total, with rows that list what is in it."""

    amount: int
    words: str
    look: Look
    head: str = ""
    """The heading of the rows on the page."""
    rows: tuple[Line, ...] = ()


class Bar(_Block, frozen=True, kw_only=True):
    """A total: a bar of its parts on the page, elsewhere one line with its title and its parts, or other text instead."""

    parts: tuple[Part, ...] = ()
    text: Line = ()

    @property
    def line(self) -> Line:
        """The total in one line."""
        parts = [text for part in self.parts for text in (Ours(", "), Ours(f"{part.amount:,} "), part.words)]
        return (self.title, Ours(": "), *(self.text or parts[1:]))


class Node(Struct, frozen=True, kw_only=True):
    """A point of a graph."""

    name: str
    marks: tuple[str, ...] = ()
    """What is special about it, a few words each."""
    text: str = ""
    place: Location | None = None
    look: Look = Look.PLAIN


class Edge(Struct, frozen=True):
    """An arrow between two rows of a graph, by their numbers: from the one below to the one above."""

    above: int
    below: int
    between: int = 0
    """The number of points between the two that are left out."""


class Graph(_Block, frozen=True, kw_only=True):
    """Points with arrows between them: each row is above those from which arrows lead to it."""

    rows: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def edges_to(self, row: int) -> Iterator[Edge]:
        """Yield the arrows between a row and the rows before it: so the first rows with theirs are a graph as well."""
        return (edge for edge in self.edges if max(edge.above, edge.below) == row)

    def first(self, most: int) -> "Graph":
        """Return the graph of the first rows."""
        edges = tuple(edge for edge in self.edges if max(edge.above, edge.below) < most)
        return replace(self, rows=self.rows[:most], edges=edges)


Rows: TypeAlias = Facts | Table | Items | Log | Graph
Block: TypeAlias = Rows | Bar


class Tile(Struct, frozen=True):
    """The figure that summarises a section."""

    figure: str
    words: str
    look: Look = Look.PLAIN

    @classmethod
    def of(cls, number: int, noun: str, look: Look) -> Self:
        """Return a number with its noun."""
        figure, _, words = counted(number, noun).partition(" ")
        return cls(figure, Ours(words), look)


class Section(Struct, frozen=True, kw_only=True):
    """What a stage or a run reports under one title."""

    title: str
    blocks: tuple[Block, ...]
    place: Place = Place.MIDDLE
    tile: Tile | None = None
    shows: tuple[Finding, ...] = ()
    """The findings that its tables and lists contain in full, and that the job summary does not repeat."""

    def bars(self, channel: Channel) -> list[Bar]:
        """Return the totals for a channel."""
        return [one for one in self.blocks if channel in one.on and isinstance(one, Bar)]

    def rows(self, channel: Channel, place: Place | None = None) -> list[Rows]:
        """Return the other blocks for a channel: all of them, or those for one place of a text."""
        return [
            one
            for one in self.blocks
            if channel in one.on and not isinstance(one, Bar) and place in {None, self._place(one)}
        ]

    def _place(self, block: Block) -> Place:
        return Place.LAST if block.folded and self.place is Place.MIDDLE else self.place
