"""What the tools upgrade, downgrade and drift report: each its part of what the one child process did."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.migrations import Direction, Migrations
from ci_action.model.result import Broken, Counted, Outcome, Report, Skipped
from ci_action.project.environment import Environment
from ci_action.project.programs import Program
from ci_action.stages.migrations.database import UnsupportedDialectError
from ci_action.stages.migrations.model import Phase, Steps
from ci_action.stages.migrations.steps import steps
from ci_action.system.errors import ToolError
from ci_action.system.text import listed

_ALEMBIC: Final = "alembic"


def tool_of(
    name: str, summary: str, url: str, *, counts: Counted, directions: Collection[Direction], plan: str
) -> Tool:
    """Return the tool of a phase; all three start code of the project."""
    return Tool(
        name=name,
        summary=summary,
        url=url,
        check=lambda ctx, _: _checked(ctx, name, counts, directions),
        program=lambda _: Program(argv=(), version="", source=""),
        plan=lambda _: plan,
        runs_code=lambda _: True,
        turn=lambda _: Turn.RUNS,
        needs=("environment",),
        after=_AFTER[name],
    )


MIGRATIONS: Final = "migrations"
_NOTHING: Final = {
    "upgrade": "no revisions",
    "downgrade": "no revision to downgrade: `migration-depth` and `downgrade-from` select none",
    "drift": "the models and the database have no tables",
}
_AFTER: Final = {"upgrade": ("heads",), "downgrade": ("upgrade",), "drift": ("downgrade",)}


def _checked(ctx: Context, name: str, counts: Counted, directions: Collection[Direction]) -> Checked:
    try:
        runs = steps(ctx)
    except UnsupportedDialectError as error:
        if MIGRATIONS in ctx.settings.stage:  # who asks for the migrations asks for them to be run
            raise
        return Checked(outcome=Skipped(error.reason))
    reached = [(one, one.phases[name]) for one in runs if name in one.phases]
    outcome = joined([outcome_of(name, phase, counts) for _, phase in reached], name)
    known = migrations_of([one for one, _ in reached], directions)
    if not isinstance(outcome, Skipped):
        outcome = replace(outcome, migrations=known)
    version = next((one.version for one in runs if one.version), "")
    return Checked(
        outcome=outcome,
        warnings=tuple(dict.fromkeys(chain.from_iterable(phase.warnings for _, phase in reached))),
        log="\n".join(one.log for one in runs if one.log),
        version=f"{_ALEMBIC} {version}" if version else "",
        version_source=Environment.load(ctx.tempdir).source_of(_ALEMBIC) if version else "",
        seconds=sum(phase.seconds for _, phase in reached) if reached else None,
    )


def outcome_of(name: str, phase: Phase, counts: Counted) -> Outcome:
    """Return the outcome of one phase of one history."""
    examined = {counts: phase.examined} if phase.examined else {}
    if phase.broken:
        return Broken(phase.broken, phase.detail, findings=phase.findings, examined=examined)
    if phase.skipped:
        return Skipped(phase.skipped, rightly=True)
    if not phase.examined and not phase.findings:
        return Skipped(_NOTHING[name], rightly=True)
    return Report(findings=phase.findings, examined=examined, details=phase.notes)


def joined(outcomes: Sequence[Outcome], name: str) -> Outcome:
    """Return one outcome for several histories: a broken one decides, and findings are reported once."""
    if not outcomes:
        raise ToolError(f"{name} was not reached: an earlier step failed")
    findings = tuple(dict.fromkeys(chain.from_iterable(one.findings for one in outcomes)))
    counted = {name for one in outcomes for name in one.examined}
    examined = {name: sum(one.examined.get(name, 0) for one in outcomes) for name in counted}
    broken = [one for one in outcomes if isinstance(one, Broken)]
    if broken:
        return Broken(broken[0].reason, broken[0].detail, findings=findings, examined=examined)
    reports = [one for one in outcomes if isinstance(one, Report)]
    if not reports:
        return outcomes[0]
    details = tuple(dict.fromkeys(chain.from_iterable(one.details for one in reports)))
    return Report(findings=findings, examined=examined, details=details)


def migrations_of(runs: Sequence[Steps], directions: Collection[Direction]) -> Migrations:
    """Return what the section of the report shows of these runs."""
    return Migrations(
        database=listed(list(dict.fromkeys(one.database.name for one in runs))),
        weaker=next((one.database.weaker for one in runs if one.database.weaker), ""),
        steps=tuple(step for one in runs for step in one.steps if step.direction in directions),
    )
