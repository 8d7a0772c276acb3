"""A repository whose settings and hooks name programs, as the code of a pull request may have left it behind."""

from pathlib import Path
from typing import Final

import pytest
from e2e import projects
from e2e.pull_requests import Change, change, tell, variables
from e2e.runner import Machine
from e2e.variables import WORKSPACE
from traps import set_traps

pytestmark = pytest.mark.docker
POINTER: Final = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 2000\n"
FILES: Final = {"app.py": "x = [ 1 ]\n", "a.pyi": "x: int\n", "docs.md": "text\n", "large.bin": POINTER}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Change:
    return change(tmp_path_factory.mktemp("trapped") / "origin", FILES)


@pytest.mark.parametrize("run_as", ["owner", "root"])
def test_nothing_that_the_repository_names_is_started(made: Change, machine: Machine, run_as: str):
    sha = made.checkout(machine.workspace)
    set_traps(machine.workspace, Path(WORKSPACE, ".git", "ran"), f"{WORKSPACE}/.git/trap")
    projects.settle(machine.workspace, git=False)
    tell(machine.workflow, made.from_fork())
    inputs = {"stage": "quality, pr, security", "scope": "changed", "licenses-allow": "", "run-as": run_as}
    ran = machine.run(inputs=inputs, environ=variables("pull_request", sha))
    mark = machine.workspace / ".git" / "ran"
    assert not mark.exists(), mark.read_text()
    assert ran.report["base"] == made.base, ran.log
    assert ran.tool("size")["examined"]["files"] == len(FILES)
    assert set(ran.owners.values()) == {projects.OWNER}
