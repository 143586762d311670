"""What people want to hear."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
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
