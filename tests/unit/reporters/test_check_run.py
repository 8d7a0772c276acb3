"""Check runs: the conclusion first, annotations by fifties, and all that GitHub would refuse left out."""

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
    layout,
    publication,
    report,
    resolved,
    run_result,
    stage_result,
    tool_result,
    without,
    write,
)
from support.fake_feedback import HEAD, Feedback
from support.fake_github import pull
from support.hostile_text import FOREIGN
from support.renderers import rendered

from ci_action.github.errors import ApiError
from ci_action.github.pull_request import NoPull
from ci_action.model.finding import Finding, Level
from ci_action.model.result import RunResult, Skipped
from ci_action.reporters import check_run
from ci_action.reporters.check_run import BATCH, MOST
from ci_action.reporters.feedback import in_repository, top_of
from ci_action.system.exit_codes import ExitCode

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


def reported(result: RunResult, folder: Path, github: Feedback | None, **overrides: Any) -> list[str]:
    values = {
        "resolved": resolved(**{"check-run": "true"}),
        "event": event(name="pull_request", run_id="9"),
        "pull": pull(head_sha=HEAD),
        "github": github,
    }
    shown = publication(folder, **{**values, **overrides})
    check_run.report(result, shown)
    return shown.problems


def many(count: int) -> list[Finding]:
    return [finding(location=at("a.py", number + 1), rule=f"F{number}") for number in range(count)]


def test_the_conclusion_is_sent_alone_and_first(tmp_path: Path):
    github = Feedback()
    assert reported(run_result(*many(120)), tmp_path, github) == []
    assert github.calls == ["create_check_run", *(f"update_check_run {number}" for number in (1, 2, 3))]
    [created] = github.created
    assert (created["status"], created["conclusion"], created["head_sha"]) == ("completed", "failure", HEAD)
    assert "annotations" not in created["output"]
    assert created["details_url"] == "https://github.com/o/r/actions/runs/9"
    assert [len(one["output"]["annotations"]) for one in github.updated] == [50, 50, 20]
    assert all(one.keys() == {"output"} for one in github.updated)  # never un-concluded


def warns_only(**overrides: Any) -> RunResult:
    return run_result(stage_result(broken_tool(), warns_only=True, **overrides))


CONCLUSIONS: dict[str, tuple[RunResult, str]] = {
    "passed": (run_result(), "success"),
    "warned": (run_result(finding(level=Level.WARNING)), "neutral"),
    "failed": (run_result(finding()), "failure"),
    "broken": (run_result(broken_tool()), "failure"),
    "empty": (run_result(tool_result(outcome=Skipped("nothing"))), "failure"),
    "skipped": (run_result(tool_result(outcome=Skipped("nothing changed", rightly=True))), "skipped"),
    "broken in a stage that only warns": (warns_only(), "neutral"),
    "a bug in ci-action": (
        replace(run_result(), verdict=replace(run_result().verdict, exit_code=ExitCode.BUG)),
        "failure",
    ),
}


@pytest.mark.parametrize("name", CONCLUSIONS)
def test_conclusions(name: str, tmp_path: Path):
    result, word = CONCLUSIONS[name]
    github = Feedback()
    reported(result, tmp_path, github)
    assert [one["conclusion"] for one in github.created] == [word]


def test_one_for_each_stage_that_was_run(tmp_path: Path):
    github = Feedback()
    result = run_result(
        stage_result(tool_result(finding())),
        stage_result(tool_result(), stage="test"),
        stage_result(stage="security", by_name=False, reason="does not apply"),
    )
    given = resolved(**{"check-run": "true", "python-version": "3.12"})
    reported(result, tmp_path, github, resolved=given)
    assert [(one["name"], one["conclusion"]) for one in github.created] == [
        ("ci-action: quality (Python 3.12)", "failure"),
        ("ci-action: test (Python 3.12)", "success"),
    ]
    assert len(github.updated) == 1


def test_a_refused_batch_does_not_stop_the_others(tmp_path: Path, wording: Any):
    github = Feedback(refuses={"update_check_run 1": ApiError("not like this", 422)})
    [problem] = reported(run_result(*many(120)), tmp_path, github)
    assert problem == wording
    assert len(github.updated) == 3
    github = Feedback(refuses={"update_check_run 1": ApiError("enough", 403)})
    reported(run_result(*many(120)), tmp_path, github)
    assert len(github.updated) == 1


def test_refused_annotations_do_not_stop_other_stages(tmp_path: Path):
    github = Feedback(refuses={"update_check_run 1": ApiError("not like this", 422)})
    two = run_result(stage_result(tool_result(finding())), stage_result(tool_result(finding()), stage="test"))
    assert len(reported(two, tmp_path, github)) == 1
    assert len(github.created) == len(github.updated) == 2


def test_the_title_has_the_number_of_annotations(tmp_path: Path, wording: Any):
    github = Feedback()
    nowhere = finding(location=None)
    reported(run_result(*many(MOST + 5), nowhere), tmp_path, github)
    assert github.created[0]["output"]["title"] == wording
    assert len(github.updated) == MOST / BATCH


PLACES: dict[str, tuple[Any, dict[str, Any] | None]] = {
    "a column": (at("a.py", 3, column=5, end_line=3, end_column=7), {"start_column": 5, "end_column": 7}),
    "columns over lines": (
        at("a.py", 3, column=5, end_line=4, end_column=7),
        {"start_line": 3, "end_line": 4},
    ),
    "columns that run backwards": (
        at("a.py", 3, column=5, end_column=2),
        {"start_column": 5, "end_column": 5},
    ),
    "no line": (at("a.py", None), {"start_line": 1, "end_line": 1}),
    "lines that run backwards": (at("a.py", 9, end_line=2), {"start_line": 9, "end_line": 9}),
    "line 0": (at("a.py", 0), {"start_line": 1, "end_line": 1}),
    "a dot before": (at("./a.py"), {"path": "a.py"}),
    "outside": (at("../a.py"), None),
    "absolute": (at("/etc/passwd"), None),
    "up and down": (at("a/../../b.py"), None),
    "no UTF-8": (at("\udcff.py"), None),
    "the folder": (at("."), None),
}


@pytest.mark.parametrize("name", PLACES)
def test_places_that_github_takes(name: str, tmp_path: Path):
    place, expected = PLACES[name]
    github = Feedback()
    reported(run_result(finding(location=place)), tmp_path, github)
    found = [one for update in github.updated for one in update["output"]["annotations"]]
    if expected is None:
        assert found == []
    else:
        [one] = found
        assert one | expected == one
        assert ("start_column" in one) is ("start_column" in expected)


@shared
@given(FOREIGN)
def test_foreign_text_is_only_text_and_within_the_limits(tmp_path: Path, text: str):
    github = Feedback()
    long = finding(message=text * 30_000, rule=text * 400, location=at("a.py"))
    broken = broken_tool(text, tool="black", detail=text)
    assert reported(run_result(tool_result(long), broken), tmp_path, github) == []
    [created], [updated] = github.created, github.updated
    [one] = updated["output"]["annotations"]
    assert 0 < len(one["message"].encode()) <= 64 * 1024
    assert len(one["title"]) <= 255
    assert "\r" not in one["message"]
    assert len(created["output"]["title"]) <= 255
    assert 0 < len(created["output"]["summary"]) <= 65_535
    assert not rendered(created["output"]["summary"]).all("img", "script", "comment")


def test_muted_findings_are_left_out_and_secrets_hidden(tmp_path: Path):
    github = Feedback()
    findings = [finding(muted="on purpose"), finding(message="s3cr3t", rule="s3cr3t")]
    reported(without(run_result(*findings), "s3cr3t"), tmp_path, github)
    [one] = github.updated[0]["output"]["annotations"]
    assert "s3cr3t" not in f"{github.created}{github.updated}"
    assert (one["title"], one["message"].split("\n")[0]) == ("ruff: ***", "***")


def test_when_and_on_what_commit(tmp_path: Path, wording: Any):
    github = Feedback()
    without = NoPull("no pull request here")
    reported(run_result(), tmp_path, github, event=event(name="push"), pull=without)
    reported(run_result(), tmp_path, github, event=event(name="merge_group"))
    assert [one["head_sha"] for one in github.created] == ["c0ffee", "c0ffee"]
    assert reported(run_result(), tmp_path, None, event=event()) == []
    [problem] = reported(run_result(), tmp_path, None)
    assert problem == wording


def test_an_answer_without_an_id_is_a_problem(tmp_path: Path, wording: Any):
    class Strange(Feedback):
        def create_check_run(self, body: Any) -> Any:
            return {"id": "x"}

    [problem] = reported(run_result(), tmp_path, Strange())
    assert problem == wording


@pytest.mark.parametrize(
    ("git", "root", "path", "expected"),
    [
        (".", ".", "src/a.py", "src/a.py"),
        ("api", "api", "api/a.py", "a.py"),
        ("api", "api/lib", "api/lib/a.py", "lib/a.py"),
        ("api", "api", "web/a.py", ""),
        ("api", "api", "apiary/a.py", ""),
        (None, "api", "api/a.py", "api/a.py"),
    ],
)
def test_paths_are_relative_to_the_repository(
    git: str | None, root: str, path: str, expected: str, tmp_path: Path
):
    (tmp_path / root).mkdir(parents=True, exist_ok=True)
    if git is not None:
        write(tmp_path, {f"{git}/.git/HEAD": ""})
    top = top_of(layout(tmp_path, root=tmp_path / root))
    assert in_repository(path, top) == expected


def test_a_report_that_looked_at_nothing_else_is_named(tmp_path: Path):
    github = Feedback()
    reported(run_result(tool_result(outcome=report(files=0))), tmp_path, github)
    assert github.created[0]["output"]["title"] == "passed"
