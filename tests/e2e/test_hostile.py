"""Names and lines that try to be more than text: in the container, with every channel open."""

import os

import pytest
from projects import hostile
from support.container import projects
from support.container.runner import Machine, Ran
from support.container.variables import TOKEN
from support.runner_model import could_be_command, log_lines

from ci_action.reporters.outputs import ABOUT
from ci_action.system.text import visible

pytestmark = pytest.mark.docker
# What we print ourselves; whatever else is registered can only come from the project.
OURS = {"error", "warning", "notice", "group", "endgroup", "add-mask", "stop-commands"}


@pytest.fixture
def ran(machine: Machine) -> Ran:
    machine.workspace.mkdir(parents=True, exist_ok=True)
    assert not hostile.write(machine.workspace)
    projects.settle(machine.workspace)
    return machine.run(inputs={"stage": "quality"})


def test_no_name_and_no_line_becomes_a_command(ran: Ran):
    assert ran.code == 1, ran.log
    assert set(ran.counted) <= OURS
    assert [seen.data for seen in ran.commands if seen.name == "add-mask"] == [TOKEN]
    assert ran.counted["group"] == ran.counted["endgroup"] == ran.counted["stop-commands"] == 4
    titles = {
        seen.properties["title"].partition(":")[0]
        for level in ("error", "warning")
        for seen in ran.annotations(level)
    }
    assert titles <= {"black", "ruff", "ci-action"}
    assert ran.outputs["result"] == "failed"
    assert set(ran.outputs) == set(ABOUT)


def test_no_line_of_a_group_looks_like_a_command(ran: Ran):
    inside, token = False, ""
    for line in log_lines(ran.log):
        if line.startswith("::stop-commands::"):
            inside, token = True, line.removeprefix("::stop-commands::")
        elif inside and line == f"::{token}::":
            inside, token = False, ""
        else:
            assert not (inside and could_be_command(line)), line
    assert not inside


def test_no_control_character_reaches_the_log(ran: Ran):
    control = {chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))} - {"\n", "\t"}
    assert not control & set(ran.log)


def test_every_file_is_still_looked_at(ran: Ran):
    python = [name for name in hostile.files() if name.endswith(b".py")]
    black, ruff = ran.tool("black"), ran.tool("ruff")
    assert black["examined"]["files"] == len(python)
    for tool, most in ((black, python), (ruff, python)):
        paths = {finding["path"] for finding in tool["findings"]}
        assert len(paths) >= len(hostile.NAMES), sorted(set(map(os.fsdecode, most)) - paths)


def test_annotated_files_are_named_as_they_are(ran: Ran):
    names = {visible(os.fsdecode(name)) for name in hostile.files()}
    for seen in ran.annotations("error"):
        assert seen.properties["file"] in names


def test_a_tree_full_of_such_names_stays_as_it_was(ran: Ran):
    assert not projects.git_output(ran.workspace, "status", "--porcelain", "--untracked-files=all")
    assert not (ran.workspace / "owned").exists()
