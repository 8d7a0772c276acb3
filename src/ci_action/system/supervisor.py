"""Start one program and end whatever it leaves running: orphans become children of this process, which reaps them.

A script (`python -I -S`, standard library only) that runs as the user of ci-action, so that code of another user cannot
end it. `process` starts it with three arguments before those of the program: the descriptor for the result, the user and
group as `uid:gid`, and the seconds between SIGTERM and SIGKILL. The result is the wait status of the program as a number,
or why it could not be started.
"""

import os
import signal
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from types import FrameType

# Instead of `uid:gid`: the program runs as our own user.
OURSELVES = "-"

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36
_PAUSE = 0.002
# Seconds until processes that fork faster than we kill them are killed by user, with all others of that user.
_PATIENCE = 0.5


def main(arguments: Sequence[str]) -> int:
    """Run the program, end what it leaves running, and write its result."""
    import ctypes  # only the script needs it, not `process`

    result, identity, grace, *argv = arguments
    descriptor = int(result)
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - the parameter is positional
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
    if not os.fstat(descriptor).st_size:  # else the program could not be started
        os.write(descriptor, str(status).encode())
    return 0


def _become(argv: list[str], owner: Sequence[int] | None, descriptor: int) -> None:
    """Become the program, or write why that failed."""
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
    """Forward SIGTERM to the program's group, and send SIGKILL after the grace period."""

    def send(number: int) -> None:
        try:
            os.killpg(child, number)
        except ProcessLookupError:  # it has not created its group yet
            os.kill(child, number)

    def end(number: int, _frame: FrameType | None) -> None:
        send(number)
        signal.setitimer(signal.ITIMER_REAL, grace)

    signal.signal(signal.SIGALRM, lambda *_: send(signal.SIGKILL))
    signal.signal(signal.SIGTERM, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _wait(child: int) -> None:
    """Reap children until the program has ended; it stays a zombie, so that its end is not visible yet."""
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended and ended.si_pid == child:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            return
        if ended:
            os.waitpid(ended.si_pid, 0)


def end_children(*, spared: Collection[int] = (), uid: int | None = None) -> None:
    """Kill all children but the spared ones, and their orphans, until none is left."""
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
    """Yield the ids of our children, including zombies."""
    own = str(os.getpid())
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", errors="replace") as file:  # it may have ended
            if file.read().rpartition(")")[2].split()[1] == own:
                yield int(name)


def _kill_all_of(uid: int) -> None:
    """Kill every process of a user at once, so that no fork escapes."""
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
