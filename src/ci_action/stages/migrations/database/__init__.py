"""The scratch database of the migrations: where it comes from, and that nothing of it is left.

In this order: the server of `database-url`; SQLite for projects that use it; for PostgreSQL projects the embedded server.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from ci_action.engine.context import Context
from ci_action.stages.migrations.database.dialect import dialect_of, facts_of, named
from ci_action.stages.migrations.database.extensions import lacking_in, needs_extensions
from ci_action.stages.migrations.model import Alembic, Database, Dialect
from ci_action.system.errors import ToolError
from ci_action.system.text import listed

__all__ = ("UnsupportedDialectError", "lacking_in", "needs_extensions", "opened")
_SUPPORTED: Final = frozenset({Dialect.POSTGRESQL, Dialect.SQLITE})


class UnsupportedDialectError(ToolError):
    """The project uses a database on which its migrations cannot be run."""


@contextmanager
def opened(
    ctx: Context,
    alembic: Alembic,
    *,
    needs: frozenset[str] = frozenset(),
    lacking: frozenset[str] = frozenset(),
    dialect: str = "",
) -> Iterator[Database]:
    """Provide an empty scratch database during a block; raises `ToolError` with what to do.

    `needs` are the extensions of PostgreSQL that the migrations create, by their text, and `lacking` those that a server
    did not have in an earlier attempt. `dialect` is the one that env.py was seen to connect to, if it is known.
    """
    with _chosen(ctx, alembic, needs | lacking, dialect) as database:
        yield database


def _chosen(
    ctx: Context, alembic: Alembic, needs: frozenset[str], dialect: str
) -> AbstractContextManager[Database]:
    """Choose where the database comes from."""
    if url := ctx.settings.database_url:
        return _given(ctx, url)
    found = dialect or dialect_of(facts_of(ctx, alembic))
    if found not in _SUPPORTED:
        raise UnsupportedDialectError(
            f"the project uses {found}: migrations are only run on PostgreSQL and SQLite"
        )
    if found == Dialect.SQLITE:
        from ci_action.stages.migrations.database.sqlite import sqlite

        return sqlite(ctx)
    return _postgresql(ctx, needs)


def _given(ctx: Context, url: str) -> AbstractContextManager[Database]:
    """Use the server of `database-url`."""
    found = next(named(url), url.partition(":")[0])
    if found == Dialect.SQLITE:
        from ci_action.stages.migrations.database.sqlite import sqlite

        return sqlite(ctx)
    from ci_action.stages.migrations.database.server import EXAMPLE, scratch

    if found != Dialect.POSTGRESQL:
        raise ToolError(
            f"`database-url` names {found!r}, which is not supported: use a PostgreSQL server, such as {EXAMPLE}"
        )
    return scratch(ctx, url)


def _postgresql(ctx: Context, needs: frozenset[str]) -> AbstractContextManager[Database]:
    from ci_action.stages.migrations.database.embedded import embedded, user_of
    from ci_action.stages.migrations.database.wheel import VERSION, extensions_of, installed

    user = user_of(ctx)
    home = installed(ctx, user)
    if lacking := needs - extensions_of(home):
        raise ToolError(
            f"the embedded PostgreSQL {VERSION} lacks {listed(sorted(lacking))};"
            " set `database-url` to a server that has it, such as a service of the job"
        )
    return embedded(ctx, home, user)
