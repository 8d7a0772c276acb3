"""Start programs: without a shell, in process groups of their own, with a cleaned environment and an end.

This is the only module that starts a process.
"""

import os
import shlex
import signal
import subprocess  # noqa: TID251 - the one place
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Protocol

from ci_action.system import supervisor
from ci_action.system.child_environ import Sees, clean_environment
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError, shortage
from ci_action.system.redaction import Redact

# Two seconds to end by itself after SIGTERM, then SIGKILL: the runner kills us 7.5 s after its first signal.
GRACE_SECONDS: Final = 2.0
_DYING_SECONDS: Final = 0.5
# How much longer a supervisor has to end what it started.
_SUPERVISED_SECONDS: Final = 1.0
# One process gets at most this many bytes of file names; Linux allows 2 MiB for arguments and environment together.
_BATCH_BYTES: Final = 500_000
# What is received in blocks is not held in memory as a whole.
_BLOCK_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class Owner:
    """A user who runs a program: the project's code is not run as root."""

    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Command:
    """A program with its arguments, ready to be started."""

    argv: tuple[str, ...]
    cwd: Path
    stdin: bytes = b""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Variables added to the cleaned environment."""
    timeout: float = 600.0
    """Seconds."""
    owner: Owner | None = None
    """Who runs it; None for ourselves."""
    withheld: frozenset[str] = frozenset()
    """Further variables that the program does not see."""
    sees: Sees = Sees.STEP
    receive: Callable[[bytes], None] | None = None
    """Gets what the program wrote in blocks, also of one that was ended; `stdout` is empty then."""
    cut_at: bytes = b"\n"
    """Every block but the last one ends before this separator."""
    background: bool = False
    """Whether `Processes.end_background` ends it."""
    supervised: bool = False
    """Whether all that it leaves running ends with it: set for every program that can start code of the project."""

    def __str__(self) -> str:
        """Render as it could be typed; for people, never run."""
        return shlex.join(self.argv)


@dataclass(frozen=True, kw_only=True)
class Completed:
    """What a program did. `returncode` is negative for the signal that ended it."""

    returncode: int
    stdout: bytes
    stderr: str
    seconds: float

    @property
    def killed_by(self) -> str:
        """The name of the signal that ended the program, or an empty text."""
        if self.returncode >= 0:
            return ""
        try:
            return signal.Signals(-self.returncode).name
        except ValueError:
            return f"signal {-self.returncode}"


class Run(Protocol):
    """Starts a command and waits for its end: `Processes.run`, or a fake in tests."""

    def __call__(self, command: Command, /) -> Completed:
        """Run it; raises `ToolError` when it is absent, `TimedOutError`, `InterruptedRunError`."""
        ...


class Processes:
    """All programs that one run of ours has started; `stop` ends them together."""

    def __init__(
        self, environ: Mapping[str, str], tempdir: Path, redact: Redact = str, python: str = sys.executable
    ) -> None:
        """Keep the cleaned environment; what programs write is collected under `tempdir`."""
        self._environ = clean_environment(environ)
        self._tempdir = tempdir
        self._redact = redact
        self._supervisor = (python, "-I", "-S", supervisor.__file__)
        self._running: dict[subprocess.Popen[bytes], float] = {}
        self._background: set[subprocess.Popen[bytes]] = set()
        self._background_ended = threading.Event()
        self._starting = threading.Lock()
        self._stopped = threading.Event()

    def run(self, command: Command) -> Completed:
        """Run a command in a process group of its own and collect all that it writes."""
        if self._stopped.is_set() or (command.background and self._background_ended.is_set()):
            raise InterruptedRunError("interrupted before it started")
        with (
            tempfile.TemporaryFile(dir=self._tempdir) as stdin,
            tempfile.TemporaryFile(dir=self._tempdir) as out,
            tempfile.TemporaryFile(dir=self._tempdir) as err,
            tempfile.TemporaryFile(dir=self._tempdir) as result,
        ):
            stdin.write(command.stdin)
            stdin.seek(0)
            started = time.monotonic()
            files = (stdin, out, err, *([result] if _is_supervised(command) else []))
            child = self._start(command, *(file.fileno() for file in files))
            ended = self._background_ended.is_set() if command.background else False
            if self._stopped.is_set() or ended:  # stop() may have looked before the child was known
                self._end(child)
            expired = threading.Event()
            timer = threading.Timer(command.timeout, self._expire, (child, expired))
            timer.daemon = True
            try:
                _start_timer(timer, child)
                child.wait()
            finally:
                timer.cancel()
                self._running.pop(child)
                self._background.discard(child)
            _kill_group(child)  # what it left behind in its group
            seconds = time.monotonic() - started
            out.seek(0)
            err.seek(0)
            result.seek(0)
            stdout = b"" if command.receive else self._redacted(out.read())
            if command.receive:
                for block in blocks(out, command.cut_at):
                    command.receive(self._redacted(block))
            stderr = self._redact(err.read().decode("utf-8", "replace"))
            told = result.read().decode("utf-8", "replace")
        returncode = self._returncode(command, child, told)
        program = Path(command.argv[0]).name
        if self._stopped.is_set() and returncode != 0:
            raise InterruptedRunError(f"{program} was interrupted", stdout=stdout, stderr=stderr)
        if expired.is_set():
            reason = f"{program} was ended after its time limit of {command.timeout:.0f} s; set `timeout` to give it more"
            raise TimedOutError(reason, stdout=stdout, stderr=stderr)
        return Completed(returncode=returncode, stdout=stdout, stderr=stderr, seconds=seconds)

    def stop(self) -> None:
        """End every running program (SIGTERM, then SIGKILL) and start no further one."""
        self._stopped.set()
        for child in tuple(self._running):
            self._end(child)

    def end_background(self) -> None:
        """End the programs in the background, and start no further one."""
        self._background_ended.set()
        for child in tuple(self._background):
            self._end(child)

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def _start(
        self, command: Command, stdin: int, out: int, err: int, result: int | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program, under a supervisor if there is a file for its result."""
        argv, identity = command.argv, _identity(command.owner)
        kept = () if result is None else (result,)
        if kept:
            owner = f"{command.owner.uid}:{command.owner.gid}" if command.owner else supervisor.OURSELVES
            words = (str(result), owner, str(GRACE_SECONDS))
            argv, identity = (*self._supervisor, *words, *argv), {}
        with self._starting:
            try:
                child = subprocess.Popen(
                    argv,
                    cwd=command.cwd,
                    env=self._environ_of(command),
                    stdin=stdin,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                    pass_fds=kept,
                    **identity,
                )
            except (OSError, ValueError) as error:
                raise self._not_started(command, shortage(error) or error) from error
            if command.background:
                self._background.add(child)
            self._running[child] = GRACE_SECONDS + (_SUPERVISED_SECONDS if kept else 0)
        return child

    def _not_started(self, command: Command, error: object) -> ToolError:
        return ToolError(self._redact(f"{command.argv[0]!r} cannot be started: {error}"))

    def _returncode(self, command: Command, child: subprocess.Popen[bytes], told: str) -> int:
        """Return what became of the program by the words of its supervisor, if it had one."""
        if told.isdecimal():
            return os.waitstatus_to_exitcode(int(told))
        if told:
            raise self._not_started(command, told)
        if _is_supervised(command):  # its supervisor was killed: what it left behind is ours
            self.end_strays()
        return child.returncode

    def end_strays(self) -> None:
        """End what stems from programs that have ended, as far as it is ours: in a container of ours all of it is."""
        if os.getpid() == 1:
            with self._starting:
                supervisor.end_children(spared={child.pid for child in tuple(self._running)})

    def _expire(self, child: subprocess.Popen[bytes], expired: threading.Event) -> None:
        expired.set()
        self._end(child)

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        _signal_group(child, signal.SIGTERM)
        timer = threading.Timer(self._running.get(child, GRACE_SECONDS), _kill_unless_ended, (child,))
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # no thread is left to wait in: it gets no time to end by itself
            _kill_unless_ended(child)

    def _environ_of(self, command: Command) -> dict[str, str]:
        seen = command.sees.of(self._environ)
        kept = {name: value for name, value in seen.items() if name not in command.withheld}
        return {**kept, **command.environ}

    def _redacted(self, raw: bytes) -> bytes:
        # Latin-1 maps every byte to one character and back, so nothing but the secrets changes.
        if self._redact is str:
            return raw
        return self._redact(raw.decode("latin-1")).encode("latin-1")


def blocks(stream: IO[bytes], separator: bytes, size: int = _BLOCK_BYTES) -> Iterator[bytes]:
    """Yield the content of a stream in blocks of about a size, divided at separators, which are left out; one at least."""
    rest = b""
    while chunk := stream.read(size):
        block, found, last = (rest + chunk).rpartition(separator)
        if found:
            yield block
        rest = last
    yield rest


def _is_supervised(command: Command) -> bool:
    """Whether a supervisor starts a program: only Linux lets it adopt what the program leaves running."""
    return command.supervised and sys.platform == "linux"


def _identity(owner: Owner | None) -> dict[str, Any]:
    if owner is None:
        return {}
    return {"user": owner.uid, "group": owner.gid, "extra_groups": (), "umask": 0o022}


def end_orphans() -> None:
    """End whatever is left of the programs that were started: in a container of ours orphans are our children.

    Only as its first process do we know that all others stem from us; then the kernel ends them at once.
    """
    if os.getpid() != 1:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.kill(-1, signal.SIGKILL)
    until = time.monotonic() + _DYING_SECONDS  # one that hangs in the kernel writes nothing any more
    with suppress(ChildProcessError):
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.005)


def _start_timer(timer: threading.Timer, child: subprocess.Popen[bytes]) -> None:
    """Start what ends the child in time; raises `ToolError`, with the child ended, when there is no thread for it."""
    try:
        timer.start()
    except RuntimeError as error:
        _kill_group(child)
        child.wait()
        raise ToolError(shortage(error) or str(error)) from error


def _kill_unless_ended(child: subprocess.Popen[bytes]) -> None:
    if child.returncode is None:
        _kill_group(child)


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    _signal_group(child, signal.SIGKILL)


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The group keeps the child's id as long as any member lives, so an id used anew cannot be hit
    # except after the whole group is gone, which killpg reports.
    try:
        os.killpg(child.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def batches(files: Sequence[str]) -> Iterator[list[str]]:
    """Divide names of files into groups that fit on a command line."""
    batch: list[str] = []
    size = 0
    for name in files:
        if batch and size + len(name) > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += len(name) + 1
    if batch:
        yield batch


def last_lines(text: str, count: int = 12, *, ignore: Collection[str] = ()) -> str:
    """Return the last lines of what a program wrote that say something."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and line.strip() not in ignore]
    return "\n".join(lines[-count:])
