"""The tool `build`: builds the image by buildx, and leaves it in the engine for the tools after it."""

from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.docker.client import Docker, Engine
from ci_action.engine.docker.ours import find_mounts, sweep
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.result import Skipped
from ci_action.project.programs import Program
from ci_action.stages.docker import discovery
from ci_action.stages.docker.build import judging
from ci_action.stages.docker.build.caches import Caches
from ci_action.stages.docker.build.command import Request, described, named, older
from ci_action.stages.docker.build.job import Job, log_of
from ci_action.stages.docker.dockerfile import platform_arguments, read, with_arguments
from ci_action.stages.docker.model import Dockerfile
from ci_action.system.errors import ToolError
from ci_action.system.parallel import in_background
from ci_action.system.process import last_lines
from ci_action.system.text import counted, listed

# The first buildx with `--progress=rawjson`.
_OLDEST: Final = (0, 13)
_INSTALL: Final = "install the plugin `docker-buildx`, 0.13 or later"
# The names of the kernel, as `docker info` has them, and those of platforms.
_ARCHITECTURES: Final = {
    "x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7", "armv6l": "arm/v6", "i386": "386", "i686": "386",
}  # fmt: skip
_LOG_LINES: Final = 1_000


def usable(ctx: Context) -> Engine:
    """Return the engine; raises `ToolError` with what to do if no image can be built with it."""
    engine = Docker(ctx).engine()
    if not engine.buildx:
        raise ToolError(f"Docker has no buildx; {_INSTALL}")
    if older(engine.buildx, _OLDEST):
        raise ToolError(f"buildx {engine.buildx} is too old; {_INSTALL}")
    return engine


def unusable(ctx: Context) -> str:
    """Return why no image can be built on this machine; empty if one can."""
    try:
        usable(ctx)
    except ToolError as error:
        return error.reason
    return ""


def check(ctx: Context, _: Program) -> Checked:
    """Build the image; raises `ToolError`."""
    if reason := discovery.why_not(ctx):
        return Checked(outcome=Skipped(reason, empty=True))
    engine = usable(ctx)
    sweeping = in_background(lambda: sweep(ctx, find_mounts()))
    job = Job(ctx, engine, dockerfile_of_build(ctx, engine), request_of(ctx))
    outcome = job.outcome()
    if job.built:
        ctx.built.of(lambda: job.built)
    swept = sweeping.result()
    what = counted(len(swept), "leftover")
    return Checked(
        outcome=outcome,
        warnings=(
            *([f"removed {what} of runs that were killed: {listed(swept)}"] if swept else []),
            *job.warnings,
        ),
        log=last_lines(log_of(job.progress), _LOG_LINES),
        version=described(engine.server_version, engine.buildx),
        version_source="machine",
    )


def dockerfile_of_build(ctx: Context, engine: Engine) -> Dockerfile:
    """Return the Dockerfile with the base images that this build has; raises `ProjectFileError`."""
    settings = ctx.settings
    machine = _ARCHITECTURES.get(engine.architecture, engine.architecture)
    platform = settings.platform or f"{engine.os_type}/{machine}"
    values = {**platform_arguments(platform), **dict(settings.build_args)}
    return with_arguments(read(settings, ctx.layout), values)


def request_of(ctx: Context) -> Request:
    """Return what the settings ask for; raises `ToolError`."""
    settings, layout = ctx.settings, ctx.layout
    folder = ctx.tempdir / judging.TOOL
    folder.mkdir(exist_ok=True)
    return Request(
        context=_inside(discovery.context_of(settings, layout), layout.workspace),
        dockerfile=_inside(discovery.dockerfile_of(settings, layout), layout.workspace),
        tag=named(settings.image_tag, ctx.event.repository, layout.workspace),
        metadata=folder / "metadata.json",
        target=settings.target,
        platform=settings.platform,
        arguments=settings.build_args,
        caches=Caches.of(settings.cache_from, settings.cache_to),
    )


def _inside(path: Path, workspace: Path) -> Path:
    """Return a path without links; raises `ToolError` if code of the project made it lead out of the workspace meanwhile."""
    found = path.resolve()
    if not found.is_relative_to(workspace.resolve()):
        raise ToolError(f"{str(path)!r} is outside the workspace")
    return found


TOOL: Final = Tool(
    name=judging.TOOL,
    summary="builds the image, and leaves it in the engine",
    url="https://docs.docker.com/build/",
    check=check,
    program=lambda _: Program(argv=(), version="", source=""),
    plan=lambda ctx: named(ctx.settings.image_tag, ctx.event.repository, ctx.layout.workspace),
    runs_code=lambda _: True,
    turn=lambda _: Turn.RUNS,
)
