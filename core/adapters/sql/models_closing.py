"""Decisions to close and the warnings that lead to them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.adapters.sql.base import NUMBERED, Base, Id, words
from core.adapters.sql.models_reconciliation import UNRESOLVED


class CloseJob(Base):
    """A decision to close, carried out until proved (`core.records.CloseJobRow`)."""

    __tablename__ = "close_jobs"
    __table_args__ = (
        UniqueConstraint("account_id", "trigger_key"),
        Index(None, "state"),
        words("state", "countdown", "closing", "flat", "superseded"),
        NUMBERED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    trigger_key: Mapped[str]
    reason: Mapped[str]
    scope: Mapped[str]
    state: Mapped[str]
    deadline_at: Mapped[datetime]
    epoch: Mapped[int]
    equity_at_trigger: Mapped[Decimal | None]
    drawdown_percent: Mapped[Decimal | None]
    limit_percent: Mapped[Decimal | None]
    trouble: Mapped[str | None]
    flat_read_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    progress_at: Mapped[datetime | None]
    stalled_told_at: Mapped[datetime | None]
    opens_at: Mapped[datetime | None]


class CloseOrder(Base):
    """One attempt at one ticket of a close job (`core.records.CloseOrderRow`)."""

    __tablename__ = "close_orders"
    __table_args__ = (
        UniqueConstraint("job_id", "ticket", "attempt"),
        Index(None, "job_id"),
        words("action", "close", "cancel"),
        words("side", "buy", "sell"),
        words("state", "intended", "done", "refused", "unknown", "settled"),
        NUMBERED,
    )

    id: Mapped[Id]
    job_id: Mapped[int] = mapped_column(ForeignKey("close_jobs.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    ticket: Mapped[int]
    position_id: Mapped[int]
    action: Mapped[str]
    attempt: Mapped[int]
    symbol: Mapped[str]
    side: Mapped[str]
    volume: Mapped[Decimal]
    filling: Mapped[int]
    state: Mapped[str]
    retcode: Mapped[int | None]
    deal: Mapped[int | None]
    price: Mapped[Decimal | None]
    profit: Mapped[Decimal | None]
    error: Mapped[str | None]
    epoch: Mapped[int]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    held: Mapped[Decimal | None]
    deviation_points: Mapped[int | None]


class MarketWarning(Base):
    """A fault of a market, one open per key (`core.records.MarketWarningRow`)."""

    __tablename__ = "market_warnings"
    __table_args__ = (
        Index(
            "uq_market_warnings_unresolved",
            "server",
            "symbol",
            "kind",
            unique=True,
            postgresql_where=UNRESOLVED,
            sqlite_where=UNRESOLVED,
        ),
        words("state", "open", "held", "dismissed", "closing", "resolved"),
        NUMBERED,
    )

    id: Mapped[Id]
    server: Mapped[str]
    symbol: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    figure: Mapped[Decimal]
    limit: Mapped[Decimal]
    worst: Mapped[Decimal]
    account_ids: Mapped[list[int]]
    opened_at: Mapped[datetime]
    deadline_at: Mapped[datetime]
    hold_until: Mapped[datetime | None]
    answered_by: Mapped[int | None]
    answered_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    rule: Mapped[str] = mapped_column(server_default="limit")
    action: Mapped[str] = mapped_column(server_default="warn")
    typical: Mapped[Decimal | None]
    price_before: Mapped[Decimal | None]
    price_after: Mapped[Decimal | None]
    before_at: Mapped[datetime | None]
    wait_until: Mapped[datetime | None]
    calm_since: Mapped[datetime | None]


class Override(Base):
    """A human's decision over a market warning (`core.records.OverrideRow`)."""

    __tablename__ = "overrides"
    __table_args__ = (NUMBERED,)

    id: Mapped[Id]
    warning_id: Mapped[int] = mapped_column(ForeignKey("market_warnings.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    verb: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class MarketQuote(Base):
    """A symbol's last quote and samples at one server (`core.records.MarketQuoteRow`)."""

    __tablename__ = "market_quotes"
    __table_args__ = (UniqueConstraint("server", "symbol"), NUMBERED)

    id: Mapped[Id]
    server: Mapped[str]
    symbol: Mapped[str]
    bid: Mapped[Decimal]
    ask: Mapped[Decimal]
    quoted_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    server_offset_s: Mapped[int]
    moves: Mapped[list[int]]
    spreads: Mapped[dict[str, Any]]
