"""PostgreSQL in a container, for what the embedded server lacks: an extension, or another version.

The client of Docker runs in the foreground, and the container ends with the client's standard input: so nothing of it is
left, whether the block ends, the run is interrupted, or ci-action and its own container are killed.
"""

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.docker.client import Docker, variables, why
from ci_action.engine.docker.network import own_container
from ci_action.engine.docker.ours import LABEL, own_id
from ci_action.stages.migrations.database.embedded import PORTS, SETTINGS, USER, alive, crowded
from ci_action.stages.migrations.database.server import (
    Connection,
    RefusedError,
    Server,
    awaited,
    lacking_of,
    pg_dump_of,
)
from ci_action.stages.migrations.model import Database, Dialect
from ci_action.system.errors import UNDONE, InterruptedRunError, ToolError
from ci_action.system.process import Command, Ended
from ci_action.system.text import listed

_PULL_SECONDS: Final = 300.0
_START_SECONDS: Final = 90.0
_MOST_PORTS: Final = 4
_PORT: Final = 5432
_PAUSE: Final = 0.1
_PORT_TAKEN: Final = "could not bind"
# Runs the server until it ends or the standard input does. A signal reaches a shell only after a wait, so it waits again.
_SCRIPT: Final = """
exec 3<&0
docker-entrypoint.sh "$@" </dev/null &
server=$!
trap 'kill -INT $server' TERM INT
{ cat <&3 >/dev/null; kill -INT $server; sleep 3; kill -KILL $server; } &
while kill -0 $server 2>/dev/null; do wait $server; code=$?; done
exit $code
"""


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that is on the machine, and the network in which we reach its container."""

    name: str
    network: str
    """Empty for a port that is published on 127.0.0.1."""


def image_of(ctx: Context, version: int, mounts: str) -> Image:
    """Return the image of a version, pulled if needed; raises `ToolError` if Docker or the image is not available.

    `mounts` are those of our process, which name our container.
    """
    docker = Docker(ctx)
    docker.engine()
    name = f"postgres:{version}"
    if docker.inspect("image", name) is None:
        done = docker.run("pull", "--quiet", name, seconds=_PULL_SECONDS)
        if done.returncode != 0:
            raise ToolError(f"could not pull {name}: {why(done)}", detail=done.stderr)
    return Image(name=name, network=_network(ctx, mounts))


def _network(ctx: Context, mounts: str) -> str:
    if not ctx.container:
        return ""
    own = own_container(Docker(ctx), mounts)
    shared = own is not None and (own.get("HostConfig") or {}).get("NetworkMode") != "host"
    return f"container:{own_id(mounts)}" if shared else "host"


@contextmanager
def container(ctx: Context, image: Image, lacking: frozenset[str]) -> Iterator[Database]:
    """Run a new, empty server; raises `ToolError`, also if it lacks one of these extensions, or ends during the block."""
    password = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="docker-", dir=ctx.tempdir) as name, ExitStack() as stack:
        file = Path(name, "variables")
        file.touch(0o600)
        # The image trusts connections from 127.0.0.1 otherwise.
        file.write_text(
            f"POSTGRES_PASSWORD={password}\nPOSTGRES_INITDB_ARGS=--auth-host=scram-sha-256\n", "utf-8"
        )
        ended, connection = _started(ctx, stack, image, file, password)
        version, server = connection.version, connection.server
        missing = lacking_of(connection, lacking)
        connection.close()
        if missing:
            raise ToolError(
                f"the image {image.name} lacks {listed(missing)}, as the embedded PostgreSQL does:"
                " set `database-url` to a server that has it, such as a service of the job"
            )
        database = Database(
            url=server.url,
            dialect=Dialect.POSTGRESQL,
            name=f"postgresql {version}, container",
            pg_dump=pg_dump_of(ctx, version),
        )
        with alive(ended, database.name, file.parent):
            yield database


def _started(
    ctx: Context, stack: ExitStack, image: Image, file: Path, password: str
) -> tuple[Ended, Connection]:
    """Start a container and connect to it; it is removed when the stack closes. Raises `ToolError`."""
    done = None
    for port in secrets.SystemRandom().sample(PORTS, _MOST_PORTS) if image.network else (_PORT,):
        name = f"ci-action-{secrets.token_hex(8)}"
        with ExitStack() as attempt:
            ended = attempt.enter_context(ctx.serve(_command(ctx, image, file, name, port)))
            attempt.callback(_remove, ctx, name)
            connection = _connected(ctx, ended, image, name, port, password)
            if connection:
                stack.push(attempt.pop_all())
                return ended, connection
            done = ended()
        if done is None or _PORT_TAKEN not in done.stderr:
            break
    if done and _PORT_TAKEN in done.stderr and image.network:
        raise crowded(image.name, _MOST_PORTS)
    raise ToolError(
        f"could not start {image.name}: {why(done) if done else f'no answer within {_START_SECONDS:.0f} s'}"
    )


def _command(ctx: Context, image: Image, file: Path, name: str, port: int) -> Command:
    shared = (f"--network={image.network}", f"--env=PGPORT={port}")
    where = shared if image.network else (f"--publish=127.0.0.1::{port}",)
    listen = ("listen_addresses=127.0.0.1",) if image.network else ()
    settings = [word for setting in (*SETTINGS, *listen) for word in ("-c", setting)]
    options = (
        "--rm",
        "--interactive",
        "--pull=never",
        f"--name={name}",
        f"--label={LABEL}",
        f"--env-file={file}",
    )
    return Command(
        argv=(
            *("docker", "run", *options, *where, "--entrypoint=sh", image.name),
            *("-c", _SCRIPT, "sh", "postgres", *settings),
        ),
        cwd=ctx.tempdir,
        environ=variables(ctx),
        supervised=True,
    )


def _connected(
    ctx: Context, ended: Ended, image: Image, name: str, port: int, password: str
) -> Connection | None:
    """Connect to the server in the container as soon as it answers; None if it ended or does not answer."""
    until = time.monotonic() + _START_SECONDS

    def pending() -> bool:
        return not ctx.stopped() and ended() is None

    while pending() and time.monotonic() < until:
        if found := port if image.network else _published(ctx, name):
            server = Server(host="127.0.0.1", port=found, user=USER, password=password, database="postgres")
            with suppress(RefusedError):
                return awaited(server, until - time.monotonic(), pending)
        time.sleep(_PAUSE)
    if ctx.stopped():
        raise InterruptedRunError("interrupted while the scratch database started")
    return None


def _published(ctx: Context, name: str) -> int:
    """Return the port on 127.0.0.1; 0 until the container runs."""
    done = Docker(ctx).run("port", name, f"{_PORT}/tcp")
    found = done.stdout.decode("utf-8", "replace").partition("\n")[0].rpartition(":")[2].strip()
    return int(found) if done.returncode == 0 and found.isdecimal() else 0


def _remove(ctx: Context, name: str) -> None:
    """Remove a container at once; after an interruption, which starts no program, it ends with its client."""
    with suppress(*UNDONE):
        Docker(ctx).run("rm", "--force", "--volumes", name)
