"""A scratch database of SQLite, for projects that use it: a file in the temporary folder."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.project.environment import Environment
from ci_action.stages.migrations.model import Database, Dialect
from ci_action.system.child_environ import Sees
from ci_action.system.process import Command

WEAKER: Final = "SQLite has few types and constraints: what passes here can fail on another database"
_SECONDS: Final = 30.0


@contextmanager
def sqlite(ctx: Context) -> Iterator[Database]:
    """Provide an empty file, with the version of SQLite that the project's Python has; raises `ToolError`."""
    folder = Path(tempfile.mkdtemp(prefix="sqlite-", dir=ctx.tempdir))
    ctx.hand_over(folder)
    try:
        yield Database(
            url=f"sqlite:///{folder / 'scratch.db'}",
            dialect=Dialect.SQLITE,
            name=f"sqlite {_version(ctx)}",
            weaker=WEAKER,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _version(ctx: Context) -> str:
    python = Environment.load(ctx.tempdir).python
    code = "import sqlite3; print('.'.join(sqlite3.sqlite_version.split('.')[:2]))"
    argv = (python, "-I", "-c", code)
    done = ctx.run(Command(argv=argv, cwd=ctx.tempdir, owner=ctx.owner, sees=Sees.LITTLE, timeout=_SECONDS))
    return done.stdout.decode("utf-8", "replace").strip()
