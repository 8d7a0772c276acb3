"""The history of revisions as it is after the merge, in real repositories."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.builders import context, event
from support.repositories import checkout, git, write

from ci_action.engine.base_commit import with_changes
from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.github.event import Event
from ci_action.model.finding import Finding
from ci_action.model.migrations import History
from ci_action.model.result import Counted, Report
from ci_action.project.programs import Program
from ci_action.stages.migrations import heads
from ci_action.system.process import Processes

VERSIONS = "migrations/versions"
MAIN = f"refs/{'remotes'}/origin/main"
PROJECT: dict[str | bytes, str | bytes] = {
    "alembic.ini": "[alembic]\nscript_location = migrations\n",
    "migrations/env.py": "from alembic import context\n",
}
Check = Callable[..., Checked]


def revision(name: str, *down: str, body: str = "pass") -> str:
    parent = repr(down[0] if len(down) == 1 else down or None)
    return (
        f'"""Change {name}."""\nimport not_installed\n\nrevision = {name!r}\ndown_revision = {parent}\n\n\n'
        f"def upgrade():\n    {body}\n"
    )


def files(**revisions: tuple[str, ...]) -> dict[str | bytes, str | bytes]:
    """Return the revision files of these names, each with what it follows."""
    return {f"{VERSIONS}/{name}.py": revision(name, *down) for name, down in revisions.items()}


def commit(folder: Path, content: Mapping[str | bytes, str | bytes], author: str = "Ann") -> str:
    write(folder, content)
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "x", f"--author={author} <a@example.org>")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A project whose main branch has two revisions."""
    folder = tmp_path / "origin"
    git(tmp_path, "init", "--quiet", "-b", "main", str(folder))
    for key in ("allowAnySHA1InWant", "allowFilter"):
        git(folder, "config", f"uploadpack.{key}", "true")
    commit(folder, {**PROJECT, **files(a=(), b=("a",))})
    return folder


@pytest.fixture
def check(tmp_path: Path) -> Iterator[Check]:
    """Return what checks a repository as in an event, without one on a laptop."""
    (tmp_path / "processes").mkdir()
    processes = Processes({"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, tmp_path / "processes")

    def of(folder: Path, its_event: Event | None = None, **overrides: Any) -> Checked:
        settings = {"stage": "migrations"}
        ctx: Context = context(
            folder, processes.run, event=its_event or Event(), settings=settings, **overrides
        )
        return heads.check(with_changes(ctx), Program(argv=(), version="", source=""))

    yield of
    processes.stop()


def found(checked: Checked) -> tuple[Finding, ...]:
    assert isinstance(checked.outcome, Report)
    return checked.outcome.findings


def history(checked: Checked) -> History:
    assert isinstance(checked.outcome, Report)
    assert checked.outcome.migrations
    (one,) = checked.outcome.migrations.histories
    return one


def topic(origin: Path, content: Mapping[str | bytes, str | bytes], author: str = "Tom") -> str:
    """Commit to a branch from the main one, which stays checked out."""
    git(origin, "checkout", "--quiet", "-b", "topic")
    sha = commit(origin, content, author)
    git(origin, "checkout", "--quiet", "main")
    return sha


def fetched(origin: Path, branch: str = "main") -> None:
    """Let the repository know a branch as the main one of its remote."""
    git(origin, "update-ref", MAIN, branch)


def merge(origin: Path) -> dict[str, Any]:
    """Merge the branch as GitHub does; return the payload of its event."""
    base, head = git(origin, "rev-parse", "main"), git(origin, "rev-parse", "topic")
    git(origin, "checkout", "--quiet", "--detach", "main")
    git(origin, "merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    git(origin, "update-ref", "refs/pull/7/merge", "HEAD")
    git(origin, "checkout", "--quiet", "main")
    pull = {
        "number": 7,
        "user": {"login": "octocat"},
        "head": {"sha": head, "ref": "topic"},
        "base": {"sha": base, "ref": "main"},
    }
    return {"pull_request": pull}


def of_event(folder: Path, payload: Mapping[str, Any], name: str = "pull_request") -> Event:
    return event(name=name, sha=git(folder, "rev-parse", "HEAD"), payload=payload)


def test_two_changes_that_are_fine_apart(origin: Path, check: Check):
    topic(origin, files(c=("b",)))
    git(origin, "checkout", "--quiet", "topic")
    fetched(origin)
    before = check(origin)
    assert (found(before), history(before).heads, history(before).new) == ((), ("c",), 1)
    git(origin, "checkout", "--quiet", "main")
    commit(origin, files(d=("b",)), "Bob")
    assert found(check(origin)) == ()  # main alone
    fetched(origin)
    git(origin, "checkout", "--quiet", "topic")
    together = check(origin)
    (finding,) = found(together)
    assert (finding.rule, finding.path, finding.line, finding.new) == (
        "multiple-heads",
        f"{VERSIONS}/c.py",
        5,
        True,
    )
    for text in (
        "'c'",
        "by Tom",
        "'d'",
        "by Bob",
        "down_revision = 'd'",
        "alembic merge -m 'merge heads' d c",
    ):
        assert text in finding.message
    assert {*history(together).heads} == {"c", "d"}
    assert history(together).base_heads == ("d",)
    assert isinstance(together.outcome, Report)
    assert together.outcome.examined[Counted.REVISIONS] == 4
    assert together.warnings == ()


@pytest.mark.parametrize("ref", ["refs/pull/7/merge", "refs/heads/topic"])
@pytest.mark.parametrize("depth", ["--depth=1", "--depth=2", "--no-tags"])
def test_the_base_branch_that_moved_after_the_event(
    ref: str, depth: str, origin: Path, check: Check, tmp_path: Path
):
    topic(origin, files(c=("b",)))
    payload = merge(origin)
    commit(origin, files(d=("b",)), "Bob")
    folder = checkout(origin, tmp_path / "clone", ref, depth)
    checked = check(folder, of_event(folder, payload))
    (finding,) = found(checked)
    assert (finding.rule, finding.path) == ("multiple-heads", f"{VERSIONS}/c.py")
    assert checked.warnings == ()
    assert history(checked).new == 1


def test_the_author_of_a_change_in_a_shallow_clone(origin: Path, check: Check, tmp_path: Path):
    topic(origin, files(c=("b",)))
    payload = merge(origin)
    commit(origin, files(d=("b",)), "Bob")
    commit(origin, {"README": "x\n"}, "Eve")
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge", "--depth=1")
    (finding,) = found(check(folder, of_event(folder, payload)))
    assert "c.py by @octocat" in finding.message
    assert (
        "Bob" not in finding.message
    )  # the commit is the end of the history: every file seems to be its own


def test_the_merge_that_github_made(origin: Path, check: Check, tmp_path: Path):
    topic(origin, files(c=("b",)))
    commit(origin, files(d=("b",)), "Bob")
    payload = merge(origin)
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge", "--depth=2")
    assert [one.rule for one in found(check(folder, of_event(folder, payload)))] == ["multiple-heads"]


def test_a_base_branch_that_cannot_be_fetched(origin: Path, check: Check, tmp_path: Path):
    topic(origin, files(c=("b",)))
    payload = merge(origin)
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge", "--depth=2")
    git(folder, "remote", "set-url", "origin", f"file://{tmp_path}/absent")
    checked = check(folder, of_event(folder, payload))
    assert (found(checked), history(checked).new, len(checked.warnings)) == ((), 1, 1)
    head = checkout(origin, tmp_path / "head", "refs/heads/topic", "--depth=2")
    git(head, "remote", "set-url", "origin", f"file://{tmp_path}/absent")
    payload["pull_request"]["base"]["sha"] = "c" * 40
    alone = check(head, of_event(head, payload))
    assert found(alone) == ()
    assert not history(alone).base_known
    assert alone.warnings


def test_the_same_name_twice(origin: Path, check: Check):
    topic(origin, files(c=("b",)))
    git(origin, "checkout", "--quiet", "topic")
    git(origin, "checkout", "--quiet", "main")
    commit(origin, {f"{VERSIONS}/other.py": revision("c", "b")}, "Bob")
    fetched(origin)
    git(origin, "checkout", "--quiet", "topic")
    (finding,) = found(check(origin))
    assert (finding.rule, finding.path) == ("duplicate-revision", f"{VERSIONS}/c.py")


def test_what_the_base_branch_removed_or_changed(origin: Path, check: Check):
    """The base branch joins its two revisions in one; the change follows one that is gone."""
    topic(origin, files(c=("b",)))
    git(origin, "rm", "--quiet", f"{VERSIONS}/b.py")
    commit(origin, {f"{VERSIONS}/a.py": revision("a", body="raise ValueError")}, "Bob")
    fetched(origin)
    git(origin, "checkout", "--quiet", "topic")
    checked = check(origin)
    assert [(one.rule, one.path, one.line) for one in found(checked)] == [
        ("missing-parent", f"{VERSIONS}/c.py", 5)
    ]
    assert history(checked).total == 2


def test_a_change_that_follows_the_base_branch(origin: Path, check: Check):
    topic(origin, files(c=("b",)))
    commit(origin, files(d=("b",)), "Bob")
    fetched(origin)
    git(origin, "checkout", "--quiet", "topic")
    write(origin, {f"{VERSIONS}/c.py": revision("c", "d")})  # not committed yet
    checked = check(origin)
    assert (found(checked), history(checked).heads) == ((), ("c",))


def test_a_change_without_revisions_has_no_part_in_it(origin: Path, check: Check):
    topic(origin, {"app.py": "x = 1\n"})
    commit(origin, files(c=("b",), d=("b",)), "Bob")
    fetched(origin)
    git(origin, "checkout", "--quiet", "topic")
    checked = check(origin)
    assert (found(checked), history(checked).heads, history(checked).new) == ((), ("b",), 0)


@pytest.mark.parametrize("name", ["schedule", "push"])
def test_an_unknown_base(name: str, origin: Path, check: Check):
    checked = check(origin, of_event(origin, {}, name))
    assert found(checked) == ()
    assert (history(checked).base_known, history(checked).new) == (False, 2)
    assert len(checked.warnings) == 1


@pytest.mark.parametrize(
    ("body", "changed", "rules"),
    [("return (", True, ["syntax"]), ("return (", False, []), ("return 1", True, [])],
)
def test_revisions_of_the_change_are_parsed_whole(
    body: str, changed: bool, rules: list[str], origin: Path, check: Check
):
    topic(origin, {f"{VERSIONS}/c.py": revision("c", "b", body=body)})
    git(origin, "checkout", "--quiet", "topic")
    fetched(origin, "main" if changed else "topic")
    assert [(one.rule, one.line) for one in found(check(origin))] == [(rule, 9) for rule in rules]


def test_files_that_are_not_followed(origin: Path, check: Check, tmp_path: Path):
    (tmp_path / "outer.py").write_text(revision("c", "b"))
    (origin / VERSIONS / "link.py").symlink_to(tmp_path / "outer.py")
    os.mkfifo(origin / VERSIONS / "pipe.py")
    (origin / VERSIONS / "large.py").write_bytes(b"#" * 5_000_001)
    (origin / VERSIONS / "::error::x\r.py").write_text("revision = 1\n")
    checked = check(origin, of_event(origin, {}, "schedule"))
    assert [one.rule for one in found(checked)] == ["syntax"] * 4
    assert isinstance(checked.outcome, Report)
    assert checked.outcome.examined[Counted.UNREADABLE] == 4


def test_names_of_the_base_branch_are_only_names(origin: Path, check: Check):
    topic(origin, files(c=("b",)))
    strange: dict[str | bytes, str | bytes] = {
        f"{VERSIONS}/$(reboot)\n::error::.py": "x",
        f"{VERSIONS}/d'.py": revision("d`id`\n", "b"),
    }
    commit(origin, strange, "::error::Bob")
    fetched(origin)
    git(origin, "checkout", "--quiet", "topic")
    (finding,) = found(check(origin))
    assert finding.rule == "multiple-heads"
    assert "alembic merge" not in finding.message
    assert "\n" not in finding.message


def test_a_run_by_name_and_one_of_all(origin: Path, ci_action: Callable[..., Any], tmp_path: Path):
    (origin / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n")
    commit(origin, files(c=("a",)))
    ran = ci_action(origin, "run", "migrations")
    assert (ran.code, [one["rule"] for one in ran.findings("heads")]) == (1, ["multiple-heads"])
    assert ran.report["outputs"]["migration-heads"] == "b,c"
    assert ran.tool("environment")["outcome"] == "skipped"
    assert ci_action(origin, "run", "migrations", "--alembic-config=absent.ini").code == 2
    assert ci_action(origin, "run", "migrations", "--alembic-args=--sql").code == 2
    assert ci_action(origin, "run", "migrations", "--downgrade-from=zz").code == 2


def test_a_project_without_alembic(tmp_path: Path, ci_action: Callable[..., Any]):
    folder = tmp_path / "plain"
    folder.mkdir()
    git(folder, "init", "--quiet")
    write(folder, {"x.py": "x = 1\n"})
    ran = ci_action(folder, "run", "migrations")
    assert (ran.code, ran.report["conclusion"]) == (2, "empty")
    write(folder, {**PROJECT, f"{VERSIONS}/README": "none yet\n"})
    ran = ci_action(folder, "run", "migrations")
    assert (ran.code, ran.report["conclusion"]) == (2, "empty")
    write(folder, {"alembic.ini": "[alembic]\n"})
    ran = ci_action(folder, "run", "migrations")
    assert (ran.code, [one["rule"] for one in ran.findings("heads")]) == (1, ["config"])
