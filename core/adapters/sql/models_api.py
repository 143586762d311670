"""The HTTP API's tables: bearer tokens, and signed requests that were taken."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.adapters.sql.base import NUMBERED, Base, Id


class ApiToken(Base):
    """A bearer token (`core.records.ApiTokenRow`)."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("digest"), Index(None, "user_id"), NUMBERED)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    digest: Mapped[str]
    label: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ApiRequest(Base):
    """A signed request that was taken (`core.records.ApiRequestRow`)."""

    __tablename__ = "api_requests"
    __table_args__ = (UniqueConstraint("signature"), Index(None, "created_at"), NUMBERED)

    id: Mapped[Id]
    signature: Mapped[str]
    created_at: Mapped[datetime]
