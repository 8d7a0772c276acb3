"""Starts one program and ends whatever it leaves running: orphans become children of this process, which reaps them.

Runs as a program of its own (`python -I -S`, standard library only), as the user that ci-action is: code that is started
as another user cannot end it. `process` is the only one to start it, and gives it three arguments before the program's:
the descriptor for the result, the user and group as `uid:gid` and the seconds between SIGTERM and SIGKILL.
The result is the program's wait status as a number, or why it could not be started.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from types import FrameType

# In the place of `uid:gid`: the program runs as the user that we are.
OURSELVES = "-"

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36
_PAUSE = 0.002
# Whoever forks faster than we kill is killed by user instead, and everything else of that user with it.
_PATIENCE = 0.5


def main(arguments: Sequence[str]) -> int:
    """Run the program to its end, end what is left of it, and write what became of it."""
    result, identity, grace, *argv = arguments
    descriptor = int(result)
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - has no name for it
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    prctl = ctypes.CDLL(None).prctl
    prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    prctl(_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    owner = tuple(map(int, identity.split(":"))) if identity != OURSELVES else None
    child = os.fork()
    if not child:
        _become(argv, owner, descriptor)
    _forward(child, float(grace))
    _wait(child)
    end_children(spared={child}, uid=owner[0] if owner else None)
    _, status = os.waitpid(child, 0)
    if not os.fstat(descriptor).st_size:  # else it says why the program could not be started
        os.write(descriptor, str(status).encode())
    return 0


def _become(argv: list[str], owner: Sequence[int] | None, descriptor: int) -> None:
    """Turn into the program; where that fails, say why."""
    try:
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        if owner:
            os.setgroups(())
            os.setgid(owner[1])
            os.setuid(owner[0])
            os.umask(0o022)
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(descriptor, str(error).encode())
    finally:
        os._exit(127)


def _forward(child: int, grace: float) -> None:
    """Let SIGTERM end the program's group: SIGTERM first, SIGKILL after the grace."""

    def send(number: int) -> None:
        try:
            os.killpg(child, number)
        except ProcessLookupError:  # it has no group of its own yet
            os.kill(child, number)

    def end(number: int, _frame: FrameType | None) -> None:
        send(number)
        signal.setitimer(signal.ITIMER_REAL, grace)

    signal.signal(signal.SIGALRM, lambda *_: send(signal.SIGKILL))
    signal.signal(signal.SIGTERM, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _wait(child: int) -> None:
    """Reap whatever ends until the program has ended, which stays as it is: whoever waits for its end cannot see it yet."""
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended and ended.si_pid == child:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            return
        if ended:
            os.waitpid(ended.si_pid, 0)


def end_children(*, spared: Collection[int] = (), uid: int | None = None) -> None:
    """Kill all children but the spared ones, and what becomes our child thereby, until none is left."""
    until = time.monotonic() + _PATIENCE
    while pids := [pid for pid in children() if pid not in spared]:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        if uid and time.monotonic() > until:
            _kill_all_of(uid)
        time.sleep(_PAUSE)


def children() -> Iterator[int]:
    """Yield our children, also those that have ended and were not waited for."""
    own = str(os.getpid())
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", errors="replace") as file:  # or it is gone
            if file.read().rpartition(")")[2].split()[1] == own:
                yield int(name)


def _kill_all_of(uid: int) -> None:
    """Kill every process of a user at once, which no fork escapes."""
    child = os.fork()
    if not child:
        try:
            os.setuid(uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
