"""Our labels: missing ones are added, outdated ones removed, and no other label is changed."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import event, finding, publication, resolved, run_result, stage_result, tool_result
from support.fake_github import FilesAndLabels, pull

from ci_action.github.errors import ApiError
from ci_action.github.pull_request import NO_PULL
from ci_action.model.result import Report, RunResult
from ci_action.reporters.labels import report


def ran(size: str = "M", kind: str = "feat") -> RunResult:
    outputs = {"pr-size": size, "pr-type": kind}
    return run_result(stage_result(tool_result(tool="metadata", outcome=Report(outputs=outputs)), stage="pr"))


def reported(tmp_path: Path, github: Any, result: RunResult | None = None, **overrides: Any) -> list[str]:
    """Report and return the problems."""
    settings = {"labels": "true", **overrides.pop("settings", {})}
    values: dict[str, Any] = {
        "event": event(name="pull_request"),
        "github": github,
        "pull": pull(labels=tuple(github.labels) if github else ()),
    }
    shown = publication(tmp_path, **{**values, "resolved": resolved(**settings), **overrides})
    report(result or ran(), shown)
    return shown.problems


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], ["size/M", "type: feat"]),
        (["bug", "size/M", "type: feat"], ["bug", "size/M", "type: feat"]),
        (["size/XL", "type: fix", "bug"], ["bug", "size/M", "type: feat"]),
        (["SIZE/m", "Type: Feat"], ["SIZE/m", "Type: Feat"]),
        (["size/huge", "type: question", "sizes/L", "Type: fix"], ["Type: fix", "size/M", "size/huge", "sizes/L", "type: feat", "type: question"]),
    ],
)  # fmt: skip
def test_only_our_labels_change(tmp_path: Path, before: list[str], after: list[str]):
    github = FilesAndLabels(labels=before)
    assert reported(tmp_path, github) == []
    assert sorted(github.labels) == sorted(after)


def test_types_of_the_project_are_ours_too(tmp_path: Path):
    github = FilesAndLabels(labels=["type: hotfix", "type: hot", "type: other", "type: aaa"])
    reported(tmp_path, github, settings={"title_types": "feat\nhotfix|hot\na+"})
    assert sorted(github.labels) == ["size/M", "type: aaa", "type: feat", "type: other"]


@pytest.mark.parametrize(
    ("size", "kind", "after"),
    [
        ("", "feat", ["size/L", "type: feat"]),
        ("S", "", ["size/S", "type: fix"]),
        ("S", "a,b", ["size/S", "type: fix"]),
        ("S", "x" * 41, ["size/S", "type: fix"]),
        ("huge", "", ["size/L", "type: fix"]),
    ],
)
def test_a_label_of_an_unknown_kind_is_not_changed(tmp_path: Path, size: str, kind: str, after: list[str]):
    github = FilesAndLabels(labels=["size/L", "type: fix"])
    reported(tmp_path, github, ran(size, kind))
    assert sorted(github.labels) == after


def test_current_labels_are_fetched_because_the_payload_may_be_old(tmp_path: Path):
    github = FilesAndLabels(labels=["size/M", "type: fix"])
    reported(tmp_path, github, pull=pull(labels=("size/XS", "type: feat")))
    assert sorted(github.labels) == ["size/M", "type: feat"]
    assert github.asked == ["pull", "add_labels", "remove_label"]
    github = FilesAndLabels(labels=["size/XS", "type: feat"])
    reported(tmp_path, github, pull=pull(labels=("size/XS", "type: feat"), current=True))
    assert github.asked == ["add_labels", "remove_label"]


@pytest.mark.parametrize("what", ["pull", "add_labels", "remove_label"])
@pytest.mark.parametrize("status", [403, 422, 429, 502, 0])
def test_a_refusal_is_one_warning(tmp_path: Path, what: str, status: int, wording: Any):
    github = FilesAndLabels(labels=["size/XS", "size/L"], refuses={what: ApiError("GitHub refuses", status)})
    problems = reported(tmp_path, github)
    assert [problem.partition(";")[0] for problem in problems] == [wording]
    assert github.asked.count(what) == 1


def test_a_label_that_is_already_removed_is_not_a_problem(tmp_path: Path):
    github = FilesAndLabels(labels=["size/XS"], refuses={"remove_label": ApiError("not there", 404)})
    assert reported(tmp_path, github) == []


def test_a_missing_token_is_reported(tmp_path: Path, wording: Any):
    assert reported(tmp_path, None) == [wording]


@pytest.mark.parametrize(
    "overrides",
    [{"pull": NO_PULL}, {"result": run_result(finding())}],
    ids=["no pull request", "another stage"],
)
def test_labels_are_not_changed_without_need(tmp_path: Path, overrides: dict[str, Any]):
    github = FilesAndLabels(labels=["size/XS"])
    assert reported(tmp_path, github, **overrides) == []
    assert github.asked == []
