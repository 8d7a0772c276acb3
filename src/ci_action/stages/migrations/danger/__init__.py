"""Statements that lock or rewrite tables in production, by squawk and by PostgreSQL itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked, Selection, Tool, Turn
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.programs import Program, select
from ci_action.settings.types import MigrationDanger
from ci_action.stages.migrations.danger.config import SquawkConfig, squawk_config
from ci_action.stages.migrations.danger.findings import NAME, Measured, findings_of, version_of
from ci_action.stages.migrations.danger.output import SYNTAX, Row, rows_of
from ci_action.stages.migrations.danger.script import Script, script_of
from ci_action.stages.migrations.database import UnsupportedDialectError
from ci_action.stages.migrations.model import Dialect, Statement, Steps
from ci_action.stages.migrations.steps import steps
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed
from ci_action.system.text import counted, listed

_PACKAGE: Final = "squawk-cli"
# Older ones cannot show that they have read everything.
_OLDEST: Final = 2
# With more of them it would take too long to check each alone.
_MOST_ALONE: Final = 50


def danger(ctx: Context, program: Program, steps: Steps) -> Checked:
    """Return what squawk and the measured rewrites show about the executed statements."""
    if steps.database.dialect != Dialect.POSTGRESQL:
        return Checked(
            outcome=Skipped(f"the rules are about PostgreSQL, the database is {steps.database.name}")
        )
    if not steps.statements:
        return Checked(outcome=Skipped("the checked revisions executed no statements"))
    if _major(program.version) < _OLDEST:
        raise ToolError(
            f"squawk {program.version} ({program.source}) cannot be used: pin 2.0 or newer, or set `tool-versions: bundled`"
        )
    folder = (ctx.layout.workspace / steps.statements[0].place.path).parent
    config = squawk_config(ctx.layout, folder)
    squawk = _Squawk(ctx, program, config, version_of(steps.database.name))
    seen = squawk.seen(steps.statements)
    if not seen.statements:
        places = listed([str(one.place) for one in seen.refused])
        return Checked(outcome=Broken(f"squawk could not parse any statement: {places}"))
    fails = ctx.settings.migration_danger is MigrationDanger.FAIL
    level = Level.ERROR if fails else Level.WARNING
    measured = Measured.of(steps)
    found = findings_of(seen.rows, seen.script, seen.statements, measured, config, level)
    report = Report(
        findings=tuple(found),
        examined={Counted.STATEMENTS: len(seen.statements), Counted.UNREADABLE: len(seen.refused)},
        details=tuple(filter(None, [_account(measured, config)])),
    )
    version = f"squawk {program.version}"
    return Checked(outcome=report, warnings=tuple(_warnings(seen)), version=version)


def _account(measured: Measured, config: SquawkConfig) -> str:
    rules = f"rules from {config.source}" if config.source else "rules about style are off"
    rewrites = "rewrites measured" if measured.every else "rewrites not measured: the user is not a superuser"
    return f"{rules}; {rewrites} on {measured.where}"


def _warnings(seen: "_Seen") -> list[str]:
    if not seen.refused:
        return []
    places = listed(list(dict.fromkeys(str(one.place) for one in seen.refused)))
    return [f"squawk could not parse {counted(len(seen.refused), 'statement')}, not examined: {places}"]


def _major(version: str) -> int:
    first = version.partition(".")[0]
    return int(first) if first.isdecimal() else _OLDEST


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What squawk reported about the statements that it could parse."""

    rows: Sequence[Row]
    script: Script
    statements: Sequence[Statement]
    refused: Sequence[Statement]


@dataclass(frozen=True)
class _Squawk:
    ctx: Context
    program: Program
    config: SquawkConfig
    version: str
    """The version of the database."""

    def seen(self, statements: Sequence[Statement]) -> _Seen:
        """Run squawk, without the statements that it cannot parse: with one of them it checks nothing."""
        left, refused = list(statements), list[Statement]()
        while left:
            script = script_of(left)
            rows = self.rows(script)
            if not any(row.rule_name == SYNTAX for row in rows):
                return _Seen(rows=rows, script=script, statements=left, refused=refused)
            wrong = self.wrong(left, script, rows)
            refused += [left[index] for index in sorted(wrong)]
            left = [one for index, one in enumerate(left) if index not in wrong]
        return _Seen(rows=(), script=script_of(()), statements=(), refused=refused)

    def wrong(self, statements: Sequence[Statement], script: Script, rows: Sequence[Row]) -> set[int]:
        """Return the indexes of the statements with syntax errors; an error can be reported at a neighbour."""
        owners = {script.owner(row.line) for row in rows}
        suspects = {one for one in owners if one is not None}
        if not suspects:
            raise ToolError(f"squawk could not parse the statements: {rows[0].message}")
        if len(suspects) > _MOST_ALONE:
            return suspects
        alone = {index for index in suspects if self.refuses(statements[index])}
        return alone or suspects

    def refuses(self, one: Statement) -> bool:
        return any(row.rule_name == SYNTAX for row in self.rows(script_of([one])))

    def rows(self, script: Script) -> tuple[Row, ...]:
        return rows_of(self.run(script), script, self.config.source)

    def run(self, script: Script) -> Completed:
        version = () if self.config.sets_version or not self.version else (f"--pg-version={self.version}",)
        argv = (
            *self.program.argv,
            "--reporter=json",
            f"--config={self.config.path}",
            "--no-assume-in-transaction",  # the script has the transactions
            *version,
        )
        return self.ctx.run(
            self.ctx.reading(
                Command(
                    argv=argv,
                    cwd=self.ctx.tempdir,
                    stdin=script.text.encode("utf-8", "replace"),
                    timeout=float(self.ctx.settings.timeout),
                )
            )
        )


def check(ctx: Context, program: Program) -> Checked:
    """Check the statements that the upgrade of each history executed."""
    try:
        runs = steps(ctx)
    except UnsupportedDialectError as error:
        # Reported by the upgrade, which breaks if the stage was asked for by name.
        return Checked(outcome=Skipped(error.reason))
    return joined([danger(ctx, program, one) for one in runs])


def joined(done: Sequence[Checked]) -> Checked:
    """Return the result for several histories: one that is broken decides, and those without statements add nothing."""
    outcomes = [one.outcome for one in done]
    chosen = max(outcomes, key=lambda one: (isinstance(one, Broken), isinstance(one, Report)))
    if not isinstance(chosen, Skipped):
        ran = [one for one in outcomes if not isinstance(one, Skipped)]
        findings = tuple(dict.fromkeys(finding for one in ran for finding in one.findings))
        counted = dict.fromkeys(what for one in ran for what in one.examined)
        examined = {what: sum(one.examined.get(what, 0) for one in ran) for what in counted}
        chosen = replace(chosen, findings=findings, examined=examined)
    if isinstance(chosen, Report):
        details = (text for one in outcomes if isinstance(one, Report) for text in one.details)
        chosen = replace(chosen, details=tuple(dict.fromkeys(details)))
    warnings = (text for one in done for text in one.warnings)
    return Checked(
        outcome=chosen,
        warnings=tuple(dict.fromkeys(warnings)),
        version=next((one.version for one in done if one.version), ""),
    )


def _selection(ctx: Context) -> Selection:
    off = ctx.settings.migration_danger is MigrationDanger.OFF
    return Selection(why_not="`migration-danger` is `off`" if off else "")


def _plan(ctx: Context) -> str:
    choice = select(_PACKAGE, settings=ctx.settings, layout=ctx.layout, bundled=ctx.bundled)
    version = choice.specifier.removeprefix("==") or ctx.bundled.version(_PACKAGE)
    return f"squawk {version} from {choice.source}, on the statements that the upgrade executes on PostgreSQL"


TOOL: Final = Tool(
    name=NAME,
    summary="Statements of migrations that lock or rewrite tables, by squawk.",
    url="https://squawkhq.com/docs/",
    check=check,
    package=_PACKAGE,
    selection=_selection,
    by_lines=True,
    plan=_plan,
    turn=lambda _: Turn.RUNS,  # that of the upgrade
    needs=("environment", "upgrade"),
    after=("heads",),
)
