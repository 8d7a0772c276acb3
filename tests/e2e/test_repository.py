"""A repository whose settings and hooks name programs, as the code of a pull request may have left it behind."""

from pathlib import Path
from typing import Final

import pytest
from support.container import projects
from support.container.pull_requests import REPOSITORY, Change, change, tell, variables
from support.container.runner import Machine
from support.container.variables import TOKEN, WORKSPACE
from support.git_server import basic, served
from support.git_traps import set_hooks, set_traps

pytestmark = pytest.mark.docker
POINTER: Final = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 2000\n"
FILES: Final = {"app.py": "x = [ 1 ]\n", "a.pyi": "x: int\n", "docs.md": "text\n", "large.bin": POINTER}
# Stays, and reads the variables of all that its user may read.
_SPY: Final = """#!/bin/sh
cp /proc/self/environ {git}/stolen
setsid sh -c 'for i in $(seq 200); do cat /proc/[0-9]*/environ >> {git}/stolen 2> /dev/null; sleep 0.02; done' > /dev/null 2>&1 &
exit 1
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Change:
    found = change(tmp_path_factory.mktemp("trapped") / "origin", FILES)
    for key in ("allowAnySHA1InWant", "allowFilter"):
        projects.git_output(found.origin, "config", f"uploadpack.{key}", "true")
    return found


@pytest.mark.parametrize(("run_as", "hooks"), [("owner", True), ("owner", False), ("root", False)])
def test_nothing_that_the_repository_names_is_started(
    made: Change, machine: Machine, run_as: str, *, hooks: bool
):
    sha = made.checkout(machine.workspace)
    mark = Path(WORKSPACE, ".git", "ran")
    if hooks:
        set_hooks(machine.workspace, mark)
    else:
        set_traps(machine.workspace, mark, f"{WORKSPACE}/.git/trap")
    projects.settle(machine.workspace, git=False)
    tell(machine.workflow, made.from_fork())
    inputs = {"stage": "quality, pr, security", "scope": "changed", "licenses-allow": "", "run-as": run_as}
    ran = machine.run(inputs=inputs, environ=variables("pull_request", sha))
    here = machine.workspace / ".git" / "ran"
    assert not here.exists(), here.read_text()
    assert ran.report["base"] == made.base, ran.log
    assert ran.tool("size")["examined"]["files"] == len(FILES)
    assert set(ran.owners.values()) == {projects.OWNER}


def test_the_token_of_a_fetch_is_seen_by_no_program_of_the_repository(
    made: Change, machine: Machine, tmp_path: Path
):
    sha = made.checkout(machine.workspace, depth=1)
    spy = machine.workspace / ".git" / "spy"
    spy.write_text(_SPY.format(git=f"{WORKSPACE}/.git"))
    spy.chmod(0o755)
    for key, value in {
        "remote.origin.url": "ssh://example.org/x",
        "core.sshCommand": f"{WORKSPACE}/.git/spy",
        "core.alternateRefsCommand": f"{WORKSPACE}/.git/spy",
        "url.http://127.0.0.1:9/.insteadOf": "http://",
    }.items():
        projects.git_output(machine.workspace, "config", key, value)
    projects.settle(machine.workspace, git=False)
    tell(machine.workflow, made.from_fork())
    served_at = tmp_path / "served" / REPOSITORY
    served_at.parent.mkdir(parents=True)
    served_at.symlink_to(made.origin)
    with served(tmp_path / "served", TOKEN) as (address, seen):
        environ = {**variables("pull_request", sha), "GITHUB_SERVER_URL": address, "GITHUB_API_URL": address}
        inputs = {"stage": "quality", "scope": "changed", "github-token": TOKEN}
        ran = machine.run(inputs=inputs, environ=environ, options=("--network=host",))
    assert [basic(TOKEN)] in seen, ran.log
    assert ran.report["base"] == made.base, ran.log
    stolen = (machine.workspace / ".git" / "stolen").read_text("utf-8", "replace")
    assert "GIT_DIR=" in stolen  # it was started, by the owner, and saw itself
    assert basic(TOKEN).split()[1] not in stolen
    assert TOKEN not in stolen
