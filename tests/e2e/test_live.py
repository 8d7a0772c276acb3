"""The output of the tests is in the log while they run in the container, and it is only text."""

import time

import pytest
from support.container import projects
from support.container.runner import Machine, Step
from support.container.variables import TOKEN
from support.runner_model import commands

pytestmark = pytest.mark.docker
HALF = len(TOKEN) // 2
# The token is put together by the test: its environment does not have it.
HOSTILE = f"""
import sys, time

def test_prints():
    parts = ["::error::forged\\n", "::endgroup::\\n", "##[error]x\\n", "::set-output name=a::b\\n"]
    for text in [*parts, {TOKEN[:HALF]!r}, {TOKEN[HALF:]!r}, "\\n"]:
        sys.__stdout__.write(text)
        sys.__stdout__.flush()
        time.sleep(0.3)

def test_waits():
    time.sleep(4)
"""


def stamped(step: Step) -> list[tuple[float, str]]:
    """Return each line of the log with the time of its arrival."""
    assert step.client.stdout is not None
    with step.client.stdout as stream:
        lines = [(time.monotonic(), line.decode("utf-8", "replace")) for line in stream]
    step.client.wait(60)
    return lines


def test_the_log_grows_while_the_tests_run_and_no_line_is_a_command(machine: Machine):
    files = {"requirements.txt": "pytest\n", "test_a.py": HOSTILE, "test_b.py": "def test_b(): pass\n"}
    projects.write(machine.workspace, files)
    step = machine.start(inputs={"stage": "test", "pytest-args": "-s -v"})
    lines = stamped(step)
    text = "".join(line for _, line in lines)
    assert step.client.returncode == 0, text
    times = {
        word: next(when for when, line in lines if word in line) for word in ("error::forged", "test_b.py::")
    }
    assert times["test_b.py::"] - times["error::forged"] > 3
    assert TOKEN not in text.replace(f"::add-mask::{TOKEN}\n", "", 1)
    seen = commands(text)
    assert not [one for one in seen if one.name in {"error", "set-output"}]
    depth = 0
    for one in seen:
        depth += {"group": 1, "endgroup": -1}.get(one.name, 0)
        assert depth in {0, 1}
    assert depth == 0
