"""The page report.html: its parts, and the notes about what it leaves out."""

import base64
import re
from hashlib import sha256
from pathlib import Path

import pytest
from support.builders import (
    at,
    broken_tool,
    case,
    covered,
    file_coverage,
    finding,
    publication,
    run_result,
    stage_result,
    tool_result,
    with_tests,
    write,
)
from support.page_sample import page_publication, page_run, without_constants
from support.paths import GOLDEN
from support.renderers import Node, parsed

from ci_action.model.finding import Package
from ci_action.model.result import RunResult, Skipped
from ci_action.reporters import html
from ci_action.reporters.context import PAGE
from ci_action.reporters.html import findings, sections

RECORDED = GOLDEN / "reports" / "report.html"


def page(result: RunResult, workspace: Path, **overrides) -> Node:
    return parsed(html.document(result, publication(workspace, **overrides)))


def part(shown: Node, name: str) -> Node:
    return next(one for one in shown.all("section", "nav", "form") if one.attributes.get("id") == name)


def parts(shown: Node) -> set[str]:
    return {one.attributes["id"] for one in shown.all("section") if "id" in one.attributes}


def of_class(shown: Node, name: str) -> list[Node]:
    return [
        one
        for one in shown.all("p", "li", "section", "article", "div", "details", "pre")
        if name in one.attributes.get("class", "").split()
    ]


@pytest.fixture
def whole(tmp_path: Path) -> Node:
    return parsed(html.document(page_run(), page_publication(tmp_path)))


def test_the_page_matches_its_golden_file(tmp_path: Path):
    """To the letter, but for style and script. After a wanted change: `tests/golden/capture_reports.py`."""
    assert without_constants(html.document(page_run(), page_publication(tmp_path))) == RECORDED.read_text(
        "utf-8"
    )


def test_it_is_written_and_named_by_an_output(tmp_path: Path):
    shown = publication(tmp_path)
    html.report(run_result(), shown)
    assert shown.shown(PAGE) == "ci-action-report/report.html"
    assert (shown.folder / "report.html").read_bytes().startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (run_result(), "Passed"),
        (run_result(finding()), "Failed"),
        (run_result(broken_tool()), "Broken"),
        (run_result(tool_result(outcome=Skipped("no files", empty=True))), "Empty"),
        (run_result(stage_result(tool_result(finding()), warns_only=True)), "Warned"),
    ],
)
def test_the_verdict_comes_first(result: RunResult, word: str, tmp_path: Path):
    shown = page(result, tmp_path)
    band = of_class(shown, "verdict")[0]
    assert band.all("h1")[0].text == word
    for reason in result.verdict.reasons:
        assert reason in [one.text for one in band.all("li")]
    assert "ci-action run quality" in [one.text for one in band.all("code")]
    assert f"is-{word.lower()}" in band.attributes["class"]
    assert shown.all("title")[0].text.startswith(f"{word.lower()}: ")


def test_a_tool_has_its_checked_and_unchecked_files(whole: Node):
    tools = {one.all("h4")[0].text: one.text for one in of_class(whole, "tool")}
    assert "checked 12 files" in tools["ruff"]
    assert "1 unreadable" in tools["ruff"]
    assert "the pins of Ruff disagree: 0.17.6 and 0.17.2" in tools["ruff"]
    assert "0.17.6bundled" in tools["ruff"]
    assert "3 findings (+ 1 muted)" in tools["ruff"]
    assert "nothing was left out" in tools["black"]
    assert "from pyproject.toml: dependency-groups.lint" in tools["black"]
    assert "2 skipped" in tools["pip-audit"]
    assert "no Python file is tracked by git" in tools["bandit"]
    assert "services could not be reached" in tools["services"]
    assert "connection refused\nlast words" in tools["services"]
    assert "Hint: the environment variable TIDES_URL is not set" in tools["pytest"]


def test_a_finding_has_its_lines_and_the_data_of_the_filters(whole: Node):
    rows = {one.all("code")[0].text: one for one in of_class(whole, "finding")}
    none = rows["E711"]
    assert none.attributes["data-stage"] == "quality"
    assert none.attributes["data-tool"] == "ruff"
    assert none.attributes["data-level"] == "error"
    assert none.attributes["data-path"] == "src/fees.py"
    assert "data-muted" not in none.attributes
    assert [one.text for one in none.all("mark")] == ["None"]
    assert none.all("pre")[0].text == "6    return total == None"
    assert none.all("a")[0].attributes["href"] == "https://docs.astral.sh/ruff/rules/none-comparison"
    assert none.all("a")[1].attributes["href"] == "https://github.com/o/r/blob/c0ffee/src/fees.py#L6"
    assert rows["format"].all("pre")[0].text == "-def fee( berth, nights ):\n+def fee(berth, nights):"
    assert rows["E501"].attributes["data-muted"] == "yes"
    assert "muted: the ignore rule E501" in rows["E501"].text
    assert rows["GHSA-462w-v97r-4m45"].attributes["data-severity"] == "high"
    # The findings of failed tests are shown as tests.
    assert {"failed", "error"} & set(rows) == set()


def test_the_filters_offer_the_existing_values(whole: Node):
    fields = part(whole, "filters").all("select")
    offered = {one.attributes["name"]: [option.text for option in one.all("option")] for one in fields}
    assert offered["stage"] == ["all", "migrations (1)", "quality (5)", "security (2)", "test (1)"]
    assert offered["level"] == ["all", "error (7)", "warning (2)"]
    assert offered["severity"] == ["all", "high (1)", "medium (1)"]
    assert offered["muted"] == ["left out", "included", "nothing else"]


def test_the_heading_of_skipped_tests_counts_the_tests_and_not_their_reasons(tmp_path: Path):
    skipped = [case(f"t.py::a{number}", "skipped", message="no network") for number in range(24)]
    found = page(run_result(with_tests(case("t.py::b"), *skipped)), tmp_path)
    [heading] = [one for one in found.all("summary") if "24 skipped" not in one.text and "kipped" in one.text]
    assert "(24)" in heading.text


def test_failed_tests_come_first_with_their_output(whole: Node):
    failures = of_class(part(whole, "tests"), "failure")
    assert [one.all("span")[0].text for one in failures] == [
        "tests/test_tides.py",
        "tests/test_fees.py::test_fee",
    ]
    assert "assert 4 == 5" in failures[1].all("summary")[0].text
    assert "E       assert 4 == 5" in failures[1].all("pre")[0].text
    text = part(whole, "tests").text
    assert "27 tests" in text
    assert "1 skipped: no harbour here" in text
    assert "test_net in run 2" in text
    slowest = [one.all("span")[0].text for one in part(whole, "tests").all("li") if one.all("rect")]
    assert slowest[0] == "tests/test_fees.py::test_large[a|b <c>]"


def test_a_muted_failed_test_is_a_muted_finding(tmp_path: Path):
    ran = with_tests(case(outcome="failed", message="assert 0"))
    muted = ran.with_findings(
        tuple(
            finding(tool="pytest", rule="failed", message=one.message, muted="known") for one in ran.findings
        )
    )
    shown = page(run_result(muted), tmp_path)
    assert of_class(shown, "failure") == []
    assert [one.attributes["data-muted"] for one in of_class(shown, "finding")] == ["yes"]


def test_coverage_in_total_by_change_and_by_file(whole: Node):
    shown = part(whole, "coverage")
    assert "60.00 %" in shown.text
    assert "minimum is 90 %" in shown.text
    assert "Changed lines that no test runs (1)src/fees.py line 5–6" in shown.text
    assert "not run: 5–6, 9; 1 branch not taken" in shown.text
    bars = [one.attributes["aria-label"] for one in shown.all("svg")]
    assert bars == [
        "60.00 %",
        "50.00 %",
        "42.85 %",
        "100.00 %",
    ]


def test_packages_are_listed_with_their_fix(whole: Node):
    found, muted = (one.all("tr")[1:] for one in part(whole, "security").all("table"))
    (jinja,), (idna,) = ([row.text for row in rows] for rows in (found, muted))
    for words in (
        "high",
        "jinja22.4.1",
        "2.10.1",
        "uv lock --upgrade-package jinja2",
        "flask → sphinx",
        "CVE-2019-10906",
    ):
        assert words in jinja
    for words in ("medium", "idna3.6", "no version yet", "direct", "accepted until 2026-06-01"):
        assert words in idna


def test_the_pull_request_and_the_notes_are_listed(whole: Node):
    facts, pairs = (
        {one.all("dt")[0].text: one.all("dd")[0].text for one in shown.all("div") if one.all("dt")}
        for shown in (of_class(whole, "verdict")[0], part(whole, "the-pull-request"))
    )
    assert facts["title"] == pairs["Title"] == "feat(fees): fees by the night"
    assert facts["branches"] == "fees → main"
    assert facts["pull request"] == "#7"
    assert pairs["Areas"] == "src, tests"
    assert pairs["Kind"] == "migrations"
    assert "src: 2 files, 30 lines" in part(whole, "stages").text
    assert "fetch-depth: 0" in part(whole, "notes").text
    assert "coverage-min90 from flag" in part(whole, "settings").text.replace("\n", "")


def test_what_was_not_measured_has_no_part(tmp_path: Path):
    assert parts(page(run_result(), tmp_path)) == {"findings", "stages", "settings"}


def test_too_many_findings_are_cut_with_a_note(tmp_path: Path):
    total = findings.MOST + 1
    result = run_result(tool_result(*(finding(location=at(f"m{number}.py")) for number in range(total))))
    shown = page(result, tmp_path)
    assert len(of_class(shown, "finding")) == findings.MOST
    assert "5,000 of 5,001 findings are shown" in of_class(shown, "cut")[0].text
    muted = (finding(location=at(f"m{number}.py"), muted="why") for number in range(findings.MOST_MUTED + 8))
    shown = page(run_result(tool_result(finding(), *muted)), tmp_path)
    assert len(of_class(shown, "finding")) == 1 + findings.MOST_MUTED


@pytest.mark.parametrize("letter", ["x", "<"])
def test_the_page_is_never_larger_than_a_browser_likes(letter: str, tmp_path: Path):
    wide = "\n".join([letter * 2_000] * 100)
    many = [
        finding(message=letter * 9_000, before=wide, after=wide, location=at(f"m{one // 3}.py", line=one))
        for one in range(1, 700)
    ]
    cases = [case(f"t.py::test_{one}", "failed", detail=wide, message=letter * 9_000) for one in range(700)]
    files = [file_coverage(f"{one}.py", missing=frozenset(range(1, 99, 2))) for one in range(1_200)]
    package = Package(name=letter * 9_000, version="1", fixed_in=(letter * 90,) * 90)
    vulnerable = [finding(tool="pip-audit", severity="high", package=package) for _ in range(1_200)]
    tools = (tool_result(*many), tool_result(*vulnerable), with_tests(*cases), covered(*files))
    text = html.document(run_result(*tools), publication(tmp_path))
    assert len(text) < findings.LARGEST + sections.LARGEST + 12_000_000
    shown = parsed(text)
    assert len(of_class(shown, "finding")) < 1_899
    assert re.search(r"[\d,]+ of 1,899 findings are shown", of_class(part(shown, "findings"), "cut")[0].text)
    assert re.search(r"[\d,]+ of 700 are shown", part(shown, "tests").text)
    assert re.search(r"[\d,]+ of 1,200 are shown", part(shown, "security").text)
    assert f"{sections.MOST:,} of 1,200 are shown" in part(shown, "coverage").text


def test_the_policy_allows_only_this_style_and_this_script(whole: Node):
    policy = next(one.attributes["content"] for one in whole.all("meta") if "http-equiv" in one.attributes)
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (element,) = whole.all(tag)
        digest = base64.b64encode(sha256(element.text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert not re.search(r"url\(|@import|https?:", whole.all("style")[0].text + whole.all("script")[0].text)


def test_every_link_on_the_page_has_a_target(whole: Node):
    known = {
        one.attributes["id"]
        for one in whole.all(*{"section", "main", "symbol", "form"})
        if "id" in one.attributes
    }
    inner = [
        one.attributes["href"] for one in whole.all("a", "use") if one.attributes["href"].startswith("#")
    ]
    assert {one.removeprefix("#") for one in inner} <= known
    assert len(inner) > 10


def test_source_lines_are_read_once_for_each_file(tmp_path: Path):
    write(tmp_path, {"a.py": "first\nsecond\n", "b.py": "other\n"})
    shown = publication(tmp_path)
    assert shown.source_lines(finding(location=at("a.py", 1))) == ["first"]
    write(tmp_path, {"a.py": "changed\n"})
    assert shown.source_lines(finding(location=at("a.py", 2))) == ["second"]
    assert shown.source_lines(finding(location=at("b.py", 1))) == ["other"]
    assert shown.source_lines(finding(location=at("a.py", 1))) == ["changed"]
    assert shown.source_lines(finding(location=at("nowhere.py", 1))) == []


def test_a_skipped_stage_has_its_reason(tmp_path: Path):
    stage = stage_result(stage="test", reason="no tests found", by_name=False)
    shown = page(run_result(stage_result(tool_result()), stage), tmp_path)
    assert "no tests found" in part(shown, "stages").text


def test_a_long_line_is_shown_around_the_place(tmp_path: Path):
    write(tmp_path, {"a.py": "x" * 1_000 + "HERE" + "y" * 1_000 + "\n"})
    place = at("a.py", 1, column=1_001, end_line=1, end_column=1_005)
    row = of_class(page(run_result(finding(location=place)), tmp_path), "source")[0]
    assert row.all("mark")[0].text == "HERE"
    assert len(row.text) < 500
