"""The commands that precede the tests: where they run, as whom, and what one that fails comes to."""

import os
from pathlib import Path

import pytest
from support.builders import FakeRun, completed, context

from ci_action.engine.test_run.before import prepare
from ci_action.project.environment import Environment
from ci_action.system.errors import ToolError
from ci_action.system.folder import Owner

ME = Owner(uid=os.getuid(), gid=os.getgid())


def made(folder: Path, run: FakeRun, commands: str, **overrides):
    (folder / "w").mkdir()
    ctx = context(folder / "w", run, settings={"before_tests": commands}, **overrides)
    Environment(python="/env/bin/python", version="3.13.0", source="uv.lock").save(ctx.tempdir)
    return ctx


def test_each_runs_in_the_environment_as_the_owner_and_without_credentials(tmp_path: Path):
    run = FakeRun(alembic=completed("at head\n"), make=completed())
    environ = {"PATH": "/bin", "PIP_INDEX_URL": "https://u:p@x", "DATABASE_URL": "d"}
    ctx = made(tmp_path, run, "alembic -c 'my file' upgrade head\nmake a;b", owner=ME, environ=environ)
    text = prepare(ctx)
    assert [command.argv for command in run.asked] == [
        ("alembic", "-c", "my file", "upgrade", "head"),
        ("make", "a;b"),
    ]
    for command in run.asked:
        assert (command.owner, command.cwd, command.supervised) == (ME, tmp_path / "w", True)
        assert command.environ["PATH"] == "/env/bin:/bin"
        assert command.environ["VIRTUAL_ENV"] == "/env"
        assert "PIP_INDEX_URL" in command.withheld
    assert "at head" in text


def test_one_that_fails_is_named_with_its_code_and_its_last_line(tmp_path: Path):
    run = FakeRun(alembic=completed("one\nno such table\n", returncode=7), make=completed())
    with pytest.raises(ToolError) as caught:
        prepare(made(tmp_path, run, "alembic upgrade head\nmake"))
    assert all(word in caught.value.reason for word in ("alembic upgrade head", "7", "no such table"))
    assert caught.value.detail == "one\nno such table"
    assert len(run.asked) == 1


def test_without_commands_nothing_is_started(tmp_path: Path):
    run = FakeRun()
    assert prepare(made(tmp_path, run, "")) == ""
    assert not run.asked
