"""A made-up stage with every kind of block: each channel shows it without knowing it, and foreign text stays text."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from support.builders import at, event, printed, publication, run_result, stage_result, tool_result
from support.hostile_text import FOREIGN
from support.renderers import parsed, rendered

from ci_action.model.section import (
    Bar,
    Block,
    Channel,
    Edge,
    Entry,
    Facts,
    Graph,
    Item,
    Items,
    Link,
    Log,
    Look,
    Node,
    Ours,
    Part,
    Place,
    Section,
    Table,
    known,
)
from ci_action.reporters import console, html
from ci_action.reporters.comment import About, text_of
from ci_action.reporters.context import Publication
from ci_action.reporters.job_summary import LIMIT, render
from ci_action.reporters.lines import MOST_ROWS
from ci_action.reporters.markdown_sections import MOST
from ci_action.system.text import one_line

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
RESULT = run_result(stage_result(tool_result(tool="heads"), stage="toy"))


def toy(text: str, place: Place = Place.MIDDLE, *, folded: bool = False) -> Section:
    """Return a section in which every text is the given one."""
    line = (Ours("see "), text, Link(text, url=f"https://example.org/{text}"), Link(text, place=at(text, 3)))
    part = Part(amount=2, words=text, look=Look.FAILED, head=text, rows=(line,))
    blocks = (
        Bar(title=text, parts=(part, replace(part, look=Look.PASSED))),
        Bar(title=text, text=line),
        Facts(rows=((text, line),)),
        Table(title=text, head=(text, Ours("What")), rows=((line, (text,)),), folded=folded),
        Items(title=text, rows=(Item(line), Item(line, text, 40.0, text, 50.0)), note=line, folded=folded),
        Graph(
            title=text,
            rows=(
                Node(name=text, marks=(text,), text=text, place=at(text, 3)),
                Node(name=text, look=Look.FAILED),
            ),
            edges=(Edge(0, 1, 2),),
        ),
        Log(
            title=text, what=text, rows=(Entry(name=text, message=text, word=text, text=text, about=(text,)),)
        ),
    )
    return Section(title=text, blocks=blocks, place=place)


def shown(tmp_path: Path, *sections: Section) -> Publication:
    return publication(tmp_path, event=event(), sections_of=lambda *_: sections)


def on_console(given: Publication) -> str:
    console.report(RESULT, given)
    return printed(given)


def on_comment(given: Publication) -> str:
    return text_of(RESULT, given.sections(RESULT), given.event, About(commit="c0ffee", url=""), 60_000)


CHANNELS: dict[Channel, Callable[[Publication], str]] = {
    Channel.CONSOLE: on_console,
    Channel.SUMMARY: lambda given: render(RESULT, given),
    Channel.PAGE: lambda given: html.document(RESULT, given),
    Channel.COMMENT: on_comment,
}


def of(*blocks: Block) -> Section:
    return Section(title=Ours("Toy"), blocks=blocks)


@pytest.mark.parametrize("channel", Channel)
def test_facts_and_a_table_are_on_every_channel(tmp_path: Path, channel: Channel):
    facts = Facts(rows=((Ours("Revision"), ("a1b2c3",)),))
    table = Table(
        title=Ours("Heads"), head=(Ours("Column-A"), Ours("Column-B")), rows=((("first-head",), ("one.py",)),)
    )
    text = CHANNELS[channel](shown(tmp_path, of(facts, table)))
    places = [
        text.find(word)
        for word in ("Toy", "Revision", "a1b2c3", "Heads", "Column-A", "Column-B", "first-head", "one.py")
    ]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("place", Place)
def test_a_block_is_only_on_its_channels(tmp_path: Path, channel: Channel, place: Place):
    blocks = (
        Items(title=Ours(f"list for {one.name}"), rows=(Item(("row",)),), on=frozenset({one}), folded=folded)
        for one in Channel
        for folded in (False, True)
    )
    text = CHANNELS[channel](shown(tmp_path, replace(of(*blocks), place=place)))
    assert {name for name in Channel if f"list for {name.name}" in text} == {channel}
    assert text.count(f"list for {channel.name}") == 2


@shared
@given(FOREIGN.filter(lambda text: bool(one_line(text).strip())))
@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("place", Place)
def test_hostile_text_changes_nothing_but_the_text(tmp_path: Path, place: Place, folded: bool, text: str):
    def outline(markdown: str) -> tuple[str, str]:
        page = rendered(markdown)
        assert {node.tag for node in page.all("a", "img", "script", "input")} <= {"a"}
        return re.sub(r"pre\(code\)", "pre", page.skeleton), page.outside_code

    mine, ordinary = (toy(f"a {one}", place, folded=folded) for one in (text, "b"))
    for channel in (Channel.SUMMARY, Channel.COMMENT):
        draw = CHANNELS[channel]
        assert outline(draw(shown(tmp_path, mine))) == outline(draw(shown(tmp_path, ordinary)))
    page, other = (parsed(CHANNELS[Channel.PAGE](shown(tmp_path, one))) for one in (mine, ordinary))
    assert page.skeleton == other.skeleton
    # What an entry of a log wrote has as many lines as it has.
    mine = toy(f"a {one_line(text)}", place, folded=folded)
    lines = [CHANNELS[Channel.CONSOLE](shown(tmp_path, one)).split("\n") for one in (mine, ordinary)]
    assert len(lines[0]) == len(lines[1])
    assert not any(line.startswith(("::", "##[")) for line in lines[0])


@pytest.mark.parametrize("channel", Channel)
def test_a_graph_is_on_every_channel(tmp_path: Path, channel: Channel):
    rows = (Node(name="a1b2c3", marks=(Ours("new"),), text="add users"), Node(name="d4e5f6"))
    graph = Graph(title=Ours("History"), rows=rows, edges=(Edge(0, 1, 7),))
    text = CHANNELS[channel](shown(tmp_path, of(graph)))
    assert all(word in text for word in ("History", "a1b2c3", "new", "add users", "d4e5f6", "7 "))


@pytest.mark.parametrize("kind", [Facts, Table, Items, Log, Graph])
def test_more_rows_than_there_is_room_for_are_counted(tmp_path: Path, kind: Any):
    number = html.sections.MOST + 5
    rows = {
        Facts: ((Ours("name"), ("é" * 300,)),),
        Table: ((("é" * 300,),),),
        Items: (Item(("é" * 300,)),),
        Log: (Entry(name="é" * 300, message="m", word="failed"),),
        Graph: (Node(name="é" * 300, text="é" * 300),),
    }[kind]
    edges = tuple(Edge(row, row + 1) for row in range(number - 1))
    more: Any = {Table: {"head": (Ours("Name"),)}, Graph: {"edges": edges}}.get(kind, {})
    section = of(kind(title=Ours("Rows"), rows=rows * number, **more))
    for channel, draw in CHANNELS.items():
        assert re.search(r"[\d,]+ of 1,005 are |and [\d,]+ more", draw(shown(tmp_path, section))), channel
    for limit in (2_000, 20_000, LIMIT):
        text = render(RESULT, shown(tmp_path, section), limit)
        assert len(text.encode()) <= limit
        rendered(text)


def test_rows_of_the_console_and_the_summary(tmp_path: Path):
    items = Items(title=Ours("Rows"), rows=tuple(Item((f"row-{number}-",)) for number in range(300)))
    for place in Place:
        section = replace(of(items), place=place)
        assert on_console(shown(tmp_path, section)).count("row-") == MOST_ROWS[place]
        assert render(RESULT, shown(tmp_path, section)).count("row-") == MOST[place]


@pytest.mark.parametrize(
    ("word", "ours"),
    [("pip-audit", True), ("high", True), ("", False), ("a b", False), ("<b>", False), ("`x`", False)],
)
def test_only_a_plain_word_is_known(word: str, ours: bool):
    assert isinstance(known(word), Ours) is ours
    assert known(word) == word
