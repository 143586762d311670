"""What guard rules did, or would have done."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.adapters.sql.base import NUMBERED, Base, Id, words


class RuleEvent(Base):
    """One time a rule was broken (`core.records.RuleEventRow`)."""

    __tablename__ = "rule_events"
    __table_args__ = (
        Index(None, "account_id", "opened_at"),
        words("mode", "observe", "advise", "enforce"),
        words("severity", "close_all", "pause_day", "warn"),
        NUMBERED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    rule: Mapped[str]
    title: Mapped[str]
    mode: Mapped[str]
    severity: Mapped[str]
    figure: Mapped[Decimal]
    floor: Mapped[Decimal]
    equity: Mapped[Decimal]
    worst_equity: Mapped[Decimal | None]
    result: Mapped[Decimal | None]
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
