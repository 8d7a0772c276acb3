"""Whole runs that report to GitHub: comment, check run, suggestions; whatever GitHub does, the verdict is the same."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.builders import at, event, finding, publication, resolved, run_result
from support.fake_github import pull
from support.github_bodies import changed_file, sha_of
from support.github_hub import BOT, PERSON, READER, TOKEN, Fault, Hub
from support.github_service import api, served
from support.runs import Ran, Write

from ci_action.model.finding import Finding, Fix
from ci_action.reporters import REPORTERS, comment
from ci_action.reporters.comment import MARKER, parse

HEAD = sha_of("head 7")
MESSY = "import os\nx = [1,2]\n\n\ndef f():\n    return  x\n"
PATCH = "@@ -0,0 +1,6 @@\n+import os\n+x = [1,2]\n+\n+\n+def f():\n+    return  x"
CLEAN = "x = 1\n"
ALL = ("--comment=always", "--check-run=true", "--suggestions=true")
Reported = Callable[..., Ran]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with served(Hub()) as hub:
        hub.files[7] = [changed_file("app.py", hub.root, patch=PATCH)]
        hub.add_pull()
        yield hub


@pytest.fixture
def reported(hub: Hub, project: Write, ci_action: Reported, tmp_path: Path) -> Reported:
    """Run the stage quality for pull request 7 of the stand-in."""

    def run(source: str = MESSY, *words: str, token: str = TOKEN, **env: str) -> Ran:
        folder = project({"app.py": source})
        payload = {"number": 7, "pull_request": {"number": 7, "title": "t", "head": {"sha": HEAD}}}
        event = tmp_path / "event.json"
        event.write_text(json.dumps(payload))
        variables = {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_API_URL": hub.root,
            "GITHUB_SHA": "c" * 40,
            "GITHUB_RUN_ID": "99",
            "INPUT_GITHUB-TOKEN": token,
            **env,
        }
        return ci_action(folder, "quality", *(words or ALL), env=variables)

    return run


def bodies(hub: Hub) -> list[str]:
    return [one["body"] for one in hub.comments[7]]


def test_a_run_that_says_everything(hub, reported):
    ran = reported()
    assert ran.code == 1
    assert "note: could not" not in ran.out
    [body] = bodies(hub)
    assert body.startswith(f"{MARKER}\n## ❌ ci-action: failed\n")
    assert "- `app.py` [line 1](<https://github.com/o/r/blob/" in body
    assert "(<https://github.com/o/r/actions/runs/99>)" in body
    [run] = hub.check_runs.values()
    assert (run["name"], run["head_sha"], run["conclusion"]) == ("ci-action: quality", HEAD, "failure")
    [annotations] = hub.annotations.values()
    assert [(one["path"], one["start_line"], one["annotation_level"]) for one in annotations] == [
        ("app.py", line, "failure") for line in (1, 2, 6)
    ]
    [review] = hub.reviews
    assert review["commit_id"] == HEAD
    suggested = {one["line"]: one["body"].partition("```suggestion")[2] for one in hub.review_comments[7]}
    assert suggested == {1: "\n```", 2: "\n\nx = [1, 2]\n```", 6: "\n    return x\n```"}


def test_the_same_again_touches_nothing_and_suggests_nothing_twice(hub, reported):
    reported()
    hub.requests.clear()
    reported()
    assert hub.asked("PATCH", "comments") == hub.asked("POST", "comments|reviews") == []
    assert len(hub.check_runs) == 2  # a check run belongs to a run


def test_in_the_same_step_the_later_run_counts(hub, reported):
    reported(MESSY, "--comment=on-failure")
    [first] = bodies(hub)
    reported("import os\n", "--comment=on-failure")
    [second] = bodies(hub)
    assert "`app.py` [line 6]" in first
    assert "`app.py` [line 6]" not in second
    reported(CLEAN, "--comment=on-failure", RUNNER_NAME="another")
    assert bodies(hub) == [second]
    reported(CLEAN, "--comment=on-failure")
    assert bodies(hub) == []


def say(
    hub: Hub, folder: Path, *findings: Finding, when: str = "always", token: str = TOKEN, run: str = "99"
) -> list[str]:
    """Report a run as a comment; return what stood in the way."""
    shown = publication(
        folder,
        resolved=resolved(comment=when),
        event=event(name="pull_request", run_id=run),
        pull=pull(head_sha=HEAD),
        github=api(hub, token),
    )
    comment.report(run_result(*findings), shown)
    return shown.problems


def test_on_failure_the_comment_goes_when_the_run_is_green(hub, tmp_path):
    assert say(hub, tmp_path, when="on-failure") == []
    assert bodies(hub) == []
    say(hub, tmp_path, finding(), when="on-failure")
    assert len(bodies(hub)) == 1
    say(hub, tmp_path, when="on-failure", run="100")
    assert bodies(hub) == []


def test_ours_is_found_over_all_pages_and_nobody_elses(hub, tmp_path):
    for number in range(249):
        hub.add_comment(7, "someone", f"comment {number}")
    planted = hub.add_comment(7, "stranger", f"{MARKER}\nplanted")
    other = hub.add_comment(7, "quoting[bot]", f"{MARKER}\nquoted", via="another-app")
    say(hub, tmp_path, finding())
    assert (planted["body"], other["body"]) == (f"{MARKER}\nplanted", f"{MARKER}\nquoted")
    assert len(bodies(hub)) == 252
    mine = hub.comments[7][-1]
    say(hub, tmp_path, run="100")
    assert len(bodies(hub)) == 252
    assert "passed" in mine["body"]
    assert mine["user"]["login"] == BOT


def test_the_token_of_a_person_writes_as_that_person(hub, tmp_path):
    planted = hub.add_comment(7, BOT, f"{MARKER}\nof the workflow", via="github-actions")
    say(hub, tmp_path, finding(), token=PERSON)
    say(hub, tmp_path, token=PERSON, run="100")
    assert planted["body"] == f"{MARKER}\nof the workflow"
    assert [one["user"]["login"] for one in hub.comments[7]] == [BOT, "maintainer"]


FAILURES: dict[str, Fault] = {
    "401": Fault("", 401),
    "403": Fault("POST|PATCH", 403, text="Resource not accessible by integration"),
    "404": Fault("", 404),
    "410": Fault("", 410),
    "422": Fault("POST", 422, text="Validation Failed"),
    "429": Fault("", 429, headers={"Retry-After": "3600"}),
    "secondary": Fault("POST", 403, headers={"Retry-After": "90"}),
    "html": Fault("", kind="text", text="<html>"),
    "wrong types": Fault("", kind="text", text='{"head": 1, "number": "x"}'),
    "502 of writing": Fault("POST", 502),
    "closed": Fault("POST", kind="reset"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_whatever_github_does_every_reporter_ends_in_one_warning(name, hub, tmp_path):
    fixable = finding(before="import os\n", location=at("app.py", 1), fix=Fix.SAFE)
    result = run_result(fixable)
    hub.faults.append(FAILURES[name])
    asked = {"comment": "always", "check-run": "true", "suggestions": "true"}
    for what in ("comment", "check run", "suggestions"):
        reporter = next(one for one in REPORTERS if one.name == what)
        shown = publication(
            tmp_path,
            resolved=resolved(**asked),
            event=event(name="pull_request"),
            pull=pull(head_sha=HEAD),
            github=api(hub, patience=0),
        )
        reporter.report(result, shown)
        [problem] = shown.problems
        assert re.match(rf"could not \w+ the {what}: ", problem)
        assert TOKEN not in problem
    assert result.verdict.exit_code == 1


def test_a_run_that_github_fails_has_the_same_verdict(hub, reported):
    hub.faults.append(Fault("", 429, headers={"Retry-After": "3600"}))
    ran = reported()
    assert (ran.code, ran.report["conclusion"]) == (1, "failed")
    assert "note: could not post the comment: the request to" in ran.out
    assert "\nci-action: failed (black: 2 findings; ruff: 1 finding), exit 1" in ran.out


def test_a_token_that_may_only_read(hub, reported):
    ran = reported(CLEAN, token=READER)
    assert ran.code == 0
    for what, needs in [("post the comment", "pull-requests"), ("create the check run", "checks")]:
        assert f"note: could not {what}: the request to" in ran.out
        assert (
            f"`permissions: {needs}: write`; the token is always read-only for pull requests from forks"
            in ran.out
        )


def test_without_a_token_and_without_a_pull_request(hub, reported):
    ran = reported(token="")
    assert ran.code == 1
    assert "note: could not post the comment: `github-token` is not set" in ran.out
    ran = reported(GITHUB_EVENT_NAME="push")
    assert "could not post the comment" not in ran.out
    assert [one["head_sha"] for one in hub.check_runs.values()] == ["c" * 40]


def test_newer_commits_are_left_to_their_own_run(hub, reported):
    hub.pulls[7]["head_sha"] = "d" * 40
    ran = reported()
    assert ran.code == 1
    assert "could not post the comment: the pull request has newer commits" in ran.out
    assert bodies(hub) == hub.reviews == []


def entry(hub: Hub, stage: str, *, red: bool = True) -> comment.Entry:
    result = run_result(*([finding(message=f"of {stage}")] if red else []))
    return comment.Entry(
        result=result,
        render=lambda limit: f"### {stage}",
        key=comment.key_of([stage], resolved().chosen()),
        commit=HEAD,
        run="99-1",
        keep=True,
    )


def test_jobs_that_write_at_the_same_time_lose_nothing(hub):
    stages = [f"stage-{number}" for number in range(5)]
    threads = [
        threading.Thread(target=comment.write, args=(api(hub), 7, entry(hub, stage))) for stage in stages
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [body] = bodies(hub)
    assert sorted(one.text for one in parse(body)) == [f"### {stage}" for stage in stages]


def test_one_that_overwrites_us_is_noticed(hub):
    first, second = entry(hub, "first"), entry(hub, "second")
    pauses = []

    def others() -> None:
        pauses.append(1)
        if len(pauses) == 1:  # a job that had read the comment before we wrote
            comment.write(api(hub), 7, second, lambda: None)
            [one] = hub.comments[7]
            one["body"] = (
                one["body"].replace("### first", "### lost").replace("section key=", "sect1on key=", 1)
            )

    comment.write(api(hub), 7, first, others)
    assert [one.text for one in parse(bodies(hub)[0])].count("### first") == 1
    assert len(pauses) >= 2


def test_a_read_only_run_is_posted_by_another(hub, reported, project, ci_action, tmp_path):
    """A fork: the run may write nothing, and GitHub does not name its pull request in the second workflow."""
    hub.pulls[7]["head_repository"] = "stranger/r"
    assert reported(token=READER).code == 1
    assert bodies(hub) == []
    report = (tmp_path / "reports" / "report.json").read_bytes()
    folder = project({"reports/quality/report.json": report})
    run = {
        "id": 99,
        "run_attempt": 1,
        "event": "pull_request",
        "head_sha": HEAD,
        "head_repository": {"full_name": "stranger/r"},
        "pull_requests": [],
    }
    event_file = tmp_path / "event.json"
    event_file.write_text(json.dumps({"action": "completed", "workflow_run": run}))
    variables = {
        "GITHUB_EVENT_NAME": "workflow_run",
        "GITHUB_EVENT_PATH": str(event_file),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_API_URL": hub.root,
        "GITHUB_SHA": "e" * 40,
        "INPUT_GITHUB-TOKEN": TOKEN,
        "INPUT_STAGE": "comment",
        "INPUT_PATHS": "reports",
    }
    ran = ci_action(folder, "run", env=variables)
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")
    assert ran.tool("comment")["examined"] == {"reports": 1, "refused": 0, "posted": 1}
    [body] = bodies(hub)
    [section] = parse(body)
    assert (section.commit, section.run, section.red) == (HEAD, "99-1", True)
    assert "black `format` · `Black would reformat this line`" in body
    hub.tokens[TOKEN].may = {"pull-requests": "read"}
    ran = ci_action(folder, "run", "--comment=on-failure", env=variables)
    assert ran.code == 0
    hub.pulls[7]["head_sha"] = "f" * 40
    ran = ci_action(folder, "run", env=variables)
    assert (ran.code, ran.report["conclusion"]) == (0, "skipped")
    run["event"] = "push"
    event_file.write_text(json.dumps({"workflow_run": run}))
    assert ci_action(folder, "run", env=variables).report["conclusion"] == "skipped"
