"""The environment of the project in the container: from a lock, kept within a job, on a Python that is fetched."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import interpreter_archive
from support.container import projects
from support.container.runner import Machine
from support.container.variables import TOKEN

pytestmark = pytest.mark.docker
TEST = {"stage": "test"}
UV = Path(sys.prefix, "bin", "uv")
LOCKED = {
    "pyproject.toml": (
        "[project]\nname = 'locked'\nversion = '1'\nrequires-python = '>=3.10'\ndependencies = ['iniconfig==2.0.0']\n"
        "[dependency-groups]\ndev = ['pytest']\n"
        "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n"
    ),
    "src/locked/__init__.py": "NAME = 'locked'\n",
    "tests/test_a.py": (
        "import importlib.metadata as m\nfrom locked import NAME\n\n"
        "def test_a():\n    assert m.version('iniconfig') == '2.0.0'\n    assert m.version(NAME) == '1'\n"
    ),
}
# The Python that runs these tests, which the image has not.
FETCHABLE = pytest.mark.skipif(
    sys.version_info[:2] == (3, 13), reason="the image has the Python that runs this"
)


def lock(folder: Path) -> None:
    """Let uv write the lock file, as the project's people do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "VIRTUAL_ENV"))}
    done = subprocess.run([UV, "lock", "--quiet"], cwd=folder, env=kept, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_from_a_lock_and_kept_for_the_next_step_of_the_job(machine: Machine):
    projects.write(machine.workspace, LOCKED)
    lock(machine.workspace)
    projects.settle(machine.workspace)
    first = machine.run(inputs=TEST)
    assert first.code == 0, first.log
    assert first.tool("environment")["metrics"]["reused"] == 0
    assert first.tool("pytest")["version_source"] == "uv.lock"
    assert not projects.git_output(machine.workspace, "status", "--porcelain", "--untracked-files=all")

    again = machine.run(inputs=TEST)
    assert again.code == 0, again.log
    assert again.tool("environment")["metrics"]["reused"] == 1
    assert "kept from an earlier run" in again.log

    text = (machine.workspace / "pyproject.toml").read_text()
    shutil.rmtree(machine.workspace / "ci-action-report")  # or it would be committed
    projects.write(machine.workspace, {"pyproject.toml": text.replace("2.0.0", "2.1.0")})
    stale = machine.run(inputs=TEST)
    assert (stale.code, stale.outputs["result"]) == (3, "broken"), stale.log
    assert "uv.lock" in stale.tool("environment")["reason"]
    assert not [name for name, owner in stale.owners.items() if owner != projects.OWNER]


PREPARE = """
import json, os
from sys import prefix
names = [key for key in os.environ if key.startswith(("INPUT_", "ACTIONS_", "STATE_")) or "INDEX" in key]
names += [key for key in ("GITHUB_TOKEN", "GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH") if key in os.environ]
with open("made.json", "w") as made:
    json.dump([os.getuid(), prefix, names, os.environ["DATABASE_URL"], os.getcwd()], made)
"""
PREPARED = """
import os, sys, json
def test_what_ran_before():
    uid = os.stat(os.environ["GITHUB_WORKSPACE"]).st_uid
    assert uid != 0
    assert json.load(open("made.json")) == [uid, sys.prefix, [], "postgres://x", os.getcwd()]
"""


def test_commands_before_the_tests_are_the_owners_and_see_no_token(machine: Machine):
    projects.write(machine.workspace, {"back/prepare.py": PREPARE, "back/test_a.py": PREPARED})
    environ = {
        "DATABASE_URL": "postgres://x",
        "GITHUB_TOKEN": TOKEN,
        "UV_INDEX_PRIVATE_PASSWORD": "hunter2hunter2",
    }
    inputs = {**TEST, "working-directory": "back", "before-tests": "python prepare.py", "github-token": TOKEN}
    ran = machine.run(inputs=inputs, environ=environ)
    assert ran.code == 0, ran.log
    assert not [name for name, owner in ran.owners.items() if owner != projects.OWNER]

    inputs["before-tests"] = "python prepare.py\npython -c 'raise SystemExit(\"no database\")'"
    ran = machine.run(inputs=inputs, environ=environ)
    assert (ran.code, ran.outputs["result"], ran.outputs["tests-total"]) == (3, "broken", ""), ran.log
    assert all(word in ran.tool("pytest")["reason"] for word in ("exit code 1", "SystemExit", "no database"))


def test_an_index_that_cannot_be_reached_is_broken_and_no_red_test(machine: Machine):
    projects.write(
        machine.workspace, {"requirements.txt": "iniconfig\n", "test_a.py": "def test_a(): pass\n"}
    )
    environ = {"PIP_INDEX_URL": "https://user:hunter2hunter2@index.example.invalid/simple"}
    ran = machine.run(inputs=TEST, environ={**environ, "UV_HTTP_RETRIES": "0"}, options=["--network", "none"])
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert "index.example.invalid" in ran.tool("environment")["reason"]
    assert b"hunter2" not in ran.written
    assert ran.outputs["tests-total"] == ""


def test_a_python_that_is_not_in_the_image_is_refused_by_name(machine: Machine):
    projects.write(machine.workspace, {"test_a.py": "def test_a(): pass\n"})
    inputs = {**TEST, "python-version": "3.12"}
    ran = machine.run(inputs=inputs, environ={"UV_PYTHON_DOWNLOADS": "never"})
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert "3.12" in ran.tool("environment")["reason"]
    assert "; found: 3.13" in ran.tool("environment")["reason"]


@FETCHABLE
def test_a_python_that_is_not_in_the_image_is_fetched(machine: Machine):
    version = interpreter_archive.VERSION
    source = f"import platform\ndef test_a(): assert platform.python_version() == '{version}'\n"
    projects.write(machine.workspace, {".python-version": f"{version}\n", "test_a.py": source})
    digest = interpreter_archive.pack(machine.temp / "python.tar.gz")
    interpreter_archive.listed(machine.temp / "list.json", "file:///github/runner_temp/python.tar.gz", digest)
    environ = {"UV_PYTHON_DOWNLOADS_JSON_URL": "/github/runner_temp/list.json"}
    shared_file = interpreter_archive.shared_object()
    shared = ["-v", f"{shared_file}:/usr/lib/{shared_file.name}:ro"] if shared_file else []
    ran = machine.run(inputs=TEST, environ=environ, options=shared)
    assert ran.code == 0, ran.log
    assert f"Python {version} (.python-version)" in ran.log
    assert not [name for name, owner in ran.owners.items() if owner != projects.OWNER]

    wrong = {**TEST, "python-version": version, "cache-dir": "/tmp/fresh"}
    interpreter_archive.listed(
        machine.temp / "list.json", "file:///github/runner_temp/python.tar.gz", "0" * 64
    )
    ran = machine.run(inputs=wrong, environ=environ)
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert digest in ran.tool("environment")["reason"]
