"""How the child process is started, and what is made of what it leaves."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, context
from support.migration_events import event, phase, whole
from support.migrations_sample import revision

from ci_action.engine.context import Context
from ci_action.project.environment import Environment
from ci_action.project.files import Files
from ci_action.stages.migrations.heads import Read
from ci_action.stages.migrations.heads.base import Base
from ci_action.stages.migrations.model import Alembic, RevisionHistory
from ci_action.stages.migrations.steps import CHILD, steps
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.folder import Owner
from ci_action.system.process import Command, Completed

GOOD = whole(phase("upgrade"), phase("downgrade"), phase("drift"))
Child = Callable[[Command], Completed]


def writes(lines: list[bytes], **options: Any) -> Child:
    """Return a child that leaves these events."""

    def child(command: Command) -> Completed:
        Path(json.loads(command.stdin)["events"]).write_bytes(b"".join(lines))
        return completed(**options)

    return child


def children(run: FakeRun) -> list[Command]:
    return [command for command in run.asked if str(CHILD) in command.argv]


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., tuple[Context, FakeRun]]:
    def make(child: Child | Exception, number: int = 1, **overrides: Any) -> tuple[Context, FakeRun]:
        workspace = tmp_path / "work"
        workspace.mkdir()

        def answer(command: Command) -> Completed:
            if str(CHILD) not in command.argv:
                return completed("3.45")
            if isinstance(child, Exception):
                raise child
            return child(command)

        run = FakeRun(python=answer)
        ctx = context(workspace, run, **overrides)
        Environment(python="/env/bin/python", version="3.13.1", source="uv.lock", packages={}).save(
            ctx.tempdir
        )
        ctx.listed.of(lambda: Files(names=()))
        alembic = Alembic(
            folder=workspace,
            source="alembic.ini",
            ini=workspace / "alembic.ini",
            x_arguments=("tenant=a",),
            script_location=workspace / "m",
            versions=(workspace / "m/versions",),
        )
        revisions = tuple(
            replace(revision(name, new=name == "b2"), path=workspace / f"m/versions/{name}.py")
            for name in ("a1", "b2")
        )
        history = RevisionHistory(alembic=alembic, revisions=revisions, heads=("b2",))
        histories = (history, *[history] * (number - 1))
        ctx.revisions.of(
            lambda: Read(histories=histories, findings=(), base=Base(), details=(), unreadable=0)
        )
        return ctx, run

    return make


def test_the_input_of_the_child(project):
    ctx, run = project(
        writes(GOOD), environ={"PIP_INDEX_URL": "https://secret", "DATABASE_URL": "live"}, owner=Owner(0, 0)
    )
    (done,) = steps(ctx)
    (command,) = children(run)
    given = json.loads(command.stdin)
    assert given["url"].startswith("sqlite:///")
    assert given["url"] not in " ".join(command.argv)
    assert given["url"] not in command.environ.values()
    assert (given["checked"], given["recorded"], given["x"]) == (["b2"], ["b2"], ["tenant=a"])
    assert command.owner == Owner(0, 0)
    assert command.supervised
    assert "PIP_INDEX_URL" in command.withheld
    assert command.timeout > 3 * given["timeout"]
    assert [(name, one.broken) for name, one in done.phases.items()] == [
        ("upgrade", ""),
        ("downgrade", ""),
        ("drift", ""),
    ]
    assert done.version == "1.16.0"
    assert done.database.name == "sqlite 3.45"


def test_it_runs_once_for_all_tools(project):
    ctx, run = project(writes(GOOD))
    assert steps(ctx) is steps(ctx)
    assert len(children(run)) == 1


def test_each_history_has_a_run_of_its_own(project):
    ctx, run = project(writes(GOOD), number=2)
    assert len(steps(ctx)) == 2
    assert len({json.loads(command.stdin)["events"] for command in children(run)}) == 2
    assert len({json.loads(command.stdin)["url"] for command in children(run)}) == 2


@pytest.mark.parametrize(
    ("child", "word"),
    [
        (writes([]), "exit code 0"),
        (writes(GOOD[:-1], returncode=-9), "SIGKILL"),
        (TimedOutError("python timed out after 9 s", stdout=b"out"), "9 s"),
        (InterruptedRunError("python was interrupted", stdout=b"out"), "interrupted"),
    ],
)
def test_a_child_that_ends_early(project, child: Any, word: str):
    ctx, _ = project(child)
    (done,) = steps(ctx)
    (broken,) = [one.broken for one in done.phases.values() if one.broken]
    assert word in broken


def test_a_link_in_the_place_of_the_events_is_not_followed(project, tmp_path: Path):
    secret = tmp_path / "secret.jsonl"
    secret.write_bytes(b"".join(GOOD))

    def child(command: Command) -> Completed:
        Path(json.loads(command.stdin)["events"]).symlink_to(secret)
        return completed()

    ctx, _ = project(child)
    (done,) = steps(ctx)
    assert done.phases["upgrade"].broken


def test_downgrade_from_of_no_history(project):
    ctx, run = project(writes(GOOD), settings={"downgrade_from": "beef"})
    with pytest.raises(ToolError, match="beef"):
        steps(ctx)
    assert not children(run)


def test_another_dialect_is_tried_once(project):
    """The embedded server cannot be started here."""
    seen = whole([event("connects", dialect="oracle"), *phase("upgrade", finished=False)])
    ctx, run = project(writes(seen))
    with pytest.raises(ToolError, match="oracle"):
        steps(ctx)
    assert len(children(run)) == 1
