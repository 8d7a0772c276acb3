"""The commit that a change is compared with, by event."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, context, event, finding, report, resolved, tool
from support.execution import RecordedProgress, stage
from support.fake_feedback import Feedback

from ci_action.commands.plan import describe
from ci_action.engine.base_commit import Base, Fetch, base_of, changes_of, needed, with_changes
from ci_action.engine.context import Context
from ci_action.engine.execute import execute
from ci_action.github.errors import ApiError
from ci_action.model.changes import OLDER, Changes
from ci_action.model.finding import Location
from ci_action.model.result import Skipped
from ci_action.project.git.repository import Commit
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.process import Command, Completed

HEAD, TIP, BASE, OTHER = "a" * 40, "b" * 40, "c" * 40, "d" * 40
PULL = {"number": 7, "head": {"sha": TIP, "ref": "topic"}, "base": {"sha": BASE, "ref": "main"}}
MERGE = Commit(HEAD, (OTHER, TIP))
FIRST = Base(commit=OTHER, source="the first parent of the merge commit", depth=2)
FORK = Base(commit=BASE, source="the merge base with the base branch", parts=True)
BEFORE = Base(commit=BASE, source="the commit before the push")


@pytest.mark.parametrize(
    ("name", "payload", "head", "base"),
    [
        pytest.param("pull_request", {"pull_request": PULL}, MERGE, FIRST, id="merge"),
        pytest.param("pull_request", {}, MERGE, FIRST, id="merge, no payload"),
        pytest.param("pull_request", {"pull_request": PULL}, Commit(TIP, (OTHER,)), FORK, id="head"),
        pytest.param(
            "pull_request", {"pull_request": PULL}, Commit(HEAD, (OTHER, BASE)), FORK, id="another merge"
        ),
        pytest.param(
            "pull_request", {"pull_request": PULL}, Commit(HEAD, (OTHER, TIP, BASE)), FORK, id="octopus"
        ),
        pytest.param("pull_request_target", {"pull_request": PULL}, MERGE, FIRST, id="target, merge"),
        pytest.param("pull_request_target", {"pull_request": PULL}, Commit(HEAD), FORK, id="target, base"),
        pytest.param("pull_request_review", {"pull_request": PULL}, MERGE, FIRST, id="review"),
        pytest.param("push", {"before": BASE, "after": HEAD}, Commit(HEAD, (OTHER,)), BEFORE, id="push"),
        pytest.param("push", {"before": BASE, "forced": True}, Commit(HEAD), BEFORE, id="forced push"),
        pytest.param(
            "push",
            {"before": "c" * 64},
            Commit(HEAD),
            Base(commit="c" * 64, source=BEFORE.source),
            id="SHA-256",
        ),
        pytest.param(
            "merge_group",
            {"merge_group": {"base_sha": BASE, "head_sha": HEAD}},
            MERGE,
            Base(commit=BASE, source="the base of the merge group", depth=2),
            id="merge group",
        ),
    ],
)
def test_the_base_by_event(name: str, payload: dict[str, Any], head: Commit, base: Base):
    assert base_of(event(name=name, payload=payload, sha=HEAD), head) == base


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("push", {"before": "0" * 40}),
        ("push", {}),
        (
            "push",
            {"before": "--output=x"},
        ),
        ("push", {"before": 7}),
        ("pull_request", {}),
        (
            "pull_request",
            {"pull_request": {"base": {"sha": "main"}}},
        ),
        ("pull_request", {"pull_request": "x"}),
        ("pull_request_target", {"pull_request": {}}),
        ("merge_group", {"merge_group": None}),
        ("schedule", {}),
        ("workflow_dispatch", {"inputs": {}}),
    ],
)
def test_an_event_without_a_base_is_an_error(name: str, payload: dict[str, Any], wording: Any):
    with pytest.raises(ToolError) as told:
        base_of(event(name=name, payload=payload, problem="the file was cut"), Commit(HEAD, (OTHER,)))
    assert told.value.reason == wording


class Git:
    """A repository that answers by the word that git is asked."""

    def __init__(self, **answers: Completed | Exception) -> None:
        self.answers = answers
        self.asked: list[Command] = []

    def __call__(self, command: Command) -> Completed:
        words = [word for word in command.argv[1:] if not word.startswith("-") and "=" not in word]
        self.asked.append(command)
        answer = self.answers.get(words[0].replace("-", "_"), completed())
        if isinstance(answer, Exception):
            raise answer
        if words[0] == "cat-file" and command.stdin not in {b"HEAD\n", HEAD.encode() + b"\n"}:
            return completed(command.stdin.replace(b"\n", b" missing\n"))
        return answer


def ctx_of(tmp_path: Path, git: Git, **overrides: Any) -> Context:
    (tmp_path / "w").mkdir(exist_ok=True)
    return context(tmp_path / "w", FakeRun(git=git), **overrides)


def commit_object(sha: str, *parents: str) -> bytes:
    body = b"tree x\n" + b"".join(f"parent {one}\n".encode() for one in parents) + b"\nparent in the text\n"
    return f"{sha} commit {len(body)}\n".encode() + body + b"\n"


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"rev_parse": ToolError("'git' cannot be started: no")}, "could not run git: 'git' cannot be started: no"),
        ({"rev_parse": InterruptedRunError("git was interrupted")}, "git was interrupted"),
        ({"rev_parse": completed(stderr="fatal: not a git repository\n", returncode=128)}, "no git repository found: not a git repository"),
        ({"rev_parse": completed("/w\n"), "cat_file": completed("HEAD missing\n")}, "the repository has no commit yet"),
        (
            {"rev_parse": completed("/w\n"), "cat_file": completed(commit_object(HEAD)), "diff": completed(stderr="fatal: bad\n", returncode=128)},
            "git diff failed: bad",
        ),
    ],
)  # fmt: skip
def test_errors_of_git_are_the_problem(tmp_path: Path, answers: dict[str, Any], problem: str):
    pushed = event(name="push", payload={"before": HEAD})
    changes = changes_of(ctx_of(tmp_path, Git(**answers), event=pushed), fetch=Fetch.ANY)
    assert changes == Changes(problem=problem)
    assert not changes.known


class Parting(Feedback):
    """GitHub, which knows where two commits part."""

    def __init__(self, sha: str) -> None:
        super().__init__()
        self.sha = sha

    def merge_base(self, base: str, head: str) -> str:
        self.calls.append(f"{base[:2]}...{head[:2]}")
        if not self.sha:
            raise ApiError("not today", 500)
        return self.sha


class Deep(Git):
    """A repository whose history is too large to fetch; single commits are not."""

    def __call__(self, command: Command) -> Completed:
        if "--filter=tree:0" in command.argv:
            raise TimedOutError("git was ended after its time limit")
        if "init" in command.argv:
            Path(command.argv[-1], "objects").mkdir(parents=True)
        return super().__call__(command)


@pytest.mark.parametrize("sha", [OTHER, ""])
def test_if_the_history_is_too_large_github_names_the_commit(tmp_path: Path, sha: str, wording: Any):
    git = Deep(rev_parse=completed("/w\n"), cat_file=completed(commit_object(HEAD, TIP)))
    of_pull = event(name="pull_request", payload={"pull_request": PULL})
    github = Parting(sha)
    changes = changes_of(ctx_of(tmp_path, git, event=of_pull, github=github), fetch=Fetch.ANY)
    assert github.calls == ["cc...aa"]
    if sha:
        assert (changes.base, changes.problem) == (OTHER, "")
        assert OTHER in [words for command in git.asked for words in command.argv]
    else:
        assert changes.problem == wording


def test_a_fetch_that_times_out_is_the_problem(tmp_path: Path, wording: Any):
    git = Git(
        rev_parse=completed("/w\n"),
        cat_file=completed(commit_object(HEAD, OTHER)),
        init=TimedOutError("git was ended after its time limit"),
    )
    pushed = event(name="push", payload={"before": BASE})
    ctx = ctx_of(tmp_path, git, event=pushed)
    changes = changes_of(ctx, fetch=Fetch.ANY)
    assert changes.problem.startswith("could not fetch commit cccccccccccc (git timed out")
    assert changes.problem == wording


def test_a_signal_is_no_reason_to_fetch_more(tmp_path: Path):
    git = Git(
        rev_parse=completed("/w\n"),
        cat_file=completed(commit_object(HEAD, OTHER)),
        init=InterruptedRunError("git was interrupted"),
    )
    pushed = event(name="push", payload={"before": BASE})
    assert changes_of(ctx_of(tmp_path, git, event=pushed), fetch=Fetch.ANY) == Changes(
        problem="git was interrupted"
    )


@pytest.mark.parametrize(
    ("values", "fetch"),
    [
        ({}, Fetch.CHEAP),
        ({"scope": "changed"}, Fetch.ANY),
        ({"patch_coverage_min": "80"}, Fetch.ANY),
        ({"coverage_min": "80"}, Fetch.CHEAP),
        ({"fail_on": "new"}, Fetch.ANY),
        ({"fail_on": "low"}, Fetch.CHEAP),
        ({"stage": "migrations"}, Fetch.ANY),
    ],
)
def test_what_is_fetched_for_the_settings(values: dict[str, Any], fetch: Fetch):
    assert needed(resolved(**values).settings) is fetch


@pytest.mark.parametrize("fetch", [True, False])
def test_a_missing_commit_is_fetched_only_if_it_is_needed(tmp_path: Path, fetch: bool):
    git = Git(
        rev_parse=completed("/w\n"), cat_file=completed(commit_object(HEAD, OTHER)), init=ToolError("no room")
    )
    settings = {"scope": "changed"} if fetch else {}
    ctx = with_changes(
        ctx_of(tmp_path, git, event=event(name="push", payload={"before": BASE}), settings=settings)
    )
    assert ctx.changes
    assert ("no room" in ctx.changes.problem) is fetch
    assert any("init" in command.argv for command in git.asked) is fetch


@pytest.mark.parametrize(
    ("lines", "fetch", "fetched"),
    [(True, None, True), (False, None, False), (True, Fetch.NONE, False)],
    ids=["a run", "without files", "a plan"],
)
def test_the_base_of_a_pull_request_is_fetched_if_that_is_cheap(
    tmp_path: Path, lines: bool, fetch: Fetch | None, fetched: bool
):
    git = Git(
        rev_parse=completed("/w\n"),
        cat_file=completed(commit_object(HEAD, OTHER, TIP)),
        init=ToolError("no room"),
    )
    of_pull = event(name="pull_request", payload={"pull_request": PULL})
    ctx = with_changes(ctx_of(tmp_path, git, event=of_pull), fetch=fetch, lines=lines)
    assert ctx.changes
    assert not ctx.changes.known
    assert any("init" in command.argv for command in git.asked) is fetched


NEAR, FAR = (finding(location=Location(path="a.py", line=line)) for line in (3, 9))
KNOWN = Changes(base=BASE, source="the commit before the push", lines={"a.py": frozenset({3})})


def run_with(tmp_path: Path, changes: Changes | None, scope: str, *, by_lines: bool = True) -> Any:
    (tmp_path / "w").mkdir(exist_ok=True)
    ctx = context(tmp_path / "w", event=event(), changes=changes, settings={"scope": scope})
    one = stage(tool("ruff", report(NEAR, FAR), by_lines=by_lines))
    return execute([one], ctx, RecordedProgress(), resolved=resolved(scope=scope))


def test_with_scope_changed_older_findings_do_not_count(tmp_path: Path):
    result = run_with(tmp_path, KNOWN, "changed")
    assert [one.muted for one in result.findings] == ["", OLDER]
    assert (result.base, result.scope, result.new_findings) == (BASE, "changed", 1)
    assert result.verdict.reasons == ("ruff: 1 finding on your lines (+ 1 older)",)


def test_with_scope_all_everything_counts_and_new_findings_are_counted(tmp_path: Path):
    result = run_with(tmp_path, KNOWN, "all")
    assert [one.muted for one in result.findings] == ["", ""]
    assert (result.base, result.scope, result.new_findings, result.warnings) == (BASE, "all", 1, ())


def test_a_failed_test_counts_anywhere(tmp_path: Path):
    assert [one.muted for one in run_with(tmp_path, KNOWN, "changed", by_lines=False).findings] == ["", ""]


@pytest.mark.parametrize("changes", [Changes(problem="no git"), None])
def test_without_a_base_everything_counts_with_a_warning(
    tmp_path: Path, changes: Changes | None, wording: Any
):
    result = run_with(tmp_path, changes, "changed")
    assert [one.muted for one in result.findings] == ["", ""]
    assert (result.base, result.new_findings) == ("", None)
    (warning,) = result.warnings
    assert warning == wording


def test_without_a_base_fail_on_new_counts_everything(tmp_path: Path, wording: Any):
    (tmp_path / "w").mkdir()
    settings = {"fail_on": "new"}
    one = stage(tool("ruff", report(finding(severity="low", location=None))))
    ctx = context(tmp_path / "w", event=event(), changes=Changes(problem="no git"), settings=settings)
    result = execute([one], ctx, RecordedProgress(), resolved=resolved(**settings))
    assert result.warnings == (wording,)
    assert result.verdict.conclusion.value == "failed"
    ctx = context(tmp_path / "w", event=event(), changes=KNOWN, settings=settings)
    assert execute([one], ctx, RecordedProgress(), resolved=resolved(**settings)).warnings == ()


def test_no_changed_file_is_rightly_nothing_to_do(tmp_path: Path):
    (tmp_path / "w").mkdir()
    ctx = context(tmp_path / "w", event=event(), changes=KNOWN)
    skipped = [tool(name, Skipped("no changed Python file", rightly=True)) for name in ("black", "ruff")]
    result = execute([stage(*skipped)], ctx, RecordedProgress(), resolved=resolved())
    assert (result.verdict.conclusion.value, result.verdict.exit_code) == ("skipped", 0)


@pytest.mark.parametrize(
    "changes",
    [
        KNOWN,
        Changes(problem="no git"),
    ],
)
def test_a_plan_names_the_base(tmp_path: Path, changes: Changes, wording: Any):
    (tmp_path / "w").mkdir()
    lines = describe([], context(tmp_path / "w", changes=changes), resolved())
    assert [line for line in lines if line.startswith("base ")] == wording


def test_a_full_disk_is_the_problem(tmp_path: Path, wording: Any):
    git = Git(rev_parse=completed("/w\n"), cat_file=completed(commit_object(HEAD, OTHER)))
    changes = changes_of(
        ctx_of(
            tmp_path,
            git,
            event=event(name="push", payload={"before": BASE}),
            tempdir=tmp_path / "no" / "folder",
        ),
        fetch=Fetch.ANY,
    )
    assert changes.problem == wording
