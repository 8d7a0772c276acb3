"""The project's own interpreter and dependencies, made by uv: for its tests, and for tools that inspect them."""

import dataclasses
import os
import shlex
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from ci_action.engine.context import Context
from ci_action.engine.test_run.measuring import package_of
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.result import Counted, Report
from ci_action.project.dependencies.asked import Asked
from ci_action.project.dependencies.discover import Dependencies, find
from ci_action.project.dependencies.runners import files_of_runners, of_runner
from ci_action.project.dependencies.selection import select
from ci_action.project.environment import PYTEST_COV, Builder, Environment, failed, python_request
from ci_action.project.programs import Program
from ci_action.settings.general import ALL
from ci_action.system.errors import ToolError
from ci_action.system.process import Command

NONE: Final = "none"
_SECURITY: Final = "security"
# The key of the project's environment among those of a run.
_PROJECT: Final = "project"


def builder_of(ctx: Context, tempdir: Path, *, keep: bool) -> Builder:
    """Return what makes environments in a folder; `keep` them in the cache of this run."""
    return Builder(
        uv=ctx.bundled.uv,
        run=ctx.run,
        layout=ctx.layout,
        environ=ctx.environ,
        tempdir=tempdir,
        cache=ctx.cache if keep else None,
        timeout=float(ctx.settings.timeout),
        owner=ctx.owner,
        asked_by=python_request(ctx.layout, ctx.settings.python_version)[1],
    )


def needs_of(ctx: Context, python: str = "") -> Dependencies:
    """Return the packages to install, for a Python such as `3.12`; empty if it is not known yet."""
    layout, settings = ctx.layout, ctx.settings
    if settings.groups or settings.extras:
        return find(layout, select(layout, settings.groups, settings.extras))
    runner = of_runner(layout, python) or Asked()
    needs = find(layout, select(layout, runner=runner))
    further = (
        *files_of_runners(layout),
        *(layout.root / name for name in (*runner.files, *runner.constraints)),
    )
    inputs = dict.fromkeys((*needs.inputs, *filter(Path.is_file, further)))
    return dataclasses.replace(needs, runner=runner, inputs=tuple(inputs))


def installed(ctx: Context) -> tuple[Environment, tuple[str, ...]]:
    """Return the environment that a tool of this run left, else make it, and warnings about it; raises `ToolError`."""
    with suppress(ToolError):
        return Environment.load(ctx.tempdir), ()
    return ctx.environments.of(_PROJECT, lambda: _made(ctx))


def _made(ctx: Context) -> tuple[Environment, tuple[str, ...]]:
    """Make the environment of the project."""
    warnings = _system_packages(ctx)
    request, asked_by = python_request(ctx.layout, ctx.settings.python_version)
    builder = builder_of(ctx, ctx.tempdir, keep=not is_judged(ctx))
    current = ctx.settings.install == (NONE,)
    # Beside the active environment only pytest finds a package, and its plugin starts coverage.
    extra = ["pytest", PYTEST_COV if current else package_of(ctx.layout, ctx.settings, ctx.environ)]
    extra += ["pytest-xdist"] if ctx.settings.workers else []
    extra += ["pytest-split"] if ctx.settings.shard else []
    try:
        if current:
            environment = _current(ctx, builder, extra)
            if asked_by == "python-version":
                warnings.append(
                    "ignoring python-version: with `install: none` the active environment runs the tests"
                )
        elif ctx.settings.install:
            environment = _by_commands(ctx, builder, request, extra)
        else:
            needs = needs_of(ctx, builder.minor_of(request))
            environment = builder.make(needs, request, extra)
            warnings += [f"not installed: {entry}" for entry in needs.unread]
    finally:
        builder.forget()
    return environment, (*warnings, *builder.notes)


def is_judged(ctx: Context) -> bool:
    """Whether the security stage reads the environment that this run makes.

    In the container no kept environment or package is used then: the project's code can write to both, and may have
    done so in an earlier step.
    """
    stages = {*(ctx.settings.stage or (ALL,))}
    lists = ctx.settings.licenses_allow or ctx.settings.licenses_deny
    return ctx.container and bool(stages & {ALL, _SECURITY}) and bool(lists or ctx.settings.install)


def _by_commands(ctx: Context, builder: Builder, request: str, extra: list[str]) -> Environment:
    """Make an empty environment and fill it by the commands of `install`: those of the workflow or of the project."""
    where = ctx.tempdir / "environments" / "own"
    python = str(where / "bin" / "python")
    ctx.hand_over(where.parent)
    builder.venv(where, request, "--allow-existing", "--seed")
    tools = ctx.tempdir / "bin"
    tools.mkdir(exist_ok=True)
    shutil.copy(ctx.bundled.uv, tools / "uv")
    seeded = builder.packages(python)
    variables = builder.variables()
    variables |= {
        "PATH": os.pathsep.join([str(where / "bin"), str(tools), variables["PATH"]]),
        "VIRTUAL_ENV": str(where),
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    for line in ctx.settings.install:
        done = ctx.run(
            Command(
                argv=tuple(shlex.split(line)),
                cwd=ctx.layout.root,
                environ=variables,
                timeout=float(ctx.settings.timeout),
                owner=ctx.installer,
                supervised=True,
            )
        )
        if done.returncode != 0:
            raise failed(f"install: {line!r} ended with exit code {done.returncode}", done)
    theirs = builder.add(python, extra)
    found = builder.found(python, "install", theirs)
    same = (name for name, version in theirs.items() if seeded.get(name) == version)
    return replace(found, added=(*found.added, *same))


def current_python(environ: Mapping[str, str]) -> str:
    """Return the interpreter of the active environment. Raises `ToolError` if there is none."""
    active = environ.get("VIRTUAL_ENV", "")
    python = f"{active}/bin/python" if active else shutil.which("python3", path=environ.get("PATH"))
    if not python or not os.access(python, os.X_OK):
        raise ToolError("no python3 on PATH: activate an environment first, which `install: none` needs")
    return python


def _current(ctx: Context, builder: Builder, extra: list[str]) -> Environment:
    """Use the active environment unchanged; packages that it lacks go into a temporary folder."""
    python = current_python(ctx.environ)
    overlay = str(ctx.tempdir / "overlay")
    packages = builder.add(python, extra, f"--target={overlay}")
    return Environment(
        python=python,
        version=builder.version_of(python),
        source="the active environment (install: none)",
        overlay="" if packages.keys() >= set(extra) else overlay,
        packages=packages,
    )


def _system_packages(ctx: Context) -> list[str]:
    """Install Debian packages in the container; elsewhere only warn about those that are missing."""
    wanted = ctx.settings.system_packages
    if wanted and not ctx.container:
        dpkg = shutil.which("dpkg-query", path=ctx.environ.get("PATH"))
        missing = [name for name in wanted if dpkg is None or not _is_installed(ctx, name)]
        text = f"system-packages are only installed in the container; missing here: {', '.join(missing)}"
        return [text] if missing else []
    install = ("install", "-qq", "--yes", "--no-install-recommends", "--", *wanted)
    for words in (("update", "-qq"), install) if wanted else ():
        done = ctx.run(
            Command(
                argv=("apt-get", *words),
                cwd=ctx.tempdir,
                environ={"DEBIAN_FRONTEND": "noninteractive"},
                timeout=float(ctx.settings.timeout),
            )
        )
        if done.returncode != 0:
            raise failed(f"system-packages: apt-get {words[0]}", done)
    return []


def _is_installed(ctx: Context, name: str) -> bool:
    done = ctx.run(Command(argv=("dpkg-query", "--status", name), cwd=ctx.tempdir, timeout=20))
    return done.returncode == 0 and b"install ok installed" in done.stdout


def check(ctx: Context, _program: Program) -> Checked:
    """Make the environment, or reuse the kept one."""
    environment, warnings = installed(ctx)
    environment.save(ctx.tempdir)
    _, asked_by = python_request(ctx.layout, ctx.settings.python_version)
    if ctx.settings.install == (NONE,):
        asked_by = "the active one"
    origin = asked_by or "the first one that uv found"
    log = [
        f"Python {environment.version} ({origin}): {environment.python}",
        f"dependencies from {environment.source}{', kept from an earlier run' if environment.reused else ''}",
        *(
            [f"variables of the project's own runner: {', '.join(environment.variables)}"]
            if environment.variables
            else []
        ),
        *(f"{name} {version}" for name, version in sorted(environment.packages.items())),
    ]
    return Checked(
        outcome=Report(
            examined={Counted.PACKAGES: len(environment.packages)},
            metrics={"reused": float(environment.reused)},
        ),
        warnings=warnings,
        log="\n".join(log),
        version=f"Python {environment.version}",
        version_source=f"{origin}; packages from {environment.source}",
    )


def plan(ctx: Context) -> str:
    """Return which Python and which dependencies would be used."""
    request, asked_by = python_request(ctx.layout, ctx.settings.python_version)
    python = f"Python {request} ({asked_by})" if request else "the first Python that uv finds"
    install = ctx.settings.install
    source = "nothing" if install == (NONE,) else "the commands of `install`"
    return f"{python}, dependencies from {source if install else needs_of(ctx).shown}"


TOOL: Final = Tool(
    name="environment",
    summary="Python and the dependencies of the project, by uv.",
    url="https://docs.astral.sh/uv/",
    check=check,
    program=lambda ctx: Program(argv=(str(ctx.bundled.uv),), version=ctx.bundled.uv_version),
    plan=plan,
    runs_code=lambda _: True,
    turn=lambda _: Turn.INSTALLS,
)
