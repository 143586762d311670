"""People and their accounts, with the latest state of each account."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.adapters.sql.base import NUMBERED, Base, Id, words
from core.adapters.sql.types import BigId

if TYPE_CHECKING:
    from core.adapters.sql.models_reconciliation import (
        DrawdownAlert,
        PositionSnapshot,
        ReconciliationLog,
    )


class User(Base):
    """A person who may talk to the bot (`core.records.UserRow`)."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("telegram_id"),
        words("role", "client", "admin", "owner", "pending", "blocked"),
        NUMBERED,
    )

    id: Mapped[Id]
    telegram_id: Mapped[int]
    name: Mapped[str]
    role: Mapped[str]
    time_zone: Mapped[str]
    created_at: Mapped[datetime]
    file_role: Mapped[str | None]
    blocked_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    language: Mapped[str | None]
    app_language: Mapped[str | None]

    reconciliation_logs: Mapped[list["ReconciliationLog"]] = relationship(
        back_populates="user", lazy="raise", passive_deletes="all"
    )
    position_snapshots: Mapped[list["PositionSnapshot"]] = relationship(
        back_populates="user", lazy="raise", passive_deletes="all"
    )
    drawdown_alerts: Mapped[list["DrawdownAlert"]] = relationship(
        back_populates="user", lazy="raise", passive_deletes="all"
    )


class Account(Base):
    """A trading account and the limits in force for it (`core.records.AccountRow`)."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("login", "server"),
        words("margin_mode", "netting", "exchange", "hedging"),
        NUMBERED,
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    login: Mapped[int]
    server: Mapped[str]
    name: Mapped[str]
    currency: Mapped[str]
    margin_mode: Mapped[str]
    enabled: Mapped[bool]
    max_drawdown_percent: Mapped[Decimal]
    warn_drawdown_percent: Mapped[Decimal]
    min_equity_gbp: Mapped[Decimal]
    countdown_s: Mapped[int]
    pending_max_drawdown_percent: Mapped[Decimal | None]
    pending_warn_drawdown_percent: Mapped[Decimal | None]
    pending_min_equity_gbp: Mapped[Decimal | None]
    pending_effective_at: Mapped[datetime | None]
    token_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    rules: Mapped[dict[str, Any] | None]
    pending_rules: Mapped[dict[str, Any] | None]
    pending_rules_effective_at: Mapped[datetime | None]
    file_owner: Mapped[int | None] = mapped_column(BigId)
    owned_since: Mapped[datetime | None]


class AccountState(Base):
    """The latest of one account, rewritten every cycle (`core.records.AccountStateRow`).

    The row is hot: half-empty pages let PostgreSQL update it in place (measured: all updates HOT
    at fillfactor 50).
    """

    __tablename__ = "account_state"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    id: Mapped[int] = mapped_column(
        BigId, ForeignKey("accounts.id"), primary_key=True, autoincrement=False
    )
    observed_at: Mapped[datetime | None]
    unavailable_since: Mapped[datetime | None]
    unavailable_reason: Mapped[str | None]
    balance: Mapped[Decimal | None]
    credit: Mapped[Decimal | None]
    equity: Mapped[Decimal | None]
    profit: Mapped[Decimal | None]
    margin: Mapped[Decimal | None]
    margin_level_percent: Mapped[Decimal | None]
    positions_count: Mapped[int]
    autotrading: Mapped[bool]
    can_trade: Mapped[bool]
    server_offset_s: Mapped[int]
    gbp_rate: Mapped[Decimal | None]
    gbp_rate_at: Mapped[datetime | None]
    armed_at: Mapped[datetime | None]
    peak_equity: Mapped[Decimal | None]
    peak_at: Mapped[datetime | None]
    drawdown_percent: Mapped[Decimal | None]
    warned_at: Mapped[datetime | None]
    latched_at: Mapped[datetime | None]
    latch_reason: Mapped[str | None]
    release_requested_at: Mapped[datetime | None]
    release_granted_at: Mapped[datetime | None]
    release_granted_by: Mapped[int | None]
    withdrawal_exempt: Mapped[bool]
    ledger_balance: Mapped[Decimal | None]
    written_off: Mapped[Decimal]
    unexplained_since: Mapped[datetime | None]
    pending_flow: Mapped[Decimal]
    deals_cursor_at: Mapped[datetime | None]
    snapshot_row_at: Mapped[datetime | None]
    terminal_blocked_at: Mapped[datetime | None]
    terminal_blocked_reason: Mapped[str | None]
    obstacles: Mapped[list[str] | None]
    obstacles_since: Mapped[datetime | None]
    obstacles_told_at: Mapped[datetime | None]
    reappeared: Mapped[list[int] | None]
    trusted_at: Mapped[datetime | None]
    trusted_equity: Mapped[Decimal | None]
    trusted_balance: Mapped[Decimal | None]
    rule_memory: Mapped[dict[str, Any] | None]
    blind_since: Mapped[datetime | None]


class Terminal(Base):
    """Where an account's terminal is, its password encrypted (`core.records.TerminalRow`).

    No foreign key to the account: a terminal may be linked before the people file names it.
    """

    __tablename__ = "terminals"
    __table_args__ = (UniqueConstraint("login", "server"), NUMBERED)

    id: Mapped[Id]
    login: Mapped[int]
    server: Mapped[str]
    path: Mapped[str]
    portable: Mapped[bool]
    host: Mapped[str]
    password_token: Mapped[str | None]
    server_offset_s: Mapped[int | None]
    offset_at: Mapped[datetime | None]
    linked_at: Mapped[datetime]
    changed_at: Mapped[datetime]
