"""Findings about statements: what squawk reports, weighed against what PostgreSQL really rewrote. Pure functions."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ci_action.model.finding import Finding, Level
from ci_action.stages.migrations.danger.config import SquawkConfig
from ci_action.stages.migrations.danger.output import Row
from ci_action.stages.migrations.danger.script import UNKNOWN_RULE, Script
from ci_action.stages.migrations.model import Rewrite, Statement, Steps
from ci_action.system.text import one_line

NAME: Final = "danger"
TABLE_REWRITE: Final = "table-rewrite"
_DOCS: Final = "https://squawkhq.com/docs/"
_ALTER_TABLE: Final = "https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES"
# The rules that report a rewrite of the table, by PostgreSQL's number of its reason (AT_REWRITE_*).
_DEFAULT: Final = 2
_TYPE: Final = 4
_BY_REASON: Final[Mapping[int, str]] = {_DEFAULT: "adding-field-with-default", _TYPE: "changing-column-type"}
_ABOUT_REWRITES: Final = frozenset(_BY_REASON.values())
_REASONS: Final[Mapping[int, str]] = {
    1: "it becomes logged or unlogged",
    _DEFAULT: "a new column has another value in each row",
    _TYPE: "the values of a column change with its type",
    8: "its access method changes",
}
_LONGEST: Final = 200
_NAME: Final = r'(?:"(?:[^"]|"")*"|[\w$]+)'
_CREATES: Final = re.compile(
    rf"\bCREATE\s+(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED)\s+)*TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    rf"(?:{_NAME}\s*\.\s*)*({_NAME})",
    re.IGNORECASE,
)
_TEMPORARY: Final = re.compile(r"pg_temp_\d+\.|pg_toast_temp_\d+\.")
# Alembic's own table has one row.
_ALEMBIC: Final = "alembic_version"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Which tables were really rewritten, as far as that is known."""

    where: str
    """The database: `PostgreSQL 17`."""
    every: bool
    """Whether rewrites were measured."""

    @classmethod
    def of(cls, steps: Steps) -> "Measured":
        """Return what the steps measured."""
        major = version_of(steps.database.name).partition(".")[0]
        where = f"PostgreSQL {major}".rstrip()
        return cls(where=where, every=steps.measures_rewrites)

    def rewrites_nothing(self, one: Statement) -> bool:
        """Whether it is certain that a statement rewrites no table."""
        return self.every and not one.rewrites


def version_of(database: str) -> str:
    """Return the version in the name of a database: `17.10` of `postgresql 17.10, embedded`; empty without one."""
    found = re.search(r"\d+(?:\.\d+)*", database)
    return found[0] if found else ""


def findings_of(
    rows: Sequence[Row],
    script: Script,
    statements: Sequence[Statement],
    measured: Measured,
    config: SquawkConfig,
    level: Level,
) -> Iterator[Finding]:
    """Yield the findings in the order of the statements.

    A rule about rewrites is muted where none was measured; a rewrite that it does not report is a finding of its own.
    """
    created = frozenset(name for one in statements for name in _created(one.sql))
    found = defaultdict[int | None, list[Row]](list)
    for row in rows:
        if config.reports(row.rule_name):
            found[script.owner(row.line)].append(row)
    for index, one in enumerate(statements):
        for row in found[index]:
            yield _of_row(row, one, measured, level)
        if not any(row.rule_name in _ABOUT_REWRITES for row in found[index]):
            for rewrite in one.rewrites:
                if _is_unseen(rewrite, one, created, config):
                    yield _of_rewrite(rewrite, one, measured, level)


def _of_row(row: Row, one: Statement, measured: Measured, level: Level) -> Finding:
    parts = [row.message.strip(), (row.help or "").strip()]
    muted = ""
    if row.rule_name in _ABOUT_REWRITES:
        if measured.rewrites_nothing(one):
            muted = f"no rewrite on {measured.where}"
        elif one.rewrites:
            parts.append(f"{measured.where} rewrote {_tables(one.rewrites)}.")
    return Finding(
        tool=NAME,
        rule=row.rule_name,
        message=_message(parts, one),
        level=level,
        location=one.place,
        url="" if row.rule_name == UNKNOWN_RULE else f"{_DOCS}{row.rule_name}",
        muted=muted,
    )


def _of_rewrite(rewrite: Rewrite, one: Statement, measured: Measured, level: Level) -> Finding:
    why = " and ".join(text for bit, text in _REASONS.items() if rewrite.reason & bit)
    text = (
        f"{measured.where} rewrote {one_line(rewrite.table)}{f', because {why}' if why else ''}: this requires an `ACCESS EXCLUSIVE`"
        " lock, which blocks reads and writes until all rows are copied."
    )
    return Finding(
        tool=NAME,
        rule=TABLE_REWRITE,
        message=_message([text], one),
        level=level,
        location=one.place,
        url=_ALTER_TABLE,
    )


def _message(parts: Sequence[str], one: Statement) -> str:
    sql = " ".join(one_line(one.sql).split())
    shown = sql if len(sql) <= _LONGEST else f"{sql[:_LONGEST]}…"
    return f"{' '.join(filter(None, parts))} Statement: {shown}"


def _tables(rewrites: Sequence[Rewrite]) -> str:
    return " and ".join(dict.fromkeys(one_line(one.table) for one in rewrites))


def _is_unseen(rewrite: Rewrite, one: Statement, created: frozenset[str], config: SquawkConfig) -> bool:
    """Whether a rewrite is a problem that no rule reports: not of a new or a temporary table, nor one that is ignored."""
    table = rewrite.table.rpartition(".")[2]
    if table == _ALEMBIC or _TEMPORARY.match(rewrite.table) or table in created:
        return False
    rules = [rule for reason, rule in _BY_REASON.items() if rewrite.reason & reason]
    ignored = [rule for rule in rules if rule in config.off or _is_ignored(rule, one.sql)]
    return not rules or len(ignored) < len(rules)


def _is_ignored(rule: str, sql: str) -> bool:
    return any("squawk-ignore" in line and rule in line for line in sql.splitlines())


def _created(sql: str) -> Iterator[str]:
    """Yield the names of the tables that a statement creates, as PostgreSQL keeps them."""
    for found in _CREATES.finditer(sql):
        name = found[1]
        yield name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
