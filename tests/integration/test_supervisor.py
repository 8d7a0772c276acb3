"""What a program leaves running ends with it, however it hid; the program itself runs as if nobody watched."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.folder import Owner
from ci_action.system.process import Command, Completed, Processes

# Twice forked, in a session of its own, without variables or streams: only its process id is known.
DAEMON = """
import os, sys, time
def daemon(work):
    if os.fork():
        os.wait()
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.setsid()
    for number in range(3):
        os.close(number)
    with open(sys.argv[1] + "/pid", "a") as file:
        file.write(f"{os.getpid()}\\n")
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", work, *sys.argv[1:]], {})
"""
WAIT = "import time; time.sleep(300)"


def ran(folder: Path, code: str, **overrides: Any) -> Completed:
    processes = overrides.pop("processes", None) or Processes({**os.environ}, folder)
    values = {"cwd": folder, "timeout": 30, "supervised": True, **overrides}
    return processes.run(Command(argv=(sys.executable, "-c", code, str(folder)), **values))


def gone(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return True
    return b"/pytest-of-" not in words  # a process of somebody else may have the number by now


def pids(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "pid").read_text().split()]


def test_a_daemon_is_gone_when_its_program_has_ended(tmp_path: Path):
    code = f"{DAEMON}\ndaemon({WAIT!r})\nwhile not os.path.exists(sys.argv[1] + '/pid'): time.sleep(0.01)\nprint('done')"
    assert ran(tmp_path, code).stdout == b"done\n"
    assert all(map(gone, pids(tmp_path)))


def test_a_daemon_that_waits_for_the_end_changes_nothing(tmp_path: Path):
    (tmp_path / "report").write_text("red")
    wait = "import os, sys, time\nwhile os.path.exists(f'/proc/{sys.argv[2]}'): time.sleep(0.001)\ntime.sleep(0.3)\nopen(sys.argv[1] + '/report', 'w').write('green')"
    code = f"{DAEMON}\nsys.argv.append(str(os.getpid()))\ndaemon({wait!r})\nwhile not os.path.exists(sys.argv[1] + '/pid'): time.sleep(0.01)"
    assert ran(tmp_path, code).returncode == 0
    time.sleep(0.6)
    assert (tmp_path / "report").read_text() == "red"


def test_a_crowd_that_forks_on_is_ended(tmp_path: Path):
    """Each forks before it ends, in a new session: whoever looks once finds only those that have gone."""
    code = """
import os, sys, time
if not os.fork():
    while True:
        if os.fork():
            os._exit(0)
        os.setsid()
time.sleep(0.3)
"""
    started = time.monotonic()
    ran(tmp_path, code)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("pass", 0),
        ("raise SystemExit(7)", 7),
        ("raise SystemExit(255)", 255),
        *((f"import os; os.kill(os.getpid(), {number:d})", -number) for number in (9, 15, 11, 2)),
    ],
)
def test_the_exit_code_or_signal_of_the_program_is_that_of_the_command(
    tmp_path: Path, code: str, status: int
):
    assert ran(tmp_path, code).returncode == status


def test_streams_and_variables_are_those_of_the_program(tmp_path: Path):
    code = (
        "import os, sys; print(sys.stdin.read(), os.environ['X'], os.getcwd()); print('err', file=sys.stderr)"
    )
    done = ran(tmp_path, code, stdin=b"in", environ={"X": "1"})
    assert (done.stdout.decode(), done.stderr) == (f"in 1 {tmp_path}\n", "err\n")


def test_the_program_sees_the_signals_descriptors_and_children_of_an_ordinary_one(tmp_path: Path):
    code = """
import json, os, signal, sys
try:
    os.wait()
    children = True
except ChildProcessError:
    children = False
own = sorted(int(name) for name in os.listdir('/proc/self/fd'))
print(json.dumps([children, own[:3], len(own), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
    sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid()]))
"""
    assert json.loads(ran(tmp_path, code).stdout) == json.loads(ran(tmp_path, code, supervised=False).stdout)


def test_an_orphan_that_ends_is_reaped_as_on_any_system(tmp_path: Path):
    """Tests of daemons wait until the process id is unknown."""
    code = f"""{DAEMON}
daemon("pass")
until = time.monotonic() + 5
def known():
    try:
        os.kill(int(open(sys.argv[1] + '/pid').read()), 0)
    except (FileNotFoundError, ValueError):
        return True
    except ProcessLookupError:
        return False
    return True
while known() and time.monotonic() < until: time.sleep(0.01)
print(known())
"""
    assert ran(tmp_path, code).stdout == b"False\n"


@pytest.mark.parametrize("argv", [("/nowhere/python",), ("no-such-program-at-all",), ("/",), ("a\0b",)])
@pytest.mark.parametrize("supervised", [True, False])
def test_what_cannot_be_started(tmp_path: Path, argv: tuple[str, ...], supervised: bool):
    with pytest.raises(ToolError, match="could not start"):
        Processes({}, tmp_path).run(Command(argv=argv, cwd=tmp_path, supervised=supervised))


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_time_limit_ends_the_program_and_its_daemons(tmp_path: Path, stubborn: bool):
    trap = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" if stubborn else ""
    started = time.monotonic()
    with pytest.raises(TimedOutError) as told:
        ran(
            tmp_path,
            f"{DAEMON}\n{trap}\nprint('out', flush=True)\ndaemon({WAIT!r})\ntime.sleep(300)",
            timeout=1,
        )
    assert told.value.stdout == b"out\n"
    assert time.monotonic() - started < 5
    assert all(map(gone, pids(tmp_path)))


def test_an_interruption_ends_the_program_and_its_daemons(tmp_path: Path):
    processes = Processes({**os.environ}, tmp_path)
    threading.Timer(0.7, processes.stop).start()
    with pytest.raises(InterruptedRunError):
        ran(tmp_path, f"{DAEMON}\ndaemon({WAIT!r})\ntime.sleep(300)", processes=processes)
    assert all(map(gone, pids(tmp_path)))


def test_a_daemon_of_another_program_goes_on(tmp_path: Path):
    """Two programs at once: the end of the first is not that of what the second has started."""
    processes = Processes({**os.environ}, tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    code = f"{DAEMON}\ndaemon({WAIT!r})\nopen(sys.argv[1] + '/started', 'w')\nwhile not os.path.exists(sys.argv[1] + '/end'): time.sleep(0.01)"
    longer = threading.Thread(target=ran, args=(second, code), kwargs={"processes": processes})
    longer.start()
    (first / "end").touch()
    while not (second / "pid").exists() or not pids(second):
        time.sleep(0.01)
    ran(first, code, processes=processes)
    assert all(map(gone, pids(first)))
    assert not any(map(gone, pids(second)))
    (second / "end").touch()
    longer.join()
    assert all(map(gone, pids(second)))


def test_when_we_are_killed_nothing_stays(tmp_path: Path):
    code = f"{DAEMON}\ndaemon({WAIT!r})\ntime.sleep(300)"
    ours = f"""
import os, sys
from pathlib import Path
from ci_action.system.process import Command, Processes
folder = Path({str(tmp_path)!r})
Processes(dict(os.environ), folder).run(Command(argv=({sys.executable!r}, "-c", {code!r}, str(folder)), cwd=folder, supervised=True))
"""
    running = subprocess.Popen([sys.executable, "-c", ours])
    until = time.monotonic() + 20
    while not (tmp_path / "pid").exists() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.2)
    running.kill()
    running.wait()
    while not all(map(gone, pids(tmp_path))) and time.monotonic() < until:
        time.sleep(0.02)
    assert all(map(gone, pids(tmp_path)))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_as_another_user_the_program_cannot_end_its_supervisor(tmp_path: Path):
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.geteuid() and "pytest" in folder.name:
            folder.chmod(0o755)
    code = f"""{DAEMON}
import signal
try:
    os.kill(os.getppid(), signal.SIGKILL)
except PermissionError:
    print(os.getuid(), os.getgid(), os.getgroups(), oct(os.umask(0)))
daemon({WAIT!r})
while not os.path.exists(sys.argv[1] + '/pid'): time.sleep(0.01)
"""
    python = Path("/usr/bin/python3")
    argv = (str(python if python.exists() else sys.executable), "-c", code, str(tmp_path))
    done = Processes({**os.environ}, tmp_path).run(
        Command(argv=argv, cwd=tmp_path, timeout=30, supervised=True, owner=Owner(uid=12345, gid=12346))
    )
    assert done.stdout == b"12345 12346 [] 0o22\n", done.stderr
    assert all(map(gone, pids(tmp_path)))


def test_an_idle_program_has_the_lowest_priority(tmp_path):
    code = "import os, time\nwhile not (found := os.getpriority(os.PRIO_PROCESS, 0)): time.sleep(0.01)\nprint(found)"
    run = Processes(os.environ, tmp_path).run
    command = Command(argv=(sys.executable, "-c", code), cwd=tmp_path, idle=True, timeout=20)
    assert run(command).stdout == b"19\n"
