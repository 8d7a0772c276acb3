"""Run the embedded PostgreSQL on a free port of 127.0.0.1, with a password, in a folder that is removed afterwards.

PostgreSQL refuses to run as root. In the container it runs as the owner of the workspace, or as an unprivileged user if
that is root. `initdb` needs a user with a name, which the owner does not have there: the unprivileged one makes the data,
which is then given to the owner.
"""

import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.stages.migrations.database.wheel import Wheel, is_reachable
from ci_action.stages.migrations.model import Database, Dialect
from ci_action.system.child_environ import Sees
from ci_action.system.errors import InterruptedRunError, ProjectFileError, ToolError
from ci_action.system.folder import Owner
from ci_action.system.ownership import hand_over_whole
from ci_action.system.process import Command, Completed, Ended, last_lines
from ci_action.system.project_files import find_project_text

USER: Final = "postgres"
UNPRIVILEGED: Final = Owner(65534, 65534)
# Below the ports that Linux gives to outgoing connections.
PORTS: Final = range(20_000, 32_000)
_MOST_PORTS: Final = 8
_PORT_TAKEN: Final = "could not bind"
_NO_PORT: Final = "could not create any TCP/IP sockets"
_ERROR: Final = re.compile(r"\b(?:FATAL|PANIC|error):")
# Bytes: PostgreSQL writes its log in files of 16 MiB.
_FULL: Final = 17_000_000
_START_SECONDS: Final = 60.0
_PAUSE: Final = 0.01
_INIT: Final = (
    "--auth=scram-sha-256",
    f"--username={USER}",
    "--encoding=UTF8",
    "--locale-provider=builtin",  # that of the system is another one on each machine
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-sync",
    "--no-clean",  # or a full disk would have room again when we look
    "--no-instructions",
)
SETTINGS: Final = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "max_parallel_workers_per_gather=0",  # parallel workers share memory in /dev/shm, which is small in containers
    "max_parallel_maintenance_workers=0",
    "max_locks_per_transaction=512",  # a history in one transaction locks every table
)
"""The settings of a server whose data is thrown away, whatever its source."""
_OWN: Final = (
    *SETTINGS,
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=32MB",
    "log_min_messages=fatal",  # the errors of statements are for those that sent them
)
_VARIABLES: Final = {"LC_ALL": "C"}  # macOS starts threads for another one, which PostgreSQL refuses


@dataclass(frozen=True, kw_only=True)
class _Cluster:
    name: str
    home: Path
    data: Path
    user: Owner | None

    def command(self, program: str, *words: str, owner: Owner | None) -> Command:
        return Command(
            argv=(str(self.home / "bin" / program), f"--pgdata={self.data}", *words),
            cwd=self.data.parent,
            environ=_VARIABLES,
            owner=owner,
            sees=Sees.LITTLE,
            timeout=_START_SECONDS,
            supervised=True,
        )

    def server(self, port: int) -> Command:
        """Return the server; its options are those of `postgres`, which has no long ones."""
        words = [word for setting in _OWN for word in ("-c", setting)]
        argv = (str(self.home / "bin" / "postgres"), "-D", str(self.data), "-p", str(port), *words)
        return Command(
            argv=argv,
            cwd=self.data.parent,
            environ=_VARIABLES,
            owner=self.user,
            sees=Sees.LITTLE,
            supervised=True,
        )


def user_of(ctx: Context) -> Owner | None:
    """Return the user that runs the server: never root."""
    return ctx.owner or (UNPRIVILEGED if os.geteuid() == 0 else None)


@contextmanager
def embedded(ctx: Context, wheel: Wheel, home: Path, user: Owner | None) -> Iterator[Database]:
    """Run a new, empty server from the programs of a wheel in `home`; raises `ToolError`, also if it ends during the block."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir=ctx.tempdir))
    name = f"postgresql {wheel.version}, embedded"
    cluster = _Cluster(name=name, home=home, data=folder / "data", user=user)
    password = secrets.token_hex(16)
    try:
        with ExitStack() as stack:
            _make(ctx, cluster, password)
            ended, port = _started(ctx, stack, cluster)
            database = Database(
                url=f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres",
                dialect=Dialect.POSTGRESQL,
                name=name,
                pg_dump=(str(home / "bin" / "pg_dump"),),
            )
            with alive(ended, name, folder):
                yield database
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alive(ended: Ended, name: str, folder: Path) -> Iterator[None]:
    """Raise `ToolError` if the server has ended at the end of the block, whatever else happened in it because of that.

    Its data is in `folder`, or its output.
    """
    try:
        yield
    except InterruptedRunError:
        raise
    except Exception as error:
        if done := ended():
            raise _stopped(name, done, folder) from error
        raise
    if done := ended():
        raise _stopped(name, done, folder)


def _stopped(name: str, done: Completed, folder: Path) -> ToolError:
    how = f"was killed ({done.killed_by})" if done.killed_by else f"ended with exit code {done.returncode}"
    why = _why(done, folder)
    return ToolError(f"the scratch database ({name}) {how}{why and f': {why}'}", detail=done.stderr)


def _why(done: Completed, folder: Path) -> str:
    """Return the cause: a full disk, which keeps programs from printing it, else the first error, else the last line."""
    if shutil.disk_usage(folder).free < _FULL:
        return f"no space left on the disk: {str(folder)!r}"
    lines = done.stderr.splitlines()
    return next((line.strip() for line in lines if _ERROR.search(line)), last_lines(done.stderr, 1))


def _make(ctx: Context, cluster: _Cluster, password: str) -> None:
    """Make the files of the database."""
    folder, maker = cluster.data.parent, UNPRIVILEGED if os.geteuid() == 0 else None
    file = folder / "password"
    file.write_text(f"{password}\n", "utf-8")
    file.chmod(0o600)
    if maker:
        for place in (ctx.tempdir, ctx.tempdir.parent):  # both are ours
            place.chmod(place.stat().st_mode | 0o011)  # to enter its own folder, and not to list another one
        if not is_reachable(folder.parent):
            raise ToolError(
                f"could not make a scratch database: PostgreSQL does not run as root, and other users cannot enter"
                f" {str(folder.parent)!r}; set `RUNNER_TEMP` or `TMPDIR` to a folder that they can enter"
            )
        hand_over_whole(folder, maker)
    done = ctx.run(cluster.command("initdb", *_INIT, f"--pwfile={file}", owner=maker))
    if done.returncode != 0:
        raise ToolError(f"could not make a scratch database: {_why(done, folder)}", detail=done.stderr)
    file.unlink()
    if cluster.user and cluster.user != maker:
        hand_over_whole(folder, cluster.user)


def _started(ctx: Context, stack: ExitStack, cluster: _Cluster) -> tuple[Ended, int]:
    """Start the server on a free port; raises `ToolError`."""
    for port in secrets.SystemRandom().sample(PORTS, _MOST_PORTS):
        with ExitStack() as attempt:
            ended = attempt.enter_context(ctx.serve(cluster.server(port)))
            done = _ready(ctx, ended, cluster.data)
            if done is None:
                stack.enter_context(attempt.pop_all())
                return ended, port
        if _PORT_TAKEN not in done.stderr and _NO_PORT not in done.stderr:
            raise _stopped(cluster.name, done, cluster.data.parent)
    raise crowded("the embedded PostgreSQL", _MOST_PORTS)


def crowded(name: str, tried: int) -> ToolError:
    """Return the error for a server that found no free port."""
    return ToolError(
        f"could not start {name}: {tried} ports from {PORTS.start} to {PORTS.stop - 1} were tried and are in use;"
        " stop what uses them, or set `database-url` to a PostgreSQL server"
    )


def _ready(ctx: Context, ended: Ended, data: Path) -> Completed | None:
    """Wait until the server accepts connections; return how it ended if it did instead."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if done := ended():
            return done
        if ctx.stopped():
            raise InterruptedRunError("interrupted while the scratch database started")
        try:
            lines = find_project_text(data / "postmaster.pid", data).split("\n")
        except ProjectFileError:
            lines = []
        if "ready" in (line.strip() for line in lines[7:8]):
            return None
        time.sleep(_PAUSE)
    raise ToolError(f"the embedded PostgreSQL did not start within {_START_SECONDS:.0f} s")
