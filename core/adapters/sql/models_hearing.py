"""What people want to hear, and what they have to say they have."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.adapters.sql.base import NUMBERED, Base, Id


class Preference(Base):
    """One person's choices (`core.records.PreferenceRow`)."""

    __tablename__ = "preferences"
    __table_args__ = (UniqueConstraint("user_id"), NUMBERED)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int]
    levels: Mapped[dict[str, Any]]
    quiet_start_min: Mapped[int | None]
    quiet_end_min: Mapped[int | None]
    time_zone: Mapped[str]
    changed_at: Mapped[datetime]


class Alarm(Base):
    """An alert that an admin has to say they have (`core.records.AlarmRow`)."""

    __tablename__ = "alarms"
    __table_args__ = (
        UniqueConstraint("outbox_id"),
        Index(None, "told_at"),
        Index(None, "thread"),
        Index(None, "account_id"),
        NUMBERED,
    )

    id: Mapped[Id]
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"))
    account_id: Mapped[int]
    thread: Mapped[str]
    kind: Mapped[str]
    opened_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    repeats: Mapped[int]
    taken_by: Mapped[str | None]
    taken_at: Mapped[datetime | None]
    over_at: Mapped[datetime | None]


class Card(Base):
    """A client's pinned card (`core.records.CardRow`)."""

    __tablename__ = "cards"
    __table_args__ = (UniqueConstraint("user_id"), NUMBERED)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    message_id: Mapped[int | None]
    pinned_id: Mapped[int | None]
    shown: Mapped[str]
    edited_at: Mapped[datetime | None]
    next_at: Mapped[datetime]
