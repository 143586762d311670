"""Signals, the answers to them, and the trades that are therefore expected."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.adapters.sql.base import NUMBERED, Base, Id, words

if TYPE_CHECKING:
    from core.adapters.sql.models_reconciliation import ReconciliationLog


class Signal(Base):
    """A trading signal (`core.records.SignalRow`)."""

    __tablename__ = "signals"
    __table_args__ = (
        UniqueConstraint("source_key"),
        Index(None, "status", "expires_at"),
        words("side", "buy", "sell"),
        NUMBERED,
    )

    id: Mapped[Id]
    author_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    symbol: Mapped[str]
    side: Mapped[str]
    volume: Mapped[Decimal]
    stop_loss: Mapped[Decimal | None]
    take_profit: Mapped[Decimal | None]
    source_key: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    reconciliation_logs: Mapped[list["ReconciliationLog"]] = relationship(
        back_populates="signal", lazy="raise", passive_deletes="all"
    )


class Approval(Base):
    """An account's answer to a signal (`core.records.ApprovalRow`)."""

    __tablename__ = "approvals"
    __table_args__ = (
        UniqueConstraint("signal_id", "user_id", "account_id"),
        Index(None, "account_id", "status"),
        words("status", "offered", "approved", "rejected", "expired"),
        NUMBERED,
    )

    id: Mapped[Id]
    signal_id: Mapped[int] = mapped_column(ForeignKey("signals.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[str]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]

    reconciliation_logs: Mapped[list["ReconciliationLog"]] = relationship(
        back_populates="approval", lazy="raise", passive_deletes="all"
    )


class Trade(Base):
    """An expected trade (`core.records.TradeRow`)."""

    __tablename__ = "trades"
    __table_args__ = (
        UniqueConstraint("approval_id"),
        UniqueConstraint("magic"),
        Index(None, "account_id", "status"),
        words("side", "buy", "sell"),
        words("status", "pending", "open", "closed", "cancelled", "expired"),
        NUMBERED,
    )

    id: Mapped[Id]
    approval_id: Mapped[int | None] = mapped_column(ForeignKey("approvals.id"))
    signal_id: Mapped[int | None] = mapped_column(ForeignKey("signals.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    symbol: Mapped[str]
    side: Mapped[str]
    volume: Mapped[Decimal]
    stop_loss: Mapped[Decimal | None]
    take_profit: Mapped[Decimal | None]
    expected_entry: Mapped[Decimal]
    expected_at: Mapped[datetime]
    magic: Mapped[int]
    comment: Mapped[str]
    deadline_at: Mapped[datetime]
    status: Mapped[str]
    position_id: Mapped[int | None]
    entry_price: Mapped[Decimal | None]
    observed_volume: Mapped[Decimal | None]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    exit_price: Mapped[Decimal | None]
    close_reason: Mapped[str | None]
    pnl: Mapped[Decimal | None]
    missing_since: Mapped[datetime | None]
    missing_count: Mapped[int]
    created_at: Mapped[datetime]
    other_position_ids: Mapped[list[int] | None]
    stop_seen: Mapped[bool | None]
    target_seen: Mapped[bool | None]
    adopted_by: Mapped[int | None]
    adopted_at: Mapped[datetime | None]
