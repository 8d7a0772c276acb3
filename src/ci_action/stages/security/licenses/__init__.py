"""The licences of the dependencies, by the metadata of what is installed: the lists of the settings decide."""

import json
from collections.abc import Sequence
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
from ci_action.project.environment import Environment
from ci_action.project.programs import Program
from ci_action.stages.security.licenses.distributions import Distribution, distributions, own_names
from ci_action.stages.security.licenses.spdx import UNKNOWN, Licence, licence_of, objection
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, last_lines
from ci_action.system.text import one_line

# What is installed is asked of the interpreter: distributions of Linux have places of their own for it.
_ASK: Final = "import json, site; print(json.dumps(site.getsitepackages()))"


def program(_ctx: Context) -> Program:
    """Return nothing to start: the metadata is read."""
    return Program(argv=(), version=__version__, source="ci-action")


def check(ctx: Context, _program: Program) -> Checked:
    """Judge every package that the project needs."""
    environment, warnings = installed(ctx)
    found = distributions(_folders(ctx, environment))
    own = own_names(found, ctx.layout.workspace) | _named_by_project(ctx)
    brought = {canonicalize_name(name) for name in environment.added}
    judged = [one for one in found if canonicalize_name(one.name) not in own | brought]
    if not judged:
        if environment.packages and not found:
            raise ToolError("the environment has packages, and no metadata of them can be found")
        return Checked(outcome=Skipped("the project has no dependencies"), warnings=warnings)
    new = _is_new(ctx)
    findings, unreadable = [], 0
    for one in judged:
        unreadable += one.metadata is None
        finding = _finding(one, ctx.settings.licenses_allow, ctx.settings.licenses_deny, new=new)
        findings += [finding] if finding else []
    examined = {Counted.PACKAGES: len(judged), Counted.UNREADABLE: unreadable}
    return Checked(outcome=Report(findings=tuple(findings), examined=examined), warnings=warnings)


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
        raise ToolError("the interpreter does not say where its packages are", detail=detail) from error


def _named_by_project(ctx: Context) -> set[str]:
    document = ctx.layout.pyproject
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    tables = [table for table in (document.get("project"), poetry) if isinstance(table, dict)]
    names = [table.get("name") for table in tables]
    return {canonicalize_name(name) for name in names if isinstance(name, str)}


def _finding(
    one: Distribution, allow: Sequence[str], deny: Sequence[str], *, new: bool | None
) -> Finding | None:
    licence = licence_of(one.metadata) if one.metadata is not None else Licence("")
    problem = objection(one.name, licence, allow, deny)
    if problem is None:
        return None
    said = problem.text if one.metadata is not None else "has metadata that cannot be read"
    return Finding(
        tool=TOOL.name,
        rule=problem.rule,
        message=one_line(f"{one.name} {one.version} {said}"),
        level=Level.WARNING,
        severity="unknown" if problem.rule == UNKNOWN else "high",
        package=Package(name=one.name, version=one.version, licenses=licence.expression or licence.shown),
        new=new,
    )


def _is_new(ctx: Context) -> bool | None:
    """Whether the change touched what decides about the dependencies; None where that is not known."""
    if ctx.changes is None or not ctx.changes.known or ctx.settings.install:
        return None
    return any(ctx.changes.file(ctx.layout.relative(file)) for file in find(ctx.layout).inputs)


def plan(ctx: Context) -> str:
    """Say which lists decide."""
    lists = {"allowed": ctx.settings.licenses_allow, "denied": ctx.settings.licenses_deny}
    said = "; ".join(f"{word}: {', '.join(entries)}" for word, entries in lists.items() if entries)
    where = "the current environment" if ctx.settings.install == (NONE,) else "the project's environment"
    return f"of the packages in {where}, {said}"


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
