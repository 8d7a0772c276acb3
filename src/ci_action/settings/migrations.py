"""Inputs of the migrations stage."""

from ci_action.settings import kinds
from ci_action.settings.field import SetBy, Setting
from ci_action.settings.types import MigrationDanger, MigrationDepth


class Migrations:
    """Settings of the migrations."""

    alembic_config = Setting(
        kinds.text,
        SetBy.ANYONE,
        "Configuration of Alembic, relative to `working-directory`: an ini file, or a `pyproject.toml`.",
        shown="found in the project",
    )
    alembic_args = Setting(
        kinds.words,
        SetBy.ANYONE,
        "Options of Alembic that env.py reads: `-x key=value`, and `-n name` for one of several databases.",
    )
    database_url = Setting(
        kinds.address,
        SetBy.WORKFLOW,
        "Server on which a scratch database is made and removed, such as `postgresql://postgres:pw@localhost:5432`.",
        shown="an embedded PostgreSQL, or SQLite for projects that use it",
    )
    postgres_version = Setting(
        kinds.whole(12, 99),
        SetBy.ANYONE,
        "Major version of PostgreSQL: 17 and 18 are embedded; others, and extensions that these lack, need Docker.",
        default=17,
    )
    migration_depth = Setting(
        kinds.choice(MigrationDepth.NEW),
        SetBy.ANYONE,
        "Revisions that are downgraded and upgraded again: `new`, those of the change, or `all`.",
    )
    downgrade_from = Setting(
        kinds.text,
        SetBy.ANYONE,
        "Oldest revision that must be reversible; older ones are not downgraded.",
    )
    migration_danger = Setting(
        kinds.choice(MigrationDanger.WARN),
        SetBy.ANYONE,
        "Whether statements that lock or rewrite tables in production `warn` or `fail`; `off` does not look for them.",
    )
