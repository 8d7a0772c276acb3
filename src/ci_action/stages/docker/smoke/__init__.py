"""The tool `smoke`: whether a container of the image starts, becomes healthy, answers, and passes its commands."""

from typing import Final, NoReturn

from ci_action.engine.context import Context
from ci_action.engine.docker.ours import find_mounts
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.docker import Image
from ci_action.model.result import Counted, Report
from ci_action.project.programs import Program
from ci_action.stages.docker.model import Built
from ci_action.stages.docker.smoke.findings import TOOL as NAME
from ci_action.stages.docker.smoke.session import Session
from ci_action.system.errors import ToolError


def _check(ctx: Context, _: Program) -> Checked:
    return checked(ctx, ctx.built.of(_not_built), find_mounts())


def _not_built() -> NoReturn:
    raise ToolError("no image was built")


def checked(ctx: Context, built: Built, mounts: str) -> Checked:
    """Test an image; `mounts` are those of our process. Raises `ToolError`."""
    session = Session(ctx=ctx, built=built, mounts=mounts)
    session.run()
    outcome = Report(
        findings=tuple(session.findings),
        examined={Counted.PROBES: len(session.probes)},
        details=tuple(session.details),
        image=Image(probes=tuple(session.probes)),
    )
    return Checked(outcome=outcome, log=session.log.strip("\n"))


def _plan(ctx: Context) -> str:
    settings = ctx.settings
    asked = [
        *filter(None, [settings.smoke_url]),
        *(f"`{one}`" for one in settings.smoke_command),
    ]
    return f"a container of the image: its HEALTHCHECK{''.join(f', {one}' for one in asked)}"


TOOL: Final = Tool(
    name=NAME,
    summary="The image starts, is healthy, and answers.",
    url="https://docs.docker.com/reference/dockerfile/#healthcheck",
    check=_check,
    program=lambda _: Program(argv=(), version="", source=""),
    plan=_plan,
    after=("build",),
    runs_code=lambda _: True,
    turn=lambda _: Turn.RUNS,
)
