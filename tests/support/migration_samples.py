"""Small projects with Alembic histories: what each one should give was checked with the bare `alembic` commands."""

from collections.abc import Mapping
from typing import Final

Files = dict[str, str]
# Where the settings of all samples point: no server answers there.
LIVE: Final = "postgresql+psycopg://app:live-secret@127.0.0.1:9/live"
# Every sample needs the same packages, so that one environment serves all of them.
PROJECT: Final = """[project]
name = "harbour"
version = "0"
dependencies = [
    "alembic", "sqlalchemy", "psycopg[binary]", "asyncpg", "greenlet", "pydantic-settings",
    "flask-migrate", "flask-sqlalchemy",
]
"""
INI: Final = """[alembic]
script_location = %(here)s/migrations
prepend_sys_path = .
path_separator = os
"""
MODELS: Final = """from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import DeclarativeBase, mapped_column


class Base(DeclarativeBase):
    pass


class Berth(Base):
    __tablename__ = "berths"
    id = mapped_column(Integer, primary_key=True)
    name = mapped_column(String(40), nullable=False, unique=True)


class Ship(Base):
    __tablename__ = "ships"
    id = mapped_column(Integer, primary_key=True)
    name = mapped_column(String(40), nullable=False, index=True)
    berth_id = mapped_column(ForeignKey("berths.id"))
    length = mapped_column(Integer)
"""
ENV: Final = """import os

from alembic import context
from sqlalchemy import create_engine, pool

import models

URL = os.environ.get("DATABASE_URL", "{live}")


def run():
    engine = create_engine(URL, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=models.Base.metadata)
        with context.begin_transaction():
            context.run_migrations()


run()
"""
ASYNC_ENV: Final = """import asyncio
import os

from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine

import models

URL = os.environ.get("DATABASE_URL", "{live}").replace("+psycopg", "+asyncpg")


def migrate(connection):
    context.configure(connection=connection, target_metadata=models.Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def run():
    engine = create_async_engine(URL, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(run())
"""
BERTHS: Final = (
    """op.create_table(
        "berths",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )""",
    'op.drop_table("berths")',
)
SHIPS: Final = (
    """op.create_table(
        "ships",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("berth_id", sa.Integer(), sa.ForeignKey("berths.id")),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_ships_name", "ships", ["name"])""",
    'op.drop_table("ships")',
)
LENGTH: Final = (
    'op.add_column("ships", sa.Column("length", sa.Integer()))',
    'op.drop_column("ships", "length")',
)
FLAG: Final = ('op.execute("CREATE TABLE flags (id int PRIMARY KEY)")', 'op.execute("DROP TABLE flags")')


def revision(
    name: str, down: str | None, upgrade: str, downgrade: str, *, message: str = "", extra: str = ""
) -> str:
    """Return the source of a revision: `upgrade` starts on line 12."""
    return (
        f'"""{message or name}\n\nRevision ID: {name}\nRevises: {down or ""}\n"""\n'
        f"import sqlalchemy as sa{extra}\nfrom alembic import op\n"
        f"revision = {name!r}\ndown_revision = {down!r}\n\ndef upgrade():\n    {upgrade}\n\n"
        f"def downgrade():\n    {downgrade}\n"
    )


def history(*bodies: tuple[str, str], folder: str = "migrations/versions") -> Files:
    """Return the files of a linear history: `a0001`, `a0002` and so on."""
    names = [f"a{number:04}" for number in range(1, len(bodies) + 1)]
    return {
        f"{folder}/{name}.py": revision(name, names[at - 1] if at else None, *body)
        for at, (name, body) in enumerate(zip(names, bodies, strict=True))
    }


def env(text: str = ENV, *, live: str = LIVE) -> Files:
    """Return an env.py whose own settings point at an address."""
    return {"migrations/env.py": text.replace("{live}", live)}


BASE: Final[Mapping[str, str]] = {
    "pyproject.toml": PROJECT,
    "alembic.ini": INI,
    "models.py": MODELS,
    **env(),
    **history(BERTHS, SHIPS, LENGTH),
}


def sample(*further: Mapping[str, str], without: tuple[str, ...] = ()) -> Files:
    """Return the good history with further files, those named in `without` left out."""
    files = dict(BASE)
    for more in further:
        files.update(more)
    return {name: text for name, text in files.items() if not name.startswith(without or ("\0",))}


def fourth(upgrade: str, downgrade: str, *, extra: str = "") -> Files:
    """Return a revision on top of the good history."""
    return {"migrations/versions/a0004.py": revision("a0004", "a0003", upgrade, downgrade, extra=extra)}


# What their upgrades make is in the models too, so that only the downgrade is wrong.
_FLAGS: Final = {"models.py": f"""{MODELS}

class Flag(Base):
    __tablename__ = "flags"
    id = mapped_column(Integer, primary_key=True)
"""}
_CARGO: Final = {"models.py": f"""{MODELS.replace("ForeignKey", "Enum, ForeignKey", 1)}

class Cargo(Base):
    __tablename__ = "cargo"
    id = mapped_column(Integer, primary_key=True)
    kind = mapped_column(Enum("dry", "wet", name="cargokind"))
"""}
_UNIQUE: Final = {
    "models.py": MODELS.replace("ForeignKey", "ForeignKey, UniqueConstraint", 1).replace(
        '"ships"\n', '"ships"\n    __table_args__ = (UniqueConstraint("name", name="uq_ships_name"),)\n'
    )
}
BROKEN_DOWNGRADE: Final = _UNIQUE | fourth(
    'op.create_unique_constraint("uq_ships_name", "ships", ["name"])',
    'op.drop_constraint("uq_ship_name", "ships")',
)
UNNAMED_DOWNGRADE: Final = _UNIQUE | fourth(
    'op.create_unique_constraint("uq_ships_name", "ships", ["name"])', 'op.drop_constraint(None, "ships")'
)
PASSING_DOWNGRADE: Final = _FLAGS | fourth(FLAG[0], "pass")
REFUSED_DOWNGRADE: Final = _FLAGS | fourth(FLAG[0], 'raise NotImplementedError("cannot go back")')
KEPT_ENUM: Final = _CARGO | fourth(
    """op.create_table("cargo", sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Enum("dry", "wet", name="cargokind")))""",
    'op.drop_table("cargo")',
)
# Down and up again succeeds, but the index of an older revision is lost.
LOST_INDEX: Final = {
    "models.py": MODELS.replace(
        "length = mapped_column(Integer)", "length = mapped_column(Integer, index=True)"
    )
} | fourth(
    'op.create_index("ix_ships_length", "ships", ["length"])',
    """op.drop_index("ix_ships_length", "ships")
    op.drop_index("ix_ships_name", "ships")""",
)
# Two names that are alike in their first 63 characters. The downgrade restores one of them with another condition.
_LONG: Final = "ck_ships_" + "x" * 48


def _made(first: str) -> str:
    return f"""op.execute("ALTER TABLE ships DROP CONSTRAINT IF EXISTS {_LONG}_1, DROP CONSTRAINT IF EXISTS {_LONG}_2")
    op.execute("ALTER TABLE ships ADD CONSTRAINT {_LONG}_1 CHECK (length > {first})")
    op.execute("ALTER TABLE ships ADD CONSTRAINT {_LONG}_2 CHECK (length < 900)")"""


ALIKE: Final = {
    **fourth(
        _made("0"), f'op.execute("ALTER TABLE ships DROP CONSTRAINT {_LONG}_1, DROP CONSTRAINT {_LONG}_2")'
    ),
    "migrations/versions/a0005.py": revision("a0005", "a0004", _made("1"), _made("2")),
}
FAILING_UPGRADE: Final = fourth('op.execute("ALTER TABLE boats ADD COLUMN x int")', "pass")
SYNTAX_ERROR: Final = fourth("op.execute(", "pass")
DRIFT: Final = {
    "models.py": MODELS.replace(
        "    length = mapped_column(Integer)\n",
        "    length = mapped_column(Integer)\n    flag = mapped_column(String(2))\n",
    )
}
DRIFT_LINE: Final = 1 + DRIFT["models.py"].splitlines().index("    flag = mapped_column(String(2))")
LONG_WAIT: Final = fourth(
    """op.execute("SELECT pg_advisory_xact_lock(7)")
    with sa.create_engine(op.get_bind().engine.url, poolclass=sa.pool.NullPool).connect() as other:
        other.execute(sa.text("SELECT pg_advisory_xact_lock(7)"))""",
    "pass",
)
EXTENSION: Final = fourth(
    """op.execute('CREATE EXTENSION "uuid-ossp"')
    op.execute("SELECT uuid_generate_v4()")
    op.execute("ALTER TABLE ships ADD COLUMN token uuid")""",
    """op.execute("ALTER TABLE ships DROP COLUMN token")
    op.execute('DROP EXTENSION "uuid-ossp"')""",
)
EXTENSION_MODELS: Final = {
    "models.py": MODELS.replace("String\n", "String, Uuid\n") + "    token = mapped_column(Uuid)\n"
}
_COLLATED: Final = "op.execute('ALTER TABLE ships ALTER COLUMN name TYPE varchar(40) COLLATE \"{}\"')"
COLLATION: Final = fourth(_COLLATED.format("de-x-icu"), _COLLATED.format("default"))
UNKNOWN_LOCALE: Final = fourth(_COLLATED.format("xx_XX.utf8"), _COLLATED.format("default"))
TOML: Final = {"pyproject.toml": f"""{PROJECT}
[tool.alembic]
script_location = "%(here)s/migrations"
prepend_sys_path = ["."]
"""}
X_ENV: Final = ENV.replace(
    "\n\ndef run",
    '\nSCHEMA = context.get_x_argument(as_dictionary=True)["schema"]\n\n\ndef run',
).replace(
    "        context.configure(",
    '        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")\n'
    '        connection.exec_driver_sql(f"SET search_path TO {SCHEMA}")\n'
    "        connection.commit()\n"
    "        context.configure(",
)
SETTINGS: Final = """from pydantic import PostgresDsn
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    harbour_database: PostgresDsn
    harbour_secret_key: str


settings = Settings()
"""
SETTINGS_ENV: Final = ENV.replace("import models", "import models\nfrom settings import settings").replace(
    'os.environ.get("DATABASE_URL", "{live}")',
    'os.environ.get("DATABASE_URL", str(settings.harbour_database))',
)
FLASK_APP: Final = f"""import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Berth(db.Model):
    __tablename__ = "berths"
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(40), nullable=False, unique=True)


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", "{LIVE}")
    db.init_app(app)
    Migrate(app, db)
    return app
"""
# After the template of Flask-Migrate 4, without its logging.
FLASK_ENV: Final = """from alembic import context
from flask import current_app

config = context.config
database = current_app.extensions["migrate"].db
config.set_main_option(
    "sqlalchemy.url", database.engine.url.render_as_string(hide_password=False).replace("%", "%%")
)


def run():
    with database.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=database.metadata)
        with context.begin_transaction():
            context.run_migrations()


run()
"""
FLASK: Final[Mapping[str, str]] = {
    "pyproject.toml": PROJECT,
    ".flaskenv": "FLASK_APP=harbour:create_app\n",
    "harbour.py": FLASK_APP,
    "migrations/alembic.ini": "[alembic]\n",
    "migrations/env.py": FLASK_ENV,
    **history(BERTHS),
}
# A transaction for each revision, in a connection that has already begun one.
EACH_ENV: Final = ENV.replace(
    "metadata=models.Base.metadata)", "metadata=models.Base.metadata, transaction_per_migration=True)"
).replace(
    "        with context.begin", '        connection.exec_driver_sql("SELECT 1")\n        with context.begin'
)
# As in projects with one schema per tenant: on an empty database it runs no migration.
IDLE_ENV: Final = ENV.replace(
    "        context.configure(", '        if not connection.dialect.has_schema(connection, "tenant"):\n'
    "            return\n        context.configure(",
)  # fmt: skip
PASSED_CONNECTION_ENV: Final = """from alembic import context

import models

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=models.Base.metadata)
with context.begin_transaction():
    context.run_migrations()
"""
SQLITE: Final = "sqlite:///live.db"
# The second revision cannot be taken back, and is older than the change, which is the third.
OLD_FAULT: Final[Mapping[str, str]] = {
    **{name: text for name, text in BASE.items() if "/versions/" not in name},
    **_FLAGS,
    "models.py": _FLAGS["models.py"].replace("    length = mapped_column(Integer)\n", ""),
    **history(BERTHS, (FLAG[0], "pass"), SHIPS),
}
