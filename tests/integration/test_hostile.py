"""Foreign text is only text: a project whose file names, lines and messages try to be more."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import PROJECTS
from support.renderers import rendered
from support.runner_model import commands, key_values

SCRIPT = PROJECTS / "hostile.py"
OURS = {"group", "endgroup", "stop-commands", "error", "warning", "notice"}


@pytest.fixture
def hostile(tmp_path):
    folder = tmp_path / "hostile"
    subprocess.run([sys.executable, str(SCRIPT), str(folder)], check=True)
    return folder


@pytest.fixture
def actions(tmp_path):
    """Variables of the runner, with its command files."""
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.touch()
    return {"GITHUB_ACTIONS": "true", **{name: str(file) for name, file in files.items()}}


def python_files(folder: Path) -> list[str]:
    return [
        os.path.join(found, name)
        for found, _, names in os.walk(folder)
        for name in names
        if name.endswith(".py")
    ]


def test_every_file_is_looked_at(hostile, ci_action):
    ran = ci_action(hostile, "quality", "--cache-dir=none")
    assert ran.code == 1
    assert ran.report["conclusion"] == "failed"
    expected = len(python_files(hostile))
    assert expected > 30
    assert ran.tool("black")["examined"]["files"] == expected
    assert ran.tool("ruff")["examined"]["files"] == expected
    # Each file has something to find; a name that is no UTF-8 is told with replacement characters.
    assert len({finding["path"] for finding in ran.findings("black")}) >= expected - 1
    assert {"owned", "owned.toml", "owned.toml.py"} & {path.name for path in hostile.iterdir()} == set()


def test_nothing_becomes_a_command_of_the_runner(hostile, ci_action, actions):
    ran = ci_action(hostile, "quality", "--verbose", "--cache-dir=none", env=actions)
    assert ran.code == 1
    seen = commands(ran.out)
    assert {command.name for command in seen} <= OURS
    for level in ("error", "warning", "notice"):
        assert sum(command.name == level for command in seen) <= 10
    titles = {
        command.properties["title"].partition(":")[0] for command in seen if "title" in command.properties
    }
    assert titles <= {"black", "ruff", "ci-action"}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", ran.out)
    outputs = key_values(Path(actions["GITHUB_OUTPUT"]).read_text())
    assert outputs["result"] == "failed"
    assert outputs["findings"] == str(len(ran.findings("black")) + len(ran.findings("ruff")))


def test_nothing_becomes_structure_of_the_page(hostile, ci_action, actions):
    ci_action(hostile, "quality", "--cache-dir=none", env=actions)
    page = rendered(Path(actions["GITHUB_STEP_SUMMARY"]).read_text())
    assert page.all("img", "script", "del", "em", "input") == []
    assert {node.attributes.get("href", "").split("/")[2] for node in page.all("a")} <= {
        "docs.astral.sh",
        "black.readthedocs.io",
    }
    for trap in ("::error", "##[", "@octocat", "<img", "</details>", "evil.example", "\x1b"):
        assert trap not in page.outside_code
    assert [node.text for node in page.all("h1")] == ["❌ ci-action: failed"]


def test_nothing_becomes_a_sequence_of_the_terminal(hostile, ci_action):
    ran = ci_action(hostile, "quality", "--color=always", "--cache-dir=none")
    colours = re.compile(r"\x1b\[[0-9;]*m")
    assert colours.search(ran.out)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", colours.sub("", ran.out))


def test_fix_leaves_no_name_behind_and_touches_nothing_outside(hostile, ci_action):
    before = sorted(python_files(hostile))
    ci_action(hostile, "fix", "--cache-dir=none", "--formatter=black", "--linter=ruff")
    assert sorted(python_files(hostile)) == before
    assert not (hostile / "owned").exists()
