"""A graph on the page: a row for each point, and lanes in which the lines between them run down, drawn as SVG."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from ci_action.model.section import Edge, Graph, Look, Node
from ci_action.reporters.html.markup import NOTHING, Html, h, join, link
from ci_action.reporters.limits import clipped
from ci_action.system.text import listed, one_line

# In pixels: the height of a row, the width of a lane, the radius of a point, the margin, and the widest letter.
_ROW: Final = 48
_LANE: Final = 20
_RADIUS: Final = 6
_MARGIN: Final = 18
_LETTER: Final = 8.5
_NAME: Final = 60
_TEXT: Final = 120


def lanes(rows: int, edges: Sequence[Edge]) -> tuple[list[int], list[int]]:
    """Return the lane of each row, and the lane in which each edge runs between its rows."""
    waiting: list[int | None] = []
    """The row to which each lane leads; None for a free one."""
    own: list[int] = []
    taken = [0] * len(edges)
    for row in range(rows):
        ending = [lane for lane, target in enumerate(waiting) if target == row]
        for lane in ending:
            waiting[lane] = None
        own.append(ending[0] if ending else _free(waiting))
        below = [number for number, edge in enumerate(edges) if min(edge.above, edge.below) == row]
        for number in below:
            lane = own[row] if number == below[0] else _free(waiting)
            waiting[lane] = max(edges[number].above, edges[number].below)
            taken[number] = lane
    return own, taken


def _free(waiting: list[int | None]) -> int:
    """Return the first free lane, a new one if there is none."""
    if None not in waiting:
        waiting.append(None)
    return waiting.index(None)


def drawn(graph: Graph, title: str, urls: Sequence[str]) -> Html:
    """Return the picture of a graph; the addresses of its rows may be empty."""
    own, taken = lanes(len(graph.rows), graph.edges)
    left = 2 * _MARGIN + _LANE * max(own + taken, default=0)
    width = int(left + _LETTER * max(map(_letters, graph.rows), default=0)) + _MARGIN
    height = _ROW * len(graph.rows)
    lines = (
        line
        for edge, lane in zip(graph.edges, taken, strict=True)
        for line in _line(edge, own[edge.above], own[edge.below], lane)
    )
    points = (_point(number, node, own[number], left, urls[number]) for number, node in enumerate(graph.rows))
    return h(
        "svg",
        h("title", title),
        h("desc", "; ".join(_sentences(graph))),
        *lines,
        *points,
        class_="graph",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
    )


def _letters(node: Node) -> int:
    """Return the width of the longer line of a row, in letters."""
    first = f"{clipped(node.name, _NAME)}  {', '.join(node.marks)}"
    return max(_width(first), _width(clipped(node.text, _TEXT)))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in one_line(text))


def _place(row: int, lane: int) -> tuple[int, int]:
    return _MARGIN + lane * _LANE, row * _ROW + _ROW // 2


def _line(edge: Edge, above: int, below: int, lane: int) -> Iterator[Html]:
    """Yield the line of an edge: into its lane within a row, down in it, and out of it within the last row."""
    rows = sorted([(edge.above, above), (edge.below, below)])
    (x, y), (end_x, end_y) = (_place(*one) for one in rows)
    middle = _place(0, lane)[0]
    path = f"M{x} {y}"
    if end_y - y > _ROW:
        path += f"C{x} {y + _ROW // 2} {middle} {y + _ROW // 2} {middle} {y + _ROW}V{end_y - _ROW}"
        x = middle
    path += f"C{x} {end_y - _ROW // 2} {end_x} {end_y - _ROW // 2} {end_x} {end_y}"
    yield h("path", d=path, class_="dashed" if edge.between else None)
    if edge.between:
        yield h("text", f"{edge.between:,} more", x=middle + _RADIUS, y=y + _ROW // 2 + 4, class_="more")


def _point(row: int, node: Node, lane: int, left: int, url: str) -> Html:
    x, y = _place(row, lane)
    marks = h("tspan", ", ".join(node.marks), dx=10, class_=f"mark is-{node.look.value}")
    name = h("tspan", clipped(node.name, _NAME), class_="path")
    first = join(link(url, name), marks if node.marks else NOTHING)
    text = node.text.strip()
    return h(
        "g",
        h(
            "circle",
            cx=x,
            cy=y,
            r=_RADIUS,
            class_=f"fill-{node.look.value}" if node.look is not Look.PLAIN else None,
        ),
        h("text", first, x=left, y=y - 3 if text else y + 5),
        h("text", clipped(text, _TEXT), x=left, y=y + 14, class_="message") if text else NOTHING,
    )


def _sentences(graph: Graph) -> Iterator[str]:
    """Yield what the picture shows in words."""
    for number, node in enumerate(graph.rows):
        below = [graph.rows[edge.below].name for edge in graph.edges if edge.above == number]
        marks = f" ({', '.join(node.marks)})" if node.marks else ""
        yield f"{node.name}{marks}" + (f" follows {listed(below)}" if below else "")
