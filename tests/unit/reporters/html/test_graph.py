"""The picture of a graph on the page: lanes that do not meet, words for those who do not see it, and foreign text as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_text import FOREIGN
from support.renderers import parsed

from ci_action.model.section import Edge, Graph, Look, Node, Ours
from ci_action.reporters.html.graph import drawn, lanes


@pytest.mark.parametrize(
    ("rows", "edges", "own", "taken"),
    [
        (1, [], [0], []),
        (3, [(0, 1), (1, 2)], [0, 0, 0], [0, 0]),
        # Two heads over one base: the second has a lane of its own.
        (3, [(0, 2), (1, 2)], [0, 1, 0], [0, 1]),
        # A merge of two.
        (4, [(0, 1), (0, 2), (1, 3), (2, 3)], [0, 0, 1, 0], [0, 1, 0, 1]),
        # Two histories that have nothing in common, one below the other.
        (4, [(0, 1), (2, 3)], [0, 0, 0, 0], [0, 0]),
    ],
)
def test_the_lanes(rows: int, edges: list[tuple[int, int]], own: list[int], taken: list[int]):
    assert lanes(rows, [Edge(*one) for one in edges]) == (own, taken)


PAIRS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] != pair[1]), max_size=15
)


@given(PAIRS)
def test_no_line_runs_through_a_point_or_another_line(pairs: list[tuple[int, int]]):
    edges = [Edge(*pair) for pair in pairs]
    own, taken = lanes(10, edges)
    occupied = {(row, lane) for row, lane in enumerate(own)}
    for edge, lane in zip(edges, taken, strict=True):
        for row in range(min(edge.above, edge.below) + 1, max(edge.above, edge.below)):
            assert (row, lane) not in occupied
            occupied.add((row, lane))


def graph(text: str) -> Graph:
    rows = (
        Node(name=text, marks=(text,), text=text, look=Look.FAILED),
        Node(name="base", marks=(Ours("head"),), text=text),
    )
    return Graph(rows=rows, edges=(Edge(0, 1, 2), Edge(0, 1)))


@given(FOREIGN.filter(lambda text: bool(text.strip())))
def test_foreign_text_stays_text(text: str):
    urls = ("https://example.org/a", "")
    mine, ordinary = (parsed(drawn(graph(f"a{one}"), one, urls)) for one in (text, "b"))
    assert mine.skeleton == ordinary.skeleton


def test_the_picture_is_described_in_words():
    rows = (Node(name="c3", marks=(Ours("new"),)), Node(name="a1"))
    (picture,) = parsed(drawn(Graph(rows=rows, edges=(Edge(0, 1),)), "Revisions", ("", ""))).all("svg")
    assert picture.attributes["role"] == "img"
    title, described = picture.all("title", "desc")
    assert title.text == "Revisions"
    assert described.text.startswith("c3 (new) follows a1; a1")
    assert not picture.all("script", "style", "foreignobject", "a")
    assert not any(
        name.startswith("on") or name == "style" for one in picture.all("g") for name in one.attributes
    )


def test_a_wide_name_has_room():
    narrow, wide = (
        int(
            parsed(drawn(Graph(rows=(Node(name=name),), edges=()), "", ("",)))
            .all("svg")[0]
            .attributes["width"]
        )
        for name in ("a" * 20, "字" * 20)
    )
    assert wide > narrow
