"""Add the accounts."""

import sqlalchemy as sa
from alembic import op

revision = "2f81c0a6d3e4"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False, unique=True),
        sa.Column("kind", sa.Enum("ASSET", "DEBT", name="account_kind"), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("accounts")
    op.execute("DROP TYPE account_kind")
