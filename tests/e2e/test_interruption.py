"""C9: a cancelled job. The runner signals Docker's client, which hands the signal on to process 1."""

import os
import signal
import time

import pytest
from support.container import projects
from support.container.runner import Machine

pytestmark = pytest.mark.docker
# The runner's next signal comes 7.5 seconds after the first.
LIMIT = 7.0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_c9_results_are_written_when_a_signal_comes(machine: Machine, number: signal.Signals):
    projects.write(machine.workspace, {**projects.MESSY, "big.py": projects.hanging()})
    step = machine.start(inputs={"stage": "quality"})
    step.wait_for("black")
    step.wait_until_ended("ruff", after=2)  # it is quick, and starts with Black
    inside = step.processes()
    assert len(inside) >= 2
    sent = time.monotonic()
    step.client.send_signal(number)
    ran = step.end(60)
    assert time.monotonic() - sent < LIMIT
    assert ran.code == 130, ran.log
    assert not [pid for pid in inside if os.path.isdir(f"/proc/{pid}")]
    assert ran.outputs["result"] == ran.report["conclusion"] == "broken"
    assert ran.report["exit_code"] == 130
    assert ran.tool("black")["outcome"] == "broken"
    assert ran.tool("ruff")["outcome"] == "report", "what was found until then is kept"
    assert ran.tool("ruff")["findings"]
    assert f"interrupted by {number.name}" in ran.summary
    assert "exit 130" in ran.log
    assert "Traceback" not in ran.log
    assert not [name for name, owner in ran.owners.items() if owner != projects.OWNER]


def test_c9_a_second_signal_cuts_nothing_short(machine: Machine):
    projects.write(machine.workspace, {**projects.MESSY, "big.py": projects.hanging()})
    step = machine.start(inputs={"stage": "quality"})
    step.wait_for("black")
    step.client.send_signal(signal.SIGINT)
    time.sleep(0.1)
    step.client.send_signal(signal.SIGTERM)
    ran = step.end(60)
    assert ran.code == 130, ran.log
    assert ran.outputs["result"] == ran.report["conclusion"] == "broken"


def test_c9_a_tool_beyond_its_time_limit_is_broken(machine: Machine):
    projects.write(machine.workspace, {**projects.MESSY, "big.py": projects.hanging()})
    ran = machine.run(inputs={"stage": "quality", "timeout": "8"})
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert "timed out" in ran.tool("black")["reason"]
    assert ran.tool("ruff")["findings"]
