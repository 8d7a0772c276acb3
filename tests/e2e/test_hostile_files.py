"""What the files of a pull request lead to: no secret of the step, no file of the machine, no end of the memory."""

import os
from pathlib import Path

import pytest
from support.container import projects
from support.container.runner import Machine, Ran

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root alone"),
]
SECRET = "qX7-deploy-key-of-the-workflow-31415"
QUALITY = {"stage": "quality"}
# Not named like a secret: no redaction knows its value.
STEP = {"DEPLOY_TARGET": SECRET, "UV_PUBLISH_TOKEN": SECRET}
SLOW = "VALUE = {\n" + "".join(f"    'name {n}': [{n}, ({n}, {n})],\n" for n in range(6_000)) + "}\n"


def broken(ran: Ran, tool: str) -> str:
    """Return why a tool is broken."""
    found = ran.tool(tool)
    assert found["outcome"] == "broken", ran.log
    assert SECRET.encode() not in ran.written
    return str(found["reason"])


@pytest.mark.parametrize(
    "files",
    [
        {"ruff.toml": "extend = '/proc/1/environ'\n"},
        {"pyproject.toml": "[tool.ruff]\nextend = '../../../proc/1/environ'\n"},
        {"sub/ruff.toml": "extend = '/proc/self/environ'\n", "sub/a.py": ""},
    ],
    ids=["ruff.toml", "pyproject", "below"],
)
def test_a_configuration_that_leads_to_the_environment_is_refused_by_name(
    machine: Machine, files: dict[str, str]
):
    projects.write(machine.workspace, {"a.py": "", **files})
    ran = machine.run(inputs=QUALITY, environ=STEP)
    assert ran.code == 3, ran.log
    reason = broken(ran, "ruff")
    assert "environ" in reason
    assert next(iter(files)) in reason


def test_links_out_of_the_workspace_are_not_checked_and_named(machine: Machine):
    projects.put(machine.workspace, {"a.py": "A = 1\n"})
    (machine.workspace / "out.py").symlink_to("/proc/1/environ")
    (machine.workspace / "git.py").symlink_to(".git/config")
    projects.settle(machine.workspace)
    ran = machine.run(inputs={"stage": "quality, security"}, environ=STEP)
    assert SECRET.encode() not in ran.written
    for tool in ("ruff", "black", "bandit", "detect-secrets"):
        found = ran.tool(tool)
        assert found["outcome"] == "report", ran.log
        assert not found["findings"], ran.log
        assert any("'out.py'" in text for text in found["warnings"]), (tool, found["warnings"])


@pytest.mark.parametrize("name", ["pyproject.toml", ".gitignore"])
@pytest.mark.parametrize("target", ["/dev/zero", "pipe", "itself"])
def test_files_without_an_end(machine: Machine, name: str, target: str):
    projects.write(machine.workspace, {"a.py": "A = 1\n"})
    file = machine.workspace / name
    if target == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to(name if target == "itself" else target)
    ran = machine.run(inputs=QUALITY, limit=60)
    assert ran.code == (2 if name == "pyproject.toml" else 3), ran.log
    assert f"could not read '{name}'" in ran.log


def test_what_reads_runs_as_the_owner_with_little_environment(machine: Machine):
    projects.write(machine.workspace, {"slow.py": SLOW, "pyproject.toml": "[tool.black]\nfast = true\n"})
    step = machine.start(inputs=QUALITY, environ=STEP)
    try:
        pid = step.wait_for("black")
        # Not from within: there root may not look at the processes of others.
        pairs = Path(f"/proc/{pid}/environ").read_text("utf-8", "replace").split("\0")
        found = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        owner = Path(f"/proc/{pid}").stat().st_uid
    finally:
        ran = step.end(180)
    assert owner == projects.OWNER
    assert SECRET not in found.values()
    assert not [name for name in found if name.startswith(("GITHUB_", "INPUT_", "RUNNER_", "UV_"))], found
    assert found["HOME"] != "/github/home"
    assert ran.tool("black")["outcome"] == "report", ran.log


def test_a_pinned_version_is_installed_and_run_as_the_owner(machine: Machine):
    projects.write(
        machine.workspace, {"a.py": "import os\n", "requirements.txt": "ruff==0.9.1\nblack==24.10.0\n"}
    )
    ran = machine.run(inputs=QUALITY, environ=STEP)
    assert [ran.tool(name)["version"] for name in ("ruff", "black")] == ["0.9.1", "24.10.0"], ran.log
    assert ran.code == 1, ran.log
