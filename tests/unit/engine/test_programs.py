"""Where the project's version of a tool is installed, and as which user."""

import os
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, context, write

from ci_action.engine.context import Context
from ci_action.engine.programs import by_uv, pinned
from ci_action.project.pins import Choice
from ci_action.system.errors import ToolError
from ci_action.system.folder import Owner
from ci_action.system.process import Command, Completed

# Files can be given to ourselves only.
OWNER = Owner(os.geteuid(), os.getegid())


class Uv:
    """Installs what is wanted, or fails if it may build nothing."""

    def __init__(self, *, builds: bool = False) -> None:
        self.asked: list[Command] = []
        self._builds = builds

    def __call__(self, command: Command) -> Completed:
        self.asked.append(command)
        if Path(command.argv[0]).name != "uv":
            return completed("black, 24.1.0")
        if self._builds and "--no-build" in command.argv:
            return completed(stderr="error: no wheels", returncode=1)
        folder = Path(command.environ["UV_TOOL_DIR"]) / "black"
        write(folder, {"bin/black": "", "bin/python": ""})
        for name in ("black", "python"):
            (folder / "bin" / name).chmod(0o755)
        return completed()

    @property
    def installed(self) -> list[Command]:
        return [command for command in self.asked if Path(command.argv[0]).name == "uv"]


def run_of(tmp_path: Path, uv: Uv | FakeRun, **overrides: Any) -> Context:
    write(tmp_path / "w", {"requirements.txt": "black==24.1.0\n"})
    return context(tmp_path / "w", uv, **{"cache": tmp_path / "cache", **overrides})


def test_a_kept_version_needs_no_process_in_the_next_run(tmp_path: Path):
    first = pinned(run_of(tmp_path, Uv()), "black")
    assert (first.version, first.source, first.instead) == ("24.1.0", "requirements.txt", "")
    assert pinned(run_of(tmp_path, FakeRun()), "black") == first


def test_without_a_cache_it_is_installed_for_the_run(tmp_path: Path):
    uv = Uv()
    ctx = run_of(tmp_path, uv, cache=None)
    assert Path(*pinned(ctx, "black").argv).is_relative_to(ctx.tempdir)
    assert "--no-build" not in uv.asked[0].argv


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path):
    write(tmp_path, {"file": ""})
    ctx = run_of(tmp_path, Uv(), cache=tmp_path / "file")
    assert Path(*pinned(ctx, "black").argv).is_relative_to(ctx.tempdir)


@pytest.mark.parametrize(
    ("builds", "environ", "owners"),
    [
        (False, {}, [None]),
        (True, {}, [None, OWNER]),
        (False, {"PIP_FIND_LINKS": "/github/workspace/wheels"}, [OWNER]),
        (False, {"PIP_INDEX_URL": "https://index.example/simple"}, [None]),
    ],
    ids=["wheels", "from its sources", "packages in a folder", "an index"],
)
def test_in_the_container_root_keeps_what_no_code_of_others_has_made(
    tmp_path: Path, builds: bool, environ: dict[str, str], owners: list[Owner | None]
):
    uv = Uv(builds=builds)
    theirs = {"HOME": "/github/home", "UV_CACHE_DIR": "/github/home/uv", **environ}
    ctx = run_of(tmp_path, uv, container=True, owner=OWNER, environ=theirs)
    program = pinned(ctx, "black")
    assert [command.owner for command in uv.installed] == owners
    assert Path(*program.argv).is_relative_to(tmp_path / "cache") == (owners == [None])
    for command in uv.installed:
        if command.owner is None:
            home = ctx.tempdir / "keeps"
            assert command.environ["HOME"] == str(home)
            assert command.environ["UV_CACHE_DIR"] == str(home / "uv")
            assert "--no-build" in command.argv
    versions = [command for command in uv.asked if "--version" in command.argv]
    assert {command.owner for command in versions} == {OWNER}


def test_a_checker_that_cannot_be_installed_is_an_error(tmp_path: Path):
    ctx = run_of(tmp_path, FakeRun(uv=completed(stderr="error: no network", returncode=2)))
    with pytest.raises(ToolError, match="no network"):
        by_uv(ctx, "mypy", Choice(source="asked for"))


def test_two_tools_with_the_same_program_install_it_once(tmp_path: Path):
    uv = Uv()
    ctx = run_of(tmp_path, uv, cache=None)
    assert pinned(ctx, "black") is pinned(ctx, "black")
    assert len(uv.installed) == 1
