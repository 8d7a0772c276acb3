"""Containers, networks and volumes of ours: how they are named, and that nothing of them is left.

Each name has its owner: the container that we run in, or our process. A guard, which is a process of its own, removes them
when its standard input closes: at the end of their block, after an interruption, and if we are killed. What is left after all,
because the guard was killed too, is removed at the start of the next run, by the names of owners that do not exist any more.
"""

import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.docker.client import Docker, variables
from ci_action.system.errors import UNDONE
from ci_action.system.process import Command

LABEL: Final = "ci-action"
"""The label of containers and networks of ours."""
_MOUNTS: Final = Path("/proc/self/mountinfo")
_OWN_ID: Final = re.compile(r"/containers/([0-9a-f]{64})/hostname ")
_OF_CONTAINER: Final = "c"
_OF_PROCESS: Final = "p"
# Builders of buildx name their container and its volume after themselves.
_NAME: Final = re.compile(
    r"(?:buildx_buildkit_)?ci-action-(?:c-(?P<container>[0-9a-f]{12})|p-(?P<host>[0-9a-f]{12})-(?P<pid>\d{1,10}))-"
)
_REMOVALS: Final = {"network": ("network", "rm"), "volume": ("volume", "rm", "--force")}
# The states of a container in which it runs a program.
_ALIVE: Final = frozenset({"running", "paused", "restarting"})
# Waits for the end of its standard input or for a signal, then removes what its arguments name, unless that is done. It does so
# at least twice, until nothing is left: the engine may still be creating a container for a client that was killed, or removing
# it for another one, and meanwhile keeps its volume.
_GUARD: Final = """
exec 3<&0
trap : TERM INT
cat <&3 >/dev/null &
wait $!
trap '' TERM INT
kill $! 2>/dev/null
test ! -e "$4" || exit 0
docker rm --force --volumes "$1"
sleep 0.3
for _ in 1 2 3 4 5 6 7 8; do
    docker rm --force --volumes "$1"
    test -z "$2" || docker network rm "$2"
    test -z "$3" || docker volume rm --force "$3"
    docker container inspect "$1" || docker network inspect "$2" || docker volume inspect "$3" || break
    sleep 0.2
done
"""


def find_mounts() -> str:
    """Return the mounts of our process; empty where the system does not list them."""
    try:
        return _MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def own_id(mounts: str) -> str:
    """Return the id of the container that a process runs in, by its mounts; empty if they do not name it."""
    found = _OWN_ID.search(mounts)
    return found[1] if found else ""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who owns what we start: a container, or a process of a machine."""

    container: str = ""
    """The first twelve digits of its id."""
    host: str = ""
    """Twelve digits for the machine."""
    pid: int = 0

    @classmethod
    def here(cls, mounts: str) -> "Owner":
        """Return ourselves."""
        if own := own_id(mounts):
            return cls(container=own[:12])
        return cls(host=sha256(os.uname().nodename.encode()).hexdigest()[:12], pid=os.getpid())

    @classmethod
    def of(cls, name: str) -> "Owner | None":
        """Return the owner of a container, network or volume by its name; None if it is not ours."""
        found = _NAME.match(name)
        if not found:
            return None
        return cls(container=found["container"] or "", host=found["host"] or "", pid=int(found["pid"] or 0))

    def new_name(self) -> str:
        """Return a new name for something of this owner."""
        who = (_OF_CONTAINER, self.container) if self.container else (_OF_PROCESS, self.host, str(self.pid))
        return "-".join(("ci-action", *who, secrets.token_hex(4)))

    def is_gone(self, running: Iterable[str], here: "Owner", exists: Callable[[int], bool]) -> bool:
        """Return whether it does not exist any more; `running` are the ids of the running containers of the engine.

        If we run in a container of another engine, owners may as well: then none of them is known to be gone.
        """
        if self.container:
            known = {one[: len(self.container)] for one in running}
            return self.container not in known and (not here.container or here.container in known)
        return self.host == here.host and self.pid != here.pid and not exists(self.pid)


def process_exists(pid: int) -> bool:
    """Return whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextmanager
def guarded(ctx: Context, container: str, *, network: str = "", volume: str = "") -> Iterator[None]:
    """Remove a container, and a network and a volume, after a block that creates them, however it ends.

    Raises `ToolError` if the guard cannot be started.
    """
    docker = Docker(ctx)
    removals: list[tuple[str, ...]] = [("rm", "--force", "--volumes", container)]
    removals += [(*_REMOVALS["network"], network)] if network else []
    removals += [(*_REMOVALS["volume"], volume)] if volume else []
    done = ctx.tempdir / f"{container}.removed"
    guard = Command(
        argv=("sh", "-c", _GUARD, "sh", container, network, volume, str(done)),
        cwd=ctx.tempdir,
        environ=variables(ctx),
    )
    with ctx.serve(guard):
        ended = False
        try:
            yield
            ended = True
        finally:
            with suppress(*UNDONE):  # the guard does it again
                codes = [docker.run(*words).returncode for words in removals]
                if ended and not any(codes):
                    done.touch()


def sweep(ctx: Context, mounts: str, exists: Callable[[int], bool] = process_exists) -> list[str]:
    """Remove what runs that were killed have left, and return its names; raises `ToolError`."""
    docker, here = Docker(ctx), Owner.here(mounts)
    # Before the containers: what an owner has made is listed only if the owner is.
    others = {kind: docker.text(kind, "ls", "--format={{.Name}}").splitlines() for kind in _REMOVALS}
    listed = list(docker.objects("ps", "--all", "--no-trunc", "--format={{json .}}"))
    running = [str(one.get("ID", "")) for one in listed if one.get("State") in _ALIVE]

    def left(names: Iterable[str]) -> list[str]:
        owners = ((name, Owner.of(name)) for name in names)
        return [name for name, owner in owners if owner and owner.is_gone(running, here, exists)]

    removed = left(str(one.get("Names", "")) for one in listed)
    if removed:
        docker.run("rm", "--force", "--volumes", *removed)
    for kind, words in _REMOVALS.items():
        if found := left(others[kind]):
            docker.run(*words, *found)
            removed += found
    return removed
