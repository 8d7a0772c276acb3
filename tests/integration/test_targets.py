"""`python-version` as the target of Black and Ruff: only where the project sets none."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ci_action.stages.quality.common import BUNDLED_TARGETS

# Black joins the context managers in parentheses from Python 3.9 on; Ruff knows `match` from 3.10 on.
MATCH = "match 1:\n    case _:\n        pass\n"


@pytest.mark.parametrize(
    ("pyproject", "version", "rules"),
    [
        ("", "3.9", {"invalid-syntax"}),
        ("", "3.10", set()),
        ("", ">=3.9", {"invalid-syntax"}),
        ("[tool.ruff]\ntarget-version = 'py311'\n[tool.black]\ntarget-version = ['py311']\n", "3.9", set()),
        ("[project]\nname = 'x'\nrequires-python = '>=3.8'\n", "3.11", set()),
    ],
)
def test_the_target_of_ruff(pyproject, version, rules, project, ci_action):
    folder = project({"a.py": MATCH, "pyproject.toml": pyproject})
    ran = ci_action(folder, "quality", f"--python-version={version}")
    found = {finding["rule"] for finding in ran.findings("ruff")}
    # requires-python of the project wins over the input: Ruff takes it from there.
    assert found == (rules if "requires-python" not in pyproject else {"invalid-syntax"})


def test_a_python_that_a_tool_does_not_support_uses_its_newest_with_a_warning(project, ci_action):
    ran = ci_action(project({"a.py": "x = 1\n"}), "quality", "--python-version=3.39")
    assert ran.code == 0
    assert len([note for note in ran.report["warnings"] if "does not support Python 3.39" in note]) == 2


def test_a_contradiction_to_requires_python_is_named_and_nothing_runs(project, ci_action):
    folder = project(
        {"a.py": "x = 1\n", "pyproject.toml": "[project]\nname = 'x'\nrequires-python = '>=3.12'\n"}
    )
    ran = ci_action(folder, "quality", "--python-version=3.11")
    assert ran.code == 2
    assert "contradicts requires-python" in ran.out
    assert ran.report == {}


def targets_of(*command: str) -> set[int]:
    argv = [str(Path(sys.prefix, "bin", command[0])), *command[1:], "--target-version=none", "."]
    listed = subprocess.run(argv, capture_output=True, text=True, check=False).stderr
    return {int(minor) for minor in re.findall(r"\bpy3(\d+)\b", listed)}


def test_the_targets_of_the_bundled_tools_are_those_that_they_list():
    both = targets_of("black") & targets_of("ruff", "check")
    assert set(BUNDLED_TARGETS) == {minor for minor in both if minor >= BUNDLED_TARGETS.start}
