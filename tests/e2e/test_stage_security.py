"""The project's code is not trusted: what it cannot reach, and what of its deeds does not leave the container."""

import os
from pathlib import Path

import pytest
from support.container import projects
from support.container.probes import CURIOUS, SPOOFING
from support.container.runner import Machine, Ran
from support.container.variables import TOKEN

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root alone"),
]
TEST = {"stage": "test"}
SECRETS = {
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "eyOpenIdToken0000000000000000004",
    "GITHUB_TOKEN": TOKEN,
    "UV_INDEX_PRIVATE_PASSWORD": "hunter2-of-the-index-0005",
}


def outcomes(ran: Ran) -> dict[str, str]:
    """Return the tests that did not pass, and why."""
    return {
        finding["message"].partition(": ")[0].partition("::")[2]: finding["message"]
        for finding in ran.tool("pytest")["findings"]
    }


def foreign(ran: Ran) -> set[str]:
    """Return the files in the workspace that belong to another."""
    return {name for name, owner in ran.owners.items() if owner != projects.OWNER}


def test_the_code_of_the_project_reaches_nothing_of_ours(machine: Machine):
    projects.write(machine.workspace, CURIOUS)
    ran = machine.run(inputs=TEST, environ=SECRETS)
    assert not outcomes(ran), ran.log
    assert (ran.code, ran.outputs["tests-total"]) == (0, "7"), ran.log
    assert not foreign(ran)
    assert not (machine.temp / "planted").exists(), "written by root through a link of the build"
    assert not projects.git_output(machine.workspace, "status", "--porcelain", "--untracked-files=all")
    left = {path.name for path in machine.workspace.rglob("*") if ".git" not in path.parts}
    assert not left & {".coverage", "__pycache__", ".pytest_cache", "curious.egg-info", "build"}, left


def test_run_as_root_opens_it_by_choice_and_says_so(machine: Machine):
    projects.write(machine.workspace, CURIOUS)
    ran = machine.run(inputs={**TEST, "run-as": "root"}, environ=SECRETS)
    assert ran.code == 1, ran.log
    opened = {"test_process_1_and_the_engine_are_closed", "test_our_own_program_is_closed", "test_who_we_are"}
    assert opened <= set(outcomes(ran)), "the probes see what is open"
    assert "test_no_variable_of_ours" not in outcomes(ran), "tokens are not handed on even then"
    assert "run-as: root" in ran.summary
    assert any("run-as: root" in seen.data for seen in ran.annotations("warning"))
    assert not foreign(ran)


def test_nothing_that_the_tests_write_for_the_runner_counts(machine: Machine):
    projects.write(machine.workspace, SPOOFING)
    ran = machine.run(inputs=TEST)
    assert ran.code == 1, ran.log
    assert ran.outputs["result"] == "failed"
    assert ran.outputs["findings"] == "1"
    assert outcomes(ran).keys() == {"test_that_fails"}
    written = {name: Path(file).read_text("utf-8") for name, file in ran.files.items() if file.exists()}
    assert not any(written.get(name) for name in ("GITHUB_ENV", "GITHUB_STATE", "GITHUB_PATH")), written
    assert "all is well" not in ran.summary
    assert written["GITHUB_OUTPUT"].count("result") == 1
    assert not foreign(ran)


def test_what_is_installed_by_the_users_own_words_is_installed_as_root(machine: Machine):
    files = {
        "test_installed.py": (
            "import ctypes, os, pathlib\n"
            "def test_library(): ctypes.CDLL('libpq.so.5')\n"
            "def test_command(): assert pathlib.Path('/opt/made').stat().st_uid == 0\n"
            "def test_package(): import iniconfig\n"
            "def test_user(): assert os.getuid() != 0\n"
        ),
        "pyproject.toml": "[project]\nname = 'x'\nversion = '1'\n",
    }
    projects.write(machine.workspace, files)
    inputs = {**TEST, "install": "touch /opt/made\npip install -q iniconfig", "system-packages": "libpq5"}
    ran = machine.run(inputs=inputs)
    assert ran.code == 0, ran.log
    assert ran.outputs["tests-total"] == "4"
    assert not foreign(ran)


def test_a_debian_package_that_does_not_exist_is_broken_by_its_name(machine: Machine):
    projects.write(machine.workspace, {"test_a.py": "def test_a(): pass\n"})
    ran = machine.run(inputs={**TEST, "system-packages": "no-such-package-0001"})
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert "no-such-package-0001" in ran.tool("environment")["reason"]
    assert ran.tool("pytest")["outcome"] == "skipped"


NOTING = "import os, pathlib; pathlib.Path('/github/workspace/who').write_text(str(os.getuid()))"
KEYED = {
    "test_a.py": "def test_a(): pass\n",
    "note.py": f"{NOTING}\n",
    ".gitignore": "who\n",
    "pyproject.toml": (
        "[project]\nname = 'x'\nversion = '1'\n"
        "[tool.ci-action]\ninstall = ['python note.py', 'python -m pip install -q iniconfig']\n"
    ),
}


@pytest.mark.parametrize(
    "key",
    [
        "run-as = 'root'",
        "system-packages = ['libpq5']",
        "advisory-url = 'https://osv.example'",
        "report-dir = 'src'",
    ],
)
def test_the_project_gives_itself_no_rights(machine: Machine, key: str):
    files = {"test_a.py": f"{NOTING}\ndef test_a(): pass\n", "pyproject.toml": f"[tool.ci-action]\n{key}\n"}
    projects.write(machine.workspace, files)
    ran = machine.run(inputs=TEST)
    assert (ran.code, ran.outputs["result"]) == (2, "broken"), ran.log
    assert f"'{key.partition(' ')[0]}' cannot be set in [tool.ci-action]" in ran.log
    assert not (machine.workspace / "who").exists()


@pytest.mark.parametrize(
    "inputs", [TEST, {"stage": "security", "licenses-allow": "*"}], ids=["test", "security"]
)
def test_what_the_project_installs_is_installed_as_the_owner(machine: Machine, inputs: dict[str, str]):
    projects.write(machine.workspace, KEYED)
    ran = machine.run(inputs=inputs)
    assert (machine.workspace / "who").read_text() == str(projects.OWNER), ran.log
    if inputs == TEST:
        assert (ran.code, ran.outputs["tests-total"]) == (0, "1"), ran.log
    else:
        assert ran.tool("licenses")["outcome"] == "report", ran.log
    assert not foreign(ran)


def test_an_action_without_inputs_runs_all_and_says_why(machine: Machine):
    projects.write(machine.workspace, {"test_a.py": '"""Tests."""\n\n\ndef test_a():\n    pass\n'})
    ran = machine.run()
    assert ran.code == 0, ran.log
    conclusions = {stage["name"]: stage["conclusion"] for stage in ran.report["stages"]}
    assert conclusions == {
        "quality": "passed",
        "types": "skipped",
        "test": "passed",
        "security": conclusions["security"],
        "migrations": "skipped",
        "docker": "skipped",
        "pr": "skipped",
    }
    for said in ("test: run, 1 file named like tests", "pr: not run, "):
        assert said in ran.log
        assert said in ran.summary.replace("`", "")  # the reason is in a code span
