"""The pull request of an event where GitHub is asked: its word of now, its refusals, the events that only name one."""

from collections.abc import Mapping
from typing import Any

import pytest
from support.builders import pull_payload
from support.pull_requests import Answers, event, none_of, of

from ci_action.github.pull_request import Pull, pull_of

SHA, NEWER = "a" * 40, "b" * 40


def test_what_github_says_now_stands_over_the_payload():
    now = pull_payload(title="feat: now", labels=[{"name": "late"}], draft=True)["pull_request"]
    found = of("pull_request", pull_payload(title="then"), github=Answers(now))
    assert (found.title, found.labels, found.is_draft, found.current) == ("feat: now", ("late",), True, True)


def test_with_newer_commits_the_run_stays_about_its_own():
    newer = pull_payload(title="feat: now", changed_files=9, additions=8, head={"ref": "topic", "sha": NEWER})
    found = of("pull_request", pull_payload(changed_files=2), github=Answers(newer["pull_request"]))
    assert (found.title, found.head_sha, found.changed_files, found.additions) == ("feat: now", SHA, 2, 10)


@pytest.mark.parametrize(
    "github", [Answers(error="it may not (403)"), Answers({"number": 7}), Answers({"number": 7, "title": 3})]
)
def test_where_github_does_not_say_the_payload_stands_and_that_is_told(github: Answers, wording: Any):
    found = of("pull_request", pull_payload(), github=github)
    assert found.title == "feat: add a page"
    assert not found.current
    assert found.problem == wording


def test_an_answer_about_another_pull_request_is_none():
    other: Mapping[str, Any] = pull_payload(number=8, title="feat: of 8")["pull_request"]

    class Wrong(Answers):
        def pull(self, number: int) -> Mapping[str, Any]:
            del number
            return other

    found = of("pull_request", pull_payload(), github=Wrong())
    assert (found.number, found.title) == (7, "feat: add a page")
    assert found.problem


def test_without_a_token_only_a_rerun_is_told_of():
    assert not of("pull_request", pull_payload()).problem
    assert "rerun" in of("pull_request", pull_payload(), attempt=2).problem


@pytest.mark.parametrize(
    ("payload", "broken"),
    [
        ({"issue": {"number": 7, "pull_request": {}}}, True),
        ({"issue": {"number": 7}}, False),
        ({}, True),
        ({"issue": {"number": "7"}}, True),
    ],
)
def test_a_comment_without_a_token(payload: dict[str, Any], broken: bool):
    assert none_of("issue_comment", payload).broken is broken


def test_a_comment_on_a_pull_request_is_asked_for():
    github: Any = Answers(pull_payload()["pull_request"])
    assert of("issue_comment", {"issue": {"number": 7, "pull_request": {}}}, github=github).current
    found = none_of("issue_comment", {"issue": {"number": 7}}, github=github)
    assert "on an issue" in found.reason
    assert github.asked == [7]


QUEUE = "refs/heads/gh-readonly-queue/main/pr-7-" + SHA


@pytest.mark.parametrize(
    ("ref", "number"),
    [
        (QUEUE, 7),
        ("refs/heads/gh-readonly-queue/pr-5-x/pr-7-" + SHA, 7),
        ("refs/heads/gh-readonly-queue/main/pr-7-abc", None),
        ("refs/heads/gh-readonly-queue/main/pr-0-" + SHA, None),
        ("refs/heads/main", None),
        (None, None),
        ("$(id)", None),
    ],
)
def test_the_merge_queue_names_the_last_pull_request_of_a_group(ref: str | None, number: int | None):
    github: Any = Answers(pull_payload()["pull_request"])
    found = pull_of(event("merge_group", {"merge_group": {"head_ref": ref}}), github)
    assert isinstance(found, Pull) == (number is not None)
    assert github.asked == ([] if number is None else [number])


@pytest.mark.parametrize("github", [None, Answers(error="it may not (403)")])
def test_a_merge_group_that_cannot_be_asked_about_is_skipped(github: Answers | None, wording: Any):
    found = none_of("merge_group", {"merge_group": {"head_ref": QUEUE}}, github=github)
    assert not found.broken
    assert found.reason == wording


def run_of(**overrides: Any) -> dict[str, Any]:
    values = {
        "head_sha": SHA,
        "event": "pull_request",
        "head_repository": {"full_name": "o/r"},
        "pull_requests": [],
    }
    return {"workflow_run": {**values, **overrides}}


def test_a_workflow_run_names_its_pull_request():
    github: Any = Answers(pull_payload()["pull_request"])
    others = [{"number": 3, "head": {"sha": NEWER}}, {"number": 7, "head": {"sha": SHA}}]
    assert of("workflow_run", run_of(pull_requests=others), github=github).number == 7
    assert github.asked == [7]


def test_a_workflow_run_of_a_fork_is_found_by_its_commit():
    fork = {"ref": "x", "sha": SHA, "repo": {"full_name": "stranger/r"}}
    answer = pull_payload(head=fork)["pull_request"]
    other = pull_payload(number=9, head={**fork, "sha": NEWER})["pull_request"]
    payload = run_of(head_repository={"full_name": "stranger/r"})
    assert of("workflow_run", payload, github=Answers(answer, by_commit=[other, answer])).number == 7


@pytest.mark.parametrize(
    ("run", "github"),
    [
        pytest.param(run_of(), None, id="no token"),
        pytest.param(run_of(), Answers(), id="of none"),
        pytest.param(run_of(), Answers(error="it may not"), id="refused"),
        pytest.param(run_of(event="push"), Answers(), id="of a push"),
        pytest.param({}, Answers(), id="of nothing"),
        pytest.param(
            run_of(head_repository={"full_name": "x/y"}),
            Answers(pull_payload()["pull_request"], by_commit=[pull_payload()["pull_request"]]),
            id="the commit is that of another repository",
        ),
    ],
)
def test_a_workflow_run_about_none(run: dict[str, Any], github: Answers | None):
    assert not none_of("workflow_run", run, github=github).broken


@pytest.mark.parametrize(
    "name", ["push", "schedule", "workflow_dispatch", "repository_dispatch", "release", ""]
)
def test_events_without_a_pull_request_are_no_fault(name: str, wording: Any):
    found = none_of(name, {"pull_request": 1})
    assert not found.broken
    assert found.reason == wording


def test_a_label_is_found_whatever_its_case():
    found = of("pull_request", pull_payload(labels=[{"name": "a"}, {"name": "Skip CI"}]))
    assert found.label_among(["x", "skip ci"]) == "Skip CI"
    assert found.label_among(["skip"]) == ""
