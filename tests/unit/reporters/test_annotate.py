"""Annotations: ten of a level over all tools, ranked, neighbours folded, columns only on one line."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import (
    at,
    broken_tool,
    finding,
    publication,
    run_result,
    stage_result,
    tool_result,
    without,
    workflow,
)
from support.runner_model import commands

from ci_action.model.finding import Finding, Fix, Level
from ci_action.model.result import Hint, Skipped
from ci_action.reporters.annotate import BUDGET, GAP, report, report_problems, select


def apart(count: int, **overrides: Any) -> list[Finding]:
    """Return findings that share no row."""
    return [
        finding(message=f"m{number}", location=at(f"src/m{number}.py"), **overrides)
        for number in range(count)
    ]


def test_25_errors_are_10_commands_and_a_notice_with_the_count(tmp_path: Path, capsys, wording: Any):
    report(run_result(*apart(25)), publication(tmp_path, workflow=workflow(tmp_path)))
    seen = commands(capsys.readouterr().out)
    assert [one.name for one in seen] == ["error"] * 10 + ["notice"]
    assert seen[-1].data == wording


@pytest.mark.parametrize("count", [0, 1, 10])
def test_up_to_ten_need_no_count(count: int):
    assert len(select(run_result(*apart(count)))) == count


def test_outside_actions_nothing_is_printed(tmp_path: Path, capsys):
    report(run_result(finding()), publication(tmp_path))
    assert capsys.readouterr().out == ""


def test_the_budget_is_per_level_and_shared_by_all_tools():
    one = tool_result(*apart(8))
    two = tool_result(*apart(8, tool="black"), tool="black")
    warnings = tool_result(*apart(8, level=Level.WARNING), tool="third")
    shown = select(run_result(one, two, warnings))
    assert [one.level for one in shown].count(Level.ERROR) == BUDGET
    assert [one.level for one in shown].count(Level.WARNING) == 8
    assert shown[-1].message.startswith("18 of 24 findings")


def test_ten_notices_leave_one_for_the_number_of_findings():
    shown = select(run_result(*apart(12, level=Level.NOTICE)))
    assert len(shown) == BUDGET
    assert shown[-1].message.startswith("9 of 12 findings")


def test_broken_tools_come_first_and_count_against_the_budget(wording: Any):
    shown = select(run_result(broken_tool("killed", tool="black"), tool_result(*apart(12))))
    assert (shown[0].message, shown[0].properties) == ("killed", {"title": wording})
    assert [one.level for one in shown].count(Level.ERROR) == BUDGET
    assert shown[-1].message.startswith("9 of 12 findings")


def test_a_broken_tool_in_a_stage_that_warns_is_a_warning():
    (shown,) = select(run_result(stage_result(broken_tool("killed"), warns_only=True)))
    assert shown.level is Level.WARNING


def test_many_broken_tools_leave_room():
    shown = select(run_result(*[broken_tool(f"b{number}") for number in range(15)]))
    assert [one.level for one in shown].count(Level.ERROR) <= BUDGET


def test_an_empty_run_says_why(wording: Any):
    (shown,) = select(run_result(tool_result(outcome=Skipped("no Python files in '.'"))))
    assert shown.level is Level.ERROR
    assert shown.message == wording


def test_our_notes_are_few_warnings_and_count_against_the_budget():
    result = run_result(*apart(10, level=Level.WARNING), warnings=("a", "b", "c", "d"))
    shown = select(result)
    assert [one.message for one in shown[:3]] == ["a", "b", "c"]
    assert [one.level for one in shown].count(Level.WARNING) == BUDGET


def test_muted_findings_are_not_annotated():
    assert select(run_result(finding(muted="x"))) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([1, 2, 3], [(1, 3, 3)], id="one after another"),
        pytest.param([1, 1 + GAP], [(1, 1 + GAP, 2)], id="just near enough"),
        pytest.param([1, 2 + GAP], [(1, 1, 1), (2 + GAP, 2 + GAP, 1)], id="just too far"),
        pytest.param([9, 5, 7], [(5, 9, 3)], id="in any order"),
        pytest.param([9, 11, 13, 15], [(9, 15, 4)], id="many of them"),
        pytest.param([9, 11, 13, 90], [(9, 13, 4)], id="many, and one far away"),
        pytest.param([1, 1], [(1, 1, 2)], id="on one line"),
    ],
)
def test_neighbours_are_folded(lines: list[int], expected: list[tuple[int, int, int]]):
    shown = select(run_result(*[finding(location=at(line=line, column=4)) for line in lines]))
    assert [(one.properties["line"], one.properties["endLine"]) for one in shown] == [
        one[:2] for one in expected
    ]
    for one, (_, _, count) in zip(shown, expected, strict=True):
        assert (f"and {count - 1} more in this file" in one.message) is (count > 1)
        assert ("col" in one.properties) is (count == 1)


@pytest.mark.parametrize(
    "other",
    [{"rule": "E501"}, {"tool": "black"}, {"location": at("other.py", 4)}, {"level": Level.WARNING}],
    ids=lambda other: next(iter(other)),
)
def test_only_similar_findings_are_folded(other: dict[str, Any]):
    assert len(select(run_result(finding(), finding(**{"location": at(line=4), **other})))) == 2


def test_findings_without_a_line_are_not_folded():
    assert len(select(run_result(finding(location=at(line=None)), finding(location=at(line=None))))) == 2
    assert len(select(run_result(finding(location=None), finding(location=None)))) == 2


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (at(line=3), {"line": 3, "endLine": 3}),
        (at(line=3, column=5), {"line": 3, "endLine": 3, "col": 5}),
        (at(line=3, column=5, end_line=3, end_column=9), {"line": 3, "endLine": 3, "col": 5, "endColumn": 9}),
        (at(line=3, column=5, end_line=4, end_column=9), {"line": 3, "endLine": 4}),
        (at(line=None), {}),
    ],
    ids=["line", "column", "span", "two lines", "file"],
)
def test_properties(place: Any, expected: dict[str, int]):
    (shown,) = select(run_result(finding(location=place)))
    assert shown.properties == {"title": "ruff: F401", "file": "src/app.py", **expected}


def test_a_finding_of_the_project_has_no_file():
    (shown,) = select(run_result(finding(location=None)))
    assert shown.properties == {"title": "ruff: F401"}


def test_the_message_of_an_annotation(wording: Any):
    one = finding(
        message="m",
        after="a = 1\n" + "x" * 300 + "\n" + "b\n" * 12,
        fix=Fix.SAFE,
        url="https://docs.astral.sh/ruff/x",
    )
    (shown,) = select(run_result(one))
    rows = shown.message.split("\n")
    assert rows[:3] == ["m", "It should become:", "a = 1"]
    assert len(rows[3]) == 200
    assert rows[-3:] == ["…", wording, "https://docs.astral.sh/ruff/x"]


def test_secrets_are_redacted(tmp_path: Path, capsys):
    shown = publication(tmp_path, workflow=workflow(tmp_path))
    report(without(run_result(finding(message="s3cr3t")), "s3cr3t"), shown)
    assert [one.data for one in commands(capsys.readouterr().out)] == ["***"]


FINDINGS = st.builds(
    finding,
    rule=st.sampled_from(["A", "B"]),
    level=st.sampled_from(list(Level)),
    muted=st.sampled_from(["", "x"]),
    location=st.none() | st.builds(at, st.sampled_from(["a.py", "b.py"]), st.none() | st.integers(1, 60)),
)


@given(st.lists(FINDINGS, max_size=60), st.integers(0, 12), st.integers(0, 5))
def test_no_level_ever_has_more_than_github_shows(findings: list[Finding], broken: int, notes: int):
    tools = [tool_result(*findings, tool="ruff"), *[broken_tool(f"b{number}") for number in range(broken)]]
    shown = select(run_result(*tools, warnings=tuple(f"n{number}" for number in range(notes))))
    for level in Level:
        assert sum(one.level is level for one in shown) <= BUDGET
    errors = any(one.level is Level.ERROR and one.counts for one in findings)
    assert not errors or any(one.level is Level.ERROR for one in shown)


HINT = Hint(name="h", cause="no service", fix="start it", url="https://docs.example.org")
LINE = "no service → start it (https://docs.example.org)"


def test_the_hints_of_a_broken_tool_are_in_its_annotation():
    (one,) = select(run_result(broken_tool("it died", hints=(HINT,))))
    assert one.message == f"it died\nHint: {LINE}"


def test_other_hints_are_one_notice(wording: Any):
    other = Hint(name="o", cause="c", fix="f", url="")
    tools = [tool_result(hints=(HINT,)), tool_result(tool="b", hints=(other,))]
    (one,) = select(run_result(*tools))
    assert (one.level, one.message) == (Level.NOTICE, f"{LINE}\nc → f")
    assert one.properties["title"] == wording


def test_failed_reporters_are_one_warning(tmp_path: Path, capsys, wording: Any):
    problems = ["the comment could not be written: 403", "the labels\n::error::x of hunter2"]
    outside = publication(tmp_path)
    inside = publication(
        tmp_path, workflow=workflow(tmp_path), redact=lambda text: text.replace("hunter2", "***")
    )
    for problem in problems:
        outside.note(problem)
        inside.note(problem)
    report_problems(run_result(), outside)
    assert capsys.readouterr().out == ""
    report_problems(run_result(), inside)
    [seen] = commands(capsys.readouterr().out)
    assert (seen.name, seen.data.count("\n")) == ("warning", 1)
    assert seen.data == wording
    assert seen.data.endswith("of ***")
