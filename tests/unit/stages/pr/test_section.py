"""The section of the pull request: what was found out, and foreign text only as text."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from support.builders import finding, publication, run_result, stage_result, tool_result
from support.fake_github import pull
from support.hostile_text import FOREIGN
from support.renderers import rendered

from ci_action.model.finding import Finding, Level
from ci_action.model.result import Broken, Report, RunResult
from ci_action.model.section import Channel, Place
from ci_action.reporters.context import Publication
from ci_action.reporters.job_summary import render
from ci_action.reporters.limits import Room
from ci_action.reporters.markdown_sections import Drawing
from ci_action.reporters.outputs import values

OUTPUTS = {
    "pr-number": "7",
    "pr-author": "someone",
    "pr-base": "main",
    "pr-head": "topic",
    "pr-labels": '["bug"]',
    "pr-issues": '["#3"]',
    "is-fork": "true",
    "is-bot": "false",
    "changed-files": "1234",
    "changed-lines": "5678",
    "changed-areas": '["src", "docs"]',
    "has-docs": "true",
    "pr-size": "XXL",
}


def ran(*findings: Finding, details: tuple[str, ...] = (), **outputs: str) -> RunResult:
    titles = tuple(one for one in findings if one.tool == "title")
    sizes = tuple(one for one in findings if one.tool == "size")
    given_outputs = {**OUTPUTS, **{name.replace("_", "-"): value for name, value in outputs.items()}}
    tools = [
        tool_result(tool="title", outcome=Report(findings=titles)),
        tool_result(tool="size", outcome=Report(findings=sizes, details=details)),
        tool_result(tool="metadata", outcome=Report(outputs=given_outputs)),
    ]
    return run_result(stage_result(*tools, stage="pr"))


def section(result: RunResult, shown: Publication) -> str:
    """Return the part of the summary."""
    drawing = Drawing(Channel.SUMMARY, shown.event, 2)
    return "\n\n".join(drawing.at(Place.MIDDLE, shown.sections(result), Room(100_000)))


def test_what_is_told(tmp_path: Path):
    wrong = finding(
        tool="title", rule="type", message="unknown type 'feature'", fix_message="feat: x", location=None
    )
    large = finding(tool="size", rule="too-many-files", message="many", level=Level.WARNING, location=None)
    result = ran(wrong, large, details=("src/api: 30 files",), pr_title_valid="false")
    page = rendered(section(result, publication(tmp_path, pull=pull(title="feature: x"))))
    cells = [[cell.text for cell in row.all("td")] for row in page.all("tr")]
    assert cells == [
        ["Number", "7"],
        ["Title", "❌ invalid feature: x"],
        ["Error", "unknown type 'feature'"],
        ["Proposed title", "feat: x"],
        ["Changed", "1,234 files, 5,678 lines"],
        ["Size", "XXL ⚠️ large"],
        ["Kind", "fork, documentation"],
        ["Author", "someone"],
        ["Branches", "topic → main"],
        ["Areas", "src, docs"],
        ["Labels", "bug"],
        ["Closes", "#3"],
    ]
    assert [item.text for item in page.all("code")] == [
        "feature: x", "unknown type 'feature'", "feat: x", "someone", "topic", "main", "src", "docs", "bug", "#3",
        "src/api: 30 files",
    ]  # fmt: skip
    blocking = finding(tool="size", rule="too-many-files", message="many", location=None)
    assert "❌ too large" in section(ran(blocking), publication(tmp_path))


def test_one_is_one(tmp_path: Path):
    result = ran(changed_files="1", changed_lines="1")
    assert "<td>Changed</td><td>1 file, 1 line</td>" in section(result, publication(tmp_path))


def test_without_the_stage_nothing_is_told(tmp_path: Path):
    assert section(run_result(finding()), publication(tmp_path, pull=pull())) == ""


def test_what_is_known_of_a_broken_tool_is_told(tmp_path: Path):
    known = {"pr-number": "7", "pr-author": "someone"}
    metadata = tool_result(tool="metadata", outcome=Broken("no files", outputs=known))
    result = run_result(stage_result(metadata, stage="pr"))
    assert "someone" in section(result, publication(tmp_path))
    assert values(result, publication(tmp_path))["pr-author"] == "someone"


@pytest.mark.parametrize("text", ["***", '["a', "3", '{"a": 1}'])
def test_a_list_that_is_none_breaks_nothing(tmp_path: Path, text: str):
    assert "Closes" in section(ran(changed_areas=text), publication(tmp_path))


def test_the_outputs_are_those_of_the_tools(tmp_path: Path):
    found = values(ran(), publication(tmp_path))
    assert {name: found[name] for name in OUTPUTS} == OUTPUTS
    assert found["pr-title-valid"] == ""


@given(FOREIGN, FOREIGN)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_foreign_text_changes_nothing_on_the_page(tmp_path: Path, one: str, two: str):
    def page(first: str, second: str) -> Any:
        names = json.dumps([first, second])
        result = ran(
            finding(tool="title", rule="type", message=first, fix_message=f"x{second}", location=None),
            details=(f"{first}: 3 files", second),
            pr_author=f"x{first}", pr_base=f"x{second}", pr_head=f"x{first}", pr_labels=names, changed_areas=names,
        )  # fmt: skip
        return rendered(render(result, publication(tmp_path, pull=pull(title=first))))

    assert page(one, two).skeleton == page("a", "b").skeleton
    assert page(one, two).outside_code == page("a", "b").outside_code
