"""What is wrong with a history of revisions, and on which line."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.project.layout import Layout
from ci_action.stages.migrations.heads.commands import Commands
from ci_action.stages.migrations.heads.files import RevisionFile, belongs, merged, of_checkout
from ci_action.stages.migrations.heads.graph import Graph, Node, graph, refused
from ci_action.stages.migrations.heads.header import Header
from ci_action.stages.migrations.heads.judge import Entry, Facts, Judged, judged
from ci_action.stages.migrations.model import Alembic, RevisionHistory


def entry(
    name: str, *down: str, new: bool = False, place: str = "", of_base: bool = False, **values: Any
) -> Entry:
    file = RevisionFile(
        place=place or f"versions/{name}.py",
        read=lambda: b"",
        path=None if of_base else Path(f"/{name}.py"),
        new=new,
        of_base=of_base,
    )
    header = Header(name=name, down=down, line=2, down_line=3, depends_line=4, **values)
    return Entry(file=file, header=header)


LINE = (entry("a"), entry("b", "a"), entry("c", "b"))


def rules(result: Judged) -> list[tuple[str, str, int]]:
    return [
        (one.rule, one.path.removeprefix("versions/").removesuffix(".py"), one.line)
        for one in result.findings
    ]


def test_a_history_in_order():
    result = judged(tuple(reversed(LINE)), Facts())
    assert [one.name for one in result.revisions] == ["a", "b", "c"]
    assert (result.heads, result.findings) == (("c",), ())


def test_nothing():
    assert judged((), Facts()) == Judged()


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param((*LINE, entry("d", "c"), entry("e", "c", "d")), [], id="below-a-merge"),
        pytest.param((*LINE, entry("x", "a"), entry("m", "c", "x")), [], id="merged"),
        pytest.param((*LINE, entry("x", "b")), [("multiple-heads", "x", 3)], id="two-heads"),
        pytest.param(
            (*LINE, entry("x", "b"), entry("y", "a")), [("multiple-heads", "y", 3)], id="three-heads"
        ),
        pytest.param((*LINE, entry("x")), [("multiple-heads", "x", 3)], id="two-bases"),
        pytest.param(
            (entry("a"), entry("x", "a", new=True), entry("b", "a")),
            [("multiple-heads", "x", 3)],
            id="on-the-change",
        ),
        pytest.param(
            (entry("a"), entry("x", "a", new=True), entry("y", "x", new=True), entry("b", "a")),
            [("multiple-heads", "x", 3)],
            id="on-the-first-of-the-change",
        ),
        pytest.param(
            (entry("a", labels=("p",)), entry("b", "a"), entry("x", labels=("q",)), entry("y", "x")),
            [],
            id="each-with-its-label",
        ),
        pytest.param(
            (entry("a"), entry("b", "a", labels=("p",)), entry("x", "a", labels=("q",))),
            [],
            id="labels-of-branches",
        ),
        pytest.param(
            (entry("a", labels=("p",)), entry("b", "a"), entry("x", "a")),
            [("multiple-heads", "x", 3)],
            id="one-label-for-both",
        ),
        pytest.param(
            (entry("a"), entry("b", "a", labels=("p",)), entry("x", "a")),
            [("multiple-heads", "x", 3)],
            id="one-without-a-label",
        ),
        pytest.param(
            (entry("a", labels=("p",)), entry("b", "a"), entry("x", labels=("q",), depends_on=("b",))),
            [],
            id="depends-on-another-branch",
        ),
        pytest.param((*LINE, entry("d", "c", depends_on=("a",))), [], id="depends-on-an-ancestor"),
        pytest.param((*LINE, entry("x", "nothing")), [("missing-parent", "x", 3)], id="missing-parent"),
        pytest.param(
            (entry("abcdef"), entry("x", "abc")), [("missing-parent", "x", 3)], id="a-part-of-a-name"
        ),
        pytest.param((*LINE, entry("x", "")), [("missing-parent", "x", 3)], id="an-empty-name"),
        pytest.param(
            (*LINE, entry("d", "c", depends_on=("z",))), [("missing-parent", "d", 4)], id="missing-dependency"
        ),
        pytest.param(
            (entry("a", labels=("p",)), entry("b", "p")), [("missing-parent", "b", 3)], id="label-as-a-parent"
        ),
        pytest.param((entry("a", "b"), entry("b", "a")), [("cycle", "a", 3)], id="cycle"),
        pytest.param(
            (entry("a"), entry("b", "a", "c", new=True), entry("c", "b"), entry("d", "c")),
            [("cycle", "b", 3)],
            id="cycle-that-alembic-does-not-find",
        ),
        pytest.param((entry("a", "a"),), [("cycle", "a", 3)], id="itself"),
        pytest.param(
            (*LINE, entry("x", "y"), entry("y", "x", new=True)), [("cycle", "y", 3)], id="cycle-aside"
        ),
        pytest.param(
            (entry("a"), entry("b", depends_on=("c",)), entry("c", depends_on=("b",))),
            [("cycle", "b", 3)],
            id="cycle-of-dependencies",
        ),
        pytest.param(
            (*LINE, entry("b", "a", place="versions/other.py")),
            [("duplicate-revision", "other", 2)],
            id="twice",
        ),
        pytest.param(
            (entry("a"), entry("b", "a", labels=("p",)), entry("c", "b", labels=("p",))),
            [("duplicate-revision", "c", 2)],
            id="label-twice",
        ),
        pytest.param(
            (entry("a"), entry("b", "a", labels=("a",))),
            [("duplicate-revision", "b", 2)],
            id="label-like-a-name",
        ),
        pytest.param((entry("a"), entry("b-c", "a")), [("syntax", "b-c", 2)], id="refused-name"),
        pytest.param((entry("head"),), [("syntax", "head", 2)], id="word-of-alembic"),
        pytest.param(
            (entry("a"), entry("", "a", place="versions/z-1.py", open=("revision",)), entry("x", "unknown")),
            [],
            id="a-name-that-is-not-known",
        ),
        pytest.param(
            (
                entry("a"),
                entry("b", "a", open=("branch_labels",)),
                entry("x", "a", open=("branch_labels",)),
                entry("y", "x", depends_on=("unknown",)),
            ),
            [],
            id="labels-that-are-not-known",
        ),
        pytest.param(
            (entry("a", open=("branch_labels",)), entry("b", "a"), entry("x", "a")),
            [("multiple-heads", "x", 3)],
            id="one-unknown-label-for-both",
        ),
        pytest.param((*LINE, entry("x", open=("down_revision",))), [], id="a-parent-that-is-not-known"),
    ],
)
def test_what_is_wrong(entries: Sequence[Entry], expected: list[tuple[str, str, int]]):
    result = judged(entries, Facts())
    assert rules(result) == expected
    assert all(one.level == "error" and one.tool == "heads" and one.url for one in result.findings)
    assert len(result.revisions) == len({one.name for one in entries})


def test_whether_a_finding_is_of_the_change():
    forked = (entry("a"), entry("b", "a"), entry("x", "a", new=True))
    assert [one.new for one in judged(forked, Facts()).findings] == [True]
    assert [one.new for one in judged((*LINE, entry("x", "a")), Facts()).findings] == [False]
    unknown = judged(forked, Facts(known=False))
    assert [one.new for one in unknown.findings] == [None]
    assert all(one.new for one in unknown.revisions)


def test_both_heads_their_authors_and_the_command():
    heads = (entry("a"), entry("b", "a", of_base=True), entry("x", "a", new=True))
    facts = Facts(
        author=lambda file: "Ann" if file.new else "Bob",
        base="main",
        commands=Commands(words=("alembic", "-c", "db.ini")),
    )
    (finding,) = judged(heads, facts).findings
    for text in (
        "'b' (versions/b.py by Bob)",
        "'x' (versions/x.py by Ann)",
        "down_revision = 'b'",
        "versions/x.py, line 3",
        "alembic -c db.ini merge -m 'merge heads' b x",
    ):
        assert text in finding.message


def test_the_history_of_the_base_branch():
    revisions = judged((entry("a"), entry("b", "a"), entry("x", "a", new=True)), Facts()).revisions
    history = RevisionHistory(alembic=alembic(), revisions=revisions, heads=("b", "x"))
    assert history.base_heads == ("b",)
    assert [one.name for one in history.new] == ["x"]


def alembic(**values: Any) -> Alembic:
    folder = values.pop("folder", Path("/w"))
    usual = {
        "source": "alembic.ini",
        "script_location": folder / "migrations",
        "versions": (folder / "migrations/versions",),
    }
    return Alembic(folder=folder, **{**usual, **values})


@pytest.mark.parametrize(
    ("values", "folder", "command"),
    [
        ({"ini": Path("/w/alembic.ini")}, ".", "alembic merge -m 'merge heads' a b"),
        ({"ini": Path("/w/db/x.ini")}, ".", "alembic -c db/x.ini merge -m 'merge heads' a b"),
        ({"ini": Path("/w/alembic.ini"), "section": "two"}, ".", "alembic -n two merge -m 'merge heads' a b"),
        (
            {"toml": Path("/w/pyproject.toml")},
            "back end",
            "cd 'back end' && alembic merge -m 'merge heads' a b",
        ),
        ({"flask": "app.py"}, ".", "flask db merge -m 'merge heads' a b"),
        (
            {"flask": "app.py", "script_location": Path("/w/db/m")},
            ".",
            "flask db merge -d db/m -m 'merge heads' a b",
        ),
        ({"ini": Path("/w/$(reboot).ini")}, ".", ""),
    ],
)
def test_the_command_that_merges(values, folder, command):
    assert Commands.of(alembic(**values), folder).merge(["a", "b"]) == command


@given(st.lists(st.text(min_size=1), min_size=1))
def test_no_name_becomes_a_command(names):
    command = Commands().merge(names)
    assert not command or shlex.split(command) == ["alembic", "merge", "-m", "merge heads", *names]


@given(st.lists(st.tuples(st.integers(0, 7), st.lists(st.integers(0, 7), max_size=2)), max_size=8))
def test_any_graph_has_an_order_or_a_cycle(pairs):
    known = {name for name, _ in pairs}
    nodes = {
        str(name): Node(name=str(name), down=tuple(str(one) for one in dict.fromkeys(down) if one in known))
        for name, down in pairs
    }
    found = graph([*nodes.values()])
    assert sorted(found.order) == sorted(nodes)
    for name, parent in zip(found.cycle, (*found.cycle[1:], *found.cycle[:1]), strict=True):
        assert parent in nodes[name].down
    if not found.cycle:
        assert all(
            found.order.index(parent) < found.order.index(name)
            for name in nodes
            for parent in nodes[name].down
        )
        parents = {parent for one in nodes.values() for parent in one.down}
        assert {*found.heads} == {*nodes} - parents


def test_a_graph_without_revisions():
    assert graph([]) == Graph()


@pytest.mark.parametrize(
    ("name", "expected"), [("ae1027", ""), ("2024_01_x", ""), ("a@b", "@"), ("base", "base"), ("a-b", "-")]
)
def test_names_that_alembic_refuses(name, expected):
    assert bool(refused(name)) is bool(expected)


def files(root: Path, *names: str) -> tuple[Layout, Alembic]:
    for name in names:
        file = root / "migrations" / "versions" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return Layout(workspace=root, root=root), alembic(folder=root)


def shown(found: Sequence[RevisionFile]) -> list[str]:
    return [one.place.removeprefix("migrations/versions/") for one in found]


def test_the_files_of_a_history(tmp_path):
    layout, one = files(tmp_path, "b.py", "a.py", "__init__.py", "old/c.py", "__pycache__/a.py", "a.txt")
    assert shown(of_checkout(layout, one, lambda _: False)) == ["a.py", "b.py"]
    deep = alembic(folder=tmp_path, recursive=True)
    assert shown(of_checkout(layout, deep, lambda _: False)) == ["a.py", "b.py", "old/c.py"]
    twice = alembic(folder=tmp_path, versions=(*one.versions, *one.versions))
    assert shown(of_checkout(layout, twice, lambda _: False)) == ["a.py", "b.py"]
    assert [file.new for file in of_checkout(layout, one, lambda place: place.endswith("b.py"))] == [
        False,
        True,
    ]


def test_which_names_belong_to_a_history(tmp_path):
    layout, one = files(tmp_path)
    deep = alembic(folder=tmp_path, recursive=True)
    names = ["a.py", "old/c.py", "a.txt", "__init__.py"]
    assert [belongs(f"migrations/versions/{name}", layout, one) for name in names] == [
        True,
        False,
        False,
        False,
    ]
    assert [belongs(f"migrations/versions/{name}", layout, deep) for name in names] == [
        True,
        True,
        False,
        False,
    ]
    assert not belongs("migrations/a.py", layout, deep)


def test_the_files_after_the_merge():
    checkout = [
        RevisionFile(place=name, read=lambda: b"checkout", path=Path(name), new=name in {"new", "both"})
        for name in ("same", "new", "both", "theirs", "removed")
    ]
    base = {"theirs": b"base", "both": b"base", "removed": None, "added": b"base", "gone": b"base"}
    found = merged(checkout, base, lambda name: name in {"new", "both", "gone"})
    assert {one.place: one.read() for one in found} == {
        "same": b"checkout",
        "new": b"checkout",
        "both": b"checkout",
        "theirs": b"base",
        "added": b"base",
    }
    assert {one.place: bool(one.path) for one in found if one.of_base} == {"theirs": True, "added": False}
