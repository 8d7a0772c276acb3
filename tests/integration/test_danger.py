"""Dangerous statements of migrations by the real squawk, and rewrites that a real PostgreSQL measures."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pg8000.dbapi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import context
from support.paths import ROOT
from support.repositories import commit, git
from support.runs import Ran, Write
from support.shop import NEW, SHOP
from support.squawk_runs import CASES, kept_run, sql, steps

from ci_action.engine.context import Context
from ci_action.model.result import Report
from ci_action.project.environment import Environment
from ci_action.project.files import Files
from ci_action.project.programs import BundledTools, Program
from ci_action.stages.migrations.danger import danger
from ci_action.stages.migrations.danger.config import STYLE
from ci_action.stages.migrations.danger.script import script_of
from ci_action.stages.migrations.database import opened
from ci_action.stages.migrations.database.server import Server
from ci_action.stages.migrations.model import Alembic, Database
from ci_action.system.errors import TimedOutError, ToolError
from ci_action.system.process import Processes

TOOLS = BundledTools.of(Path(sys.prefix))
SQUAWK = TOOLS.program("squawk-cli")
CHILD = ROOT / "src/ci_action/stages/migrations/child"
# It is written for older versions of Python, without types.
rewriting: Any = import_module("ci_action.stages.migrations.child.rewriting")


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """A database of the embedded PostgreSQL."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        work = folder / "work"
        for one in (work, folder / "work-tempdir"):
            one.mkdir()
        processes = Processes(dict(os.environ), folder / "work-tempdir")
        ctx = context(work, processes.run, serve=processes.serving, bundled=TOOLS, environ=dict(os.environ))
        ctx.listed.of(lambda: Files(names=()))
        Environment(python=sys.executable, version="3.13", source="", packages={"psycopg": "1"}).save(
            ctx.tempdir
        )
        with opened(ctx, Alembic(folder=work, source="", script_location=work, versions=())) as found:
            yield found


@pytest.fixture
def connection(database: Database) -> Iterator[Any]:
    """A connection of a driver, in a transaction that is not committed."""
    server = Server.of(database.url)
    opened = pg8000.dbapi.connect(
        server.user, host=server.host, port=server.port, database=server.database, password=server.password
    )
    yield opened
    opened.close()


def run(connection: Any, *statements: str) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()


@pytest.fixture
def measured(connection: Any) -> Callable[..., list[tuple[str, int]]]:
    """Return what runs statements on a measured table and returns the rewrites of the last one."""
    assert rewriting.install(connection)
    run(connection, "CREATE TABLE t (a integer, b varchar(5), c text)", "INSERT INTO t VALUES (1, 'x', 'y')")
    assert rewriting.taken(connection) == []

    def statements(*texts: str) -> list[tuple[str, int]]:
        run(connection, *texts[:-1])
        rewriting.taken(connection)
        run(connection, texts[-1])
        found: list[tuple[str, int]] = rewriting.taken(connection)
        return found

    return statements


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["ALTER TABLE t ALTER b TYPE text"], []),
        (["ALTER TABLE t ALTER b TYPE varchar(50)"], []),
        (["ALTER TABLE t ADD d integer DEFAULT 3 NOT NULL"], []),
        (["ALTER TABLE t ALTER a SET NOT NULL"], []),
        (["ALTER TABLE t ALTER a TYPE bigint"], [("public.t", 4)]),
        (["ALTER TABLE t ADD d double precision DEFAULT random()"], [("public.t", 2)]),
        (["ALTER TABLE t ADD d serial"], [("public.t", 2)]),
        (["ALTER TABLE t SET UNLOGGED"], [("public.t", 1)]),
        (["ALTER TABLE t ALTER a TYPE bigint", "SELECT 1"], []),
        (
            [
                "CREATE TABLE u (a integer)",
                "ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE u ALTER a TYPE bigint",
            ],
            [("public.t", 4), ("public.u", 4)],
        ),
        (["DO $$ BEGIN ALTER TABLE t ALTER a TYPE bigint; END $$"], [("public.t", 4)]),
        (["SET session_replication_role = replica", "ALTER TABLE t ALTER a TYPE bigint"], [("public.t", 4)]),
        (["SET search_path = nowhere", "ALTER TABLE public.t ALTER a TYPE bigint"], [("public.t", 4)]),
        (
            [
                "CREATE ROLE app",
                "ALTER TABLE t OWNER TO app",
                "SET ROLE app",
                "ALTER TABLE t ALTER a TYPE bigint",
            ],
            [("public.t", 4)],
        ),
        (
            [
                'CREATE SCHEMA "odd ""n"',
                'CREATE TABLE "odd ""n"."b\nc" (a integer)',
                'ALTER TABLE "odd ""n"."b\nc" ALTER a TYPE bigint',
            ],
            [('odd "n.b\nc', 4)],
        ),
    ],
)
def test_the_trigger_measures_rewrites(
    measured: Callable[..., list[tuple[str, int]]], statements: list[str], expected: list[tuple[str, int]]
):
    assert measured(*statements) == expected


def test_what_is_rolled_back_was_not_rewritten(measured: Any, connection: Any):
    run(connection, "SAVEPOINT s", "ALTER TABLE t ALTER a TYPE bigint", "ROLLBACK TO s")
    assert rewriting.taken(connection) == []
    run(connection, "SAVEPOINT s")
    with pytest.raises(pg8000.dbapi.DatabaseError):
        run(connection, "ALTER TABLE t ALTER nope TYPE bigint")
    assert rewriting.taken(connection) == []
    run(connection, "ROLLBACK TO s", "ALTER TABLE t ALTER a TYPE bigint")
    assert rewriting.taken(connection) == [("public.t", 4)]


def test_it_is_installed_where_each_statement_is_committed(connection: Any):
    connection.autocommit = True
    try:
        assert rewriting.install(connection)
        run(connection, "CREATE TABLE t (a integer)", "ALTER TABLE t ALTER a TYPE bigint")
        assert rewriting.taken(connection) == [("public.t", 4)]
    finally:
        run(connection, "DROP TABLE IF EXISTS t", "DROP SCHEMA ci_action CASCADE")


@pytest.mark.parametrize("before", [["CREATE ROLE weak", "SET ROLE weak"], ["CREATE SCHEMA ci_action"]])
def test_where_it_cannot_be_installed_nothing_changes(connection: Any, before: list[str]):
    run(connection, *before)
    assert rewriting.install(connection) is False
    run(connection, "SELECT 1")


def test_measuring_does_not_change_a_dump(database: Database, connection: Any):
    def dump() -> bytes:
        words = [*database.pg_dump, "--schema-only", "--exclude-schema=ci_action", "--restrict-key=x"]
        return subprocess.run([*words, f"--dbname={database.url}"], capture_output=True, check=True).stdout

    before = dump()
    assert rewriting.install(connection)
    connection.commit()
    installed = dump()
    run(connection, "CREATE TABLE t (a integer)", "ALTER TABLE t ALTER a TYPE bigint")
    assert rewriting.taken(connection) == [("public.t", 4)]
    run(connection, "DROP TABLE t")
    connection.commit()
    assert dump() == installed
    run(connection, "DROP SCHEMA ci_action CASCADE")
    connection.commit()
    assert dump() == before


OF_DRIVERS = """
import asyncio, sys
import sqlalchemy
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine
sys.path.insert(0, sys.argv[2])
import rewriting

def work(connection):
    assert rewriting.install(connection)
    seen = []
    event.listen(connection, "after_cursor_execute", lambda one, *_: seen.append(rewriting.taken(one)))
    for statement in (
        "CREATE TABLE t (a integer, b varchar(5))",
        "ALTER TABLE t ALTER b TYPE text",
        "ALTER TABLE t ALTER a TYPE bigint",
        "ALTER TABLE t ADD c integer CHECK (c % 2 = 0)",
    ):
        connection.execute(sqlalchemy.text(statement))
    assert seen == [[], [], [("public.t", 4)], []], seen

async def asynchronous(driver):
    engine = create_async_engine(sys.argv[1].replace("postgresql:", f"postgresql+{driver}:"))
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()

for driver in ("psycopg", "psycopg2", "pg8000"):
    with sqlalchemy.create_engine(sys.argv[1].replace("postgresql:", f"postgresql+{driver}:")).connect() as connection:
        work(connection)
for driver in ("psycopg", "asyncpg"):
    asyncio.run(asynchronous(driver))
"""


def test_every_driver_can_be_measured(database: Database):
    wanted = ("sqlalchemy[asyncio]", "psycopg[binary]", "psycopg2-binary", "pg8000", "asyncpg")
    words = [str(TOOLS.uv), "run", "--quiet", "--no-project", *(f"--with={one}" for one in wanted)]
    subprocess.run([*words, "python", "-c", OF_DRIVERS, database.url, str(CHILD)], check=True)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return context_in(tmp_path)


def context_in(folder: Path, **given: str) -> Context:
    work = folder / "work"
    work.mkdir()
    processes = Processes(dict(os.environ), folder)
    return context(work, processes.run, bundled=TOOLS, environ=dict(os.environ), settings=given)


@pytest.mark.parametrize("case", sorted({*CASES} - {"nothing"}))
def test_the_kept_runs_are_those_of_the_bundled_squawk(ctx: Context, case: str):
    given = steps(*CASES[case])
    assert danger(ctx, SQUAWK, given) == danger(replace(ctx, run=kept_run(case)), SQUAWK, given)


def test_it_agrees_with_squawk_alone(ctx: Context, tmp_path: Path):
    statements = [one for case in ("findings", "types", "neighbours", "new-table") for one in CASES[case]]
    outcome = danger(ctx, SQUAWK, steps(*statements)).outcome
    file = tmp_path / "all.sql"
    file.write_text(script_of(statements).text)
    style = ",".join(sorted(STYLE))
    words = [
        *SQUAWK.argv,
        "--reporter=gcc",
        "--config=/dev/null",
        "--pg-version=17.10",
        f"--exclude={style}",
        str(file),
    ]
    alone = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    assert len(outcome.findings) == len(alone) - 1  # one is about our last line


COMMENTS = st.sampled_from(
    ["", "-- a;", "/* b\n; */", "-- 'c", "\n\n", "-- squawk-ignore ban-drop-column", "\r\n"]
)
AROUND = st.sampled_from([
    "SELECT ';\n-- '", "SELECT $a$ ;\n $$ ' $a$", 'SELECT 1 AS "a;\nb"', "SELECT E'\\';\n'", "SELECT 1;", "", "SELECT 'a\rb'",
    "DO $$\nBEGIN\n  NULL;\nEND\n$$", "UPDATE t SET a = %(a)s -- %s",
])  # fmt: skip


@given(st.lists(st.tuples(AROUND, COMMENTS, COMMENTS), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_a_finding_is_on_its_statement_whatever_is_around_it(around: list[tuple[str, str, str]]):
    statements = []
    for number, (other, before, after) in enumerate(around):
        statements += [
            sql(other, number, "b2"),
            sql(f"{before}\nDROP TABLE x {after}\n", number, alone=bool(number % 2)),
        ]
    with tempfile.TemporaryDirectory() as folder:
        outcome = danger(context_in(Path(folder)), SQUAWK, steps(*statements)).outcome
    assert isinstance(outcome, Report)
    found = [(Path(one.path).stem, one.line, one.rule) for one in outcome.findings]
    assert found == [("a1", number, "ban-drop-table") for number in range(len(around))]


@pytest.mark.parametrize(
    "config",
    ['excluded_rules = ["no-such-rule"]', 'pg_version = "new"', "excluded_rules = 3", "excluded_rules ="],
)
def test_a_wrong_configuration_is_broken(ctx: Context, config: str):
    (ctx.layout.root / ".squawk.toml").write_text(config)
    with pytest.raises(ToolError, match=r"\(\.squawk\.toml\)"):
        danger(ctx, SQUAWK, steps(*CASES["findings"]))


def test_a_configuration_of_the_project_replaces_ours(ctx: Context):
    text = (
        'excluded_rules = ["ban-drop-table"]\nexcluded_paths = ["*", "stdin"]\nassume_in_transaction = true\n'
    )
    (ctx.layout.root / ".squawk.toml").write_text(text)
    rules = {one.rule for one in danger(ctx, SQUAWK, steps(*CASES["findings"])).outcome.findings}
    assert rules == {"ban-drop-column", "require-lock-timeout", "require-statement-timeout"}


@pytest.mark.parametrize(
    "body", ["kill -9 $$", "echo '[]'", "echo nonsense", "exit 3", "echo 'out of memory' >&2; exit 1", ":"]
)
def test_a_squawk_that_fails_is_broken(ctx: Context, tmp_path: Path, body: str):
    script = tmp_path / "squawk"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    with pytest.raises(ToolError):
        danger(ctx, Program(argv=(str(script),), version="2.70.0"), steps(*CASES["findings"]))


def test_a_squawk_that_is_absent_or_hangs_is_broken(tmp_path: Path):
    ctx = context_in(tmp_path, timeout="1")
    with pytest.raises(ToolError):
        danger(ctx, Program(argv=(str(tmp_path / "absent"),), version="2.70.0"), steps(*CASES["findings"]))
    script = tmp_path / "squawk"
    script.write_text("#!/bin/sh\nsleep 60\n")
    script.chmod(0o755)
    with pytest.raises(TimedOutError):
        danger(ctx, Program(argv=(str(script),), version="2.70.0"), steps(*CASES["findings"]))


@pytest.mark.parametrize(("setting", "code", "level"), [("warn", 0, "warning"), ("fail", 1, "error")])
def test_the_new_revisions_of_a_project(
    project: Write, ci_action: Callable[..., Ran], setting: str, code: int, level: str
):
    origin = project({})
    commit(origin, {**SHOP})
    folder = origin.parent / "clone"
    git(origin, "clone", "--quiet", str(origin), str(folder))
    commit(folder, NEW)
    ran = ci_action(folder, "run", "migrations", f"--migration-danger={setting}")
    found = [(one["line"], one["rule"], bool(one["muted"])) for one in ran.findings("danger")]
    assert found == [
        (9, "changing-column-type", True),
        (10, "changing-column-type", False),
        (11, "require-concurrent-index-creation", False),
        (12, "table-rewrite", False),
    ]
    assert {one["path"] for one in ran.findings("danger")} == {"migrations/versions/b2.py"}
    assert {one["level"] for one in ran.findings("danger")} == {level}
    tool = ran.tool("danger")
    assert (tool["version"], tool["version_source"]) == ("squawk 2.70.0", "bundled")
    assert tool["examined"] == {"statements": 8, "unreadable": 0}
    assert ran.tool("downgrade")["outcome"] == "report"
    assert ran.code == code
