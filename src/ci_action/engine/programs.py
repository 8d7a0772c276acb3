"""The programs of the tools in a run: the project's version by uv, kept in the cache if possible, else the bundled one."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ci_action.engine.context import Context
from ci_action.engine.tool import Tool
from ci_action.project.pins import Choice
from ci_action.project.programs import (
    Installed,
    Installer,
    Program,
    Wanted,
    locate,
    obtain,
    search_path,
    select,
    variables_of_uv,
)
from ci_action.system.errors import ToolError
from ci_action.system.lazy import Lazy
from ci_action.system.ownership import lent_netrc


def program_of(tool: Tool, ctx: Context) -> Program:
    """Return the program of a tool: the project's version or the bundled one; raises `ToolError`."""
    return tool.program(ctx) if tool.program is not None else pinned(ctx, tool.distribution)


def pinned(ctx: Context, tool: str) -> Program:
    """Return the version of a bundled tool that the project pins, or the bundled one; raises `ToolError`."""

    def located() -> Program:
        choice = select(tool, settings=ctx.settings, layout=ctx.layout, bundled=ctx.bundled)
        return locate(tool, choice, bundled=ctx.bundled, install=lambda wanted: install(ctx, wanted))

    return ctx.programs.setdefault(tool, Lazy()).of(located)


def by_uv(ctx: Context, tool: str, choice: Choice, *, python: str = "") -> Program:
    """Return a version of any tool, for a version of Python; raises `ToolError` if uv cannot install it."""
    return obtain(tool, choice, install=lambda wanted: install(ctx, wanted), python=python)


def install(ctx: Context, wanted: Wanted) -> Installed:
    """Return a kept tool, or install it, for this run alone if it cannot be kept; raises `ToolError` with the reason.

    In the container root keeps tools: only from wheels, so that no code of packages runs, and without the cache of uv and
    the interpreters that the project's code can write to.
    """
    with suppress(OSError):
        if found := _kept(ctx, wanted):
            return found
    folder = ctx.tempdir / f"{wanted.tool}-of-project"
    ctx.hand_over(folder)
    variables = variables_of_uv(ctx.environ, folder if ctx.owner else None)
    with lent_netrc(ctx.environ, ctx.tempdir / f"{wanted.tool}-netrc", ctx.owner) as lent:
        installer = Installer(
            run=ctx.run,
            uv=ctx.bundled.uv,
            python=_python(ctx),
            tempdir=ctx.tempdir,
            variables=_finding(ctx, wanted, {**variables, **lent}),
            owner=ctx.owner,
            reader=ctx.owner,
        )
        return installer.install(wanted, folder)


def _kept(ctx: Context, wanted: Wanted) -> Installed | None:
    """Return a kept tool; None if this run keeps none, or cannot install this one in a way that can be kept."""
    from ci_action.project.kept_programs import KeptPrograms, is_local  # only projects with pins need it

    if ctx.kept is None or ctx.kept.why_not:
        return None
    home = ctx.tempdir / "keeps" if ctx.container else None
    variables = variables_of_uv(ctx.environ, home)
    if home:
        if is_local({**ctx.environ, **variables}):
            return None
        home.mkdir(exist_ok=True)
        variables["UV_CACHE_DIR"] = str(home / "uv")
    installer = Installer(
        run=ctx.run,
        uv=ctx.bundled.uv,
        python=_python(ctx),
        tempdir=ctx.tempdir,
        variables=_finding(ctx, wanted, variables),
        reader=ctx.owner,
        builds=not ctx.container,
    )
    kept = KeptPrograms(
        store=ctx.kept,
        results=ctx.results(f"programs-{wanted.tool}"),
        installer=installer,
        environ=ctx.environ,
        interpreter=f"{sys.version} {sys.base_prefix}",
        today=ctx.today,
        apart=ctx.container,
    )
    try:
        return kept.install(wanted)
    except ToolError:
        if ctx.container:
            return None
        raise


def _python(ctx: Context) -> Path:
    return ctx.bundled.scripts / "python"


def _finding(ctx: Context, wanted: Wanted, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with a path on which uv finds the requested Python."""
    return {**variables, **({"PATH": search_path(ctx.environ)} if wanted.python else {})}
