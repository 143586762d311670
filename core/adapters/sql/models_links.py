"""Accounts that their clients link in the private chat."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.adapters.sql.base import NUMBERED, Base, Id, words


class LinkRequest(Base):
    """Somebody links an account (`core.records_links.LinkRequestRow`)."""

    __tablename__ = "link_requests"
    __table_args__ = (
        Index(None, "user_id"),
        Index(None, "state"),
        words(
            "state",
            "server",
            "login",
            "password",
            "waiting",
            "approved",
            "linked",
            "refused",
            "failed",
            "cancelled",
            "expired",
        ),
        NUMBERED,
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    state: Mapped[str]
    server: Mapped[str]
    login: Mapped[int]
    password_token: Mapped[str | None]
    problem: Mapped[str]
    wrong: Mapped[int]
    late: Mapped[int]
    checks: Mapped[int]
    begun_at: Mapped[datetime]
    due_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    failure: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
