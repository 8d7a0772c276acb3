"""The child process with a real Alembic, on PostgreSQL and SQLite: each rule, and what is not the fault of a revision."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support.builders import context

from ci_action.project.environment import Environment
from ci_action.project.files import Files
from ci_action.project.programs import BundledTools
from ci_action.stages.migrations.database import opened
from ci_action.stages.migrations.database.server import Server, connected
from ci_action.stages.migrations.events import Recorded, read
from ci_action.stages.migrations.faults import Facts
from ci_action.stages.migrations.judging import Source, phases_of, statements_of, steps_of
from ci_action.stages.migrations.model import Alembic, Phase
from ci_action.stages.migrations.steps import CHILD
from ci_action.system.process import Processes

LIVE = "postgresql+pg8000://app:secret@db.invalid:5432/live"
ENV = """
from alembic import context
from sqlalchemy import create_engine, pool

import models

engine = create_engine("{live}", poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=models.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
MODELS = """
import sqlalchemy as sa

metadata = sa.MetaData()
users = sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True))
"""
CREATE = (
    "op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True))",
    "op.drop_table('users')",
)
PROJECT = {
    "alembic.ini": "[alembic]\nscript_location = %(here)s/m\nprepend_sys_path = .\n",
    "models.py": MODELS,
}
HEAD = "import sqlalchemy as sa\nfrom alembic import op\nrevision = {name!r}\ndown_revision = {down!r}\n"
FIRST = len(HEAD.splitlines()) + 2
"""The line of the first statement of `upgrade`."""


def revision(upgrade: str, downgrade: str, name: str = "a1", down: Any = None, more: str = "") -> str:
    return f"{HEAD.format(name=name, down=down)}def upgrade():\n    {upgrade}\ndef downgrade():\n    {downgrade}\n{more}"


@dataclass(frozen=True)
class Ran:
    """What a child did."""

    recorded: Recorded
    source: Source
    output: str

    @property
    def phases(self) -> dict[str, Phase]:
        return phases_of(self.recorded, self.source)

    @property
    def found(self) -> list[tuple[str, str, str, int]]:
        phases = self.phases.items()
        return [(tool, one.rule, one.path, one.line) for tool, phase in phases for one in phase.findings]

    @property
    def messages(self) -> str:
        return "\n".join(one.message for phase in self.phases.values() for one in phase.findings)

    @property
    def broken(self) -> dict[str, str]:
        return {tool: phase.broken for tool, phase in self.phases.items() if phase.broken}

    @property
    def steps(self) -> list[tuple[str, str]]:
        return [(one.revision, str(one.direction)) for one in steps_of(self.recorded)]


Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Server, tuple[str, ...]]]:
    """An embedded server, and its pg_dump."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "work").mkdir()
        (folder / "work-tempdir").mkdir()
        processes = Processes(dict(os.environ), folder / "work-tempdir")
        ctx = context(
            folder / "work",
            processes.run,
            serve=processes.serving,
            bundled=BundledTools.of(Path(sys.prefix)),
            environ=dict(os.environ),
        )
        ctx.listed.of(lambda: Files(names=()))
        Environment(python=sys.executable, version="3.13.1", source="x", packages={"psycopg": "1"}).save(
            ctx.tempdir
        )
        alembic = Alembic(
            folder=folder / "work", source="alembic.ini", script_location=folder / "work/m", versions=()
        )
        database = stack.enter_context(opened(ctx, alembic))
        yield Server.of(database.url), database.pg_dump


NUMBERS = count()


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., tuple[subprocess.Popen[bytes], Path]]:
    """Start a child in a project; return it and the file of its events."""

    def start(url: str, files: dict[str, str], **given: Any) -> tuple[subprocess.Popen[bytes], Path]:
        env = given.pop("env", {})
        live = given.pop("live", LIVE if url.startswith("postgresql") else "sqlite:///live.db")
        for name, text in {"m/env.py": ENV, **PROJECT, **files}.items():
            file = tmp_path / "project" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("{live}", live))
        names = sorted(Path(name).stem for name in files if "versions" in name)
        events = tmp_path / f"events{next(NUMBERS)}.jsonl"
        values: dict[str, Any] = {
            "events": str(events), "folders": [], "url": url, "timeout": 60, "checked": names, "recorded": names,
            "x": [], "flask": "", "directory": "", "ini": str(tmp_path / "project/alembic.ini"), "toml": "",
            "section": "alembic", "pg_dump": [],
        }  # fmt: skip
        child = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-B", "-u", str(CHILD)],
            cwd=tmp_path / "project",
            env={"PATH": os.environ["PATH"], **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert child.stdin
        child.stdin.write(json.dumps({**values, **given}).encode())
        child.stdin.close()
        child.stdin = None
        return child, events

    return start


@pytest.fixture
def run(tmp_path: Path, started: Callable[..., Any]) -> Run:
    """Run a child on a database."""

    def ran(url: str, files: dict[str, str], **given: Any) -> Ran:
        child, events = started(url, files, **given)
        output, _ = child.communicate(timeout=120)
        workspace = tmp_path / "project"
        revisions = {os.path.realpath(path): path.stem for path in (workspace / "m/versions").glob("*.py")}
        source = Source(
            facts=Facts(
                workspace=os.path.realpath(workspace),
                relative=lambda path: os.path.relpath(path, os.path.realpath(workspace)),
                revisions=revisions,
                folders=(os.path.realpath(workspace / "m/versions"),),
                packages=frozenset({"models"}),
            ),
            env="m/env.py",
            timeout=given.get("timeout", 60),
            ended=f"exit code {child.returncode}",
            detail=output.decode()[-300:],
            text=lambda file: Path(file).read_text(),
        )
        with open(events, "rb") as stream:
            return Ran(read(stream), source, output.decode())

    return ran


@pytest.fixture
def postgresql(server: tuple[Server, tuple[str, ...]], run: Run) -> Run:
    """Run a child on a new database of the embedded server."""

    def ran(files: dict[str, str], **given: Any) -> Ran:
        address, pg_dump = server
        name = f"scratch{next(NUMBERS)}"
        with connected(address) as connection:
            connection.rows(f"CREATE DATABASE {name}")
        url = f"postgresql://{address.user}:{address.password}@{address.host}:{address.port}/{name}"
        return run(url, files, **{"pg_dump": pg_dump, **given})

    return ran


@pytest.fixture(params=["postgresql", "sqlite"])
def each(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> Run:
    """Run a child on either database."""
    if request.param == "postgresql":
        found: Run = request.getfixturevalue("postgresql")
        return found
    return lambda files, **given: run(f"sqlite:///{tmp_path / 'scratch.db'}", files, **given)


def versions(**sources: str) -> dict[str, str]:
    return {f"m/versions/{name}.py": text for name, text in sources.items()}


GOOD = versions(
    a1=revision(*CREATE),
    b2=revision("op.create_index('ix', 'users', ['id'])", "op.drop_index('ix', 'users')", "b2", "a1"),
    c3=revision("op.drop_index('ix', 'users')", "op.create_index('ix', 'users', ['id'])", "c3", "b2"),
)


def test_a_good_history(each: Run):
    ran = each(GOOD)
    assert (ran.found, ran.broken) == ([], {}), ran.output
    assert {tool: phase.examined for tool, phase in ran.phases.items()} == {
        "upgrade": 3,
        "downgrade": 3,
        "drift": 1,
    }
    assert ran.steps == [
        *((name, "upgrade") for name in ("a1", "b2", "c3")),
        *((name, "downgrade") for name in ("c3", "b2", "a1")),
        *((name, "upgrade again") for name in ("a1", "b2", "c3")),
    ]


def test_only_the_checked_revisions_and_what_follows_them_come_down(each: Run):
    ran = each(GOOD, checked=["c3"])
    assert (ran.found, ran.broken) == ([], {})
    assert [one for one in ran.steps if one[1] != "upgrade"] == [("c3", "downgrade"), ("c3", "upgrade again")]
    assert ran.phases["downgrade"].examined == 1


@pytest.mark.parametrize("checked", [[], ["unknown"]])
def test_nothing_to_check(each: Run, checked: list[str]):
    ran = each(GOOD, checked=checked)
    assert (ran.found, ran.broken) == ([], {})
    assert ran.phases["downgrade"].examined == 0
    assert ran.phases["drift"].examined == 1


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "expected"),
    [
        ("op.drop_table('gone')", "pass", [("upgrade", "upgrade-failed", FIRST)]),
        (CREATE[0], "op.drop_table('gone')", [("downgrade", "downgrade-failed", FIRST + 2)]),
        (CREATE[0], "raise NotImplementedError('never')", [("downgrade", "irreversible", FIRST + 2)]),
        (CREATE[0], "pass", [("downgrade", "irreversible", FIRST + 1)]),
        (CREATE[0], "op.get_bind().execute(sa.text('SELECT 1'))", [("downgrade", "irreversible", FIRST + 1)]),
        (
            CREATE[0],
            "op.add_column('users', sa.Column('x', sa.Integer()))",
            [("downgrade", "schema-differs", FIRST + 1)],
        ),
    ],
)
def test_each_rule(each: Run, upgrade: str, downgrade: str, expected: list[tuple[str, str, int]]):
    ran = each(versions(a1=revision(upgrade, downgrade)))
    assert ran.found == [(tool, rule, "m/versions/a1.py", line) for tool, rule, line in expected]
    assert ran.broken == {}


def test_a_fault_hides_no_other(each: Run):
    """After each the schema is made from nothing again."""
    files = versions(
        a1=revision(CREATE[0], "pass"),
        b2=revision("op.create_index('ix', 'users', ['id'])", "op.drop_index('ix', 'users')", "b2", "a1"),
        c3=revision(
            "op.create_table('c', sa.Column('id', sa.Integer()))", "raise NotImplementedError", "c3", "b2"
        ),
        d4=revision(
            "op.create_table('d', sa.Column('id', sa.Integer()))", "op.drop_table('gone')", "d4", "c3"
        ),
    )
    ran = each(
        {
            **files,
            "models.py": MODELS
            + "for name in 'cd':\n    sa.Table(name, metadata, sa.Column('id', sa.Integer))\n",
        }
    )
    assert [(rule, path[11:13]) for _, rule, path, _ in ran.found] == [
        ("downgrade-failed", "d4"),
        ("irreversible", "c3"),
        ("irreversible", "a1"),
        ("drift", ""),
    ]
    assert ran.broken == {}
    assert ("b2", "upgrade again") in ran.steps


ENUM = "sa.Enum('red', name='color').create(op.get_bind(), checkfirst=True)"


def test_an_enum_type_that_is_left_behind(postgresql: Run):
    """The type is created only if it does not exist, so that upgrading again works."""
    both = f"{ENUM}; {CREATE[0]}"
    ran = postgresql(versions(a1=revision(both, CREATE[1])))
    assert [one[1] for one in ran.found] == ["schema-differs"]
    assert "color" in ran.messages


def function(*lines: str) -> str:
    body = "\n".join(lines)
    return f"op.execute({f'CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$ {body} $$'!r})"


@pytest.mark.parametrize(
    ("restored", "rules"),
    [
        (("  BEGIN", "", "    RETURN  'a  b';", "  END"), []),
        (("BEGIN", "RETURN 'a b';", "END"), ["schema-differs"]),
    ],
)
def test_white_space_in_a_function_that_is_made_again(
    postgresql: Run, restored: tuple[str, ...], rules: list[str]
):
    files = versions(
        a1=revision(
            "; ".join((CREATE[0], function("BEGIN", "RETURN 'a  b';", "END"))),
            f"op.execute('DROP FUNCTION f()'); {CREATE[1]}",
        ),
        b2=revision(function("BEGIN", "RETURN 'c';", "END"), function(*restored), "b2", "a1"),
    )
    ran = postgresql(files)
    assert ([one[1] for one in ran.found], ran.broken) == (rules, {})


def test_a_revision_that_only_works_together_with_the_one_before(postgresql: Run):
    """Alembic creates the type once a run: on a database at the first revision the second one fails."""
    column = "sa.Column('color', sa.Enum('red', name='color'))"
    files = versions(
        a1=revision(
            f"op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True), {column})",
            "op.drop_table('users'); op.execute('DROP TYPE color')",
        ),
        b2=revision(f"op.create_table('b', {column})", "op.drop_table('b')", "b2", "a1"),
    )
    ran = postgresql(files, checked=["b2"])
    assert ("downgrade", "upgrade-failed", "m/versions/b2.py", FIRST) in ran.found


def test_pg_dump_sees_what_the_catalogs_do_not(postgresql: Run):
    do = "op.execute(\"DO 'BEGIN CREATE PUBLICATION everything; EXCEPTION WHEN OTHERS THEN NULL; END'\")"
    files = versions(
        a1=revision(f"{CREATE[0]}; {do}", f"{CREATE[1]}; op.execute('DROP PUBLICATION everything')")
    )
    assert postgresql(files).found == []
    lost = versions(
        a1=revision(
            f"{CREATE[0]}; op.get_bind().execute(sa.text('SELECT 1'))",
            f"{CREATE[1]}; op.execute('CREATE PUBLICATION everything')",
        )
    )
    assert [one[1] for one in postgresql(lost).found] == ["schema-differs"]
    assert postgresql(lost, pg_dump=[]).found == []


def test_columns_in_another_order_are_the_same_schema(postgresql: Run):
    files = versions(
        a1=revision("op.execute('CREATE TABLE users (id serial PRIMARY KEY, x int, y int)')", CREATE[1]),
        b2=revision(
            "op.drop_column('users', 'x')", "op.add_column('users', sa.Column('x', sa.Integer()))", "b2", "a1"
        ),
    )
    assert not [one for one in postgresql(files).found if one[0] == "downgrade"]


def test_an_extension_may_stay(postgresql: Run):
    both = f"op.execute('CREATE EXTENSION IF NOT EXISTS pgcrypto'); {CREATE[0]}"
    ran = postgresql(
        versions(
            a1=revision(both, CREATE[1]), b2=revision("op.execute('CREATE TABLE b ()')", "pass", "b2", "a1")
        )
    )
    assert [one[:2] for one in ran.found if one[0] == "downgrade"] == [("downgrade", "irreversible")]


def test_merges_branches_and_dependencies(each: Run):
    def table(name: str) -> tuple[str, str]:
        return f"op.create_table({name!r}, sa.Column('id', sa.Integer()))", f"op.drop_table({name!r})"

    files = versions(
        a1=revision(*CREATE),
        b1=revision(*table("b"), name="b1", down="a1"),
        b2=revision(*table("c"), name="b2", down="a1"),
        m1=revision("pass", "pass", "m1", ("b1", "b2")),
        o1=revision(*table("o"), name="o1", more="depends_on = 'b1'\nbranch_labels = ('other',)\n"),
    )
    models = MODELS + "for name in 'bco':\n    sa.Table(name, metadata, sa.Column('id', sa.Integer))\n"
    ran = each({**files, "models.py": models})
    assert (ran.found, ran.broken) == ([], {}), ran.output
    assert len(ran.steps) == 15


def test_drift_on_the_lines_of_the_models(each: Run):
    models = """
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base

Base = declarative_base()
metadata = Base.metadata


class User(Base):
    __tablename__ = "users"

    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(50))


other = sa.Table("other", metadata, sa.Column("id", sa.Integer))
"""
    ran = each({**versions(a1=revision(*CREATE)), "models.py": models})
    assert ran.found == [("drift", "drift", "models.py", 16), ("drift", "drift", "models.py", 13)]


def test_the_options_of_env_count_for_drift(each: Run):
    text = ENV.replace(
        "target_metadata", "include_object=lambda thing, name, *_: name != 'other', target_metadata"
    )
    models = MODELS + "sa.Table('other', metadata, sa.Column('id', sa.Integer))\n"
    assert each({**versions(a1=revision(*CREATE)), "m/env.py": text, "models.py": models}).found == []


def test_no_models(each: Run):
    text = ENV.replace("models.metadata", "None")
    ran = each({**versions(a1=revision(*CREATE)), "m/env.py": text})
    assert ran.phases["drift"].skipped
    assert (ran.found, ran.broken) == ([], {})


def test_enum_types_that_nothing_compares(postgresql: Run):
    ran = postgresql(
        versions(a1=revision(f"{ENUM}; {CREATE[0]}", f"{CREATE[1]}; op.execute('DROP TYPE color')"))
    )
    assert ran.found == []
    assert any("color" in note for note in ran.phases["drift"].notes)


@pytest.mark.parametrize(
    "change",
    [
        {"target_metadata": "transaction_per_migration=True, target_metadata"},
        {"engine.connect()": "engine.begin()"},
        {"create_engine(": "create_engine(isolation_level='AUTOCOMMIT', url="},
        {
            "create_engine(": "create_engine(connect_args={'application_name': 'x', 'timeout': 5, 'unix_sock': '/nowhere'}, url="
        },
        {"poolclass=pool.NullPool": "creator=lambda: 1 / 0"},
        {"poolclass=pool.NullPool": "pool=pool.NullPool(lambda: 1 / 0)"},
        {"engine.connect()": "context.config.attributes.get('connection').engine.connect()"},
    ],
    ids=["each", "begin", "autocommit", "options", "creator", "pool", "attribute"],
)
def test_ways_to_connect(postgresql: Run, change: dict[str, str]):
    text = ENV
    for old, new in change.items():
        text = text.replace(old, new)
    ran = postgresql({**GOOD, "m/env.py": text})
    assert (ran.found, ran.broken) == ([], {}), ran.output


def test_an_env_py_that_chooses_the_folder_of_the_revisions(each: Run):
    text = "import os\nfrom alembic import context\nfolder = os.path.join(context.script.dir, 'other')\n"
    text += "context.script.version_locations = [folder]\n" + ENV
    files = {name.replace("versions", "other"): source for name, source in GOOD.items()}
    ran = each({**files, "m/env.py": text}, checked=["c3"])
    assert (ran.found, ran.broken) == ([], {}), ran.output
    assert ("c3", "downgrade") in ran.steps


def test_an_env_py_for_two_addresses(each: Run):
    """Both lead to the same database, where the second has nothing to do."""
    ran = each({**GOOD, "m/env.py": ENV + "\n" + ENV.partition("import models")[2]})
    assert (ran.found, ran.broken) == ([], {}), ran.output
    assert len(ran.steps) == 9


RUNS = "    with context.begin_transaction():\n        context.run_migrations()\n"


@pytest.mark.parametrize(
    "handler",
    [
        "except Exception: pass",
        "except Exception as error: raise RuntimeError('failed') from error",
        "except Exception: raise SystemExit(1)",
    ],
)
@pytest.mark.parametrize(
    ("upgrade", "downgrade", "found"),
    [
        ("op.drop_table('gone')", "pass", ("upgrade", "upgrade-failed", FIRST)),
        ("op.create_index('ix', 'users', ['id'])", "op.drop_table('gone')", ("downgrade", "downgrade-failed", FIRST + 2)),
    ],
)  # fmt: skip
def test_an_env_py_that_catches_the_error_of_a_revision(
    each: Run, handler: str, upgrade: str, downgrade: str, found: tuple[str, str, int]
):
    text = ENV.replace(RUNS, f"    try:\n    {RUNS.replace('        ', '            ')}    {handler}\n")
    ran = each(
        {**versions(a1=revision(*CREATE), b2=revision(upgrade, downgrade, "b2", "a1")), "m/env.py": text}
    )
    tool, rule, line = found
    failed = [one for one in ran.found if one[0] != "drift"]
    assert (failed, ran.broken) == ([(tool, rule, "m/versions/b2.py", line)], {}), ran.output
    assert ("catches" in ran.messages) is ("pass" in handler)


def test_an_env_py_that_tries_again(postgresql: Run):
    """What fails once and works then is no finding."""
    once = "import models; models.tries = getattr(models, 'tries', 0) + 1; assert models.tries > 1"
    again = RUNS.replace("    ", "        ", 1).replace("        context", "            context")
    text = ENV.replace(RUNS, f"    try:\n{again}    except AssertionError:\n{again}")
    ran = postgresql({**versions(a1=revision(f"{once}; {CREATE[0]}", CREATE[1])), "m/env.py": text})
    assert (ran.found, ran.broken) == ([], {}), ran.output


def test_nothing_of_the_environment_leads_elsewhere(postgresql: Run):
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        port = trap.getsockname()[1]
        env = {"PGHOST": "127.0.0.1", "PGHOSTADDR": "127.0.0.1", "PGPORT": str(port), "PGDATABASE": "live"}
        text = ENV.replace("import models", "import models\nimport os\nassert os.environ['PGPORT']")
        live = f"postgresql+pg8000://app:secret@127.0.0.1:{port}/live"
        ran = postgresql({**GOOD, "m/env.py": text}, env=env, live=live)
        assert (ran.found, ran.broken) == ([], {}), ran.output
        with pytest.raises(BlockingIOError):
            trap.accept()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (ENV.replace("    with context.begin_transaction():\n        context", "    context"), "config"),
        ("", "config"),
        ("import modelz\n", ""),
        ("x = undefined\n", "config"),
        ("x = (\n", "config"),
        ("import os\nos.environ['DATABASE_URL']\n", ""),
        ("raise SystemExit(0)\n", ""),
        ("import os\nos._exit(0)\n", ""),
        (ENV.replace("{live}", "mysql+pymysql://x/y"), ""),
    ],
    ids=["uncommitted", "empty", "absent", "name", "syntax", "environ", "exit", "gone", "driver"],
)
def test_an_env_py_that_does_not_run_the_revisions(postgresql: Run, text: str, rule: str):
    ran = postgresql({**GOOD, "m/env.py": text})
    assert [one[:2] for one in ran.found] == ([("upgrade", rule)] if rule else [])
    assert bool(ran.broken) is not bool(rule)
    assert list(ran.phases) == ["upgrade"]


def test_another_dialect_is_refused(postgresql: Run):
    ran = postgresql({**GOOD, "m/env.py": ENV.replace("{live}", "sqlite:///live.db")})
    assert "sqlite" in ran.broken["upgrade"]


@pytest.mark.parametrize("phase", ["upgrade", "downgrade"])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100'', MESSAGE = ''could not extend''; END'",
    ],
    ids=["ended", "full"],
)
def test_a_server_that_ends_is_not_the_fault_of_a_revision(postgresql: Run, phase: str, statement: str):
    kills = f'op.execute("{statement}")'
    steps = (kills, "pass") if phase == "upgrade" else (CREATE[0], kills)
    ran = postgresql(versions(a1=revision(*steps)))
    assert ran.found == []
    assert list(ran.broken) == [phase]
    assert "a1" in ran.broken[phase]


def test_a_lock_that_never_comes(postgresql: Run):
    waits = "c = sa.create_engine('postgresql+pg8000://x/y').connect(); c.execute(sa.text('LOCK TABLE users')); op.drop_table('users')"
    ran = postgresql(versions(a1=revision(CREATE[0], waits)), timeout=3)
    assert ran.found == []
    assert "DROP TABLE users" in ran.broken["downgrade"]
    assert f"m/versions/a1.py:{FIRST + 2}" in ran.broken["downgrade"]


def test_the_statements_with_their_lines_and_rewrites(postgresql: Run):
    files = versions(
        a1=revision(
            "op.create_table('users',\n"
            "        sa.Column('id', sa.Integer(), primary_key=True))\n"
            "    op.execute('ALTER TABLE users ALTER id TYPE bigint')\n"
            "    op.execute(sa.text('UPDATE users SET id = :x').bindparams(x=1))\n"
            "    op.get_bind().execute(sa.text('SELECT 1'))",
            CREATE[1],
        ),
        b2=revision(
            "op.execute('CREATE INDEX ix ON users (id)')",
            "op.drop_index('ix', 'users')",
            "b2",
            "a1",
        ),
    )
    ran = postgresql(files)
    found = list(statements_of(ran.recorded, ran.source))
    assert [(one.revision, one.place.line, one.sql.split()[0], one.in_transaction) for one in found] == [
        ("a1", FIRST, "CREATE", True),
        ("a1", FIRST + 2, "ALTER", True),
        ("a1", FIRST + 3, "UPDATE", True),
        ("b2", FIRST, "CREATE", True),
    ]
    assert [[rewrite.table for rewrite in one.rewrites] for one in found] == [[], ["public.users"], [], []]
    assert "$1" in found[2].sql
    assert not list(statements_of(postgresql(files, recorded=[]).recorded, ran.source))
    text = ENV.replace("create_engine(", "create_engine(isolation_level='AUTOCOMMIT', url=")
    apart = postgresql({**files, "m/env.py": text})
    assert {one.in_transaction for one in statements_of(apart.recorded, apart.source)} == {False}


def test_what_is_printed_changes_nothing(each: Run):
    noise = "import sys\nprint('{\"event\": \"end\"}')\nsys.stderr.write('\\x00\\xff')\n"
    ran = each({**GOOD, "m/env.py": noise + ENV})
    assert (ran.found, ran.broken) == ([], {})
    assert '"event": "end"' in ran.output


def test_the_end_of_a_child_is_seen(started: Callable[..., Any], tmp_path: Path):
    """It dies at once by a signal, and has then not finished."""
    wait = "import time; print('waits', flush=True); time.sleep(60)"
    child, events = started(f"sqlite:///{tmp_path / 'x.db'}", versions(a1=revision(wait, "pass")))
    assert child.stdout
    assert child.stdout.readline().strip() == b"waits"
    child.send_signal(signal.SIGTERM)
    began = time.monotonic()
    child.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert not read(events.read_bytes().splitlines(keepends=True)).ended
