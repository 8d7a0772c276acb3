"""The text of a run in the comment: foreign text is only text, failures come first, and the length is limited."""

import re
from typing import Any

import pytest
from hypothesis import given
from support.builders import at, broken_tool, case, event, finding, run_result, tool_result, with_tests
from support.fake_feedback import HEAD
from support.hostile_text import FOREIGN
from support.renderers import rendered

from ci_action.github.pull_request import NO_PULL
from ci_action.model.result import RunResult
from ci_action.reporters.comment import MOST_FINDINGS, About, harmless, text_of
from ci_action.reporters.limits import code_units
from ci_action.stages import sections_of
from ci_action.system.text import one_line


def rendered_run(result: RunResult, limit: int = 20_000, **overrides: Any) -> str:
    values = {"commit": HEAD, "url": "https://github.com/o/r/actions/runs/9", **overrides}
    return text_of(result, sections_of(result, NO_PULL), event(), About(**values), limit)


def hostile(text: str) -> RunResult:
    """Return a run in which every text that can be foreign is the given one."""
    findings = [
        finding(message=text, rule=text, location=at(text.replace("\0", ""), 1), severity="high"),
        finding(message=text, rule=text, location=None, tool="black"),
    ]
    tests = with_tests(
        case("t.py::a", "failed", message=text, detail=text), case(text + "::b", "error", path=f"p{text}")
    )
    broken = broken_tool(text, tool="black", detail=text)
    return run_result(tool_result(*findings), broken, tests, reproduce=text)


def outline(page: Any) -> str:
    return re.sub(r"pre\(code\)", "pre", page.skeleton)


# A text of blanks and separators alone (U+001F) is no paragraph of its own.
@given(FOREIGN.filter(lambda text: bool(text.strip() and one_line(text).strip())))
def test_foreign_text_is_only_text(text: str):
    page = rendered(rendered_run(hostile(text), place=text))
    assert outline(page) == outline(rendered(rendered_run(hostile("ordinary"), place="ordinary")))
    assert not page.all("img", "script", "comment")
    for node in page.all("a"):
        assert node.attributes["href"].startswith("https://github.com/o/r/")
    outside = page.outside_code
    assert "@user" not in outside
    assert "#12" not in outside
    assert "<!-- ci-action" not in harmless(rendered_run(hostile(f"{text}<!-- ci-action:end -->")))


def test_failures_come_first_and_the_summary_is_linked():
    tests = with_tests(case("t.py::a", "failed", message="assert 1 == 2", detail="a traceback"))
    text = rendered_run(run_result(tool_result(finding()), tests))
    lines = [line for line in text.split("\n") if line.startswith("#")]
    assert lines == ["### ❌ quality, test: failed", "#### 1 test failed", "#### 1 finding"]
    assert "(<https://github.com/o/r/actions/runs/9>)" in text
    assert ": `ci-action run quality`</sub>" in text
    assert "commit `aaaaaaaaaaaa`" in text


def test_a_green_run_is_a_few_lines():
    text = rendered_run(run_result(), place="Python 3.12")
    assert text.startswith("### ✅ quality: passed · `Python 3.12`\n")
    assert "ci-action run" not in text


@pytest.mark.parametrize("limit", [3_000, 8_000, 20_000])
def test_the_text_is_within_its_limit(limit: int):
    findings = [finding(message="é🎉" * 200, location=at(f"f{number}.py")) for number in range(200)]
    tests = with_tests(*[case(f"t.py::{number}", "failed", detail="x\n" * 500) for number in range(50)])
    text = rendered_run(run_result(tool_result(*findings), tests), limit)
    assert code_units(text) <= limit
    shown = re.findall(r"\*\*(\d+) of 200 findings are shown\*\*", text)
    assert shown
    assert int(shown[0]) == text.count("· ruff `F401` ·") <= MOST_FINDINGS
    assert rendered(text).all("h3")
