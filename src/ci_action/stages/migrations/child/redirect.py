"""Sends every connection that SQLAlchemy makes in this process to the scratch database, whatever address it was for."""

import functools
import importlib
import os
import sys
from contextlib import contextmanager, suppress

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import NoSuchModuleError

# The options of drivers that do not decide where they connect, and as whom.
_KEPT = frozenset({
    "application_name", "async_fallback", "autocommit", "cached_statements", "check_same_thread", "client_encoding",
    "command_timeout", "connect_timeout", "connection_class", "connection_factory", "context", "cursor_factory",
    "detect_types", "factory", "isolation_level", "max_cacheable_statement_size", "max_cached_statement_lifetime",
    "options", "prepare_threshold", "prepared_statement_cache_size", "prepared_statement_name_func", "record_class",
    "row_factory", "server_settings", "statement_cache_size", "timeout",
})  # fmt: skip
# libpq and asyncpg take from these what their arguments lack.
_LIBPQ = "PG"
_SAME = {"mariadb": "mysql"}


class WrongDialectError(RuntimeError):
    """The project connects to another kind of database than the scratch database."""


class Redirect:
    """The listener of all engines."""

    def __init__(self, url, note):
        """`note` is called with the dialect of each connection before it is made."""
        self._url = make_url(url)
        self._note = note
        self.driver = ""
        """The driver of the last connection."""

    def install(self):
        """Redirect all engines, also those that have a function of their own to connect."""
        event.listen(Engine, "do_connect", self._connect)
        _without_creators()

    def _connect(self, dialect, _record, _arguments, options):
        """Connect to the scratch database; no other listener can then change the address."""
        wanted = self._url.get_backend_name()
        self._note(dialect.name)
        if _SAME.get(dialect.name, dialect.name) != wanted:
            raise WrongDialectError(
                "the project connects to %s, but the scratch database is %s" % (dialect.name, wanted)
            )
        self.driver = dialect.driver
        target = self._url.set(drivername="%s+%s" % (dialect.name, dialect.driver))
        arguments, own = dialect.create_connect_args(target)
        kept = {name: value for name, value in options.items() if name in _KEPT}
        with _without_variables(_LIBPQ):
            return dialect.connect(*arguments, **dict(kept, **own))

    def sync_engine(self):
        """Return an engine with a driver that is not async, for an env.py that expects a connection."""
        backend = self._url.get_backend_name()
        for driver in _DRIVERS.get(backend, ()):
            try:
                return sqlalchemy.create_engine(
                    self._url.set(drivername="%s+%s" % (backend, driver)), poolclass=sqlalchemy.pool.NullPool
                )
            except (ImportError, NoSuchModuleError):
                continue
        raise ImportError("no driver for %s" % backend)


_DRIVERS = {
    "postgresql": ("psycopg", "psycopg2", "pg8000"),
    "sqlite": ("pysqlite",),
    "mysql": ("pymysql", "mysqldb"),
}


def _without_creators():
    """Leave out what would connect an engine without a listener: a function or a pool that the project gives it."""
    with suppress(ImportError):
        importlib.import_module("sqlalchemy.ext.asyncio")  # its name for the function is replaced too
    original = sqlalchemy.create_engine

    @functools.wraps(original)
    def create_engine(*arguments, **options):
        for name in ("creator", "pool"):
            options.pop(name, None)
        return original(*arguments, **options)

    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "sqlalchemy":
            for attribute, value in list(vars(module).items()):
                if value is original:
                    setattr(module, attribute, create_engine)


@contextmanager
def _without_variables(prefix):
    """Remove variables during a block."""
    removed = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(prefix)}
    try:
        yield
    finally:
        os.environ.update(removed)
