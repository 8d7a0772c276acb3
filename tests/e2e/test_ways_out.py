"""However a step ends: the command files that the runner reads hold only what we wrote, and every output is set."""

import os
import signal
import stat
import time
from typing import Final

import pytest
from support import planted_secrets
from support.container import projects
from support.container.image import docker
from support.container.runner import Machine, Ran

from ci_action.reporters.outputs import ABOUT

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root alone"),
]
TEST: Final = {"stage": "test"}
LIMIT: Final = 7.0
# Forges every command file now, and again and again from a process that outlives pytest.
FORGE: Final = '''
import glob, json, os, pathlib, subprocess, sys, time

LASTING = """
import glob, time
for _ in range(1200):
    for name in glob.glob("/github/file_commands/*"):
        try:
            open(name, "a").write("result=passed\\\\nforged=1\\\\n")
        except OSError:
            pass
    time.sleep(0.02)
"""


def test_forge():
    quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.Popen([sys.executable, "-c", LASTING], start_new_session=True, **quiet)
    time.sleep(0.3)
'''
# The plugin's events are a file of the tests' own user.
MALFORMED: Final = """

def test_lie():
    lie = {"event": "test", "nodeid": "test_it.py::test_x", "when": "call", "outcome": "skipped", "seconds": 0}
    with open(os.environ["CI_ACTION_PYTEST_EVENTS"], "a") as stream:
        stream.write(json.dumps(lie | {"xfail": 5}) + "\\n")
"""
HANGING: Final = """

def test_hang():
    pathlib.Path("/github/workspace/hanging").touch()
    time.sleep(300)
"""
# What is put in the place of each command file, in this order.
REPLACING: Final = """
import glob, os, pathlib
from replacing import FIRST

PREFIXES = ["set_output", "step_summary", "set_env", "save_state", "add_path"]


def folder(path): path.mkdir(); (path / "inside").write_text("forged=1")
def pipe(path): os.mkfifo(path)
def removed(path): pass
def link(path): path.symlink_to("/github/home/target")
def hard_link(path): os.link("/github/file_commands/target", path)


def test_replace():
    for target in ("/github/home/target", "/github/file_commands/target"):
        pathlib.Path(target).write_text("forged=1")
    ways = [folder, pipe, link, hard_link, removed]
    for number, prefix in enumerate(PREFIXES):
        [name] = glob.glob(f"/github/file_commands/{prefix}_*")
        os.unlink(name)
        ways[(number + FIRST) % len(ways)](pathlib.Path(name))
"""


def only_ours(ran: Ran, result: str = "broken") -> None:
    """See that what the runner would read are files of ours."""
    written = {}
    for name, file in ran.files.items():
        if os.path.lexists(file):
            assert stat.S_ISREG(file.lstat().st_mode), name
            written[name] = file.read_text("utf-8")
    assert not any(written.get(name) for name in ("GITHUB_ENV", "GITHUB_STATE", "GITHUB_PATH")), written
    assert "forged" not in "".join(written.values())
    assert ran.outputs.keys() == set(ABOUT)
    assert ran.outputs["result"] == result


def test_malformed_events_and_a_found_secret_leave_nothing_forged(machine: Machine):
    _, secret = planted_secrets.secrets()["AWS Access Key"]
    projects.write(machine.workspace, {"test_it.py": FORGE + MALFORMED, "found.py": f"{secret}\n"})
    inputs = {"stage": "test\nsecurity", "advisory-url": "http://127.0.0.1:9"}
    ran = machine.run(inputs=inputs)
    assert ran.code in {3, 4}, ran.log
    only_ours(ran)


@pytest.mark.parametrize("stage", ["quality", "qualty"])
def test_what_was_forged_before_wrong_settings_does_not_stay(machine: Machine, stage: str):
    projects.write(machine.workspace, projects.CLEAN)
    forge = (
        "import glob; [open(name, 'a').write('forged=1') for name in glob.glob('/github/file_commands/*')]; "
    )
    python = "/opt/ci-action/bin/python"
    start = f"import os; os.execv({python!r}, {[python, '-I', '-X', 'utf8', '-m', 'ci_action']})"
    ran = machine.run(
        inputs={"stage": stage}, options=["--entrypoint", python], arguments=["-c", forge + start]
    )
    assert ran.code == (0 if stage == "quality" else 2), ran.log
    only_ours(ran, "passed" if stage == "quality" else "broken")


def test_docker_stop_leaves_nothing_forged(machine: Machine):
    projects.write(machine.workspace, {"test_it.py": FORGE + HANGING})
    step = machine.start(inputs=TEST)
    until = time.monotonic() + 90
    while not (machine.workspace / "hanging").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    sent = time.monotonic()
    docker("stop", "--time=10", step.name)
    ran = step.end(30)
    assert time.monotonic() - sent < LIMIT
    assert ran.code == 130, ran.log
    only_ours(ran)
    assert ran.report["exit_code"] == 130
    assert not [name for name, owner in ran.owners.items() if owner != projects.OWNER]


@pytest.mark.parametrize("first", [0, 1, 2])
def test_what_is_put_in_the_place_of_a_command_file_gives_way(machine: Machine, first: int):
    projects.write(machine.workspace, {"test_it.py": REPLACING, "replacing.py": f"FIRST = {first}\n"})
    ran = machine.run(inputs=TEST)
    assert ran.code == 0, ran.log
    only_ours(ran, "passed")
    assert ran.summary.startswith("# ")
    for target in (machine.home / "target", machine.commands / "target"):
        assert target.read_text() == "forged=1"


def running(step_name: str) -> bool:
    """Whether the container's first process was started."""
    listed = docker("ps", "--quiet", "--filter", f"name={step_name}", "--filter", "status=running")
    return bool(listed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("milliseconds", [0, 50, 200, 400, 600])
def test_a_signal_at_any_moment_of_the_start(machine: Machine, number: signal.Signals, milliseconds: int):
    projects.write(machine.workspace, {**projects.MESSY, "big.py": projects.hanging()})
    step = machine.start(inputs={"stage": "quality"})
    until = time.monotonic() + 30
    while not running(step.name):
        assert time.monotonic() < until
    time.sleep(milliseconds / 1000)
    sent = time.monotonic()
    docker("kill", f"--signal={number.name}", step.name)
    ran = step.end(30)
    assert time.monotonic() - sent < LIMIT
    assert ran.code == 130, ran.log
    assert "Traceback" not in ran.log
    only_ours(ran)


@pytest.mark.parametrize("limit", [3, 4, 6, 12])  # from 5 on, Ruff may wait for threads forever
def test_no_processes_left_is_broken(machine: Machine, limit: int):
    projects.write(machine.workspace, projects.CLEAN)
    ran = machine.run(inputs={"stage": "quality"}, options=["--pids-limit", str(limit)])
    assert ran.code == 3, ran.log
    assert "bug" not in ran.log
    assert "Traceback" not in ran.log
    assert "process limit" in ran.log
    only_ours(ran)
