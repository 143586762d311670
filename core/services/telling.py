"""A link for each message about a decision, once its fate is known: which message, when, where.

The decision's own link names the outbox rows that tell of it; these links name what became of them.
"""

import hashlib
from datetime import datetime
from typing import Final

import msgspec

from core.domain import alerts as a
from core.domain import alerts_rules as r
from core.domain import audit_words as words
from core.domain.alerts_market import MarketWarning
from core.domain.audit import SYSTEM
from core.ports import Transaction
from core.records import OutboxRow
from core.services import audit

AUDITED: Final = frozenset(
    kind.__name__
    for kind in (
        a.DrawdownWarning,
        a.GuardBreached,
        a.CloseConfirmed,
        a.CloseTrouble,
        a.LatchedReappeared,
        a.ReleaseAsked,
        a.ReleaseAnswered,
        MarketWarning,
        a.LimitsChanged,
        r.RuleBroken,
        r.GuardBlind,
    )
)
"""Kinds of message that tell of a decision."""


async def audit_fate(
    tx: Transaction, row: OutboxRow, now: datetime, *, message_id: int | None, error: str | None
) -> None:
    """Add the link, to the chain of the account that the message is about, else the system's."""
    if row.kind not in AUDITED:
        return
    about = msgspec.json.decode(row.payload, type=dict[str, msgspec.Raw])
    account_id = msgspec.json.decode(about["account_id"], type=int) if "account_id" in about else 0
    detail = {
        "outbox": row.id,
        "kind": row.kind,
        "thread": row.thread,
        "chat_id": row.chat_id,
        "message_id": message_id,
        "error": error,
        "payload_sha256": hashlib.sha256(row.payload.encode()).hexdigest(),
    }
    await audit.append(tx, account_id or SYSTEM, "engine", words.ALERT_SENT, detail, now)
