"""The order of findings, their fingerprints, and the findings of results."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import at, broken_tool, finding, report, run_result, stage_result, tool_result

from ci_action.model.finding import SEVERITIES, at_least, with_fingerprints
from ci_action.model.result import Broken, Conclusion, Skipped
from ci_action.system.exit_codes import ExitCode


def test_conclusions_are_in_the_order_of_precedence():
    order = ["skipped", "passed", "warned", "empty", "failed", "broken"]
    assert sorted(Conclusion, key=lambda one: one.rank) == order


@pytest.mark.parametrize(
    ("conclusion", "code"),
    [("passed", 0), ("warned", 0), ("skipped", 0), ("failed", 1), ("empty", 2), ("broken", 3)],
)
def test_exit_codes(conclusion: str, code: int):
    assert Conclusion(conclusion).exit_code == code


def test_every_exit_code_has_a_meaning():
    assert {code.value for code in ExitCode} == {0, 1, 2, 3, 4, 130}
    assert all(code.meaning for code in ExitCode)


@pytest.mark.parametrize(
    ("place", "text"),
    [(at("a.py", 3, column=5), "a.py:3:5"), (at("a.py", 3), "a.py:3"), (at("a.py", None), "a.py")],
)
def test_places_read_as_editors_do(place: object, text: str):
    assert str(place) == text


@pytest.mark.parametrize("limit", ["low", "medium", "high", "critical"])
def test_severities_at_least_a_limit(limit: str):
    order = ["low", "medium", "high", "critical"]
    bad = {severity for severity in SEVERITIES if at_least(severity, limit)}
    expected = set(order[order.index(limit) :])
    assert bad == (expected | {"unknown"} if "high" in expected else expected)


PLACES = st.builds(at, st.sampled_from(["a.py", "b.py"]), st.integers(1, 50))
FINDINGS = st.builds(
    finding,
    rule=st.sampled_from(["F401", "E501"]),
    message=st.sampled_from(["x", "y"]),
    location=st.none() | PLACES,
    before=st.sampled_from(["", "x = 1\n"]),
)


@given(st.lists(FINDINGS, max_size=12))
def test_fingerprints_are_unique_and_change_nothing_else(findings):
    marked = with_fingerprints(findings)
    assert len({one.fingerprint for one in marked}) == len(findings)
    assert [replace(one, fingerprint="") for one in marked] == findings


@given(st.lists(FINDINGS, max_size=12), st.integers(1, 100))
def test_fingerprints_stay_when_lines_move(findings, down: int):
    moved = [
        (
            one
            if one.location is None
            else replace(one, location=replace(one.location, line=one.location.line + down))
        )
        for one in findings
    ]
    before = [one.fingerprint for one in with_fingerprints(findings)]
    assert [one.fingerprint for one in with_fingerprints(moved)] == before


@pytest.mark.parametrize(
    "changed",
    [{"tool": "black"}, {"rule": "E1"}, {"message": "m"}, {"before": "b"}, {"location": at("other.py")}],
    ids=lambda changed: next(iter(changed)),
)
def test_fingerprints_differ_by(changed):
    one, other = with_fingerprints([finding(), finding(**changed)])
    assert one.fingerprint != other.fingerprint


def test_fingerprints_accept_lone_surrogates():
    assert with_fingerprints([finding(location=at("a\udcff.py"))])[0].fingerprint


def test_a_broken_tool_keeps_what_it_had_found():
    one = broken_tool(findings=(finding(),))
    assert one.findings == (finding(),)
    assert one.with_findings(()).findings == ()
    assert isinstance(one.with_findings(()).outcome, Broken)


def test_a_skipped_tool_has_neither_findings_nor_counts():
    one = tool_result(outcome=Skipped("no files"))
    assert (one.findings, one.examined, one.with_findings((finding(),))) == ((), {}, one)


def test_a_report_has_counts():
    assert tool_result(outcome=report(files=7)).examined == {"files": 7, "unreadable": 0}


def test_a_run_has_the_findings_of_all_stages():
    muted = finding(muted="because")
    result = run_result(
        stage_result(tool_result(finding())),
        stage_result(tool_result(muted), broken_tool(findings=(finding(),))),
    )
    assert list(result.findings) == [finding(), muted, finding()]
    assert list(result.counting) == [finding(), finding()]


def test_equal_findings_are_numbered():
    one, two, three = (marked.fingerprint for marked in with_fingerprints([finding()] * 3))
    assert (two, three) == (f"{one}-2", f"{one}-3")
    assert "-" not in one
