"""The tables."""

import enum
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Enum, ForeignKey, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The tables of the ledger."""


class Kind(enum.Enum):
    """What an account is for."""

    ASSET = "asset"
    DEBT = "debt"


class Account(Base):
    """An account."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[Kind] = mapped_column(Enum(Kind, name="account_kind"))


class Booking(Base):
    """An amount that is booked on an account."""

    __tablename__ = "bookings"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    booked: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(String(200))
