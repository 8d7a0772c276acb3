"""Events with rights of their own: whose commit is checked out, and what is started of it."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, context, event, layout, report, tool

from ci_action.engine.execute import check
from ci_action.engine.trust import EVENTS, permitted, refusal, whose
from ci_action.model.result import Broken, Report
from ci_action.project.git.repository import Commit
from ci_action.project.programs import Program
from ci_action.system.errors import ToolError

MAIN, HEAD, BASE, MERGE, OTHER = ("a" * 40, "b" * 40, "c" * 40, "d" * 40, "e" * 40)
TARGET = {"pull_request": {"head": {"sha": HEAD}, "base": {"sha": BASE}, "merge_commit_sha": MERGE}}


def ran(cause: object = "push", sha: str = OTHER, repository: object = "o/r") -> dict[str, Any]:
    return {"workflow_run": {"event": cause, "head_sha": sha, "head_repository": {"full_name": repository}}}


@pytest.mark.parametrize(
    ("name", "payload", "head", "strange"),
    [
        pytest.param("pull_request_target", TARGET, Commit(MAIN), "", id="the default branch"),
        pytest.param("pull_request_target", TARGET, Commit(BASE), "", id="the base"),
        pytest.param(
            "pull_request_target", TARGET, Commit(HEAD), "the checkout is the commit of", id="the head"
        ),
        pytest.param(
            "pull_request_target",
            TARGET,
            Commit(MERGE, (BASE, HEAD)),
            "the checkout merges the commit",
            id="merge",
        ),
        pytest.param(
            "pull_request_target", TARGET, Commit(OTHER, (BASE, HEAD)), "merges the commit of", id="own merge"
        ),
        pytest.param("pull_request_target", TARGET, Commit(OTHER), "not known", id="another commit"),
        pytest.param("pull_request_target", {}, Commit(OTHER), "not known", id="no payload"),
        pytest.param("pull_request_target", {}, Commit(MAIN), "", id="no payload, the default branch"),
        pytest.param("issue_comment", {}, Commit(MAIN), "", id="comment, the default branch"),
        pytest.param("issue_comment", {}, Commit(HEAD), "not known", id="comment, whatever else"),
        pytest.param("workflow_run", ran(), Commit(MAIN), "", id="run, the default branch"),
        pytest.param("workflow_run", ran(), Commit(OTHER), "", id="run of a push to a branch of ours"),
        pytest.param("workflow_run", ran(), Commit(HEAD), "not known", id="run of a push, another commit"),
        pytest.param(
            "workflow_run", ran("pull_request"), Commit(OTHER), "workflow run", id="run of a pull request"
        ),
        pytest.param(
            "workflow_run", ran("pull_request_target"), Commit(OTHER), "workflow run", id="run of a target"
        ),
        pytest.param(
            "workflow_run", ran("issue_comment"), Commit(OTHER), "workflow run", id="run of a comment"
        ),
        pytest.param(
            "workflow_run", ran(repository="x/y"), Commit(OTHER), "workflow run", id="of another repository"
        ),
        pytest.param(
            "workflow_run", ran(repository=None), Commit(OTHER), "workflow run", id="of an unknown one"
        ),
        pytest.param("workflow_run", ran(3, repository=[]), Commit(OTHER), "workflow run", id="of junk"),
    ],
)
def test_whose_commit_it_is(name: str, payload: dict[str, Any], head: Commit, strange: str):
    found = whose(event(name=name, sha=MAIN, payload=payload), head, lambda _: False)
    assert (strange in found) if strange else found == ""


def test_what_is_in_the_history_of_ours_is_ours():
    target = event(name="pull_request_target", sha=MAIN, payload=TARGET)
    assert whose(target, Commit(HEAD), lambda sha: sha == BASE) == ""
    assert whose(target, Commit(HEAD), lambda sha: sha in {HEAD, MERGE}) != ""


@pytest.mark.parametrize("sha", [HEAD, MERGE])
def test_a_runner_that_names_the_commit_of_the_pull_request_is_not_trusted(sha: str, wording: Any):
    target = event(name="pull_request_target", sha=sha, payload=TARGET)
    assert whose(target, Commit(sha), lambda _: False) == wording
    merged = {"pull_request": {**TARGET["pull_request"], "merged": True}}
    target = event(name="pull_request_target", sha=sha, payload=merged)
    assert whose(target, Commit(sha), lambda _: False) == ""


@pytest.mark.parametrize("sha", ["", "main", "0" * 40, HEAD[:7]])
def test_an_event_without_a_commit_is_not_trusted(sha: str):
    assert "not known" in whose(event(name="issue_comment", sha=sha), Commit(HEAD), lambda _: True)


def git(
    head: str = MAIN,
    *,
    status: bytes = b"",
    others: bytes = b"",
    base: str = "",
    meets: str = "",
    fails: str = "",
) -> FakeRun:
    """Answer as git does in a clone that has this commit checked out, and the base, if any."""

    def answer(command: Any) -> Any:
        words = command.argv
        if fails and fails in words:
            return completed(returncode=128)
        if {"config", "ls-files", "read-tree"}.intersection(words):
            return completed(others if "--others" in words else b"")
        if "--show-toplevel" in words:
            return completed("/w\n")
        if "cat-file" in words:
            names = command.stdin.decode().split()
            here = {"HEAD": head, head: head, **({base: base} if base else {})}
            entries = [
                f"{here[name]} commit 0\n\n" if name in here else f"{name} missing\n" for name in names
            ]
            return completed("".join(entries))
        if "merge-base" in words:
            return completed(f"{meets or head}\n" if base else "", returncode=0 if base else 1)
        assert "status" in words
        return completed(status)

    return FakeRun(git=answer)


def in_event(tmp_path: Path, run: FakeRun, name: str = "pull_request_target", **overrides: Any) -> Any:
    (tmp_path / "w").mkdir(exist_ok=True)
    told = event(name=name, sha=MAIN, payload=TARGET)
    return context(tmp_path / "w", run, event=told, layout=layout(tmp_path / "w"), **overrides)


def test_other_events_ask_nothing(tmp_path: Path):
    for name in ("", "push", "pull_request", "merge_group", "workflow_dispatch", "schedule"):
        ctx = in_event(tmp_path, FakeRun(), name)
        assert refusal(ctx) == ""
        assert permitted(ctx) == ()
    assert {"pull_request_target", "workflow_run", "issue_comment"} == EVENTS


@pytest.mark.parametrize(
    ("run", "refused"),
    [
        pytest.param(git(), False, id="ours"),
        pytest.param(git(HEAD), True, id="theirs"),
        pytest.param(git(HEAD, base=BASE), False, id="merged meanwhile"),
        pytest.param(git(HEAD, base=BASE, meets=OTHER), True, id="only akin"),
        pytest.param(git(status=b" M conftest.py\0"), True, id="changed"),
        pytest.param(git(others=b"pr/a.py\0"), True, id="brought along"),
        pytest.param(git(fails="status"), True, id="unknown"),
        pytest.param(git(fails="--show-toplevel"), True, id="no repository"),
        pytest.param(FakeRun(git=ToolError("git was not found")), True, id="no git"),
    ],
)
def test_what_is_refused(tmp_path: Path, run: FakeRun, refused: bool, wording: Any):
    found = refusal(in_event(tmp_path, run))
    if not refused:
        assert found == ""
        return
    assert found == wording
    for advice in ("pull_request_target", "`allow-privileged: true`", "`workflow_run`"):
        assert advice in found


def test_a_tool_that_starts_code_is_broken_and_others_go_on(tmp_path: Path):
    ctx = in_event(tmp_path, git(HEAD))
    started = tool("pytest", runs_code=lambda _: True, program=lambda _: pytest.fail("it was started"))
    refused = check(started, ctx).outcome
    assert isinstance(refused, Broken)
    assert "allow-privileged" in refused.reason
    assert isinstance(check(tool("ruff", report(), program=quiet), ctx).outcome, Report)


def quiet(_ctx: Any) -> Program:
    return Program(argv=(), version="", source="")


def test_allowed_code_is_a_warning(tmp_path: Path, wording: Any):
    settings = {"allow_privileged": "true"}
    started = tool("pytest", report(), runs_code=lambda _: True, program=quiet)
    done = check(started, in_event(tmp_path, git(HEAD), settings=settings))
    assert isinstance(done.outcome, Report)
    assert len(done.warnings) == 1
    assert done.warnings[0] == wording
    assert check(started, in_event(tmp_path, git(), settings=settings)).warnings == ()
    assert check(started, in_event(tmp_path, git())).warnings == ()
