"""The environments of the type checkers: that of the project, and those of runs with packages of their own."""

from dataclasses import replace
from typing import Final

from ci_action.engine import environment
from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.model.result import Counted, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.types.chosen import all_runs, why_not
from ci_action.stages.types.surroundings import environment_of, needs_of, uses_project
from ci_action.system.errors import ToolError


def check(ctx: Context, program: Program) -> Checked:
    """Make the environments of the type checkers: that of the project, and those of runs with packages of their own."""
    runs = all_runs(ctx)
    if not runs:
        return Checked(outcome=Skipped(why_not(ctx)))
    own = [run for run in runs if needs_of(ctx, run).dependencies is not None]
    checked = environment.check(ctx, program) if uses_project(ctx, runs) else None
    lines: list[str] = []
    warnings: list[str] = []
    problem: ToolError | None = None
    number = 0
    pythons: dict[str, None] = {}
    sources: dict[str, None] = {}
    for run in own:
        try:
            made, notes = environment_of(ctx, run, needs_of(ctx, run))
        except ToolError as error:  # its checker reports it
            problem = error
            continue
        number += len(made.packages)
        pythons[made.version] = sources[made.source] = None
        warnings += notes
        lines.append(f"Python {made.version} with the packages of {made.source}: {made.python}")
        lines += [f"{name} {version}" for name, version in sorted(made.packages.items())]
    if checked is None:
        if not lines and problem is not None:
            raise problem
        return Checked(
            outcome=Report(examined={Counted.PACKAGES: number}),
            warnings=tuple(warnings),
            log="\n".join(lines),
            version=f"Python {', '.join(pythons)}",
            version_source=f"packages from {', '.join(sources)}",
        )
    return replace(checked, warnings=(*checked.warnings, *warnings), log="\n".join([checked.log, *lines]))


def plan(ctx: Context) -> str:
    """Return which environments would be made."""
    runs = all_runs(ctx)
    if not runs:
        return f"skipped: {why_not(ctx)}"
    parts = [environment.plan(ctx)] if uses_project(ctx, runs) else []
    parts += [f"the packages of {needs.source}" for run in runs if (needs := needs_of(ctx, run).dependencies)]
    return "; ".join(dict.fromkeys(parts))


TOOL: Final = replace(
    environment.TOOL,
    check=check,
    plan=plan,
    runs_code=lambda ctx: bool(all_runs(ctx)),
)
