"""Statements of migrations, and what squawk printed about them: kept runs, by what it was given."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from support.paths import GOLDEN

from ci_action.model.finding import Location
from ci_action.stages.migrations.model import Database, Rewrite, Statement, Steps
from ci_action.system.process import Command, Completed

FOLDER: Final = GOLDEN / "danger"
SQUAWK: Final = ("squawk",)
POSTGRESQL: Final = Database(url="", dialect="postgresql", name="postgresql 17.10, embedded")


def sql(
    text: str, line: int = 10, revision: str = "a1", *, alone: bool = False, **overrides: Any
) -> Statement:
    """Return a statement of a migration; `alone` for one outside of a transaction."""
    place = Location(path=f"migrations/versions/{revision}.py", line=line)
    values = {"revision": revision, "place": place, "sql": text, "in_transaction": not alone}
    return Statement(**{**values, **overrides})


def steps(*statements: Statement, **overrides: Any) -> Steps:
    values = {"database": POSTGRESQL, "phases": {}, "statements": statements, "measures_rewrites": True}
    return Steps(**{**values, **overrides})


TYPE: Final = (Rewrite(table="public.users", reason=4),)
CASES: Final[Mapping[str, Sequence[Statement]]] = {
    "clean": [sql("CREATE TABLE users (id BIGSERIAL NOT NULL, PRIMARY KEY (id))")],
    "findings": [sql("ALTER TABLE users DROP COLUMN name", 12), sql("DROP TABLE teams", 13)],
    "types": [
        sql("ALTER TABLE users ALTER COLUMN name TYPE TEXT", 12),
        sql("ALTER TABLE users ALTER COLUMN age TYPE BIGINT", 13, rewrites=TYPE),
        sql(
            "ALTER TABLE users ADD COLUMN lot FLOAT DEFAULT random() NOT NULL",
            14,
            rewrites=(Rewrite(table="public.users", reason=2),),
        ),
    ],
    "neighbours": [sql("ALTER TABLE users ADD CONSTRAINT one_name UNIQUE (name)", 12)],
    "new-table": [
        sql("CREATE TABLE teams (id BIGSERIAL NOT NULL, PRIMARY KEY (id))", 12),
        sql("CREATE INDEX ix_teams_id ON teams (id)", 13),
        sql("CREATE INDEX ix_teams_again ON teams (id)", 12, "b2"),
        sql("CREATE INDEX ix_users_name ON users (name)", 13, "b2"),
    ],
    "concurrently": [
        sql("ALTER TABLE users ADD COLUMN age INTEGER", 12),
        sql("CREATE INDEX CONCURRENTLY ix_users_age ON users (age)", 14, alone=True),
        sql("CREATE INDEX CONCURRENTLY ix_users_name ON users (name)", 12, "b2"),
    ],
    "odd": [
        sql("INSERT INTO users (name, age) VALUES (%(name)s, %s) -- DROP TABLE users;", 11),
        sql("UPDATE users SET name = 'a;\n-- squawk-ignore ban-drop-table\nb;' WHERE age %% 2 = 0", 12),
        sql("DO $$\nBEGIN\n  EXECUTE 'DROP TABLE x;';\nEND\n$$", 13),
        sql("\n\n/* a\n; b */ ALTER TABLE users\n  DROP COLUMN name -- the end", 14),
        sql("DROP TABLE teams; -- squawk-ignore ban-drop-table", 15),
        sql("DROP TABLE teams\r\n", 16),
    ],
    "ignored": [
        sql("-- squawk-ignore-file\nDROP TABLE teams", 12),
        sql("-- squawk-ignore ban-drop-table\nDROP TABLE teams", 13),
        sql(
            "-- squawk-ignore changing-column-type\nALTER TABLE users ALTER age TYPE BIGINT",
            14,
            rewrites=TYPE,
        ),
        sql("DROP TABLE teams", 15),
    ],
    "unparsable": [
        sql("DROP TABLE teams", 12),
        sql("ALTER TABLE users FROBNICATE (", 13),
        sql("ALTER TABLE users SET UNLOGGED", 14, rewrites=(Rewrite(table="public.users", reason=1),)),
        sql("SELECT 'never ends", 15),
        sql("ALTER TABLE users DROP COLUMN name", 16),
    ],
    "nothing": [sql("FROBNICATE", 12)],
}


def kept_run(case: str, version: str = "2.70.0") -> "Replay":
    """Return the kept runs of squawk about a case."""
    return Replay(json.loads((FOLDER / f"{version}-{case}.json").read_text("utf-8")))


class Replay:
    """Answers a command like squawk has once answered the same input."""

    def __init__(self, runs: Mapping[str, Mapping[str, Any]]) -> None:
        self.commands: list[Command] = []
        self._runs = runs

    def __call__(self, command: Command) -> Completed:
        self.commands.append(command)
        found = self._runs[command.stdin.decode()]
        stdout = found["stdout"].encode()
        return Completed(returncode=found["returncode"], stdout=stdout, stderr=found["stderr"], seconds=0.01)
