"""Starts the client of Docker, and explains why it cannot be used."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from ci_action.engine.context import Context
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed, Growing, last_lines

DOCKER: Final = "docker"
SECONDS: Final = 30.0
"""The timeout of a command that only asks the engine."""
_DESKTOP: Final = "Docker Desktop"
_CONTAINERD: Final = "io.containerd.snapshotter.v1"
_ROOTLESS: Final = "name=rootless"
_ABSENT: Final = re.compile(r"no such (?:image|container|object)|not found", re.IGNORECASE)
_INSTALL: Final = "install Docker's command line, or run the stage where it is installed"
# What the client prints if it cannot use the engine, and what to do. The first one that matches counts.
_REMEDIES: Final = (
    (r"could not start", _INSTALL),
    (r"permission denied", "add the user to the group of the socket, or set DOCKER_HOST to another engine"),
    (
        r"too (?:old|new)",
        "update the older one of Docker's command line and its engine, and remove DOCKER_API_VERSION",
    ),
    (r"no space left", "free disk space, for example by `docker system prune`"),
    (r"", "start Docker, or select an engine by DOCKER_HOST or `docker context use`"),
)


class Plugin(msgspec.Struct, rename="pascal", frozen=True):
    """A plugin of the client."""

    name: str
    version: str = ""


class _ClientInfo(msgspec.Struct, rename="pascal", frozen=True):
    version: str = ""
    plugins: tuple[Plugin, ...] | None = None


class Engine(msgspec.Struct, rename="pascal", frozen=True):
    """The engine and the client, as `docker info` describes them."""

    server_version: str = ""
    operating_system: str = ""
    os_type: str = msgspec.field(default="", name="OSType")
    architecture: str = ""
    security_options: tuple[str, ...] | None = None
    driver_status: tuple[tuple[str, ...], ...] | None = None
    server_errors: tuple[str, ...] | None = None
    client_info: _ClientInfo = _ClientInfo()

    @property
    def buildx(self) -> str:
        """The version of buildx; empty if it is not installed."""
        plugins = self.client_info.plugins or ()
        return next((one.version.lstrip("v") for one in plugins if one.name == "buildx"), "")

    @property
    def has_containerd(self) -> bool:
        """Whether its images are stored by containerd: then its own builder can write caches."""
        return any(_CONTAINERD in entry for entry in self.driver_status or ())

    @property
    def is_reachable(self) -> bool:
        """Whether addresses in its networks can be reached from here: not if it runs in a virtual machine."""
        rootless = any(one.startswith(_ROOTLESS) for one in self.security_options or ())
        return sys.platform == "linux" and self.operating_system != _DESKTOP and not rootless


class Docker:
    """The client of Docker in one run."""

    def __init__(self, ctx: Context) -> None:
        """Start nothing yet."""
        self._ctx = ctx

    def command(
        self,
        *words: str,
        seconds: float = SECONDS,
        environ: Mapping[str, str] | None = None,
        receive: Callable[[bytes], None] | None = None,
        watch: Callable[[Growing], None] | None = None,
        supervised: bool = False,
        most: int | None = None,
    ) -> Command:
        """Return the command that starts the client; in the container as root, who may use the socket."""
        return Command(
            argv=(DOCKER, *words),
            cwd=self._ctx.tempdir,
            environ={**variables(self._ctx), **(environ or {})},
            timeout=seconds,
            receive=receive,
            watch=watch,
            supervised=supervised,
            most=most,
        )

    def run(self, *words: str, seconds: float = SECONDS, most: int | None = None) -> Completed:
        """Run the client, whatever its exit code; raises `ToolError` if it was not started, `TimedOutError`.

        Of what it prints, `most` bytes of each stream are kept.
        """
        return self._ctx.run(self.command(*words, seconds=seconds, most=most))

    def text(self, *words: str, seconds: float = SECONDS) -> str:
        """Return what the client prints; raises `ToolError` with its last line if it fails."""
        done = self.run(*words, seconds=seconds)
        if done.returncode != 0:
            raise ToolError(f"docker {words[0]} failed: {why(done)}", detail=done.stderr)
        return done.stdout.decode("utf-8", "replace")

    def objects(self, *words: str, seconds: float = SECONDS) -> Iterator[dict[str, Any]]:
        """Yield the JSON objects that the client prints, one a line; raises `ToolError`."""
        for line in self.text(*words, seconds=seconds).splitlines():
            yield _object(line)

    def inspect(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return what the engine knows about a container, an image or a network; None if it does not exist."""
        done = self.run(kind, "inspect", "--format={{json .}}", name)
        if done.returncode == 0:
            return _object(done.stdout.decode("utf-8", "replace"))
        if _ABSENT.search(done.stderr):
            return None
        raise ToolError(f"docker {kind} inspect failed: {why(done)}", detail=done.stderr)

    def engine(self) -> Engine:
        """Return the engine, asked once a run; raises `ToolError` with what to do if it cannot be used."""
        found: Engine = self._ctx.docker.of(self._engine)
        return found

    def _engine(self) -> Engine:
        try:
            text = self.text("info", "--format={{json .}}")
        except ToolError as error:
            raise unavailable(error.reason, error.detail) from error
        try:
            engine = msgspec.json.decode(text, type=Engine)
        except ValueError as error:
            raise unavailable(f"docker info printed something else: {error}", text) from error
        if engine.server_errors:
            raise unavailable(engine.server_errors[0], "\n".join(engine.server_errors))
        return engine


def unavailable(reason: str, detail: str = "") -> ToolError:
    """Return the error for a client or an engine that cannot be used, with what to do."""
    remedy = next(remedy for pattern, remedy in _REMEDIES if re.search(pattern, reason))
    return ToolError(f"Docker is not available: {reason.rstrip('.')}; {remedy}", detail=detail)


def variables(ctx: Context) -> dict[str, str]:
    """Return the variables of the client: in the container, where it runs as root, it ignores the settings at home.

    The project's code can write there, and such settings name programs that the client starts, and another engine.
    """
    return {"DOCKER_CONFIG": str(ctx.tempdir / "docker")} if ctx.container else {}


def why(done: Completed) -> str:
    """Return the last line of a client that failed."""
    return last_lines(done.stderr, 1) or f"exit code {done.returncode}"


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ToolError(f"docker did not print a JSON object: {text[:200]!r}")
    return found
