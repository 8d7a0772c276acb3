"""Which kind of database a project uses: a table of real projects, reduced to what decides."""

from pathlib import Path

import pytest
from support.builders import context

from ci_action.project.environment import Environment
from ci_action.project.files import Files
from ci_action.stages.migrations.database.dialect import Facts, dialect_of, facts_of, named
from ci_action.stages.migrations.model import Alembic

PLACEHOLDER = "driver://user:pass@localhost/dbname"


@pytest.mark.parametrize(
    ("packages", "configured", "sources", "dialect"),
    [
        # the drivers alone
        (["alembic", "psycopg"], "", [], "postgresql"),
        (["psycopg2-binary"], "", [], "postgresql"),
        (["asyncpg"], PLACEHOLDER, [], "postgresql"),
        (["pg8000"], "", [], "postgresql"),
        (["pymysql"], "", [], "mysql"),
        (["aiomysql"], "", [], "mysql"),
        (["mysqlclient"], "", [], "mysql"),
        (["pyodbc"], "", [], "mssql"),
        (["oracledb"], "", [], "oracle"),
        (["aiosqlite"], "", [], "sqlite"),
        (["alembic", "sqlalchemy"], "", [], "sqlite"),
        (["pyodbc", "psycopg"], "", [], "postgresql"),
        # tests on SQLite beside a real database
        (["aiosqlite", "asyncpg"], "", ["'sqlite+aiosqlite://'", "'postgresql+asyncpg://'"], "postgresql"),
        # several drivers: the first address decides
        (["psycopg2", "pymysql"], "", ["url = 'mysql+pymysql://a:b@c/d'"], "mysql"),
        (["psycopg2", "pymysql"], "", ["sqlite:///x.db", "postgres://a"], "postgresql"),
        (["psycopg2", "pymysql"], "", ["sqlite:///data/webui.db"], "postgresql"),
        # the address that Alembic uses is stronger than a driver
        (["psycopg2"], "sqlite:///app.db", [], "sqlite"),
        (["psycopg2"], "mysql://a/b", [], "mysql"),
        ([], "postgresql://a/b", ["sqlite://"], "postgresql"),
        # no driver: whoever connects reports that it is missing
        ([], "", ["PostgresDsn.build(scheme='postgresql+psycopg', …)"], "postgresql"),
        ([], "", ["sqlite:///a.db", "mysql://h/d"], "mysql"),
        ([], PLACEHOLDER, ["sqlite:///a.db"], "sqlite"),
    ],
)
def test_the_dialect(packages: list[str], configured: str, sources: list[str], dialect: str):
    facts = Facts(packages=frozenset(packages), configured=configured, sources=tuple(sources))
    assert dialect_of(facts) == dialect


@pytest.mark.parametrize(
    ("text", "dialects"),
    [
        ("postgres://a", ["postgresql"]),
        ('"mariadb+pymysql://x"', ["mysql"]),
        ("URL.create(drivername='postgresql+asyncpg')", ["postgresql"]),
        ("sqlalchemy.url = sqlite+aiosqlite:///x", ["sqlite"]),
        ("from sqlalchemy.dialects import postgresql", []),
        ("from sqlalchemy.dialects.postgresql import UUID", []),
        ("mypostgresql://", []),
        ("https://postgresql.org", []),
    ],
)
def test_addresses_in_a_text(text: str, dialects: list[str]):
    assert list(named(text)) == dialects


ONLINE = """
connectable = engine_from_config(config.get_section(config.config_ini_section), prefix="sqlalchemy.")
url = config.get_main_option("sqlalchemy.url")
"""


@pytest.mark.parametrize(
    ("ini", "script", "configured"),
    [
        ("[alembic]\nsqlalchemy.url = sqlite:///%(here)s/a.db", ONLINE, "sqlite:///%(here)s/a.db"),
        ("[alembic]\nurl = postgresql://a/b", ONLINE, "postgresql://a/b"),
        ("[other]\nsqlalchemy.url = mysql://a/b", ONLINE, ""),
        ("not an ini file", ONLINE, ""),
        # env.py has its own
        ("[alembic]\nsqlalchemy.url = sqlite:///a", f"{ONLINE}config.set_main_option('sqlalchemy.url', x)", ""),
        ("[alembic]\nsqlalchemy.url = sqlite:///a", f"{ONLINE}section['sqlalchemy.url'] = x", ""),
        ("[alembic]\nsqlalchemy.url = sqlite:///a", "engine = create_async_engine(settings.url)", ""),
        ("[alembic]\nsqlalchemy.url = sqlite:///a", "from app.db import engine", ""),
    ],
)  # fmt: skip
def test_the_address_that_alembic_uses(tmp_path: Path, ini: str, script: str, configured: str):
    workspace = tmp_path / "project"
    (workspace / "alembic").mkdir(parents=True)
    (workspace / "alembic.ini").write_text(ini)
    (workspace / "alembic" / "env.py").write_text(script)
    (workspace / "settings.py").write_text("settings")
    ctx = context(workspace)
    ctx.listed.of(lambda: Files(names=("alembic.ini", "alembic/env.py", "settings.py", "views.py")))
    Environment(python="python", version="3.13.1", source="uv.lock", packages={"Psycopg2_Binary": "2"}).save(
        ctx.tempdir
    )
    alembic = Alembic(
        folder=workspace,
        source="alembic.ini",
        ini=workspace / "alembic.ini",
        script_location=workspace / "alembic",
        versions=(),
    )
    assert facts_of(ctx, alembic) == Facts(
        packages=frozenset({"psycopg2-binary"}), configured=configured, sources=(script, "settings")
    )
