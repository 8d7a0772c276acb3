"""The values of the migrations stage: how Alembic is configured, its revisions, and what happened to them on a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ci_action.model.finding import Finding, Location
from ci_action.model.migrations import Step


@dataclass(frozen=True, kw_only=True)
class Alembic:
    """A configuration of Alembic, read without importing the project."""

    folder: Path
    """Where Alembic runs: the folder of its configuration."""
    source: str
    """What configures it, for people: `backend/alembic.ini`, relative to the workspace."""
    ini: Path | None = None
    toml: Path | None = None
    """The pyproject.toml with `[tool.alembic]`."""
    flask: str = ""
    """The application of Flask-Migrate, as in `FLASK_APP`; empty without it."""
    section: str = "alembic"
    """The section of the ini file: `-n` of `alembic-args`."""
    x_arguments: tuple[str, ...] = ()
    """The values of `-x` of `alembic-args`."""
    script_location: Path
    """The folder with env.py."""
    versions: tuple[Path, ...]
    """The folders with the revisions."""
    recursive: bool = False
    """Whether folders below them have revisions too."""


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A revision, as the head of its file describes it."""

    name: str
    down: tuple[str, ...] = ()
    """The revisions that it follows; several for a merge, none for a base."""
    depends_on: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    message: str = ""
    """The first line of its docstring."""
    place: Location
    """Its file, and the line of its name."""
    path: Path | None = None
    """The file on the disk; None if only the base branch has it."""
    new: bool = False
    """Whether the change adds or modifies it; with an unknown base all are."""


@dataclass(frozen=True, kw_only=True)
class RevisionHistory:
    """The revisions of a configuration, as they are after the merge with the base branch."""

    alembic: Alembic
    revisions: tuple[Revision, ...]
    """In the order of an upgrade; those without a `path` only exist on the base branch."""
    heads: tuple[str, ...]
    unknown: str = ""
    """Why all revisions count as new: the base commit is unknown. Empty if it is known."""

    @property
    def new(self) -> tuple[Revision, ...]:
        """The revisions of the change."""
        return tuple(one for one in self.revisions if one.new)

    @property
    def base_heads(self) -> tuple[str, ...]:
        """The heads without the revisions of the change; one that it only modifies counts if another one follows it."""
        followed = {name for one in self.revisions if not one.new for name in one.down}
        return tuple(one.name for one in self.revisions if not one.new and one.name not in followed)


class Dialect(StrEnum):
    """A kind of database, by the name that SQLAlchemy gives it."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"
    MYSQL = "mysql"


@dataclass(frozen=True, kw_only=True)
class Database:
    """An empty scratch database."""

    url: str = field(repr=False)
    """Its address for SQLAlchemy, without a driver: `postgresql://user:password@127.0.0.1:5432/name`."""
    dialect: str
    name: str
    """What it is, for people and the output `database`: `postgresql 17.10, embedded`."""
    pg_dump: tuple[str, ...] = ()
    """The program that prints its schema; empty if there is none of that version."""
    weaker: str = ""
    """Why a result on it is worth less than on the database of the project; empty if it is not."""


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """A table that PostgreSQL rewrote, which its event trigger `table_rewrite` reported."""

    table: str
    reason: int


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement that a migration really executed, without an error."""

    revision: str
    place: Location
    """The line of the migration."""
    sql: str
    in_transaction: bool
    rewrites: tuple[Rewrite, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What one tool got from the child process: its findings, or why it could not finish."""

    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    examined: int = 0
    """The number of revisions that were checked; for drift that of the tables in the models."""
    broken: str = ""
    """Why it could not be finished; empty if it was."""
    detail: str = ""
    skipped: str = ""
    """Why there is rightly nothing to check."""
    notes: tuple[str, ...] = ()
    """Additional information, one line each."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Everything that the child process did."""

    database: Database
    phases: Mapping[str, Phase]
    """By tool: upgrade, downgrade, drift; one that was not reached is not in it."""
    steps: tuple[Step, ...] = ()
    statements: tuple[Statement, ...] = ()
    """In the order of their execution, of the first upgrade of the checked revisions."""
    measures_rewrites: bool = False
    """Whether the event trigger was installed: only then no rewrite means none."""
    version: str = ""
    """The version of Alembic."""
    log: str = ""
    """What the project printed."""
