"""Alarms raised and ended with the alerts that do so, in their transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from core.domain import alarms
from core.domain import alerts as a
from core.domain.alerts import Priority
from core.domain.alerts_over import Ending
from core.domain.endings import What
from core.domain.speech import EDIT, NEW, deliver
from core.ports import Transaction
from core.records import AlarmRow, OutboxRow
from core.services import endings

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
        over = await _end(tx, now, in_place=deliver(alert).mode == EDIT, thread=thread)
        await _tell(tx, over, alert, rows, admin=admin, now=now)
    elif alarms.ends_account(alert):
        over = await _end(tx, now, in_place=False, account_id=account_id)
        await _tell(tx, over, alert, rows, admin=admin, now=now)
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


async def _end(tx: Transaction, now: datetime, *, in_place: bool, **which: Any) -> list[AlarmRow]:
    """They are over. `in_place`: what ends them takes the first message's place by itself."""
    over = await tx.find(AlarmRow, over_at=None, **which)
    for alarm in over:
        await tx.update(AlarmRow, {"id": alarm.id}, over_at=now, told_at=None)
        await show(tx, alarm, now, Priority.INFO, first=not in_place, over=True)
        if not in_place:
            await _show_to_others(tx, alarm, now)
    return over


async def _show_to_others(tx: Transaction, alarm: AlarmRow, now: datetime) -> None:
    """Say in the other chats that were told, the client's, that what was told of is over."""
    told = await tx.find(
        OutboxRow, thread=alarm.thread, kind=alarm.kind, mode=NEW, limit=COPIES_MAX
    )
    for row in (each for each in told if each.id != alarm.outbox_id):
        body = _as_over(row, now)
        if body != row.payload:
            await _change(tx, row, body, alarm.thread, now, Priority.INFO)


def _as_over(row: OutboxRow, now: datetime) -> str:
    alert = msgspec.json.decode(row.payload, type=a.Alert)
    over = alarms.ended(alert, now)
    return row.payload if over is alert else msgspec.json.encode(over).decode()


async def _change(
    tx: Transaction, row: OutboxRow, body: str, thread: str, now: datetime, priority: Priority
) -> None:
    """Edit a message; one that was not sent yet says by itself what holds when it is sent."""
    if row.state == "due" and body != row.payload:
        await tx.update(OutboxRow, {"id": row.id}, payload=body)
    elif row.state in {"sent", "sending"}:
        edit = OutboxRow(
            dedupe_key=f"{COPY}{thread}:{row.id}:{now.isoformat()}",
            chat_id=row.chat_id,
            priority=int(priority),
            thread=thread,
            mode=EDIT,
            kind=row.kind,
            payload=body,
            created_at=now,
            due_at=now,
            about_id=row.id,
        )
        await tx.insert_new(edit)


async def _tell(
    tx: Transaction,
    over: Sequence[AlarmRow],
    alert: a.Alert,
    told: Collection[int],
    *,
    admin: int,
    now: datetime,
) -> None:
    """Say so, once each, to the admins it was repeated to in private: nothing else comes there."""
    heard = set(told)
    for alarm in (each for each in over if each.repeats):
        for copy in await tx.find(OutboxRow, thread=f"{COPY}{alarm.id}", rang=True):
            if copy.chat_id not in heard:
                heard.add(copy.chat_id)
                ending = Ending(
                    kind=What.ALARM.value,
                    about=alarm.kind,
                    login=getattr(alert, "login", 0),
                    since=alarm.opened_at,
                    until=now,
                )
                await endings.add(tx, copy, ending, admin=admin, now=now)


async def show(
    tx: Transaction,
    alarm: AlarmRow,
    now: datetime,
    priority: Priority,
    *,
    first: bool = True,
    over: bool = False,
) -> None:
    """Bring every message that shows the alarm's button up to date: it is told as it is now."""
    repeats: list[OutboxRow] = []
    if alarm.repeats:  # most alarms are taken before, and the outbox is long
        repeats = await tx.find(
            OutboxRow, thread=f"{COPY}{alarm.id}", mode=NEW, order_by="-id", limit=COPIES_MAX
        )
    original = await tx.get(OutboxRow, alarm.outbox_id) if first else None
    for row in [*([original] if original else []), *repeats]:
        body = _as_over(row, now) if over else row.payload
        await _change(tx, row, body, f"{COPY}{alarm.id}:{row.id}", now, priority)
