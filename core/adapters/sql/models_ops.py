"""The machinery's own tables: audit chain, outbox, journal of updates, ownership."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.adapters.sql.base import NUMBERED, Base, Id, words


class Audit(Base):
    """One link of an audit chain (`core.records.AuditRow`).

    `account_id` has no foreign key: 0 is the system's chain. Triggers of the migration refuse
    every UPDATE and DELETE.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        UniqueConstraint("account_id", "sequence"),
        CheckConstraint("sequence >= 1", name="sequence"),
        NUMBERED,
    )

    id: Mapped[Id]
    account_id: Mapped[int]
    sequence: Mapped[int]
    actor: Mapped[str]
    action: Mapped[str]
    detail: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    prev_hash: Mapped[str]
    hash: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")
    key_id: Mapped[str | None]


class Outbox(Base):
    """A message committed with the state it tells of (`core.records.OutboxRow`)."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index(None, "state", "due_at"),
        Index(None, "chat_id", "thread"),
        Index(None, "chat_id", "created_at"),
        words("mode", "new", "edit", "reply"),
        words("state", "due", "sending", "sent", "failed"),
        CheckConstraint("priority BETWEEN 0 AND 2", name="priority"),
        NUMBERED,
    )

    id: Mapped[Id]
    dedupe_key: Mapped[str]
    chat_id: Mapped[int]
    priority: Mapped[int]
    thread: Mapped[str]
    mode: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    message_id: Mapped[int | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    about_id: Mapped[int | None]
    rang: Mapped[bool | None]


class Chat(Base):
    """A chat as an address (`core.records.ChatRow`)."""

    __tablename__ = "chats"
    __table_args__ = (
        UniqueConstraint("chat_id"),
        CheckConstraint("missed >= 0", name="missed"),
        NUMBERED,
    )

    id: Mapped[Id]
    chat_id: Mapped[int]
    unreachable_since: Mapped[datetime | None]
    missed: Mapped[int]
    moved_to: Mapped[int | None]
    changed_at: Mapped[datetime]


class Press(Base):
    """One Telegram update, journalled before it is confirmed (`core.records.PressRow`)."""

    __tablename__ = "presses"
    __table_args__ = (
        UniqueConstraint("update_id"),
        UniqueConstraint("callback_id"),
        Index(None, "state"),
        words("state", "received", "handled", "failed"),
        NUMBERED,
    )

    id: Mapped[Id]
    update_id: Mapped[int]
    callback_id: Mapped[str | None]
    telegram_id: Mapped[int | None]
    chat_id: Mapped[int | None]
    body: Mapped[str]
    state: Mapped[str]
    error: Mapped[str | None]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]


class Lease(Base):
    """Who owns a shard of accounts, and since which epoch (`core.records.LeaseRow`)."""

    __tablename__ = "leases"
    __table_args__ = (UniqueConstraint("shard", "host_group"), NUMBERED)

    id: Mapped[Id]
    shard: Mapped[int]
    host_group: Mapped[str]
    owner: Mapped[str]
    epoch: Mapped[int]
    expires_at: Mapped[datetime | None]
