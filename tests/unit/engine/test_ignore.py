"""The `ignore` setting: which findings it names, and what is wrong with it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import at, broken_tool, finding, tool_result

from ci_action.engine.ignore import ignore_mistakes, mute, parse_ignore
from ci_action.model.changes import OLDER, Changes
from ci_action.model.finding import Finding
from ci_action.model.result import Skipped


@pytest.mark.parametrize(
    ("entry", "one", "matches"),
    [
        pytest.param("ruff", finding(), True, id="tool"),
        pytest.param("black", finding(), False, id="other tool"),
        pytest.param("ruff:F401", finding(), True, id="rule"),
        pytest.param("ruff:F402", finding(), False, id="other rule"),
        pytest.param("ruff:F4*", finding(), True, id="rules by pattern"),
        pytest.param("*:F401", finding(), True, id="every tool"),
        pytest.param("ruff:f401", finding(), False, id="case matters"),
        pytest.param("ruff@src/", finding(), True, id="folder"),
        pytest.param("ruff@tests/", finding(), False, id="other folder"),
        pytest.param("ruff:F401@*.py", finding(), True, id="files by pattern"),
        pytest.param("ruff:F401@/app.py", finding(), False, id="anchored at the workspace"),
        pytest.param("ruff:F401@src/**/app.py", finding(), True, id="two stars"),
        pytest.param("ruff@a b.py", finding(location=at("a b.py")), True, id="blank in the pattern"),
        pytest.param("ruff@a@b.py", finding(location=at("a@b.py")), True, id="at sign in the pattern"),
        pytest.param("ruff@src/", finding(location=None), False, id="a pattern needs a place"),
        pytest.param("ruff:F401", finding(location=None), True, id="no place, no pattern"),
    ],
)
def test_an_entry(entry: str, one, matches: bool):
    assert parse_ignore(entry).matches(one) is matches


@pytest.mark.parametrize("entry", ["", ":F401", "@src", "ruff:", "ruff@", "ruff:F 401", "a b", "ruff:F401:x"])
def test_other_forms_are_errors(entry: str, wording: Any):
    (mistake,) = ignore_mistakes([entry], ["ruff"])
    assert mistake == wording


def test_an_unknown_tool_is_an_error_with_the_nearest_name(wording: Any):
    assert ignore_mistakes(["ruf:E1", "black", "b*"], ["black", "ruff"]) == [wording]


NAMES = st.text("abXY09*-_[]", min_size=1, max_size=6)
PATTERNS = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs", "Cc"]), min_size=1)


@given(NAMES, st.none() | NAMES, st.none() | PATTERNS)
@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
def test_parsed_entries_have_the_written_parts(tool: str, rule: str | None, pattern: str | None):
    text = tool + (f":{rule}" if rule else "") + (f"@{pattern}" if pattern else "")
    if ignore_mistakes([text], [tool]):
        return  # a pattern that git would refuse; it must be reported, not raised
    parsed = parse_ignore(text)
    assert (parsed.tool, parsed.rule, parsed.text) == (tool, rule or "*", text)
    assert (parsed.paths is None) == (pattern is None)


@given(st.text(max_size=12))
@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
def test_any_text_is_a_rule_or_an_error(text: str):
    mistakes = ignore_mistakes([text], ["ruff"])
    if not mistakes:
        assert parse_ignore(text).matches(finding(location=None)) in {True, False}


def test_muted_findings_are_kept_with_the_reason(wording: Any):
    tool = mute(tool_result(finding(rule="F401"), finding(rule="E501")), ["ruff:E501"])
    assert [one.muted for one in tool.findings] == ["", wording]


def test_the_first_rule_is_the_reason_and_an_earlier_reason_is_kept(wording: Any):
    tool = mute(tool_result(finding(), finding(muted="baseline")), ["ruff:F*", "ruff"])
    assert [one.muted for one in tool.findings] == [wording, "baseline"]


def test_findings_of_a_broken_tool_are_muted_too():
    assert [one.muted for one in mute(broken_tool(findings=(finding(),)), ["ruff"]).findings] != [""]


def test_without_rules_the_result_is_the_same_object():
    tool = tool_result(finding())
    assert mute(tool, []) is tool


def test_a_skipped_tool_is_unchanged():
    tool = tool_result(outcome=Skipped("x"))
    assert mute(tool, ["ruff"]) == tool


@pytest.mark.parametrize(
    ("root", "path", "entry", "muted"),
    [
        (".", "src/app.py", "ruff@/src/", True),
        ("back", "back/src/app.py", "ruff@/src/", True),
        ("back", "back/src/app.py", "ruff@/back/", False),
        ("back", "backend/src/app.py", "ruff@/src/", False),
        (".", "back/src/app.py", "ruff@/src/", False),
    ],
)
def test_patterns_are_relative_to_the_project(root: str, path: str, entry: str, muted: bool):
    tool = mute(tool_result(finding(location=at(path))), [entry], root)
    assert [bool(one.muted) for one in tool.findings] == [muted]


def test_one_wrong_entry_does_not_hide_the_next():
    mistakes = ignore_mistakes(["ruff:", "rufff", "ruff", "black"], ["ruff"])
    assert [
        repr(name) in mistake for name, mistake in zip(["ruff:", "rufff", "black"], mistakes, strict=True)
    ] == ([True] * 3)


CHANGES = Changes(base="ba5e", lines={"src/app.py": frozenset({3})})


@pytest.mark.parametrize(
    ("one", "changes", "entries", "muted"),
    [
        (finding(location=at(line=3)), CHANGES, [], False),
        (finding(location=at(line=4)), CHANGES, [], True),
        (finding(location=at("other.py", line=3)), CHANGES, [], True),
        (finding(location=None), CHANGES, [], False),
        (finding(location=at(line=4)), None, ["black"], False),
        (finding(location=at(line=3)), CHANGES, ["ruff"], True),
        (finding(location=at(line=3)), CHANGES, ["black"], False),
    ],
)
def test_findings_outside_of_the_change_are_muted(
    one: Finding, changes: Changes | None, entries: list[str], muted: bool
):
    [found] = mute(tool_result(one), entries, changes=changes).findings
    assert bool(found.muted) is muted
    assert (found.muted == OLDER) is (muted and not entries)


def test_a_finding_that_is_muted_already_keeps_its_reason():
    [found] = mute(tool_result(finding(location=at(line=4), muted="baseline")), [], changes=CHANGES).findings
    assert found.muted == "baseline"
