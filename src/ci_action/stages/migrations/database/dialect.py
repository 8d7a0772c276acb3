"""Which kind of database a project uses, by its drivers and the addresses in its configuration and source."""

import configparser
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ci_action.engine.context import Context
from ci_action.project.dependencies.inventory import canonical
from ci_action.project.environment import Environment
from ci_action.stages.migrations.model import Alembic, Dialect
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import find_project_text

MSSQL: Final = "mssql"
ORACLE: Final = "oracle"
_DRIVERS: Final = {
    Dialect.POSTGRESQL: {
        "psycopg", "psycopg-binary", "psycopg2", "psycopg2-binary", "psycopg2cffi", "asyncpg", "pg8000",
    },
    Dialect.MYSQL: {
        "mysqlclient", "pymysql", "aiomysql", "asyncmy", "mysql-connector-python", "mariadb",
    },
    MSSQL: {"pyodbc", "pymssql", "aioodbc", "mssql-python"},
    ORACLE: {"oracledb", "cx-oracle"},
}  # fmt: skip
_NAMES: Final = {"postgres": Dialect.POSTGRESQL, "mariadb": Dialect.MYSQL}
# The beginning of an address, or the name of a driver as a whole, in quotes.
_ADDRESS: Final = re.compile(
    r"""(?<![\w+])(postgres(?:ql)?|mysql|mariadb|sqlite|mssql|oracle)(?:\+\w+)?(?::/|["'])"""
)
# What replaces the address of the configuration in env.py, or makes an engine without it.
_REPLACED: Final = re.compile(
    r"""set_(?:main|section)_option|\[\s*["']sqlalchemy\.url["']\s*\]\s*=|create_(?:async_)?engine\("""
)
_CONFIGURED: Final = re.compile(r"engine_from_config|get_main_option")
# Modules with the address of the database, by the first part of their name.
_SETTINGS: Final = re.compile(
    r"(?:settings?|config\w*|database|db|engine|session|\.env[.\w]*)(?:_\w+)?(?:\.py)?"
)
_MOST_FILES: Final = 60


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a project reveals about its database."""

    packages: frozenset[str] = frozenset()
    """The packages of its environment, by their normal names."""
    configured: str = ""
    """The address in the configuration of Alembic; empty if env.py does not use it."""
    sources: tuple[str, ...] = ()
    """The text of env.py, then of the modules with settings."""


def dialect_of(facts: Facts) -> str:
    """Return the dialect: of the address that Alembic uses, else of the drivers, else of addresses in the source.

    With drivers of several dialects the first address decides, else PostgreSQL comes first. Without a driver and an
    address it is SQLite, the only one that Python brings along.
    """
    if found := next(named(facts.configured), ""):
        return found
    drivers = [dialect for dialect, names in _DRIVERS.items() if names & facts.packages]
    addresses = [dialect for source in facts.sources for dialect in named(source)]
    if drivers:
        return next((dialect for dialect in addresses if dialect in drivers), drivers[0])
    return next((dialect for dialect in addresses if dialect != Dialect.SQLITE), Dialect.SQLITE)


def named(text: str) -> Iterator[str]:
    """Yield the dialects of the addresses in a text."""
    for match in _ADDRESS.finditer(text):
        yield _NAMES.get(match[1], match[1])


def facts_of(ctx: Context, alembic: Alembic) -> Facts:
    """Read the facts of a project; raises `ToolError` without an environment."""
    script = find_project_text(alembic.script_location / "env.py", ctx.layout.workspace)
    uses = bool(_CONFIGURED.search(script)) and not _REPLACED.search(script)
    return Facts(
        packages=frozenset(map(canonical, Environment.load(ctx.tempdir).packages)),
        configured=_configured(ctx, alembic) if uses else "",
        sources=(script, *_sources(ctx)),
    )


def _configured(ctx: Context, alembic: Alembic) -> str:
    """Return the values of the ini file's section, or of the table, that are addresses."""
    if alembic.ini is None:
        return find_project_text(alembic.toml, ctx.layout.workspace) if alembic.toml else ""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(find_project_text(alembic.ini, ctx.layout.workspace))
        section = dict(parser.items(alembic.section))
    except configparser.Error:  # whoever reads it for Alembic reports it
        return ""
    return section.get("sqlalchemy.url") or next((text for text in section.values() if "://" in text), "")


def _sources(ctx: Context) -> Iterator[str]:
    names = [name for name in ctx.tracked.names if _SETTINGS.fullmatch(name.rpartition("/")[2])]
    for name in sorted(names, key=lambda name: (name.count("/"), name))[:_MOST_FILES]:
        with suppress(ProjectFileError):
            yield find_project_text(ctx.layout.root / name, ctx.layout.workspace)
