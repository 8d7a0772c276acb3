"""The comment of a pull request: its author, its sections, and jobs that write at the same time."""

from dataclasses import replace
from typing import Any

import pytest
from support.builders import (
    at,
    event,
    finding,
    publication,
    resolved,
    run_result,
    without,
)
from support.fake_feedback import BOT, HEAD, Feedback
from support.fake_github import pull

from ci_action.github.errors import ApiError
from ci_action.github.pull_request import NoPull
from ci_action.model.result import RunResult, Verdict
from ci_action.reporters import comment
from ci_action.reporters.comment import LIMIT, MARKER, parse
from ci_action.reporters.feedback import Ours, place_of
from ci_action.reporters.limits import code_units
from ci_action.system.exit_codes import ExitCode

RED = run_result(finding())
GREEN = run_result()


AUTHORS: list[tuple[str, str, str, str, bool]] = [
    # the login of the token, author, app, marker, ours
    ("", BOT, "github-actions", MARKER, True),
    ("", BOT, "", MARKER, True),
    ("", "our-app[bot]", "our-app", MARKER, True),
    ("", "our-app[bot]", "", MARKER, False),
    ("", "other[bot]", "our-app", MARKER, False),
    ("", "stranger", "", MARKER, False),
    ("", "stranger", "stranger", MARKER, False),
    ("", BOT, "github-actions", f"> {MARKER}", False),
    ("", BOT, "github-actions", f"look: {MARKER}", False),
    ("maintainer", "maintainer", "", MARKER, True),
    ("Maintainer", "maintainer", "", MARKER, True),
    ("maintainer", BOT, "github-actions", MARKER, False),
    ("maintainer", "stranger", "", MARKER, False),
]


@pytest.mark.parametrize(("login", "author", "app", "start", "ours"), AUTHORS)
def test_a_comment_is_ours_by_marker_and_author(login: str, author: str, app: str, start: str, ours: bool):
    github = Feedback(login=login)
    made = github.add(author, f"{start}\nx", via=app)
    assert Ours(github).is_comment(made, MARKER) is ours


def test_a_person_named_like_the_bot_is_not_the_bot():
    made = Feedback().add(BOT, MARKER, kind="User")
    assert not Ours(Feedback()).is_comment(made, MARKER)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"id": 1},
        {"id": 1, "body": None},
        {"id": "x", "body": MARKER},
        {"id": 1, "body": MARKER, "user": None},
    ],
)
def test_an_entry_of_another_shape_is_not_ours(entry: dict[str, Any]):
    assert not Ours(Feedback()).is_comment(entry, MARKER)


def entry(name: str = "quality", result: RunResult = RED, **overrides: Any) -> comment.Entry:
    values = {
        "result": result,
        "render": lambda limit: f"### {name}\n\nof {name}",
        "key": comment.key_of([name], {}),
        "commit": HEAD,
        "run": "9-1",
        "keep": True,
    }
    return comment.Entry(**{**values, **overrides})


def write(github: Feedback, one: comment.Entry, pauses: list[None] | None = None) -> None:
    counted: list[None] = [] if pauses is None else pauses
    comment.write(github, 7, one, lambda: counted.append(None))


def stages(github: Feedback) -> list[str]:
    return [one.headline.removeprefix("### ") for body in github.bodies for one in parse(body)]


def test_one_comment_for_all_stages():
    github = Feedback()
    for name in ("quality", "test", "security"):
        write(github, entry(name))
    assert len(github.found) == 1
    assert sorted(stages(github)) == ["quality", "security", "test"]


def test_an_unchanged_section_is_not_written_again():
    github = Feedback()
    write(github, entry())
    github.calls.clear()
    write(github, entry())
    assert github.calls == ["pull", "comments", "login"]


def test_the_comment_is_removed_with_its_last_section():
    github = Feedback()
    write(github, entry("quality"))
    write(github, entry("test"))
    write(github, entry("quality", GREEN, keep=False, run="9-2"))
    assert stages(github) == ["test"]
    write(github, entry("test", GREEN, keep=False, run="9-2"))
    assert github.found == []
    write(github, entry("test", GREEN, keep=False, run="9-3"))
    assert github.found == []


def test_two_that_create_at_the_same_time_end_with_the_older_one():
    github = Feedback()
    other = entry("test")

    def both() -> None:
        github.before_write = lambda: None
        write(github, other)

    github.before_write = both
    write(github, entry("quality"))
    assert len(github.found) == 1
    assert sorted(stages(github)) == ["quality", "test"]
    assert github.found[0]["id"] == 1


def test_what_was_overwritten_is_written_again():
    github = Feedback()
    write(github, entry("test"))
    before = github.bodies[0]
    pauses: list[None] = []

    def overwritten() -> None:
        pauses.append(None)
        if len(pauses) == 1:
            github.found[0]["body"] = before

    comment.write(github, 7, entry("quality"), overwritten)
    assert sorted(stages(github)) == ["quality", "test"]


def test_the_number_of_tries_is_limited():
    github = Feedback()
    write(github, entry("test"))
    before = github.bodies[0]
    with pytest.raises(ApiError, match="kept changing it"):
        comment.write(github, 7, entry("quality"), lambda: github.found[0].update(body=before))
    assert github.calls.count("update_comment") == 6


def test_a_new_comment_may_not_be_listed_yet():
    github = Feedback()
    comment.write(github, 7, entry(), github.found.clear)
    assert github.calls.count("create_comment") == 1


def test_an_already_deleted_comment_is_not_an_error():
    github = Feedback(refuses={"delete_comment": ApiError("gone", 404)})
    for name in ("quality", "test"):
        made = Feedback()
        write(made, entry(name))
        github.add(BOT, made.bodies[0])
    with pytest.raises(ApiError, match="kept changing it"):
        write(github, entry("quality"))
    assert sorted(set(stages(github))) == ["quality", "test"]


def test_an_edited_body_is_replaced():
    github = Feedback()
    write(github, entry())
    github.found[0]["body"] = f"{MARKER}\r\nsomebody was here"
    write(github, entry())
    assert stages(github) == ["quality"]
    assert "somebody" not in github.bodies[0]


def report(result: RunResult, tmp_path: Any, github: Feedback | None, **overrides: Any) -> list[str]:
    values = {
        "resolved": resolved(comment="always"),
        "event": event(name="pull_request", run_id="9"),
        "pull": pull(head_sha=HEAD),
        "github": github,
    }
    shown = publication(tmp_path, **{**values, **overrides})
    comment.report(result, shown)
    return shown.problems


CASES: dict[str, tuple[RunResult, dict[str, Any], bool, str]] = {
    "always": (GREEN, {}, True, ""),
    "on-failure, red": (RED, {"resolved": resolved(comment="on-failure")}, True, ""),
    "on-failure, green": (GREEN, {"resolved": resolved(comment="on-failure")}, False, ""),
    "no pull request": (RED, {"pull": NoPull("no pull request here")}, False, ""),
    "a payload that is missing": (RED, {"pull": NoPull("no payload", broken=True)}, False, "no payload"),
    "interrupted": (
        replace(RED, verdict=Verdict(conclusion=RED.verdict.conclusion, exit_code=ExitCode.INTERRUPTED)),
        {},
        False,
        "",
    ),
    "the code of another": (RED, {"event": event(name="pull_request_target")}, False, "may not be the code"),
    "the code of another, on purpose": (
        RED,
        {
            "event": event(name="pull_request_target"),
            "resolved": resolved(comment="always", **{"allow-privileged": "true"}),
        },
        True,
        "",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_when_there_is_a_comment(name: str, tmp_path: Any):
    result, overrides, there, problem = CASES[name]
    github = Feedback()
    problems = report(result, tmp_path, github, **overrides)
    assert bool(github.found) is there
    assert [problem in one for one in problems] == ([True] if problem else [])


def test_a_secret_is_in_no_comment(tmp_path: Any):
    github = Feedback()
    result = run_result(finding(message="s3cr3t"), reproduce="s3cr3t")
    report(without(result, "s3cr3t"), tmp_path, github)
    assert "s3cr3t" not in github.bodies[0]
    assert "***" in github.bodies[0]


def test_a_huge_run_fits(tmp_path: Any):
    github = Feedback()
    findings = [finding(message="é🎉" * 200, location=at(f"f{number}.py")) for number in range(3_000)]
    report(run_result(*findings), tmp_path, github)
    assert code_units(github.bodies[0]) <= LIMIT
    assert stages(github) == ["❌ quality: failed"]


def test_settings_of_reports_do_not_make_another_section():
    same = comment.key_of(["test"], {"comment": "always", "report-dir": "x", "stage": ["test"]})
    assert comment.key_of(["test"], {}) == same
    assert comment.key_of(["test"], {"python-version": "3.12"}) != same
    assert comment.key_of(["quality"], {}) != same
    assert place_of({"python-version": "3.12", "working-directory": "api"}) == "in api, Python 3.12"
