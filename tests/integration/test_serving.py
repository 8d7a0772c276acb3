"""A program that runs during a block ends with it, with an interruption, and with us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ci_action.system.errors import InterruptedRunError, ToolError
from ci_action.system.process import Command, Completed, Ended, Processes

# Writes its id and that of a child in another session, then serves.
SERVER = """
import os, sys, time
child = os.fork()
if not child:
    os.setsid()
    time.sleep(300)
print("started", flush=True)
with open("ids.new", "w") as file:
    file.write(f"{os.getpid()} {child}")
os.rename("ids.new", "ids")
time.sleep(300)
"""
# Serves until it is killed.
OURS = """
import sys, time
from pathlib import Path
from ci_action.system.process import Command, Processes
folder = Path(sys.argv[1])
with Processes({}, folder).serving(Command(argv=(sys.executable, "-c", sys.argv[2]), cwd=folder, supervised=True)):
    time.sleep(300)
"""


def command(folder: Path, code: str) -> Command:
    return Command(argv=(sys.executable, "-c", code), cwd=folder, supervised=True)


def ids(folder: Path) -> list[int]:
    until = time.monotonic() + 20
    while not (folder / "ids").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    return [int(word) for word in (folder / "ids").read_text().split()]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def awaited(ended: Ended) -> Completed:
    until = time.monotonic() + 20
    while not (done := ended()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return done


def test_it_runs_during_the_block_only(tmp_path: Path):
    with Processes({}, tmp_path).serving(command(tmp_path, SERVER)) as ended:
        pids = ids(tmp_path)
        assert ended() is None
        assert all(map(lives, pids))
    assert not any(map(lives, pids))


def test_an_error_in_the_block_ends_it(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), Processes({}, tmp_path).serving(command(tmp_path, SERVER)):
        assert ids(tmp_path)[0] / 0
    assert not any(map(lives, ids(tmp_path)))


@pytest.mark.parametrize(
    ("code", "returncode", "stderr"),
    [
        ("import sys; sys.exit('full')", 1, "full\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
    ],
)
def test_how_it_ended(tmp_path: Path, code: str, returncode: int, stderr: str):
    with Processes({}, tmp_path).serving(command(tmp_path, code)) as ended:
        done = awaited(ended)
    assert (done.returncode, done.stderr) == (returncode, stderr)


def test_its_output_is_redacted(tmp_path: Path):
    processes = Processes({}, tmp_path, redact=lambda text: text.replace("hunter2", "***"))
    with processes.serving(
        command(tmp_path, "import sys; print('a hunter2'); sys.exit('b hunter2')")
    ) as ended:
        done = awaited(ended)
    assert (done.stdout, done.stderr) == (b"a ***\n", "b ***\n")


def test_it_cannot_be_started(tmp_path: Path):
    with (
        Processes({}, tmp_path).serving(
            Command(argv=("/nonexistent",), cwd=tmp_path, supervised=True)
        ) as ended,
        pytest.raises(ToolError),
    ):
        awaited(ended)
    with (
        pytest.raises(ToolError),
        Processes({}, tmp_path).serving(Command(argv=("/nonexistent",), cwd=tmp_path)),
    ):
        pass


def test_an_interruption_ends_it_in_time(tmp_path: Path):
    """Whoever waits for its end goes on; it ignores SIGTERM."""
    processes = Processes({}, tmp_path)
    stubborn = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SERVER}"
    with processes.serving(command(tmp_path, stubborn)) as ended:
        pids = ids(tmp_path)
        started = time.monotonic()
        processes.stop()
        awaited(ended)
    assert time.monotonic() - started < 4
    assert not any(map(lives, pids))
    with pytest.raises(InterruptedRunError), processes.serving(command(tmp_path, SERVER)):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux a program is ended with us")
def test_it_is_gone_after_we_were_killed(tmp_path: Path):
    ours = subprocess.Popen([sys.executable, "-c", OURS, str(tmp_path), SERVER], env={**os.environ})
    pids = ids(tmp_path)
    os.kill(ours.pid, signal.SIGKILL)
    ours.wait()
    until = time.monotonic() + 5
    while any(map(lives, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(lives, pids))
