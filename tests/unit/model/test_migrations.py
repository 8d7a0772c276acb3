"""The listed revisions of a history: their order, and what is left between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.model.migrations import Ancestor, History, Migration, newest_first


def history(parents: dict[str, tuple[str, ...]], heads: tuple[str, ...] = (), **overrides: object) -> History:
    revisions = tuple(
        Migration(name=name, parents=tuple(map(Ancestor, parents[name]))) for name in newest_first(parents)
    )
    return History(revisions=revisions, total=len(parents), heads=heads)


def listed(found: History) -> dict[str, list[tuple[str, int]]]:
    return {one.name: [(below.name, below.between) for below in one.parents] for one in found.revisions}


def line(number: int) -> dict[str, tuple[str, ...]]:
    return {str(place): (str(place - 1),) if place else () for place in range(number)}


@pytest.mark.parametrize(
    ("parents", "order"),
    [
        ({}, []),
        ({"a": (), "b": ("a",), "c": ("b",)}, ["c", "b", "a"]),
        # A branch is in one piece, and before what both follow.
        ({"a": (), "b": ("a",), "c": ("b",), "x": ("a",)}, ["x", "c", "b", "a"]),
        ({"a": (), "b": ("a",), "c": ("a",), "m": ("b", "c")}, ["m", "c", "b", "a"]),
        ({"a": ("lost",)}, ["a"]),
        ({"a": ("b",), "b": ("a",), "c": ("a",)}, ["c", "a", "b"]),
        ({"a": ("a",)}, ["a"]),
    ],
)
def test_the_newest_comes_first(parents: dict[str, tuple[str, ...]], order: list[str]):
    assert newest_first(parents) == order


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ("9", {"9": []}),
        ("9 8", {"9": [("8", 0)], "8": []}),
        ("9 4 0", {"9": [("4", 4)], "4": [("0", 3)], "0": []}),
    ],
)
def test_what_is_left_out_of_a_line_is_counted(kept: str, expected: dict[str, list[tuple[str, int]]]):
    once = history(line(10)).only(set(kept.split()))
    assert listed(once) == expected
    assert listed(once.only(set(kept.split()))) == expected
    assert once.total == 10


def test_what_was_left_out_before_is_counted_again():
    found = history(line(10)).only({"9", "6", "3", "0"}).only({"9", "0"})
    assert listed(found) == {"9": [("0", 8)], "0": []}


def test_a_merge_keeps_both_ways():
    parents = {"a": (), "b": ("a",), "c": ("a",), "d": ("c",), "m": ("b", "d")}
    assert listed(history(parents).only({"m", "a"})) == {"m": [("a", 1)], "a": []}
    assert listed(history(parents).only({"m", "b", "a"})) == {
        "m": [("b", 0), ("a", 2)],
        "b": [("a", 0)],
        "a": [],
    }


def test_the_heads_are_kept_before_the_newest():
    parents = {**line(10), "x": ("1",)}
    found = history(parents, heads=("x", "9")).first(4)
    assert set(listed(found)) == {"x", "9", "8", "7"}
    assert history(parents).first(20) == history(parents)


GRAPHS = st.dictionaries(
    st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefghi"), max_size=3).map(tuple)
)


@given(GRAPHS, st.sets(st.sampled_from("abcdefgh")))
def test_any_graph_has_an_order_and_an_end(parents: dict[str, tuple[str, ...]], kept: set[str]):
    order = newest_first(parents)
    assert sorted(order) == sorted(parents)
    found = listed(history(parents).only(kept))
    assert set(found) == kept & set(parents)
    assert all(below in kept for rows in found.values() for below, _ in rows)


@given(st.lists(st.sets(st.integers(0, 9)), max_size=10))
def test_children_come_before_their_parents(links: list[set[int]]):
    parents = {str(number): [str(one) for one in below if one < number] for number, below in enumerate(links)}
    order = newest_first(parents)
    assert all(order.index(name) < order.index(one) for name, below in parents.items() for one in below)
