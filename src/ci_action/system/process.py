"""Start programs: without a shell, each in a process group of its own, with a cleaned environment and a timeout.

This is the only module that starts a process.
"""

import os
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from ci_action.system import supervisor
from ci_action.system.child_environ import Sees, clean_environment
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError, shortage
from ci_action.system.folder import Owner
from ci_action.system.redaction import Redact

# Seconds between SIGTERM and SIGKILL: the runner kills us 7.5 s after its first signal.
GRACE_SECONDS: Final = 2.0
_DYING_SECONDS: Final = 0.5
# Additional seconds for a supervisor to end its program.
_SUPERVISED_SECONDS: Final = 1.0
# Bytes of file names for one process; Linux allows 2 MiB for arguments and environment together.
_BATCH_BYTES: Final = 500_000
_BLOCK_BYTES: Final = 1_000_000
# The lowest priority.
_IDLE: Final = 19
# Bytes of the output of a server that are shown if it has ended.
_MOST_SERVED: Final = 1_000_000
# Seconds after which the output of a running program is read again.
_LOOK_SECONDS: Final = 0.25


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
    """The user that runs it; None for our own."""
    withheld: frozenset[str] = frozenset()
    """Further variables that the program does not see."""
    sees: Sees = Sees.STEP
    receive: Callable[[bytes], None] | None = None
    """Called with the program's output in blocks, also after a timeout; `stdout` is empty then."""
    watch: "Callable[[Growing], None] | None" = None
    """Called again and again while the program runs, and once after its end, with what it has printed until then."""
    cut_at: bytes = b"\n"
    """The separator at which blocks end."""
    most: int | None = None
    """Bytes of each stream that are kept: whole lines of its end. None for all of it."""
    background: bool = False
    """Whether `Processes.end_background` ends it."""
    idle: bool = False
    """Whether it only gets the time of the processors that others leave, as far as the system allows."""
    supervised: bool = False
    """Whether every process that it leaves running ends with it: set for programs that can start code of the project."""

    def __str__(self) -> str:
        """Render as in a shell; for people, never run."""
        return shlex.join(self.argv)


@dataclass(frozen=True, kw_only=True)
class Completed:
    """The result of a program. `returncode` is negative for the signal that ended it."""

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


class Growing:
    """The output of a program while it runs: files of ours that are read without moving the place of its writes."""

    def __init__(self, out: IO[bytes], err: IO[bytes]) -> None:
        self._files = (out, err)
        self._offsets = [0, 0]

    def read(self, stream: int, size: int) -> bytes:
        """Return what the program has written to a stream (0 or 1) since the last call, at most so many bytes."""
        part = os.pread(self._files[stream].fileno(), size, self._offsets[stream])
        self._offsets[stream] += len(part)
        return part


Run: TypeAlias = Callable[[Command], Completed]
"""Starts a command and waits for its end: `Processes.run`, or a fake in tests.

Raises `ToolError` if the program cannot be started, `TimedOutError` and `InterruptedRunError`.
"""

Ended: TypeAlias = Callable[[], Completed | None]
"""Returns how a program that runs meanwhile has ended, None while it runs; raises `ToolError` if it was not started."""

Serve: TypeAlias = Callable[[Command], AbstractContextManager[Ended]]
"""Runs a command during a block and ends it then: `Processes.serving`, or a fake in tests."""


class Processes:
    """All programs that one run has started; `stop` ends them together."""

    def __init__(
        self, environ: Mapping[str, str], tempdir: Path, redact: Redact = str, python: str = sys.executable
    ) -> None:
        """Keep the cleaned environment; output of programs is collected under `tempdir`."""
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
        """Run a command in a process group of its own and collect its output."""
        if self._is_ended(command):
            raise InterruptedRunError("interrupted before it started")
        with ExitStack() as stack:
            stdin, out, err, result = (
                stack.enter_context(tempfile.TemporaryFile(dir=self._tempdir)) for _ in range(4)
            )
            stdin.write(command.stdin)
            stdin.seek(0)
            started = time.monotonic()
            child = self._start(command, stdin, out, err, result)
            if self._is_ended(command):  # stop() may have run before it knew the child
                self._end(child)
            look = partial(command.watch, Growing(out, err)) if command.watch else None
            expired = self._has_expired(child, command.timeout, look)
            seconds = time.monotonic() - started
            if look:
                look()
            for file in (out, err, result):
                file.seek(0)
            stdout = b"" if command.receive else self._redacted(end_of(out, command.most))
            if command.receive:
                for block in blocks(out, command.cut_at):
                    command.receive(self._redacted(block))
            stderr = self._redact(end_of(err, command.most).decode("utf-8", "replace"))
            returncode = self._returncode(command, child, result.read().decode("utf-8", "replace"))
        program = Path(command.argv[0]).name
        if self.stopped and returncode != 0:
            raise InterruptedRunError(f"{program} was interrupted", stdout=stdout, stderr=stderr)
        if expired:
            reason = f"{program} timed out after {command.timeout:.0f} s; increase `timeout`"
            raise TimedOutError(reason, stdout=stdout, stderr=stderr)
        return Completed(returncode=returncode, stdout=stdout, stderr=stderr, seconds=seconds)

    @contextmanager
    def serving(self, command: Command) -> Iterator[Ended]:
        """Run a command during a block, without a timeout; it is ended with the block, by `stop`, and with us.

        Its standard input is empty and open until then: it closes even if everything of us was killed.
        Raises `ToolError` if the program cannot be started, and `InterruptedRunError`.
        """
        if self._is_ended(command):
            raise InterruptedRunError("interrupted before it started")
        with ExitStack() as stack:
            reading, writing = os.pipe()
            stack.callback(os.close, writing)
            stdin = stack.enter_context(open(reading, "rb"))
            out, err, result = (
                stack.enter_context(tempfile.TemporaryFile(dir=self._tempdir)) for _ in range(3)
            )
            started = time.monotonic()
            child = self._start(command, stdin, out, err, result)

            def ended() -> Completed | None:
                if child.poll() is None:
                    return None
                stdout, stderr, status = (
                    os.pread(file.fileno(), _MOST_SERVED, 0) for file in (out, err, result)
                )
                return Completed(
                    returncode=self._returncode(command, child, status.decode("utf-8", "replace")),
                    stdout=self._redacted(stdout),
                    stderr=self._redact(stderr.decode("utf-8", "replace")),
                    seconds=time.monotonic() - started,
                )

            try:
                if self._is_ended(command):  # stop() may have run before it knew the child
                    raise InterruptedRunError("interrupted before it started")
                yield ended
            finally:
                if child.returncode is None:
                    self._end(child)
                try:
                    child.wait()
                finally:
                    self._running.pop(child)
                    self._background.discard(child)
                _signal_group(child, signal.SIGKILL)  # the rest of its group

    def _has_expired(
        self, child: subprocess.Popen[bytes], seconds: float, look: Callable[[], None] | None
    ) -> bool:
        """Wait for the end of a child, and end it after some seconds; return whether that was necessary."""
        try:
            expired = not _ends_within(child, seconds, look)
            if expired:
                self._end(child)
            child.wait()
        except BaseException:
            self._end(child)
            raise
        finally:
            self._running.pop(child)
            self._background.discard(child)
        _signal_group(child, signal.SIGKILL)  # the rest of its group
        return expired

    def stop(self) -> None:
        """End every running program (SIGTERM, then SIGKILL) and start no other."""
        self._stopped.set()
        for child in tuple(self._running):
            self._end(child)

    def end_background(self) -> None:
        """End the programs in the background and start no other."""
        self._background_ended.set()
        for child in tuple(self._background):
            self._end(child)

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped.is_set()

    def _is_ended(self, command: Command) -> bool:
        return self.stopped or (command.background and self._background_ended.is_set())

    def _start(
        self, command: Command, stdin: IO[bytes], out: IO[bytes], err: IO[bytes], result: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a program, under a supervisor that writes to `result` if it is supervised."""
        argv = command.argv
        options: dict[str, Any] = {}
        if _is_supervised(command):
            owner = "{}:{}".format(*command.owner) if command.owner else supervisor.OURSELVES
            argv = (*self._supervisor, str(result.fileno()), owner, str(GRACE_SECONDS), *argv)
            options = {"pass_fds": (result.fileno(),)}
        elif command.owner:
            uid, gid = command.owner
            options = {"user": uid, "group": gid, "extra_groups": (), "umask": 0o022}
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
                    **options,
                )
            except (OSError, ValueError) as error:
                raise self._not_started(command, shortage(error) or error) from error
            if command.background:
                self._background.add(child)
            if command.idle:
                with suppress(OSError):  # it has ended, or belongs to another user
                    os.setpriority(os.PRIO_PROCESS, child.pid, _IDLE)
            self._running[child] = GRACE_SECONDS + (_SUPERVISED_SECONDS if _is_supervised(command) else 0)
        return child

    def _not_started(self, command: Command, error: object) -> ToolError:
        return ToolError(self._redact(f"could not start {command.argv[0]!r}: {error}"))

    def _returncode(self, command: Command, child: subprocess.Popen[bytes], result: str) -> int:
        """Return the exit status of the program: its supervisor's result, if it has one."""
        if result.isdecimal():
            return os.waitstatus_to_exitcode(int(result))
        if result:
            raise self._not_started(command, result)
        if _is_supervised(command):  # its supervisor was killed: its orphans are our children now
            self.end_strays()
        return child.returncode

    def end_strays(self) -> None:
        """End the orphans of programs that have ended, as the first process of our container, where all are our children."""
        if os.getpid() == 1:
            with self._starting:
                supervisor.end_children(spared={child.pid for child in tuple(self._running)})

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        _signal_group(child, signal.SIGTERM)
        timer = threading.Timer(self._running.get(child, GRACE_SECONDS), _kill_unless_ended, (child,))
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # no thread can be started: kill it at once
            _kill_unless_ended(child)

    def _environ_of(self, command: Command) -> dict[str, str]:
        seen = command.sees.of(self._environ)
        kept = {name: value for name, value in seen.items() if name not in command.withheld}
        return {**kept, **command.environ}

    def _redacted(self, raw: bytes) -> bytes:
        # Latin-1 maps every byte to one character and back, so only the secrets change.
        if self._redact is str:
            return raw
        return self._redact(raw.decode("latin-1")).encode("latin-1")


def end_of(file: IO[bytes], most: int | None) -> bytes:
    """Return what a file contains, of a longer one whole lines of its end: half a line may begin within a secret."""
    size = file.seek(0, os.SEEK_END)
    if most is None or size <= most:
        file.seek(0)
    else:
        file.seek(size - most - 1)
        file.readline(most + 1)
    return file.read()


def blocks(stream: IO[bytes], separator: bytes, size: int = _BLOCK_BYTES) -> Iterator[bytes]:
    """Yield the content of a stream in blocks of about `size`, split at separators, which are dropped; at least one."""
    rest = b""
    while chunk := stream.read(size):
        block, found, last = (rest + chunk).rpartition(separator)
        if found:
            yield block
        rest = last
    yield rest


def _is_supervised(command: Command) -> bool:
    """Whether a supervisor starts a program: only on Linux can it adopt orphans."""
    return command.supervised and sys.platform == "linux"


def end_orphans() -> None:
    """Kill every process that is left, as the first process of our container, where all are our children."""
    if os.getpid() != 1:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.kill(-1, signal.SIGKILL)
    until = time.monotonic() + _DYING_SECONDS  # a process that hangs in the kernel writes nothing more
    with suppress(ChildProcessError):
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.005)


def _ends_within(
    child: subprocess.Popen[bytes], seconds: float, look: Callable[[], None] | None = None
) -> bool:
    """Wait for the end of a child, which is not reaped yet; meanwhile call `look` again and again."""
    until = time.monotonic() + seconds
    with _ending(child) as ends:
        while True:
            left = max(0.0, until - time.monotonic())
            if ends(min(left, _LOOK_SECONDS) if look else left):
                return True
            if not left:
                return False
            if look:
                look()


@contextmanager
def _ending(child: subprocess.Popen[bytes]) -> Iterator[Callable[[float], bool]]:
    """Provide what waits some seconds for the end of a child: by its descriptor, neither polling nor a thread is needed."""
    try:
        descriptor = os.pidfd_open(child.pid)
    except (AttributeError, OSError):  # macOS, or a kernel that forbids it
        yield lambda seconds: _is_reaped_within(child, seconds)
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        yield lambda seconds: bool(poll.poll(seconds * 1000))
    finally:
        os.close(descriptor)


def _is_reaped_within(child: subprocess.Popen[bytes], seconds: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    return child.returncode is not None


def _kill_unless_ended(child: subprocess.Popen[bytes]) -> None:
    if child.returncode is None:
        _signal_group(child, signal.SIGKILL)


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The group keeps the child's id while any member lives, so a reused id is hit only
    # after the whole group is gone, which killpg reports.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def batches(files: Sequence[str]) -> Iterator[list[str]]:
    """Split names of files into groups that fit on a command line."""
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


def last_lines(text: str, count: int = 12) -> str:
    """Return the last lines of a program's output that are not blank."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:])
