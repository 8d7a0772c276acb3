"""The project's own interpreter and dependencies, made by uv: what its tests run in."""

from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.environment.installation import NONE, installed
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.result import Counted, Report
from ci_action.project.dependencies.discover import find
from ci_action.project.environment import python_request
from ci_action.project.programs import Program


def program(ctx: Context) -> Program:
    """Return uv."""
    return Program(argv=(str(ctx.bundled.uv),), version=ctx.bundled.uv_version)


def check(ctx: Context, _program: Program) -> Checked:
    """Make the environment, or take the one that is kept."""
    environment, warnings = installed(ctx)
    environment.save(ctx.tempdir)
    _, asked_by = python_request(ctx.layout, ctx.settings.python_version)
    log = [
        f"Python {environment.version} ({asked_by or 'the first one that uv found'}): {environment.python}",
        f"dependencies from {environment.source}{', kept from an earlier run' if environment.reused else ''}",
        *(f"{name} {version}" for name, version in sorted(environment.packages.items())),
    ]
    return Checked(
        outcome=Report(
            examined={Counted.PACKAGES: len(environment.packages)},
            metrics={"reused": float(environment.reused)},
        ),
        warnings=warnings,
        log="\n".join(log),
    )


def plan(ctx: Context) -> str:
    """Say which Python and which dependencies would be taken."""
    request, asked_by = python_request(ctx.layout, ctx.settings.python_version)
    python = f"Python {request} ({asked_by})" if request else "the first Python that uv finds"
    install = ctx.settings.install
    source = (
        find(ctx.layout).source
        if not install
        else "nothing" if install == (NONE,) else "the commands of `install`"
    )
    return f"{python}, dependencies from {source}"


TOOL: Final = Tool(
    name="environment",
    summary="Python and the dependencies of the project, by uv.",
    url="https://docs.astral.sh/uv/",
    check=check,
    program=program,
    plan=plan,
    runs_code=lambda _: True,
    turn=lambda _: Turn.INSTALLS,
)
