"""The types stage in the container: plugins of the project run as the owner, and reach nothing of ours."""

import os

import pytest
from support.container import probes, projects
from support.container.runner import Machine
from support.container.variables import TOKEN

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root alone"),
]
PLUGIN = """
import os
import reach
from mypy.plugin import Plugin

CLOSED = ("INPUT_", "ACTIONS_", "STATE_", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH")
seen = sorted(name for name in os.environ if name.startswith(CLOSED))
with open("/github/workspace/noted", "w") as stream:
    stream.write(f"{os.getuid()} {reach.taken()} {seen}")
print("::set-output name=result::passed")


def plugin(version):
    return Plugin
"""
FILES = {
    "pyproject.toml": "[project]\nname = 'x'\nversion = '1'\n[tool.mypy]\nfiles = ['pkg']\nplugins = ['own.py']\n",
    "own.py": f"import sys\nsys.path.insert(0, '/github/workspace')\n{PLUGIN}",
    "reach.py": probes.CURIOUS["reach.py"],
    "pkg/__init__.py": "def f(x: int) -> str:\n    return x\n",
    ".gitignore": "noted\n",
}


def test_a_plugin_of_the_project_reaches_nothing_of_ours(machine: Machine):
    projects.write(machine.workspace, FILES)
    projects.settle(machine.workspace)
    environ = {"GITHUB_TOKEN": TOKEN, "ACTIONS_RUNTIME_TOKEN": "eyRunt1me0000000000000000000005"}
    ran = machine.run(inputs={"stage": "types"}, environ=environ)
    assert (ran.code, ran.outputs["result"]) == (1, "failed"), ran.log
    (finding,) = ran.tool("mypy")["findings"]
    assert (finding["rule"], finding["path"], finding["line"]) == ("return-value", "pkg/__init__.py", 2)
    assert (machine.workspace / "noted").read_text() == f"{projects.OWNER} [] []"
    assert not [name for name, owner in ran.owners.items() if owner != projects.OWNER]
    # After the owners: git, as root here, writes the index.
    left = projects.git_output(machine.workspace, "status", "--porcelain", "--untracked-files=all")
    assert not left, left
