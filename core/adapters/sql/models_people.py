"""How people came to be known."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.adapters.sql.base import NUMBERED, Base, Id, words


class AccessRequest(Base):
    """Somebody asked to be let in (`core.records.AccessRequestRow`)."""

    __tablename__ = "access_requests"
    __table_args__ = (
        Index(None, "state"),
        Index(None, "user_id"),
        words("state", "waiting", "approved", "blocked"),
        NUMBERED,
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    username: Mapped[str]
    state: Mapped[str]
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str]


class Invitation(Base):
    """A code that hands an account over (`core.records.InvitationRow`)."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("digest"),
        Index(None, "account_id"),
        words("state", "open", "used", "void"),
        NUMBERED,
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    digest: Mapped[str]
    state: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class Confirmation(Base):
    """Something previewed that waits for its asker (`core.records.ConfirmationRow`)."""

    __tablename__ = "confirmations"
    __table_args__ = (words("state", "open", "done", "cancelled"), NUMBERED)

    id: Mapped[Id]
    asker_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    change: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    state: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
