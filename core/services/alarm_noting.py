"""Alarms raised and ended with the alerts that do so, in their transaction."""

from datetime import datetime
from typing import Any, Final

from core.domain import alarms
from core.domain import alerts as a
from core.domain.alerts import Priority
from core.domain.speech import EDIT, NEW, deliver
from core.ports import Transaction
from core.records import AlarmRow, OutboxRow

COPIES_MAX: Final = 100
COPY: Final = "alarm:"
"""How the threads of repeats and of changes to alarms begin; the alarm's id follows."""


async def note(
    tx: Transaction, alert: a.Alert, rows: dict[int, int], *, admin: int, now: datetime
) -> None:
    """Raise an alarm for an alert just put into the outbox, or end those it ends.

    `rows` are its outbox rows by chat. One that stands already in the thread, of the same kind, is
    not raised again.
    """
    account_id = getattr(alert, "account_id", 0)
    thread = deliver(alert).thread
    if alarms.ends_thread(alert):
        await _end(tx, now, in_place=deliver(alert).mode == EDIT, thread=thread)
    elif alarms.ends_account(alert):
        await _end(tx, now, in_place=False, account_id=account_id)
    elif alarms.raises(alert) and (row_id := rows.get(admin)) is not None:
        kind = type(alert).__name__
        stands: dict[str, Any] = {"thread": thread, "kind": kind, "over_at": None, "taken_at": None}
        if await tx.first(AlarmRow, **stands) is not None:
            return  # one that somebody has says nothing of what came after it
        alarm = AlarmRow(
            outbox_id=row_id,
            account_id=account_id,
            thread=thread,
            kind=kind,
            opened_at=now,
            told_at=now,
        )
        await tx.insert(alarm)


async def _end(tx: Transaction, now: datetime, *, in_place: bool, **which: Any) -> None:
    """They are over. `in_place`: what ends them takes the first message's place by itself."""
    for alarm in await tx.find(AlarmRow, over_at=None, **which):
        await tx.update(AlarmRow, {"id": alarm.id}, over_at=now, told_at=None)
        await show(tx, alarm, now, Priority.INFO, first=not in_place)


async def show(
    tx: Transaction, alarm: AlarmRow, now: datetime, priority: Priority, *, first: bool = True
) -> None:
    """Bring every message that shows the alarm's button up to date: it is told as it is now."""
    repeats: list[OutboxRow] = []
    if alarm.repeats:  # most alarms are taken before, and the outbox is long
        repeats = await tx.find(
            OutboxRow, thread=f"{COPY}{alarm.id}", mode=NEW, order_by="-id", limit=COPIES_MAX
        )
    original = await tx.get(OutboxRow, alarm.outbox_id) if first else None
    for row in [*([original] if original else []), *repeats]:
        # One not sent yet will say what holds when it is sent.
        if row.state in {"sent", "sending"}:
            edit = OutboxRow(
                dedupe_key=f"{COPY}{alarm.id}:{row.id}:{now.isoformat()}",
                chat_id=row.chat_id,
                priority=int(priority),
                thread=f"{COPY}{alarm.id}:{row.id}",
                mode=EDIT,
                kind=row.kind,
                payload=row.payload,
                created_at=now,
                due_at=now,
                about_id=row.id,
            )
            await tx.insert_new(edit)
