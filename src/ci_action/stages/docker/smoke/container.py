"""The container of the image: how it is started, what is seen of it, and its log."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final

from ci_action.engine.context import Context
from ci_action.engine.docker.client import Docker, Engine, why
from ci_action.engine.docker.network import address_in, network_of, own_container, published, with_network
from ci_action.engine.docker.ours import LABEL, Owner, guarded
from ci_action.stages.docker.smoke.state import State
from ci_action.stages.docker.smoke.url import Url
from ci_action.system.errors import ToolError
from ci_action.system.process import Completed

_CREATE_SECONDS: Final = 120.0
_LOG_LINES: Final = 400
# Bytes that are kept of what a command prints.
_MOST_PRINTED: Final = 1_000_000
_SECOND: Final = 1_000_000_000
# What an image has that sets none, in nanoseconds.
_INTERVAL: Final = 30 * _SECOND
_START_INTERVAL: Final = 5 * _SECOND
_RETRIES: Final = 3
_MOST_RETRIES: Final = 1_000_000
# The first engine and client with an interval of its own for the start period.
_START_INTERVAL_SINCE: Final = 25
# The engine could not start the program of the image, and the image is why.
_NOT_STARTABLE: Final = frozenset({126, 127})
_OF_IMAGE: Final = re.compile(
    r'exec: "|exec format error|unable to find user|no matching entries in|chdir to cwd', re.IGNORECASE
)
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")
_LISTENING: Final = re.compile(
    r"^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A ", re.MULTILINE
)
# Docker's own resolver: 127.0.0.11, as the kernel writes it.
_RESOLVER: Final = "0B00007F"
_LOOPBACK: Final = re.compile(r"(?:0{16}FFFF0000)?[0-9A-F]{6}7F|0{24}01000000")


@dataclass(frozen=True, kw_only=True)
class Image:
    """What the engine knows about an image, as far as starting it needs that."""

    platform: str
    """`linux/amd64`."""
    command: tuple[str, ...]
    """ENTRYPOINT and CMD."""
    health: Mapping[str, Any]
    """Its HEALTHCHECK; empty without one."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Image":
        """Read what `docker image inspect` prints."""
        config = found.get("Config") or {}
        health = config.get("Healthcheck") or {}
        test = health.get("Test") or ()
        parts = (found.get("Os"), found.get("Architecture"), found.get("Variant"))
        return cls(
            platform="/".join(str(part) for part in parts if part),
            command=(*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())),
            health=health if test and test[0] != "NONE" else {},
        )


def health_options(health: Mapping[str, Any], *, start_interval: bool) -> tuple[str, ...]:
    """Return the options that make the engine probe each second, while it takes as long as before until `unhealthy`.

    `start_interval` is whether it knows an interval for the start period, which itself stays as it is.
    """
    options = []
    interval = int(health.get("Interval") or _INTERVAL)
    if health and interval > _SECOND:
        retries = ceil(int(health.get("Retries") or _RETRIES) * interval / _SECOND)
        options = ["--health-interval=1s", f"--health-retries={min(retries, _MOST_RETRIES)}"]
    in_start = int(health.get("StartInterval") or _START_INTERVAL)
    if health.get("StartPeriod") and in_start > _SECOND and start_interval:
        options.append("--health-start-interval=1s")
    return tuple(options)


def knows_start_interval(engine: Engine) -> bool:
    """Return whether engine and client know `--health-start-interval`."""
    versions = (engine.server_version, engine.client_info.version)
    majors = [int(found[0]) for one in versions if (found := re.match(r"\d{1,6}", one))]
    return len(majors) == len(versions) and min(majors) >= _START_INTERVAL_SINCE


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a container is reached."""

    network: str = ""
    """The network that we are in too; empty for one of its own."""
    publish: bool = False
    """Whether a port of 127.0.0.1 leads to it, because its network cannot be reached."""

    @classmethod
    def of(cls, docker: Docker, mounts: str) -> "Place":
        """Return it, by the container that we run in; `mounts` are those of our process. Raises `ToolError`."""
        own = own_container(docker, mounts)
        if own is None:
            return cls(publish=not docker.engine().is_reachable)
        return cls(network=network_of(with_network(docker, own)))


class Container:
    """A container of the image that was created, and is removed with its block."""

    def __init__(self, ctx: Context, name: str, network: str) -> None:
        """Name a container that exists."""
        self._docker = Docker(ctx)
        self._ctx = ctx
        self.name = name
        self.network = network

    def start(self) -> str:
        """Start it; return why the image cannot be started, empty if it was. Raises `ToolError` for other reasons."""
        done = self._docker.run("start", self.name, seconds=_CREATE_SECONDS)
        if done.returncode == 0:
            return ""
        reason = why_not_started(done.stderr) or why(done)
        if self.state().exit_code in _NOT_STARTABLE or _OF_IMAGE.search(reason):
            return reason
        raise ToolError(f"docker start failed: {reason}", detail=done.stderr)

    def inspect(self) -> Mapping[str, Any]:
        """Return what the engine knows about it; raises `ToolError`, also if it was removed by others."""
        found = self._docker.inspect("container", self.name)
        if found is None:
            raise ToolError(f"the container {self.name} was removed by something else while it was tested")
        return found

    def state(self) -> State:
        """Return its state; raises `ToolError`."""
        return State.of(self.inspect())

    def address(self, container: Mapping[str, Any], url: Url, *, publish: bool) -> tuple[str, int] | None:
        """Return where a port of it is reached; None if that is not known yet."""
        if publish:
            number = published(container, url.port)
            return ("127.0.0.1", number) if number else None
        found = address_in(container, self.network)
        return (found, url.port) if found else None

    def log(self) -> str:
        """Return the end of its log; raises `ToolError`."""
        done = self._docker.run("logs", f"--tail={_LOG_LINES}", "--timestamps", self.name)
        return merged(done.stdout.decode("utf-8", "replace"), done.stderr)

    def run(self, command: str, seconds: float) -> Completed:
        """Run a command in it, without a shell; raises `TimedOutError`."""
        words = shlex.split(command)
        return self._docker.run("exec", self.name, *words, seconds=seconds, most=_MOST_PRINTED)

    def open_ports(self) -> frozenset[tuple[int, bool]] | None:
        """Return the ports on which something listens in it, and whether on loopback only; None if it has no `cat`."""
        done = self._docker.run("exec", self.name, "cat", "/proc/net/tcp", "/proc/net/tcp6")
        text = done.stdout.decode("utf-8", "replace")
        return listening(text) if "local_address" in text else None


@contextmanager
def created(
    ctx: Context, image: str, place: Place, mounts: str, options: Sequence[str]
) -> Iterator[Container]:
    """Create a container of an image during a block, with a network if it has none yet; raises `ToolError`."""
    name = Owner.here(mounts).new_name()
    own = "" if place.network else name
    with guarded(ctx, name, network=own):
        docker = Docker(ctx)
        if own:
            docker.text("network", "create", f"--label={LABEL}", own)
        docker.text(
            "create",
            *(f"--name={name}", f"--label={LABEL}", f"--network={place.network or own}", "--pull=never"),
            # Whatever the engine's default is: a log that can be read, and does not fill the disk.
            *("--log-driver=json-file", "--log-opt=max-size=10m", "--log-opt=max-file=2"),
            f"--env-file={_variables(ctx, name)}",
            *(*options, image),
            seconds=_CREATE_SECONDS,
        )
        yield Container(ctx, name, place.network or own)


def _variables(ctx: Context, name: str) -> Path:
    """Write `smoke-env`: arguments of a program can be read by every process."""
    file = ctx.tempdir / f"{name}.env"
    file.touch(0o600)
    lines = "".join(f"{key}={value}\n" for key, value in ctx.settings.smoke_env)
    file.write_text(lines, "utf-8", "surrogateescape")
    return file


def why_not_started(stderr: str) -> str:
    """Return the engine's reason without what it puts around it: `exec: "serve": executable file not found in $PATH`."""
    lines = [line for line in stderr.splitlines() if line.startswith("Error")] or stderr.splitlines()
    text = lines[0] if lines else ""
    known = re.search(r'(?:exec: "|unable to find user|chdir to cwd|exec )[^\n]*', text)
    return (known[0] if known else text).removesuffix(": unknown").removesuffix(": unknown.")


def merged(out: str, err: str) -> str:
    """Return both streams of a log in the order of their time stamps, without these."""
    entries: list[tuple[str, str]] = []
    for text in (out, err):
        for line in text.splitlines():
            stamp, _, rest = line.partition(" ")
            if _STAMP.fullmatch(stamp):
                entries.append((stamp, rest))
            else:  # a lone carriage return, or an error of the client
                entries.append((entries[-1][0] if entries else "", line))
    return "\n".join(line for _, line in sorted(entries, key=lambda entry: entry[0]))


def listening(tables: str) -> frozenset[tuple[int, bool]]:
    """Return the open ports of the kernel's tables, and whether each is open on loopback only."""
    found: dict[int, bool] = {}
    for address, port in _LISTENING.findall(tables):
        if address != _RESOLVER:
            number = int(port, 16)
            found[number] = found.get(number, True) and bool(_LOOPBACK.fullmatch(address))
    return frozenset(found.items())
