"""The page of a run: what it holds, that hostile text changes nothing in it, and its size."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from support.builders import (
    at,
    broken_tool,
    event,
    finding,
    printed,
    publication,
    resolved,
    run_result,
    tool_result,
    without,
    workflow,
)
from support.hostile_text import FOREIGN
from support.renderers import rendered

from ci_action.model.finding import Finding, Fix, Level
from ci_action.model.result import RunResult, Skipped
from ci_action.reporters import job_summary
from ci_action.reporters.job_summary import LIMIT, MOST_FINDINGS, render
from ci_action.system.text import one_line

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
HOSTILE = FOREIGN.filter(bool)


def run_with(text: str, path: str) -> RunResult:
    """Return a run in which every text that can be foreign is the given one."""
    findings = [
        finding(message=text, rule=text, url="https://docs.astral.sh/ruff/" + text, location=at(path, 1)),
        finding(
            tool="black",
            message="m",
            before=f"{text}\n",
            after=f"x{text}\n",
            location=at(path, 2),
            fix=Fix.SAFE,
        ),
        finding(message=text, fix=Fix.SAFE, fix_message=text, location=at("b.py", None), severity="high"),
        finding(message="muted", muted=text, location=None),
    ]
    broken = broken_tool(text, tool="black", detail=text, version=text, version_source=text)
    return run_result(tool_result(*findings), broken, warnings=(text,), reproduce=text)


def shape(page: Any) -> str:
    """The elements of a page, without the number of lines of a block of code."""
    return re.sub(r"pre\(code\)", "pre", page.skeleton)


@shared
@given(HOSTILE)
def test_hostile_text_changes_nothing_but_the_text(tmp_path: Path, text: str):
    text = one_line(text).strip() and text  # a text of blanks alone is shown as (empty): another test
    if not text:
        return
    shown = publication(tmp_path, event=event(), resolved=resolved(ruff_args=["x"]))
    page = rendered(render(run_with(text, "a.py"), shown))
    ordinary = rendered(render(run_with("or-dinary", "a.py"), shown))
    assert shape(page) == shape(ordinary)
    assert page.outside_code == ordinary.outside_code


@shared
@given(
    HOSTILE.filter(lambda text: one_line(text).strip() != "" and "\ud800" not in text and "\0" not in text)
)
def test_a_hostile_path_is_a_heading_of_code_and_a_quoted_address(tmp_path: Path, path: str):
    shown = publication(tmp_path, event=event())
    page = rendered(render(run_result(finding(location=at(path, 7))), shown))
    (heading,) = page.all("h3")
    assert heading.skeleton == "h3(code)"
    assert heading.outside_code == ""
    (anchor,) = page.all("a")
    assert re.fullmatch(
        r"https://github\.com/o/r/blob/c0ffee/[\w./%~-]*#L7", anchor.attributes["href"], re.ASCII
    )


def headings(text: str) -> list[str]:
    return [node.text for node in rendered(text).all("h1", "h2", "h3")]


def test_a_page_has_verdict_findings_commands_and_facts(tmp_path: Path):
    muted = finding(rule="E501", muted="ignored by the setting 'ruff:E501'")
    result = run_result(
        finding(), finding(fix=Fix.SAFE, fix_message="Remove it"), muted, warnings=("two pins disagree",)
    )
    text = render(result, publication(tmp_path, resolved=resolved(paths="src")))
    assert headings(text) == [
        "❌ ci-action: failed",
        "2 findings",
        "src/app.py",
        "Reproduce locally",
        "Notes",
        "Muted",
    ]
    page = rendered(text)
    assert [cell.text for cell in page.all("td")][:2] == ["quality", "ruff"]
    assert "two pins disagree" in text
    assert "1 finding: `ignored by the setting 'ruff:E501'`" in text
    assert "<tr><td>paths</td><td><code>src</code> from flag</td></tr>" in text
    assert [pre.text.strip() for pre in page.all("pre")] == ["ci-action run quality", "ci-action fix"]
    assert "fixable: `Remove it`" in text


@pytest.mark.parametrize(
    ("result", "first"),
    [
        (run_result(), "✅ ci-action: passed"),
        (run_result(tool_result(outcome=Skipped("no files"))), "🈳 ci-action: empty"),
        (run_result(broken_tool(detail="last words")), "💥 ci-action: broken"),
        (run_result(finding()), "❌ ci-action: failed"),
    ],
    ids=["passed", "empty", "broken", "failed"],
)
def test_the_first_heading_is_the_verdict(tmp_path: Path, result: RunResult, first: str):
    assert headings(render(result, publication(tmp_path)))[0] == first


def test_the_output_of_a_broken_tool_can_be_opened(tmp_path: Path):
    page = rendered(render(run_result(broken_tool(detail="line 1\nline 2")), publication(tmp_path)))
    details = page.all("details")[0]
    assert details.all("summary")[0].text == "Output"
    assert details.all("pre")[0].text == "line 1\nline 2\n"


def test_lines_are_links_if_the_commit_is_known(tmp_path: Path):
    result = run_result(finding(location=at("a b/é.py", 3, end_line=5)))
    page = rendered(render(result, publication(tmp_path, event=event())))
    assert page.all("a")[0].attributes["href"] == "https://github.com/o/r/blob/c0ffee/a%20b/%C3%A9.py#L3"
    assert page.all("a")[0].text == "line 3–5"
    assert rendered(render(result, publication(tmp_path))).all("a") == []


def many(count: int, **overrides: Any) -> list[Finding]:
    return [
        finding(location=at(f"src/m{number // 3}.py", number % 3 + 1), **overrides) for number in range(count)
    ]


def test_a_cut_page_has_the_number_of_findings(tmp_path: Path):
    text = render(run_result(*many(MOST_FINDINGS + 1)), publication(tmp_path))
    assert f"**{MOST_FINDINGS} of {MOST_FINDINGS + 1} findings are shown; all are in `report.json`**" in text
    assert len(rendered(text).all("h3")) == len({number // 3 for number in range(MOST_FINDINGS)})


BIG = {
    "message": "é🎉" * 140,
    "before": "🎉é\n" * 10 + "é" * 290 + "\n",
    "after": "é" * 299 + "\n",
    "tool": "black",
    "rule": "format",
}


@pytest.mark.parametrize("one_file", [False, True], ids=["many files", "one file"])
def test_a_page_of_more_than_a_mebibyte_is_cut_by_bytes(tmp_path: Path, one_file: bool):
    findings = many(500, **{**BIG, "before": ("é🎉" * 150 + "\n") * 10})
    if one_file:
        findings = [
            replace(one, location=at("a.py", number + 1), rule=f"format{number}")
            for number, one in enumerate(findings)
        ]
    text = render(run_result(*findings), publication(tmp_path))
    shown = int(re.findall(r"\*\*(\d+) of 500 findings are shown", text)[0])
    assert LIMIT - 30_000 < len(text.encode()) <= LIMIT
    assert text.count(" · black `format") == shown
    assert headings(text)[0] == "❌ ci-action: failed"


def test_errors_are_kept_when_not_all_findings_fit(tmp_path: Path):
    notices = [
        finding(level=Level.NOTICE, message="n" * 200, location=at("a.py", line)) for line in range(1, 50)
    ]
    text = render(
        run_result(*notices, finding(message="the error", location=at("z.py"))), publication(tmp_path), 4_000
    )
    assert "the error" in text
    assert len(text.encode()) <= 4_000


@pytest.mark.parametrize("limit", [0, 10, 64, 66, 100, 200, 500, 900])
def test_a_limit_smaller_than_the_head_is_kept(tmp_path: Path, limit: int):
    result = run_result(broken_tool("é" * 300, detail="x\n" * 30), *[tool_result(one) for one in many(3)])
    text = render(result, publication(tmp_path), limit)
    assert len(text.encode()) <= limit
    assert text == "" or "This page was cut" in text
    assert rendered(text).all("pre") == []


def test_the_text_in_the_summary_counts_against_the_limit(tmp_path: Path):
    (tmp_path / "summary").write_text("x" * (LIMIT - 5_000), encoding="utf-8")
    shown = publication(tmp_path, workflow=workflow(tmp_path))
    job_summary.report(run_result(*many(200)), shown)
    size = (tmp_path / "summary").stat().st_size
    assert LIMIT - 5_000 < size <= LIMIT
    assert shown.problems == []


def test_a_full_summary_is_not_changed(tmp_path: Path):
    (tmp_path / "summary").write_text("x" * LIMIT, encoding="utf-8")
    shown = publication(tmp_path, workflow=workflow(tmp_path))
    job_summary.report(run_result(), shown)
    assert (tmp_path / "summary").stat().st_size == LIMIT
    assert shown.problems == ["could not write the job summary: it is full"]


def test_a_missing_summary_file_is_a_problem_not_an_error(tmp_path: Path):
    shown = publication(tmp_path, workflow=workflow(tmp_path, GITHUB_STEP_SUMMARY=""))
    job_summary.report(run_result(), shown)
    assert "GITHUB_STEP_SUMMARY is not set" in shown.problems[0]


def test_outside_actions_there_is_no_job_summary(tmp_path: Path):
    shown = publication(tmp_path)
    job_summary.report(run_result(), shown)
    assert (shown.problems, printed(shown)) == ([], "")


def test_the_file_is_written_without_secrets(tmp_path: Path):
    shown = publication(tmp_path)
    job_summary.write(without(run_result(finding(message="s3cr3t")), "s3cr3t"), shown)
    assert "s3cr3t" not in (shown.folder / "summary.md").read_text(encoding="utf-8")
    assert shown.written == {"summary.md"}


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (finding(fix=Fix.SAFE, fix_message="Remove it"), True),
        (finding(fix=Fix.UNSAFE, fix_message="Remove it"), False),
        (finding(fix=Fix.SAFE), False),
        (finding(tool="black", fix=Fix.SAFE, fix_message="Reformat", after="x = 1\n"), False),
    ],
    ids=["safe", "unsafe", "without words", "with the lines themselves"],
)
def test_only_a_safe_fix_is_shown(tmp_path: Path, one: Finding, shown: bool):
    assert ("fixable: " in render(run_result(one), publication(tmp_path))) is shown
