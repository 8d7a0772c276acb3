"""A PostgreSQL server that the workflow provides: a scratch database is made on it, and removed afterwards."""

import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any, Final, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ci_action.engine.context import Context
from ci_action.stages.migrations.database.extensions import is_extension
from ci_action.stages.migrations.model import Database, Dialect
from ci_action.system.child_environ import Sees
from ci_action.system.errors import InterruptedRunError, ToolError
from ci_action.system.process import Command
from ci_action.system.text import listed, one_line

OLDEST: Final = 12
"""The oldest supported major version."""
EXAMPLE: Final = "`postgresql://user:password@host:5432`"
_PREFIX: Final = "ci_action_"
# The hexadecimal time, then a random number.
_OURS: Final = re.compile(rf"{_PREFIX}([0-9a-f]{{8}})_[0-9a-f]{{16}}")
_FORGOTTEN_SECONDS: Final = 86_400
# A service that was just started.
_START_SECONDS: Final = 20.0
_STATEMENT_SECONDS: Final = 60.0
_PAUSE: Final = 0.2
_NO_RIGHT: Final = "42501"
_STARTING: Final = "57P03"
_ADVICE: Final[Mapping[str, str]] = {
    "28P01": "check the password in `database-url`",
    "28000": "check the user in `database-url`, and what the server allows in pg_hba.conf",
    "3D000": "name an existing database in `database-url`, or none",
    "53300": "the server has too many connections",
}
_TLS: Final[Mapping[str, bool]] = {"disable": False, "require": True, "verify-ca": True, "verify-full": True}
_OBJECTS: Final = (files(__package__) / "objects.sql").read_text("utf-8")
_EMPTY_IN_SPITE_OF: Final = frozenset({"EXTENSION", "SCHEMA"})


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where to connect to."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    """The database of the address; empty if it names none."""
    query: str = ""

    @classmethod
    def of(cls, url: str) -> Self:
        """Read an address such as `postgresql+asyncpg://user:password@host:5432/name`; raises `ToolError`."""
        try:
            parts = urlsplit(url)
            port = parts.port or 5432
        except ValueError as error:
            # The text of the error may have a part of the password.
            raise ToolError(
                f"`database-url` is not an address: write {EXAMPLE}, and `%40` for an `@` in the password"
            ) from error
        if not parts.hostname:
            raise ToolError(f"`database-url` names no host: write {EXAMPLE}")
        return cls(
            host=parts.hostname,
            port=port,
            user=unquote(parts.username or "postgres"),
            password=unquote(parts.password or ""),
            database=unquote(parts.path.lstrip("/")),
            query=parts.query,
        )

    @property
    def shown(self) -> str:
        """The address for people, without a password."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address for SQLAlchemy: without a query, which each driver spells in another way; all use TLS if offered."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgresql://{login}@{self.shown}/{quote(self.database, safe='')}"


class RefusedError(ToolError):
    """A server refused what it was asked for; `code` is its SQLSTATE, empty if it could not be reached."""

    def __init__(self, server: Server, code: str, message: str, *, passing: bool = False) -> None:
        self.code = code
        self.passing = passing or code == _STARTING
        """Whether it may be ready soon."""
        advice = _ADVICE.get(code, "" if code else "check that it runs, and its address in `database-url`")
        super().__init__(
            f"PostgreSQL at {server.shown}: {one_line(message).strip()}"
            f"{f' ({code})' if code else ''}{advice and f'; {advice}'}"
        )


class Connection:
    """A connection to a server, which commits each statement."""

    def __init__(self, server: Server) -> None:
        """Connect; raises `RefusedError`."""
        import pg8000.native  # takes 0.2 s

        self.server = server
        parameters = parse_qs(server.query)
        mode = (parameters.get("sslmode") or parameters.get("ssl") or ["prefer"])[-1]
        # Made in two steps, because pg8000 leaves its socket open if the login fails.
        self._native: Any = pg8000.native.Connection.__new__(pg8000.native.Connection)
        try:
            self._asked(
                lambda: self._native.__init__(
                    server.user,
                    host=server.host,
                    port=server.port,
                    database=server.database or "postgres",
                    password=server.password,
                    ssl_context=_TLS.get(mode),
                    timeout=_STATEMENT_SECONDS,
                    application_name="ci-action",
                )
            )
        except RefusedError:
            for name in ("_sock", "_usock"):  # a socket stays open as long as its file
                with suppress(AttributeError, OSError, ValueError):
                    getattr(self._native, name).close()
            raise

    @property
    def version(self) -> str:
        """The version of the server, such as `16.10`."""
        found: str = self._native.parameter_statuses.get("server_version", "")
        return found.partition(" ")[0]

    def rows(self, sql: str, **values: object) -> list[list[Any]]:
        """Return the rows of a statement; raises `RefusedError`."""
        found: list[list[Any]] = self._asked(lambda: self._native.run(sql, **values)) or []
        return found

    def close(self) -> None:
        """Close it."""
        with suppress(Exception):  # whatever pg8000 raises for a server that has ended
            self._native.close()

    def _asked(self, ask: Callable[[], Any]) -> Any:
        import struct

        from pg8000.exceptions import DatabaseError, Error
        from scramp import ScramException

        try:
            return ask()
        except DatabaseError as error:
            given = error.args[0] if error.args and isinstance(error.args[0], dict) else {"M": str(error)}
            raise RefusedError(self.server, given.get("C", ""), given.get("M", "")) from None
        except (Error, OSError, ScramException) as error:
            cause = error.__cause__ or error
            message = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
            passing = isinstance(cause, ConnectionError) or "network error" in str(error)
            raise RefusedError(self.server, "", message, passing=passing) from None
        except (AttributeError, LookupError, TypeError, ValueError, struct.error):
            raise RefusedError(self.server, "", "what answers is not PostgreSQL") from None


@contextmanager
def connected(server: Server) -> Iterator[Connection]:
    """Connect during a block; raises `RefusedError`."""
    connection = Connection(server)
    try:
        yield connection
    finally:
        connection.close()


def awaited(server: Server, seconds: float, still_pending: Callable[[], bool]) -> Connection:
    """Connect, and retry for some seconds while the server starts and something is pending; raises `RefusedError`."""
    until = time.monotonic() + seconds
    while True:
        try:
            return Connection(server)
        except RefusedError as refused:
            if not refused.passing or time.monotonic() > until or not still_pending():
                raise
        time.sleep(_PAUSE)


def lacking_of(connection: Connection, names: frozenset[str]) -> list[str]:
    """Return which of these extensions a server does not have; whether it has a locale is only seen when it is used."""
    wanted = set(filter(is_extension, names))
    if not wanted:
        return []
    available = {name for (name,) in connection.rows("SELECT name FROM pg_available_extensions")}
    return sorted(wanted - available)


def major_of(version: str) -> int:
    """Return the major version in a text such as `pg_dump (PostgreSQL) 18beta1`; 0 without any."""
    found = re.search(r"\d+", version)
    return int(found[0]) if found else 0


def pg_dump_of(ctx: Context, version: str) -> tuple[str, ...]:
    """Return the pg_dump on the path if it can read a server of this version, which older ones cannot."""
    found = shutil.which("pg_dump", path=ctx.environ.get("PATH"))
    if not found:
        return ()
    argv = (found, "--version")
    done = ctx.run(Command(argv=argv, cwd=ctx.tempdir, sees=Sees.LITTLE, timeout=_STATEMENT_SECONDS))
    return (found,) if major_of(done.stdout.decode("utf-8", "replace")) >= major_of(version) else ()


@contextmanager
def scratch(ctx: Context, url: str, lacking: frozenset[str] = frozenset()) -> Iterator[Database]:
    """Make a database on a server and remove it after the block; raises `ToolError`, also if an extension is lacking.

    A user without the right to make one gets the database of the address if it is empty; it is emptied after the block.
    """
    server = Server.of(url)
    connection = awaited(server, _START_SECONDS, lambda: not ctx.stopped())
    try:
        if ctx.stopped():
            raise InterruptedRunError("interrupted while connecting to the database")
        version = connection.version
        if major_of(version) < OLDEST:
            raise ToolError(
                f"PostgreSQL at {server.shown}: version {version} is too old; use {OLDEST} or newer"
            )
        if missing := lacking_of(connection, lacking):
            raise ToolError(
                f"PostgreSQL at {server.shown} lacks {listed(missing)}: install it there, or use another image"
            )
        _forget(connection)
        with _own(connection, server) as database:
            yield Database(
                url=database.url,
                dialect=Dialect.POSTGRESQL,
                name=f"postgresql {version}, at {server.shown}",
                pg_dump=pg_dump_of(ctx, version),
            )
    finally:
        connection.close()


@contextmanager
def _own(connection: Connection, server: Server) -> Iterator[Server]:
    """Provide a database of our own, or the one of the address."""
    name = f"{_PREFIX}{int(time.time()):08x}_{secrets.token_hex(8)}"
    try:
        connection.rows(f"CREATE DATABASE {name} TEMPLATE template0")
    except RefusedError as refused:
        if refused.code != _NO_RIGHT:
            raise
        with _emptied(server, refused) as database:
            yield database
        return
    with _removed(server, lambda fresh: _drop(fresh, name)):
        yield replace(server, database=name)


@contextmanager
def _emptied(server: Server, refused: RefusedError) -> Iterator[Server]:
    """Provide the database of the address if it is empty, and remove afterwards what was made in it."""
    with connected(server) as connection:
        before = _objects(connection)
    if found := [f"{kind.lower()} {name}" for kind, name in before if kind not in _EMPTY_IN_SPITE_OF]:
        raise ToolError(
            f"{refused.reason}; and its own database {server.database or 'postgres'!r} is not empty ({listed(found, 3)}):"
            f' run `ALTER ROLE "{server.user}" CREATEDB`, or set `database-url` to an empty database'
        )
    with _removed(server, lambda fresh: _clear(fresh, before)):
        yield replace(server, database=server.database or "postgres")


@contextmanager
def _removed(server: Server, remove: Callable[[Connection], None]) -> Iterator[None]:
    """Remove what was made, by a new connection; raises `ToolError` if that fails and nothing else did."""
    try:
        yield
    except BaseException:
        with suppress(ToolError), connected(server) as connection:
            remove(connection)
        raise
    with connected(server) as connection:
        remove(connection)


def _drop(connection: Connection, name: str) -> None:
    _disconnect(connection, name)
    connection.rows(f"DROP DATABASE IF EXISTS {name}")


def _disconnect(connection: Connection, name: str) -> None:
    connection.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()",
        name=name,
    )


def _forget(connection: Connection) -> None:
    """Drop databases that killed runs left a day ago or earlier."""
    with suppress(RefusedError):
        for (name,) in connection.rows("SELECT datname FROM pg_database"):
            found = _OURS.fullmatch(name)
            if found and int(found[1], 16) < time.time() - _FORGOTTEN_SECONDS:
                connection.rows(f"DROP DATABASE IF EXISTS {name}")


def _objects(connection: Connection) -> list[tuple[str, str]]:
    return [(kind, name) for _, kind, name in connection.rows(_OBJECTS)]


def _clear(connection: Connection, before: list[tuple[str, str]]) -> None:
    """Drop the objects that were not there before; raises `ToolError` if some are left."""
    for kind, name in _objects(connection):
        if (kind, name) not in before:
            with suppress(RefusedError):  # dropped with another one
                connection.rows(f"DROP {kind} IF EXISTS {name} CASCADE")
    if left := [
        f"{kind.lower()} {name}" for kind, name in _objects(connection) if (kind, name) not in before
    ]:
        raise ToolError(f"could not empty the database of `database-url`: {listed(left, 3)}")
