"""The section and the outputs of the migrations stage, also from the report of another run."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from support.builders import event, finding, publication, run_result, stage_result, tool_result
from support.migrations_sample import (
    DATABASE,
    branched,
    broken_stage,
    line_of,
    merged,
    migrations_run,
    migrations_stage,
    revision,
    steps,
)

from ci_action.github.pull_request import NoPull
from ci_action.model.finding import Level, Location
from ci_action.model.migrations import Ancestor, History, Migration, Step
from ci_action.model.result import Skipped, StageResult, ToolResult
from ci_action.model.section import Facts, Graph, Link, Look, Section, Table
from ci_action.reporters.report_json import write
from ci_action.reporters.report_json.read import outcome_of
from ci_action.reporters.report_json.schema import RunReport
from ci_action.stages.migrations import OUTPUTS, SECTIONS
from ci_action.stages.migrations.history import history_of
from ci_action.stages.migrations.section import MOST_NODES

NO_PULL = NoPull("a push")


def section(stage: StageResult) -> Section:
    (found,) = SECTIONS(stage, NO_PULL)
    return found


def graph(stage: StageResult) -> Graph:
    return next(one for one in section(stage).blocks if isinstance(one, Graph))


def table(stage: StageResult) -> list[tuple[str, ...]]:
    found = next((one for one in section(stage).blocks if isinstance(one, Table)), None)
    rows = found.rows if found else ()
    return [
        tuple("".join(part.text if isinstance(part, Link) else part for part in cell) for cell in row)
        for row in rows
    ]


def outputs(stage: StageResult) -> dict[str, str]:
    return {one.name: one.value(stage) for one in OUTPUTS}


def test_the_history_lists_the_change_with_what_it_follows_and_the_heads():
    found = branched()
    assert [one.name for one in found.revisions] == ["77aa10c3", "4d20b7e1", "9f1c33bb", "000b"]
    assert found.revisions[2].parents == (Ancestor("000b", 1),)
    assert (found.total, found.new) == (16, 2)


def test_a_revision_of_the_base_branch_alone_has_no_file():
    files = {one.name: one.path for one in branched().revisions}
    assert files["9f1c33bb"] == ""
    assert files["77aa10c3"].endswith("77aa10c3.py")


def test_two_heads_are_drawn_as_branches():
    found = graph(migrations_stage(branched()))
    marks = {node.name: len(node.marks) for node in found.rows}
    assert marks == {"77aa10c3": 2, "4d20b7e1": 1, "9f1c33bb": 2, "000b": 0}
    assert {(edge.above, edge.below, edge.between) for edge in found.edges} == {
        (0, 1, 0),
        (1, 3, 0),
        (2, 3, 1),
    }


def test_a_merge_has_two_arrows():
    found = graph(migrations_stage(merged()))
    assert sum(edge.above == 0 for edge in found.edges) == 2


def test_a_change_without_migrations_has_no_graph():
    stage = migrations_stage(history_of(line_of(3), ["0002"], ["0002"]))
    assert [type(one) for one in section(stage).blocks] == [Facts]
    assert outputs(stage)["migrations"] == "0"


def test_several_histories_have_a_graph_each():
    one = migrations_stage(merged())
    other = migrations_stage(replace(branched(), source="billing/alembic.ini"))
    stage = stage_result(*one.tools, *other.tools, stage="migrations")
    titles = [block.title for block in section(stage).blocks if isinstance(block, Graph)]
    assert len(titles) == 2
    assert titles[1].endswith("billing/alembic.ini")
    assert outputs(stage)["migrations"] == "5"
    assert outputs(stage)["migration-heads"] == "cccc,9f1c33bb,77aa10c3"


def test_a_long_history_is_cut():
    everything = [revision(one.name, *one.down, new=True) for one in line_of(300)]
    stage = migrations_stage(history_of(everything, ["012b"], None))
    found = graph(stage)
    assert len(found.rows) == MOST_NODES
    assert found.rows[0].name == "012b"
    assert str(300 - MOST_NODES) in found.title
    # With an unknown base all are new, which distinguishes none of them.
    assert not any(node.marks for node in found.rows[1:])


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        (steps("a", "b"), [("b", 3, Look.PASSED), ("a", 3, Look.PASSED)]),
        (steps("a", "b", failed="a"), [("a", 2, Look.FAILED), ("b", 3, Look.PASSED)]),
        (steps("a", "b", failed="b"), [("b", 2, Look.FAILED), ("a", 1, Look.PASSED)]),
        (steps("a", "b")[:1], [("a", 1, Look.PASSED)]),
    ],
)
def test_each_step_has_its_time_the_failures_first(
    ran: tuple[Step, ...], expected: list[tuple[str, int, Look]]
):
    new = [revision("a", new=True), revision("b", "a", new=True)]
    rows = table(migrations_stage(history_of(new, ["b"], []), *ran))
    assert [(row[0], sum(map(bool, row[1:4]))) for row in rows] == [one[:2] for one in expected]
    assert all(row[4].startswith(look) for row, (*_, look) in zip(rows, expected, strict=True))


@pytest.mark.parametrize(("muted", "look"), [("", Look.FAILED), ("old ones need not", Look.NOTICE)])
def test_a_step_that_worked_can_have_a_finding(muted: str, look: Look):
    stage = migrations_stage(history_of([revision("a", new=True)], ["a"], []), *steps("a"))
    place = Location(path="alembic/versions/a.py", line=20)
    idle = finding(tool="downgrade", rule="irreversible", location=place, level=Level.ERROR, muted=muted)
    stage = stage_result(*stage.tools, tool_result(idle, tool="downgrade"), stage="migrations")
    ((*_, outcome),) = table(stage)
    assert outcome.startswith(f"{look}irreversible")
    assert outcome.endswith(")") is bool(muted)


def test_old_revisions_that_were_only_upgraded_are_counted():
    history = history_of(line_of(5, new=1), ["0004"], ["0003"])
    ran = [*steps(*(one.name for one in line_of(4)))[:4], *steps("0004")]
    stage = migrations_stage(history, *ran)
    assert [row[0] for row in table(stage)] == ["0004"]
    facts = next(one for one in section(stage).blocks if isinstance(one, Facts))
    assert any("5 revisions" in part for _, line in facts.rows for part in line if isinstance(part, str))


def test_the_look_of_a_node_is_that_of_its_findings():
    looks = {node.name: node.look for node in graph(migrations_run().stages[0]).rows}
    assert looks == {
        "77aa10c3": Look.NOTICE,
        "4d20b7e1": Look.FAILED,
        "9f1c33bb": Look.PLAIN,
        "000b": Look.PLAIN,
    }


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (migrations_stage(branched(), *steps("4d20b7e1")), ("2", "9f1c33bb,77aa10c3", DATABASE)),
        (migrations_stage(branched()), ("2", "9f1c33bb,77aa10c3", "")),
        (broken_stage(merged(), *steps("aaaa")), ("3", "cccc", DATABASE)),
        (
            stage_result(tool_result(tool="heads", outcome=Skipped("no Alembic")), stage="migrations"),
            ("", "", ""),
        ),
    ],
)
def test_the_outputs(stage: StageResult, expected: tuple[str, ...]):
    assert tuple(outputs(stage).values()) == expected


def test_without_results_there_is_no_section():
    stage = stage_result(tool_result(tool="heads", outcome=Skipped("no Alembic")), stage="migrations")
    assert SECTIONS(stage, NO_PULL) == ()


def read_back(stage: StageResult, tmp_path: Path) -> StageResult:
    """Return the stage as another run reads it from the report."""
    text = write.render(run_result(stage), publication(tmp_path, event=event()))
    entries = msgspec.json.decode(text, type=RunReport).stages[0].tools
    tools = tuple(ToolResult(tool=one.name, outcome=outcome_of(one)) for one in entries)
    return StageResult(stage="migrations", tools=tools)


@pytest.mark.parametrize(
    "stage",
    [
        migrations_stage(branched(), *steps("4d20b7e1", "77aa10c3", failed="4d20b7e1")),
        migrations_stage(merged()),
        broken_stage(merged(), *steps("aaaa")),
    ],
)
def test_the_section_can_be_drawn_from_the_report(tmp_path: Path, stage: StageResult):
    assert SECTIONS(read_back(stage, tmp_path), NO_PULL) == SECTIONS(stage, NO_PULL)


def history(**overrides: object) -> History:
    given = {"name": "a", "path": "versions/a.py", "line": 3, "new": True, **overrides}
    return History(revisions=(msgspec.convert(given, Migration),), total=1, heads=("a",))


@pytest.mark.parametrize(
    ("path", "line", "place"),
    [
        ("versions/a.py", 3, ("versions/a.py", 3)),
        ("/etc/passwd", 3, ("", 3)),
        ("versions/a.py", -1, ("versions/a.py", None)),
        ("versions/a.py", 10**12, ("versions/a.py", None)),
    ],
)
def test_a_foreign_place_is_checked(tmp_path: Path, path: str, line: int, place: tuple[str, int | None]):
    stage = read_back(migrations_stage(history(path=path, line=line)), tmp_path)
    found = stage.tools[0].outcome.migrations
    assert found
    ((one,),) = (history.revisions for history in found.histories)
    assert (one.path, one.line) == place


def test_a_path_out_of_the_workspace_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="path"):
        read_back(migrations_stage(history(path="../x.py")), tmp_path)


def test_a_cycle_and_an_unknown_parent_are_drawn():
    parents = ("b", "lost", "a")
    revisions = (
        Migration(name="a", parents=tuple(map(Ancestor, parents)), new=True),
        Migration(name="b", parents=(Ancestor("a"),), new=True),
    )
    found = graph(migrations_stage(History(revisions=revisions, total=2, heads=())))
    assert {(edge.above, edge.below) for edge in found.edges} == {(0, 1), (1, 0)}
