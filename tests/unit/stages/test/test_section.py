"""Tests, coverage and hints on the page and in the console: what is told, and that foreign text stays text."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from support.builders import (
    at,
    broken_tool,
    case,
    covered,
    event,
    file_coverage,
    finding,
    printed,
    publication,
    run_result,
    tool_result,
    with_tests,
)
from support.hostile_text import FOREIGN
from support.renderers import Node, rendered

from ci_action.model.result import Broken, Hint, RunResult
from ci_action.model.tests import TestCase, TestOutcome, TestWarning
from ci_action.model.totals import other_findings, red_tests, tools_of, totals
from ci_action.reporters import console
from ci_action.reporters.context import Screen
from ci_action.reporters.job_summary import LIMIT, render
from ci_action.reporters.lines import MOST_ENTRIES
from ci_action.system.text import one_line

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
HINT = Hint(name="h", cause="no service", fix="start it", url="https://docs.example.org/a")

BAR = "█▌░ "


def page(result: RunResult, tmp_path: Path, limit: int = LIMIT) -> Node:
    text = render(result, publication(tmp_path, event=event()), limit)
    assert len(text.encode("utf-8", "replace")) <= limit
    return rendered(text)


def failed(number: int = 1, **overrides: object) -> TestCase:
    values = {"message": f"assert {number}", "detail": f"def test():\nE  assert {number}", **overrides}
    return case(f"tests/test_it.py::test_{number}", "failed", **values)


def everything(text: str) -> RunResult:
    """Return a run in which a foreign text stands wherever tests, coverage and hints have one."""
    names = [f"t.py::test[{number}{text}]" for number in range(7)]
    outcomes = ["passed", "failed", "error", "skipped", "xfailed", "xpassed", "flaky"]
    tests = [
        case(name, outcome, message=f"m{text}", detail=f"d{text}", path=f"p{text}", subtest="")
        for name, outcome in zip(names, outcomes, strict=True)
    ]
    warned = TestWarning(category=f"c{text}", message=f"m{text}", path=f"p{text}", line=3)
    part = case("t.py::test", "failed", message=f"m{text}", detail=f"d{text}", subtest=f"s{text}")
    hint = Hint(name="h", cause=f"c{text}", fix=f"f{text}", url="https://docs.example.org/a")
    uncovered = finding(tool="coverage", rule="uncovered", message="m", muted="x")
    files = covered(file_coverage(f"c{text}.py"))
    return run_result(
        with_tests(*tests, part, test_warnings=(warned,)),
        files,
        tool_result(uncovered),
        tool_result(tool="x", hints=(hint,)),
    )


@shared
@given(FOREIGN)
def test_hostile_text_changes_nothing_but_the_text(tmp_path: Path, text: str):
    def shape(node: Node) -> str:
        return re.sub(r"pre\(code\)", "pre", node.skeleton)

    found, ordinary = page(everything(text), tmp_path), page(everything("ordinary"), tmp_path)
    assert shape(found) == shape(ordinary)
    assert found.outside_code == ordinary.outside_code


@shared
@given(FOREIGN)
def test_the_console_shows_it_in_as_many_lines(tmp_path: Path, text: str):
    def lines(result: RunResult) -> list[str]:
        where = publication(tmp_path)
        console.report(result, where)
        return printed(where).split("\n")

    word = one_line(text)
    plain, ordinary = lines(everything(word)), lines(everything("ordinary"))
    assert len(plain) == len(ordinary)
    assert not any(line.startswith(("::", "##[")) for line in plain)


def test_counts_reasons_and_names(tmp_path: Path):
    tests = [
        *(case(f"t.py::a{number}") for number in range(1_200)),
        case("t.py::b", "skipped", message="no network"),
        case("t.py::c", "skipped", message="no network"),
        case("t.py::d", "skipped"),
        case("t.py::e", "xfailed"),
        case("t.py::f", "xpassed"),
        case("t.py::g", "flaky", runs=2),
    ]
    found = page(run_result(with_tests(*tests)), tmp_path)
    listed = [row.text.strip() for row in found.all("ul")[0].all("li")]
    assert listed[0].startswith(
        "1,206 tests: 1,200 passed, 1 flaky, 3 skipped, 1 failed as expected (xfailed),"
        " 1 passed unexpectedly (xpassed)"
    )
    assert listed[1:] == [
        "flaky: t.py::g in run 2",
        "2 skipped: no network",
        "1 skipped: no reason given",
        "passed unexpectedly: t.py::f",
    ]


def test_warnings_of_pytest_are_listed_once_with_their_number(tmp_path: Path):
    old = TestWarning(category="DeprecationWarning", message="old\nthing", path="a.py", line=3, number=2)
    tool = with_tests(case(), test_warnings=(
        replace(old, message="rare", number=1), old, replace(old, path="b.py", number=1_200)
    ))  # fmt: skip
    [folded] = [one for one in page(run_result(tool), tmp_path).all("details") if "warnings" in one.text]
    assert folded.all("summary")[0].text.startswith("1,203 warnings")
    rows = [row.text.strip() for row in folded.all("li")]
    assert [("old thing" in row, "1,202" in row, "a.py:3 and 1 other" in row) for row in rows] == [
        (True, True, True),
        (False, False, False),
    ]


def test_failed_tests_have_message_place_and_traceback(tmp_path: Path):
    found = page(run_result(with_tests(case(), failed(1), case("t.py", "error", message="E"))), tmp_path)
    assert found.all("h2")[0].text == "2 tests failed"
    assert [one.text for one in found.all("details")[0].all("summary", "pre")] == [
        "Traceback",
        "def test():\nE  assert 1\n",
    ]
    rows = [one for one in found.all("p") if "line 3" in one.text]
    assert [row.all("code")[0].text for row in rows] == ["t.py", "tests/test_it.py::test_1"]
    assert rows[1].all("a")[0].attributes["href"].endswith("/tests/test_it.py#L3")
    assert "more finding" not in found.text


def test_findings_that_stand_for_no_test_are_listed_too(tmp_path: Path):
    result = run_result(with_tests(failed(1)), tool_result(finding()))
    assert [one.text for one in page(result, tmp_path).all("h2")][:2] == ["1 test failed", "1 more finding"]
    assert [one.rule for one in other_findings(result)] == ["F401"]


def test_a_muted_failure_is_no_failed_test():
    tool = with_tests(failed(1), failed(2))
    tool = tool.with_findings((replace(tool.findings[0], muted="ignored"), tool.findings[1]))
    assert [one.message for one in red_tests([tool])] == ["assert 2"]


def test_what_has_no_partner_is_shown():
    tool = with_tests(failed(1), failed(2), failed(3))
    result = run_result(tool.with_findings((finding(rule="failed", message="x"), *tool.findings[1:])))
    assert len(red_tests(tools_of(result))) == 3
    assert "x" in {one.message for one in other_findings(result)}
    fewer = run_result(tool.with_findings(tool.findings[:1]))
    assert (len(red_tests(tools_of(fewer))), other_findings(fewer)) == (3, [])


def test_a_test_that_failed_by_its_parts_is_told_by_them():
    part = case("t.py::a", "failed", subtest="i=1", message="assert 1")
    tool = with_tests(case("t.py::a", "failed", message="1 of its subtests failed"), part)
    tool = tool.with_findings((replace(tool.findings[1], message="t.py::a [i=1]: assert 1"),))
    result = run_result(tool)
    assert red_tests(tools_of(result)) == [part]
    assert other_findings(result) == []


@pytest.mark.parametrize("limit", [3_000, 20_000, 100_000])
def test_failures_first_and_within_the_budget(tmp_path: Path, limit: int):
    tests = [failed(number, detail="é" * 200 + "\nE" * 30) for number in range(200)]
    result = run_result(with_tests(*tests), tool_result(*[finding() for _ in range(50)]))
    found = page(result, tmp_path, limit)
    shown = len([one for one in found.all("summary") if one.text == "Traceback"])
    assert found.all("h2")[0].text == "200 tests failed"
    assert f"{shown} of 200 are shown" in found.text
    assert 0 < shown <= 100


def test_the_end_of_a_long_traceback_stays(tmp_path: Path):
    detail = "\n".join(f"line {number}" for number in range(200))
    text = page(run_result(with_tests(failed(1, detail=detail))), tmp_path).all("pre")[0].text
    assert text.startswith("… 140 lines before\nline 140\n")
    assert text.endswith("line 199\n")


def test_the_ten_slowest(tmp_path: Path):
    tests = [case(f"t.py::t{number}", seconds=number / 10) for number in range(30)]
    (details,) = (
        one for one in page(run_result(with_tests(*tests)), tmp_path).all("details") if "slowest" in one.text
    )
    rows = [row.text for row in details.all("li")]
    assert (len(rows), rows[0], rows[-1]) == (10, "t.py::t29: 2.9 s", "t.py::t20: 2.0 s")
    assert "10 of 25 are shown" in details.text
    assert rows[9] == "t.py::t20: 2.0 s"


def test_coverage(tmp_path: Path):
    full = file_coverage("full.py", missing=frozenset())
    branches = file_coverage("branches.py", missing=frozenset(), missing_branches=frozenset({(1, 2), (1, 3)}))
    many = file_coverage("many.py", missing=frozenset(range(10, 60, 5)))
    tool = covered(full, branches, many, file_coverage(), coverage_min=90.0, patch_coverage=66.66666666666667)
    found = page(run_result(tool), tmp_path)
    listed = [row.text.strip() for row in found.all("li")]
    assert (
        "coverage 46.15 %: 12 of 24 statements, 0 of 2 branches; the minimum is 90 %;"
        " 66.66 % of the changed lines" in listed
    )
    rows = [row.lstrip(BAR) for row in listed if ".py: " in row]
    assert rows == [
        "many.py: 23.07 %, not run: 10, 15, 20, 25, 30, 35, 40, 45, 50, 55",
        "branches.py: 60.00 %, 2 branches not taken",
        "src/app.py: 60.00 %, not run: 5–6",
    ]


def test_changed_files_come_first(tmp_path: Path):
    tool = covered(file_coverage("a.py"), file_coverage("b.py"))
    uncovered = finding(tool="coverage", rule="uncovered", location=at("b.py"))
    found = page(run_result(tool.with_findings((uncovered,))), tmp_path)
    titles = [one.text for one in found.all("h2")]
    assert "Changed files that the tests do not cover" in titles
    rows = [row.text for row in found.all("li") if ".py:" in row.text]
    assert rows[0].lstrip(BAR).startswith("b.py")


def test_coverage_is_cut_and_never_rounded():
    one = file_coverage(executed=frozenset(range(22_499)), missing=frozenset(range(22_499, 25_000)))
    assert totals(run_result(covered(one))).percent == "89.99"


def test_hints_are_on_every_channel(tmp_path: Path):
    result = run_result(broken_tool(hints=(HINT,)))
    found = page(result, tmp_path)
    assert "Hints" in [one.text for one in found.all("h2")]
    assert found.all("a")[-1].attributes["href"] == HINT.url
    where = publication(tmp_path)
    console.report(result, where)
    assert "hint: no service → start it (https://docs.example.org/a)\n" in printed(where)


@pytest.mark.parametrize("color", [False, True])
def test_the_console_tells_failed_tests_and_facts(tmp_path: Path, color: bool):
    where = publication(tmp_path)
    where = replace(where, screen=Screen(stream=where.screen.stream, color=color))
    tests = [failed(number) for number in range(MOST_ENTRIES + 1)]
    console.report(run_result(with_tests(*tests), covered(file_coverage())), where)
    text = re.sub(r"\x1b\[[0-9;]*m", "", printed(where))
    assert (
        "tests/test_it.py:3: failed tests/test_it.py::test_0: assert 0\n    | def test():\n    | E  assert 0\n"
        in text
    )
    assert "20 of 21 are shown; all are in the report\n" in text
    assert "21 tests: 0 passed, 21 failed\n" in text
    assert (
        "coverage 60.00 %: 3 of 5 statements\nFiles with most uncovered lines:\n  src/app.py: 60.00 %, not run: 5–6\n"
        in text
    )
    assert "21 tests  " in text


def test_failures_of_one_cause_share_a_row_with_their_number_and_examples(tmp_path: Path):
    same = [failed(number, message="ConnectionError: refused") for number in range(120)]
    shown = publication(tmp_path)
    result = run_result(with_tests(*same, failed(200), failed(201)))
    console.report(result, shown)
    for text in (printed(shown), render(result, publication(tmp_path, event=event()), LIMIT)):
        assert text.count("refused") == 1
        assert "116 more" in re.sub(r"<[^>]+>|[\\`]", "", text)
        assert "assert 201" in text
        assert "test_2" in text
    assert "122 tests: 0 passed, 122 failed" in printed(shown)


def test_a_few_failures_of_one_cause_have_a_row_each(tmp_path: Path):
    same = [failed(number, message="ConnectionError: refused") for number in range(3)]
    assert (
        render(run_result(with_tests(*same)), publication(tmp_path, event=event()), LIMIT).count("refused")
        == 3
    )


def test_tests_of_a_broken_run_are_told(tmp_path: Path):
    outcome = Broken("it crashed", tests=(case(),), metrics={"tests": 1, "passed": 1})
    found = totals(run_result(tool_result(tool="pytest", outcome=outcome)))
    assert (len(found.tests), found.count("tests"), found.tests[0].outcome) == (1, 1, TestOutcome.PASSED)
