"""Messages that come too fast, folded into one summary, in the commit that makes them.

Decided when a message is put into the outbox and not when it is sent: the row that is folded, the
reason, and the summary that counts it are one commit, so that nothing can be lost between them, and
the sender's way stays as short as it is. What Telegram holds up and then takes at once is no burst:
it was told over a time, and each message says how late it is.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from core.domain import alerts as a
from core.domain.alerts_folded import AlertsFolded
from core.domain.bursts import LASTS, SPAN, folded_as, goes_on, grown, is_burst, is_heard
from core.domain.speech import EDIT, NEW
from core.ports import Transaction
from core.records import OutboxRow
from core.services.hearing import ALIVE, FOLDED, insert, put, why_not

KIND: Final = AlertsFolded.__name__
DUE: Final = "due"


async def put_or_fold(tx: Transaction, alert: a.Alert, row: OutboxRow, *, admin: int) -> int | None:
    """Insert an alert's message, folded where its chat has had enough; its id, None if known."""
    counted = folded_as(alert)
    if counted is None:
        return await put(tx, row, admin=admin)
    why = await why_not(tx, row, admin=admin)
    if why is not None:
        return await insert(tx, row, why)
    lately = await _lately(tx, row.chat_id, row.created_at)
    if not is_burst(lately, group=row.chat_id < 0):
        return await insert(tx, row, None)
    row_id = await insert(tx, row, FOLDED)
    if row_id is not None:
        await _sum_up(tx, alert, counted, row.chat_id, row.created_at)
    return row_id


async def _lately(tx: Transaction, chat_id: int, now: datetime) -> int:
    """New messages to the chat that were, or are to be, sent one by one."""
    alone: dict[str, Any] = {"mode": NEW, "priority__gt": int(a.Priority.CRITICAL)}
    since = {"created_at__gt": now - SPAN, "state": ALIVE, "kind__ne": KIND}
    return await tx.count(OutboxRow, chat_id=chat_id, **alone, **since)


async def _sum_up(
    tx: Transaction, alert: a.Alert, counted: tuple[str, int], chat_id: int, now: datetime
) -> None:
    """Count it in the chat's summary: in the row that still waits, else in an edit or a new one."""
    newest = await tx.first(
        OutboxRow, order_by="-id", chat_id=chat_id, kind=KIND, created_at__gt=now - LASTS
    )
    said = None if newest is None else msgspec.json.decode(newest.payload, type=AlertsFolded)
    if said is not None and not goes_on(said, now):
        said = None
    summary = grown(said, alert, counted, now)
    payload = msgspec.json.encode(summary).decode()
    if newest is not None and said is not None:
        heard = newest.mode == NEW or is_heard(said, alert, now)
        waits = {"id": newest.id, "state": DUE, "attempts": 0}
        if heard and await tx.update(OutboxRow, waits, payload=payload):
            return
        if not is_heard(said, alert, now):
            said, summary = None, grown(None, alert, counted, now)
            payload = msgspec.json.encode(summary).decode()
    since = summary.since.isoformat()
    await tx.insert(
        OutboxRow(
            dedupe_key=f"{KIND}:{chat_id}:{since}:{summary.messages}",
            chat_id=chat_id,
            priority=int(a.Priority.WARNING if said is None else a.Priority.INFO),
            thread=f"burst:{since}",
            mode=NEW if said is None else EDIT,
            kind=KIND,
            payload=payload,
            created_at=now,
            due_at=now,
        )
    )
