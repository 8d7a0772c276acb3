"""Add notes to the bookings."""

import sqlalchemy as sa
from alembic import op

revision = "c3507e88b9d1"
down_revision = "7bd4e95f1a20"


def upgrade() -> None:
    op.add_column("bookings", sa.Column("note", sa.String(200)))


def downgrade() -> None:
    op.drop_column("bookings", "note")
