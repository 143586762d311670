"""What reconciliation and the drawdown guard leave behind, and the broker's deals.

`reconciliation_logs`, `position_snapshots` and `drawdown_alerts` carry exactly the fourteen indexes
that their readers use; a test counts them.
"""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.adapters.sql.base import NUMBERED, Base, Id, words

if TYPE_CHECKING:
    from core.adapters.sql.models_accounts import User
    from core.adapters.sql.models_trading import Approval, Signal

UNRESOLVED = text("resolved_at IS NULL")


class ReconciliationLog(Base):
    """One event of reconciliation (`core.records.ReconciliationLogRow`)."""

    __tablename__ = "reconciliation_logs"
    __table_args__ = (
        Index(None, "user_id", "created_at"),
        Index(None, "symbol", "created_at"),
        Index(None, "event_type"),
        Index(None, "status"),
        Index(None, "user_id"),
        Index(None, "signal_id"),
        Index(None, "approval_id"),
        words("direction", "buy", "sell"),
        words("event_type", "sync", "close", "guard_trigger", "warning"),
        words("status", "success", "partial", "failed", "warning"),
        NUMBERED,
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    signal_id: Mapped[int | None] = mapped_column(ForeignKey("signals.id"))
    approval_id: Mapped[int | None] = mapped_column(ForeignKey("approvals.id"))
    mt5_position_id: Mapped[int | None]
    symbol: Mapped[str | None]
    direction: Mapped[str | None]
    volume: Mapped[Decimal | None]
    entry_price: Mapped[Decimal | None]
    current_price: Mapped[Decimal | None]
    exit_price: Mapped[Decimal | None]
    take_profit: Mapped[Decimal | None]
    stop_loss: Mapped[Decimal | None]
    matched: Mapped[bool]
    divergence_reason: Mapped[str | None]
    slippage_pips: Mapped[Decimal | None]
    close_reason: Mapped[str | None]
    currency: Mapped[str]
    pnl: Mapped[Decimal | None]
    pnl_gbp: Mapped[Decimal | None]
    pnl_percent: Mapped[Decimal | None]
    event_type: Mapped[str]
    status: Mapped[str]
    error_message: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    user: Mapped["User"] = relationship(back_populates="reconciliation_logs", lazy="raise")
    signal: Mapped["Signal | None"] = relationship(
        back_populates="reconciliation_logs", lazy="raise"
    )
    approval: Mapped["Approval | None"] = relationship(
        back_populates="reconciliation_logs", lazy="raise"
    )


class PositionSnapshot(Base):
    """A sampled reading, or one outage (`core.records.PositionSnapshotRow`)."""

    __tablename__ = "position_snapshots"
    __table_args__ = (
        Index(None, "user_id", "created_at"),
        Index(None, "user_id"),
        NUMBERED,
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    currency: Mapped[str]
    equity: Mapped[Decimal | None]
    balance: Mapped[Decimal | None]
    peak_equity: Mapped[Decimal | None]
    equity_gbp: Mapped[Decimal | None]
    balance_gbp: Mapped[Decimal | None]
    peak_equity_gbp: Mapped[Decimal | None]
    gbp_rate: Mapped[Decimal | None]
    gbp_rate_at: Mapped[datetime | None]
    drawdown_percent: Mapped[Decimal | None]
    open_positions_count: Mapped[int | None]
    total_volume_lots: Mapped[Decimal | None]
    open_pnl: Mapped[Decimal | None]
    open_pnl_gbp: Mapped[Decimal | None]
    margin_used_percent: Mapped[Decimal | None]
    last_sync_at: Mapped[datetime | None]
    sync_error: Mapped[str | None]
    created_at: Mapped[datetime]

    user: Mapped["User"] = relationship(back_populates="position_snapshots", lazy="raise")


Index(
    "ix_position_snapshots_user_id_created_at_desc",
    PositionSnapshot.user_id,
    PositionSnapshot.created_at.desc(),
)


class DrawdownAlert(Base):
    """A drawdown warning or execution (`core.records.DrawdownAlertRow`)."""

    __tablename__ = "drawdown_alerts"
    __table_args__ = (
        Index(None, "user_id", "created_at"),
        Index(None, "alert_type"),
        Index(None, "status"),
        Index(None, "user_id"),
        words("alert_type", "warning", "execution"),
        words("action_taken", "warning_sent", "positions_closed", "failed"),
        NUMBERED,
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("close_jobs.id"))
    alert_type: Mapped[str]
    drawdown_percent: Mapped[Decimal]
    currency: Mapped[str]
    equity: Mapped[Decimal]
    equity_gbp: Mapped[Decimal | None]
    threshold_percent: Mapped[Decimal]
    action_taken: Mapped[str]
    positions_closed_count: Mapped[int]
    total_loss: Mapped[Decimal | None]
    total_loss_gbp: Mapped[Decimal | None]
    status: Mapped[str]
    created_at: Mapped[datetime]
    executed_at: Mapped[datetime | None]

    user: Mapped["User"] = relationship(back_populates="drawdown_alerts", lazy="raise")


class Episode(Base):
    """A divergence's life, one open per key (`core.records.EpisodeRow`)."""

    __tablename__ = "episodes"
    __table_args__ = (
        Index(
            "uq_episodes_unresolved",
            "account_id",
            "kind",
            "subject",
            unique=True,
            postgresql_where=UNRESOLVED,
            sqlite_where=UNRESOLVED,
        ),
        NUMBERED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str]
    subject: Mapped[str]
    trade_id: Mapped[int | None] = mapped_column(ForeignKey("trades.id"))
    material: Mapped[str]
    detail: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]


class Question(Base):
    """Which trade a position is, asked until a person says so (`core.records.QuestionRow`)."""

    __tablename__ = "questions"
    __table_args__ = (
        UniqueConstraint("account_id", "position_id"),
        Index(None, "state"),
        words("state", "open", "declined", "adopted", "over"),
        NUMBERED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    position_id: Mapped[int]
    episode_id: Mapped[int | None] = mapped_column(ForeignKey("episodes.id"))
    state: Mapped[str]
    version: Mapped[int]
    about: Mapped[str]
    candidates: Mapped[list[int]]
    detail: Mapped[dict[str, Any]]
    declined_about: Mapped[str | None]
    declined_candidates: Mapped[list[int] | None]
    answered_by: Mapped[int | None]
    answered_at: Mapped[datetime | None]
    trade_id: Mapped[int | None] = mapped_column(ForeignKey("trades.id"))
    status_before: Mapped[str | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Deal(Base):
    """A deal of the broker, read once (`core.records.DealRow`)."""

    __tablename__ = "deals"
    __table_args__ = (
        UniqueConstraint("account_id", "ticket"),
        Index(None, "account_id", "position_id"),
        Index(None, "account_id", "executed_at"),
        NUMBERED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    ticket: Mapped[int]
    position_id: Mapped[int]
    deal_type: Mapped[int]
    entry: Mapped[int]
    reason: Mapped[int]
    symbol: Mapped[str]
    volume: Mapped[Decimal]
    price: Mapped[Decimal]
    profit: Mapped[Decimal]
    commission: Mapped[Decimal]
    swap: Mapped[Decimal]
    fee: Mapped[Decimal]
    magic: Mapped[int]
    comment: Mapped[str]
    executed_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class CashFlow(Base):
    """Money in or out and what it did to the peak (`core.records.CashFlowRow`)."""

    __tablename__ = "cash_flows"
    __table_args__ = (UniqueConstraint("account_id", "deal_ticket"), NUMBERED)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    deal_ticket: Mapped[int]
    kind: Mapped[str]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    peak_before: Mapped[Decimal | None]
    peak_after: Mapped[Decimal | None]
    executed_at: Mapped[datetime]
    created_at: Mapped[datetime]
