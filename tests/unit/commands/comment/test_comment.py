"""The command `comment`: the report folder of an untrusted run becomes a comment, as text."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.builders import (
    event,
    finding,
    publication,
    resolved,
    run_result,
    stage_result,
    tool_result,
)
from support.comment_runs import RED, Document, ended, payload, posted, report_folder
from support.fake_feedback import BOT, HEAD, Feedback
from support.fake_github import pull
from support.hostile_text import FOREIGN
from support.renderers import rendered

from ci_action.github.errors import ApiError
from ci_action.github.pull_request import NoPull
from ci_action.model.result import Counted
from ci_action.reporters import comment
from ci_action.reporters.comment import parse
from ci_action.reporters.report_json import write

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


def test_a_report_folder_becomes_the_comment(tmp_path: Path):
    github = Feedback()
    report_folder(tmp_path)
    result = posted(tmp_path, github)
    assert ended(result) == ("passed", 0, "")
    [tool] = result.stages[0].tools
    assert tool.examined == {"reports": 1, "refused": 0, "posted": 1}
    [section] = parse(github.bodies[0])
    assert (section.commit, section.run, section.conclusion.value, section.red) == (
        HEAD,
        "99-1",
        "failed",
        True,
    )
    text = section.text
    assert text.startswith("### ❌ test: failed\n")
    assert "#### 1 test failed" in text
    assert f"https://github.com/o/r/blob/{HEAD}/a.py#L3" in text
    assert "(<https://github.com/o/r/actions/runs/99>)" in text
    assert "on your machine" not in text  # a command of a stranger's


def test_a_green_run_with_on_failure_removes_it(tmp_path: Path):
    github = Feedback()
    report_folder(tmp_path)
    posted(tmp_path, github)
    report_folder(tmp_path, run_result(stage_result(tool_result(), stage="test")))
    again = event(name="workflow_run", payload=payload(run_attempt=2))
    given_ = {"stage": "comment", "paths": "reports", "comment": "on-failure"}
    posted(tmp_path, github, event=again, settings=given_)
    assert github.found == []


def test_a_run_that_commented_itself_is_not_posted_twice(tmp_path: Path):
    github = Feedback()
    report_folder(tmp_path, comment="always")
    chosen = resolved(comment="always").chosen()
    own = comment.Entry(
        result=RED,
        render=lambda _: "### from the run",
        key=comment.key_of(["test"], chosen),
        commit=HEAD,
        run="99-1",
        keep=True,
    )
    comment.write(github, 7, own, lambda: None)
    posted(tmp_path, github)
    assert [one.text for one in parse(github.bodies[0])] == ["### from the run"]


ORIGINS: dict[str, tuple[Document, tuple[str, int], str]] = {
    "another event": ({"event": event(name="push")}, ("broken", 3), "requires a workflow on `workflow_run`"),
    "no payload": (
        {"event": event(name="workflow_run", problem="the event file cannot be read")},
        ("broken", 3),
        "cannot be read",
    ),
    "started by a push": (
        {"event": event(name="workflow_run", payload=payload(event="push"))},
        ("broken", 3),
        "started by 'push'",
    ),
    "no commit": (
        {"event": event(name="workflow_run", payload=payload(head_sha="x"))},
        ("broken", 3),
        "does not contain the commit",
    ),
    "of another fork": (
        {"pull": pull(head_sha=HEAD, head_repository="other/r")},
        ("broken", 3),
        "the workflow run was for 'stranger/r'",
    ),
    "the fork is gone": ({"pull": pull(head_sha=HEAD, head_repository="")}, ("broken", 3), "is from ''"),
    "newer commits": (
        {"pull": pull(head_sha="b" * 40, head_repository="stranger/r")},
        ("skipped", 0),
        "newer commits than the workflow run",
    ),
    "no pull request": ({"pull": NoPull("the workflow run was about none")}, ("skipped", 0), "about none"),
    "a pull request that cannot be read": (
        {"pull": NoPull("it cannot be read", broken=True)},
        ("broken", 3),
        "it cannot be read",
    ),
}


@pytest.mark.parametrize("name", ORIGINS)
def test_only_github_decides_whose_run_it_is(name: str, tmp_path: Path):
    overrides, expected, part = ORIGINS[name]
    github = Feedback()
    report_folder(tmp_path)
    conclusion, code, reason = ended(posted(tmp_path, github, **overrides))
    assert (conclusion, code) == expected
    assert part in reason
    assert github.found == []


def test_a_refused_folder_does_not_affect_the_others(tmp_path: Path, wording: Any):
    github = Feedback()
    report_folder(tmp_path)
    (tmp_path / "reports" / "x").mkdir()
    (tmp_path / "reports" / "x" / "report.json").write_text("{}")
    result = posted(tmp_path, github)
    assert ended(result)[:2] == ("passed", 0)
    assert result.warnings[0] == wording
    assert len(github.found) == 1


def test_every_report_of_a_tree_is_posted_but_that_of_comment_itself(tmp_path: Path):
    github = Feedback()
    for stage in ("quality", "test", "comment"):
        shown = publication(tmp_path, folder=tmp_path / "reports" / "ci-action-report" / stage)
        write.report(run_result(stage_result(tool_result(finding()), stage=stage)), shown)
    result = posted(tmp_path, github)
    assert result.stages[0].tools[0].examined == {"reports": 2, "refused": 0, "posted": 2}
    assert len(parse(github.bodies[0])) == 2


def test_an_error_of_github_is_a_warning(tmp_path: Path):
    report_folder(tmp_path)
    result = posted(tmp_path, Feedback(refuses={"comments": ApiError("no permission", 403)}))
    assert ended(result) == ("passed", 0, "")
    assert result.warnings == ("reports/quality/report.json was not posted: no permission",)
    assert result.stages[0].tools[0].examined[Counted.POSTED] == 0


def test_the_comment_of_a_stranger_is_not_edited(tmp_path: Path):
    github = Feedback()
    planted = github.add("stranger", "<!-- ci-action:comment -->\nplanted")
    report_folder(tmp_path)
    posted(tmp_path, github)
    assert planted["body"].endswith("planted")
    assert [one["user"]["login"] for one in github.found] == ["stranger", BOT]


def strings(part: Any, text: str) -> Any:
    """Return a report with a text in the place of every text that means nothing to us."""
    kept = {
        "conclusion",
        "level",
        "severity",
        "outcome",
        "fix",
        "name",
        "pr-number",
        "pr-head",
        "pr-base",
        "url",
    }
    if isinstance(part, dict):
        return {key: value if key in kept else strings(value, text) for key, value in part.items()}
    if isinstance(part, list):
        return [strings(one, text) for one in part]
    return text if isinstance(part, str) else part


@shared
@given(FOREIGN | st.sampled_from(["<!-- ci-action:end -->", "@org/team", "![x](https://evil.example/x.png)"]))
def test_everything_in_it_is_only_text(tmp_path: Path, text: str):
    file = report_folder(tmp_path)
    document = strings(json.loads(file.read_bytes()), text.replace("..", "").replace("\0", ""))
    document["stages"][0]["tools"][0]["url"] = "https://evil.example"
    file.write_text(json.dumps(document))
    github = Feedback()
    if ended(posted(tmp_path, github))[0] == "broken":
        assert github.found == []
        return
    page = rendered(github.bodies[0])
    assert not page.all("img", "script", "h1", "table")
    assert all(node.attributes["href"].startswith("https://github.com/o/r/") for node in page.all("a"))
    assert "evil.example" not in page.outside_code
    assert "@org" not in page.outside_code
    assert len(parse(github.bodies[0])) == 1
