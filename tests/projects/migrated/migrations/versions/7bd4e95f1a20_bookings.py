"""Add the bookings."""

import sqlalchemy as sa
from alembic import op

revision = "7bd4e95f1a20"
down_revision = "2f81c0a6d3e4"


def upgrade() -> None:
    op.create_table(
        "bookings",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("booked", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_bookings_account_id", "bookings", ["account_id"])


def downgrade() -> None:
    op.drop_table("bookings")
