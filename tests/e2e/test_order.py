"""What the project's code does while it runs changes nothing of what the other stages say of its files."""

import os

import pytest
from support import planted_secrets
from support.container import projects
from support.container.runner import Machine

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root alone"),
]
_, SECRET = planted_secrets.secrets()["AWS Access Key"]
EXPOSED = {
    "pyproject.toml": '[project]\nname = "x"\nversion = "1"\n',
    "leaky.py": SECRET + "\n",
    "weak.py": 'import subprocess\n\nsubprocess.call("ls *", shell=True)\n',
}
REWRITES = """
import pathlib


def test_rewrites():
    for name in ("leaky.py", "weak.py"):
        pathlib.Path(name).write_text("")
"""
UNTRACKS = """
import subprocess


def test_untracks():
    names = ["leaky.py", "weak.py"]
    subprocess.run(["git", "-c", "safe.directory=*", "rm", "-q", "--cached", *names], check=True)
"""
OUTLIVES = """
import os
import pathlib
import sys
import time

WORK = '''
import os, pathlib, sys, time
while os.path.exists("/proc/" + sys.argv[1]):
    time.sleep(0.001)
for _ in range(100):
    for name in ("leaky.py", "weak.py"):
        pathlib.Path(name).write_text("")
    pathlib.Path("alive").touch()
    time.sleep(0.1)
'''


def test_outlives():
    ours = str(os.getpid())
    if os.fork():
        os.wait()
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.setsid()
    for number in range(3):
        os.close(number)
    argv = [sys.executable, "-I", "-S", "-c", WORK, ours]
    os.execve(sys.executable, argv, {})
"""


@pytest.mark.parametrize("stage", ["all", "test, security"])
@pytest.mark.parametrize("attack", [REWRITES, UNTRACKS, OUTLIVES], ids=["rewrites", "untracks", "outlives"])
def test_what_the_tests_do_hides_nothing_from_the_security_stage(machine: Machine, attack: str, stage: str):
    projects.write(machine.workspace, {**EXPOSED, "test_attack.py": attack.lstrip()})
    ran = machine.run(
        inputs={"stage": stage, "fail-on": "low", "ignore": "black\nruff\nbandit@test_attack.py"}
    )
    assert ran.tool("pytest")["outcome"] == "report", ran.log
    assert not ran.tool("pytest")["findings"], ran.log
    assert "aws-access-key" in {one["rule"] for one in ran.tool("detect-secrets")["findings"]}
    assert "weak.py" in {one["path"] for one in ran.tool("bandit")["findings"]}
    assert (ran.code, ran.outputs["result"]) == (1, "failed"), ran.log
    assert not (machine.workspace / "alive").exists(), "the daemon was dead before it could do anything"
