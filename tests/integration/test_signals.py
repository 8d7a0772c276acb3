"""SIGINT and SIGTERM: the children end, what there is gets written, and the program is gone in time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.runner_model import key_values

from ci_action.reporters.outputs import ABOUT

START = "import os, sys; from pathlib import Path; from ci_action.cli import main; sys.exit(main(sys.argv[2:], os.environ, Path(sys.argv[1])))"
# The runner kills us 7.5 s after its first signal.
AT_MOST = 7.0


def alive(pid: int) -> bool:
    """Whether a process runs: one that has ended but was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stubborn", [False, True], ids=["ends itself", "ignores SIGTERM"])
def test_a_signal_ends_the_children_and_writes_what_there_is(
    number, stubborn, project, environ, fake_tools, tmp_path
):
    pids = tmp_path / "pids"
    trap = "trap '' TERM\n" if stubborn else ""
    # A child of the child, too: the whole group has to go.
    prefix = fake_tools(black=f'{trap}sleep 300 & echo $$ $! > "{pids}"\nwait\nwait\nsleep 300')
    folder = project({"a.py": "import os\n"})
    output = tmp_path / "output"
    summary = tmp_path / "summary"
    output.touch()
    summary.touch()
    env = {
        **environ,
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    argv = [
        sys.executable,
        "-c",
        START,
        str(prefix),
        "run",
        "quality",
        f"--report-dir={tmp_path / 'reports'}",
    ]
    running = subprocess.Popen(
        argv, cwd=folder, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    until = time.monotonic() + 30
    while time.monotonic() < until and not (pids.is_file() and pids.read_text().strip()):
        time.sleep(0.05)
    time.sleep(0.5)  # Ruff ends meanwhile: its findings are the partial result
    started = time.monotonic()
    os.kill(running.pid, number)
    out, _ = running.communicate(timeout=30)
    assert time.monotonic() - started < AT_MOST
    assert running.returncode == 130
    assert not any(alive(int(pid)) for pid in pids.read_text().split())
    report = json.loads((tmp_path / "reports" / "report.json").read_text())
    assert (report["conclusion"], report["exit_code"]) == ("broken", 130)
    assert signal.Signals(number).name in report["reasons"][0]
    tools = {tool["name"]: tool for tool in report["stages"][0]["tools"]}
    assert tools["black"]["outcome"] == "broken"
    assert [finding["rule"] for finding in tools["ruff"]["findings"]] == ["F401"]
    assert "result<<" in output.read_text()
    assert "broken" in output.read_text()
    assert "broken" in summary.read_text()
    assert "Traceback" not in out


# Black chews on it for a minute.
HANGING = "x = [\n" + "  [1,{'k':[1,2,(3,4)]}]  ,\n" * 80_000 + "]\n"
# As the image starts the program: a signal waits until there are handlers.
BLOCKED = ("env", "--block-signal=INT,TERM")


def starting(project, environ, tmp_path, *before: str) -> subprocess.Popen[str]:
    """Start the program as the runner does, on a project that keeps Black busy."""
    for name in ("output", "summary"):
        (tmp_path / name).touch()
    env = {
        **environ,
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "INPUT_STAGE": "quality",
        "INPUT_REPORT-DIR": str(tmp_path / "reports"),
    }
    return subprocess.Popen(
        [*before, sys.executable, "-I", "-m", "ci_action"],
        cwd=project({"big.py": HANGING}),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_mask(pid: int, *names: str) -> None:
    """Wait until SIGTERM, the second one, is blocked or caught."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        status = Path(f"/proc/{pid}/status").read_text()
        masks = (int(status.partition(name)[2].split()[0], 16) for name in names)
        if any(mask >> (signal.SIGTERM - 1) & 1 for mask in masks):
            return
        time.sleep(0.0005)
    raise AssertionError(names)


def interrupted(running: subprocess.Popen[str], number: int, tmp_path: Path) -> None:
    """Send the signal; see that the program ends in time, without a traceback, and with all outputs."""
    sent = time.monotonic()
    os.kill(running.pid, number)
    try:
        out, _ = running.communicate(timeout=AT_MOST)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    assert time.monotonic() - sent < AT_MOST
    assert running.returncode == 130, out
    assert "Traceback" not in out
    assert out.rstrip().endswith("exit 130")
    outputs = key_values((tmp_path / "output").read_text())
    assert outputs.keys() == set(ABOUT)
    assert outputs["result"] == "broken"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("milliseconds", [0, 20, 50, 100, 200, 400, 600, 1200])
def test_a_signal_at_any_moment_of_the_start(number, milliseconds, project, environ, tmp_path):
    running = starting(project, environ, tmp_path, *BLOCKED)
    wait_for_mask(running.pid, "SigBlk:", "SigCgt:")
    time.sleep(milliseconds / 1000)
    interrupted(running, number, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_as_soon_as_there_are_handlers(number, project, environ, tmp_path):
    running = starting(project, environ, tmp_path)
    wait_for_mask(running.pid, "SigCgt:")
    interrupted(running, number, tmp_path)
