"""A project whose newest migration has statements that hurt in production."""

from typing import Final

_ENV = """\
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine("postgresql+psycopg://shop:secret@db.example.com/live", poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""
_OLD = """\
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))
    op.add_column("users", sa.Column("age", sa.Integer))
    op.alter_column("users", "age", type_=sa.SmallInteger())


def downgrade():
    op.drop_table("users")
"""
_NEW = """\
import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.alter_column("users", "name", type_=sa.Text())
    op.alter_column("users", "age", type_=sa.BigInteger())
    op.create_index("ix_users_name", "users", ["name"])
    op.execute("ALTER TABLE users SET UNLOGGED")
    op.create_table("teams", sa.Column("id", sa.Integer, primary_key=True))
    op.create_index("ix_teams", "teams", ["id"])
    op.bulk_insert(sa.table("teams", sa.column("id", sa.Integer)), [{"id": 1}, {"id": 2}])
    with op.get_context().autocommit_block():
        op.create_index("ix_users_age", "users", ["age"], postgresql_concurrently=True)


def downgrade():
    op.drop_index("ix_users_age")
    op.drop_table("teams")
    op.execute("ALTER TABLE users SET LOGGED")
    op.drop_index("ix_users_name")
    op.alter_column("users", "age", type_=sa.SmallInteger())
    op.alter_column("users", "name", type_=sa.String(20))
"""
SHOP: Final[dict[str | bytes, str | bytes]] = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n'
    'dependencies = ["alembic", "psycopg[binary]", "sqlalchemy"]\n[tool.uv]\npackage = false\n',
    "alembic.ini": "[alembic]\nscript_location = migrations\n",
    "migrations/env.py": _ENV,
    "migrations/versions/a1.py": _OLD,
}
NEW: Final[dict[str | bytes, str | bytes]] = {"migrations/versions/b2.py": _NEW}
