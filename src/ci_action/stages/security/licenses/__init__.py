"""Licences of the dependencies, by the metadata of the installed packages."""

import json
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from ci_action import __version__
from ci_action.engine.context import Context
from ci_action.engine.environment import NONE, installed
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.finding import Finding, Level, Package
from ci_action.model.result import Counted, Report, Skipped
from ci_action.project.dependencies.discover import find
from ci_action.project.dependencies.pyproject import own_names
from ci_action.project.environment import Environment
from ci_action.project.programs import Program
from ci_action.stages.security.licenses.distributions import Distribution, distributions, installed_from
from ci_action.stages.security.licenses.spdx import UNKNOWN, Licence, licence_of, objection
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, last_lines
from ci_action.system.text import one_line

# Only the interpreter knows its folders: Linux distributions have their own.
_ASK: Final = "import json, site; print(json.dumps(site.getsitepackages()))"


def program(_ctx: Context) -> Program:
    """Return a program without a command: only metadata is read."""
    return Program(argv=(), version=__version__, source="ci-action")


def check(ctx: Context, _program: Program) -> Checked:
    """Check the licence of every package that the project needs."""
    environment, warnings = installed(ctx)
    found = distributions(_folders(ctx, environment))
    own = installed_from(found, ctx.layout.workspace) | own_names(ctx.layout.pyproject)
    added = {canonicalize_name(name) for name in environment.added}
    checked = [one for one in found if canonicalize_name(one.name) not in own | added]
    if not checked:
        if environment.packages and not found:
            raise ToolError("the environment has packages, but their metadata was not found")
        return Checked(outcome=Skipped("the project has no dependencies"), warnings=warnings)
    new = _is_new(ctx)
    findings = tuple(finding for one in checked if (finding := _finding(ctx, one, new=new)))
    unreadable = sum(one.metadata is None for one in checked)
    examined = {Counted.PACKAGES: len(checked), Counted.UNREADABLE: unreadable}
    return Checked(outcome=Report(findings=findings, examined=examined), warnings=warnings)


def _folders(ctx: Context, environment: Environment) -> list[Path]:
    command = Command(
        argv=(environment.python, "-I", "-c", _ASK),
        cwd=ctx.tempdir,
        owner=ctx.owner,
        timeout=60,
        supervised=True,
    )
    done = ctx.run(command)
    try:
        return [Path(str(folder)) for folder in json.loads(done.stdout)]
    except (ValueError, TypeError) as error:
        detail = last_lines(done.stderr)
        raise ToolError("could not get the package folders from the interpreter", detail=detail) from error


def _finding(ctx: Context, one: Distribution, *, new: bool | None) -> Finding | None:
    licence = licence_of(one.metadata) if one.metadata is not None else Licence("")
    problem = objection(one.name, licence, ctx.settings.licenses_allow, ctx.settings.licenses_deny)
    if problem is None:
        return None
    text = problem.text if one.metadata is not None else "has unreadable metadata"
    return Finding(
        tool=TOOL.name,
        rule=problem.rule,
        message=one_line(f"{one.name} {one.version} {text}"),
        level=Level.WARNING,
        severity="unknown" if problem.rule == UNKNOWN else "high",
        package=Package(name=one.name, version=one.version, licenses=licence.expression or licence.shown),
        new=new,
    )


def _is_new(ctx: Context) -> bool | None:
    """Whether the change touched a file that lists dependencies; None if that is unknown."""
    if ctx.changes is None or not ctx.changes.known or ctx.settings.install:
        return None
    return any(ctx.changes.file(ctx.layout.relative(file)) for file in find(ctx.layout).inputs)


def plan(ctx: Context) -> str:
    """Describe which packages are checked against which lists."""
    lists = {"allowed": ctx.settings.licenses_allow, "denied": ctx.settings.licenses_deny}
    shown = "; ".join(f"{word}: {', '.join(entries)}" for word, entries in lists.items() if entries)
    where = "the current environment" if ctx.settings.install == (NONE,) else "the project's environment"
    return f"of the packages in {where}, {shown}"


TOOL: Final = Tool(
    name="licenses",
    summary="Licences of dependencies, if `licenses-allow` or `licenses-deny` is set.",
    url="https://spdx.org/licenses/",
    check=check,
    program=program,
    runs_code=lambda ctx: ctx.settings.install != (NONE,),
    turn=lambda _: Turn.INSPECTS,
    wanted=lambda ctx: bool(ctx.settings.licenses_allow or ctx.settings.licenses_deny),
    plan=plan,
)
