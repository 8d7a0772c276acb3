"""The builder: the selected one, or one of our own where that cannot read or write the caches of the build."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.docker.client import Docker, why
from ci_action.engine.docker.ours import Owner, find_mounts, guarded
from ci_action.stages.docker.build.caches import Caches
from ci_action.stages.docker.build.command import version_of
from ci_action.system.errors import UNDONE, ToolError

_DRIVER: Final = re.compile(r"^Driver:\s+(\S+)$", re.MULTILINE)
_VERSION: Final = re.compile(r"^BuildKit(?: version)?:\s+(\S+)$", re.MULTILINE | re.IGNORECASE)
# The first BuildKit that checks the Dockerfile itself: that of Docker 27.
_CHECKING: Final = (0, 14)
_UNKNOWN: Final = (0, 0)
OWN: Final = "docker-container"
"""The driver of a builder of our own."""


@dataclass(frozen=True, kw_only=True)
class Builder:
    """A builder, as far as buildx describes it."""

    name: str = ""
    """Empty for the selected one."""
    driver: str = ""
    version: str = ""
    """Of its BuildKit."""

    @property
    def lacks_checks(self) -> bool:
        """Whether its BuildKit is known to be too old to check the Dockerfile itself."""
        found = version_of(self.version)
        return found is not None and found != _UNKNOWN and found < _CHECKING


def variables(ctx: Context) -> dict[str, str]:
    """Return the variables of buildx: it starts no git, which can run programs that the repository names.

    In the container, where it is root, it also uses no builder and no settings of the job, which are elsewhere.
    """
    ours = {"BUILDX_GIT_INFO": "false"}
    return ours | (dict.fromkeys(("BUILDX_BUILDER", "BUILDX_CONFIG", "BUILDX_GIT_LABELS"), "") if ctx.container else {})


def selected(ctx: Context) -> Builder:
    """Return the builder that buildx selects; little is known of one that it cannot describe: then the build reports the reason."""
    done = ctx.run(Docker(ctx).command("buildx", "inspect", environ=variables(ctx)))
    text = done.stdout.decode("utf-8", "replace")
    driver, version = _DRIVER.search(text), _VERSION.search(text)
    return Builder(driver=driver[1] if driver else "", version=version[1] if version else "")


@contextmanager
def own(ctx: Context, caches: Caches) -> Iterator[tuple[Builder, dict[str, str]]]:
    """Make a builder during a block, and yield it with the variables that select it; raises `ToolError`.

    The build starts its container. buildx keeps what it knows about it in our temporary folder, so that nothing stays at home.
    """
    docker, name = Docker(ctx), Owner.here(find_mounts()).new_name()
    environ = variables(ctx) | {"BUILDX_CONFIG": str(ctx.tempdir / "buildx")}
    options = ("--driver-opt=network=host",) if caches.is_beside else ()
    container = f"buildx_buildkit_{name}0"
    with guarded(ctx, container, volume=f"{container}_state"):
        done = ctx.run(
            docker.command("buildx", "create", f"--name={name}", f"--driver={OWN}", *options, environ=environ)
        )
        if done.returncode != 0:
            raise ToolError(f"could not create a builder: {why(done)}", detail=done.stderr)
        try:
            yield Builder(name=name, driver=OWN), environ
        finally:
            with suppress(*UNDONE):  # the guard removes its container and its volume
                ctx.run(docker.command("buildx", "rm", name, environ=environ))
