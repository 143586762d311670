"""What admins paused."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.adapters.sql.base import NUMBERED, Base, Id, words


class Pause(Base):
    """One pause (`core.records.PauseRow`)."""

    __tablename__ = "pauses"
    __table_args__ = (Index(None, "what", "until"), words("what", "market", "signals"), NUMBERED)

    id: Mapped[Id]
    what: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    created_at: Mapped[datetime]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
