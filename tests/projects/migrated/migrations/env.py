"""Connects Alembic with the database of the ledger."""

import os

from alembic import context
from sqlalchemy import create_engine

from ledger.models import Base

URL = os.environ.get("LEDGER_URL", "postgresql+psycopg://ledger@db.example.org/ledger")

with create_engine(URL).connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
