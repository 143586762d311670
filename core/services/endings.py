"""The silent line that says that something told aloud is over, in the transaction that ends it.

Many that end within seconds share a line: a terminal of forty clients that comes back is one
message. The line waits in the outbox as a row that is due a little later, so it outlives a kill;
each thing is added to it in the commit that ends it, which happens once.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain.alerts_over import AlertsOver, Ending
from core.domain.endings import GATHER, begun_again, ending_of, gathered, is_told, opened_by
from core.domain.speech import EDIT, NEW, REPLY, deliver
from core.ports import Transaction
from core.records import OutboxRow
from core.services.hearing import FAILED, hearing_of, put

KIND: Final = AlertsOver.__name__
DUE: Final = "due"
WITHDRAWN: Final = "withdrawn: it has begun again"


async def note(
    tx: Transaction,
    alert: a.Alert,
    chats: Collection[int],
    *,
    client: int | None,
    admin: int,
    now: datetime,
) -> None:
    """Say in each of these chats that it is over, where it was told aloud and ends in place.

    What is over before its message arrived needs no line: its reader sees both at once.
    """
    ending, delivery = ending_of(alert), deliver(alert)
    if opened_by(alert):
        await _withdraw(tx, alert)
    if ending is None or delivery.mode != EDIT:
        return
    for chat_id in chats:
        loud = await _loud(tx, chat_id, delivery.thread)
        if loud is None or not await _stands(tx, chat_id, delivery.thread):
            continue
        hearing = await hearing_of(tx, chat_id)
        if not is_told(alert, hearing, own=chat_id == client):
            await add(tx, loud, ending, admin=admin, now=now)


async def add(
    tx: Transaction, loud: OutboxRow, ending: Ending, *, admin: int, now: datetime
) -> None:
    """Add it to the line that waits in the chat of a loud message, or begin one."""
    if ending.since is None:
        ending = replace(ending, since=loud.created_at)
    waiting = await tx.first(
        OutboxRow,
        order_by="-id",
        state=DUE,
        due_at__gt=now,  # one that is due may be on its way
        chat_id=loud.chat_id,
        kind=KIND,
        attempts=0,
    )
    more = None
    if waiting is not None:
        said = msgspec.json.decode(waiting.payload, type=AlertsOver)
        more = gathered(said, waiting.created_at, ending, now)
    if waiting is not None and more is not None:
        line, due_at = more
        changes = {"payload": _encoded(line), "due_at": due_at, "mode": NEW, "about_id": None}
        await tx.update(OutboxRow, {"id": waiting.id}, **changes)
        return
    row = OutboxRow(
        dedupe_key=f"{KIND}:{loud.chat_id}:{loud.thread}:{now.isoformat()}",
        chat_id=loud.chat_id,
        priority=int(a.Priority.INFO),
        thread=f"over:{loud.thread}",
        mode=REPLY,
        kind=KIND,
        payload=_encoded(AlertsOver(endings=(ending,))),
        created_at=now,
        due_at=now + GATHER,
        about_id=loud.id,
    )
    await put(tx, row, admin=admin)


async def _withdraw(tx: Transaction, alert: a.Alert) -> None:
    """Take out of every line that waits what is open again: it must not be told as over.

    Wherever it waits: admins read in private of alarms that are told in the admin chat. A line that
    was tried is not tried again; whether one of unknown outcome arrived stays said beside it.
    """
    for row in await tx.find(OutboxRow, state=DUE, kind=KIND):
        line = msgspec.json.decode(row.payload, type=AlertsOver)
        left = tuple(each for each in line.endings if not begun_again(alert, each))
        if len(left) == len(line.endings):
            continue
        why = f"{WITHDRAWN} ({row.error})" if row.error else WITHDRAWN
        gone = {"state": FAILED, "error": why}
        changes = {"payload": _encoded(AlertsOver(endings=left))} if left else gone
        await tx.update(OutboxRow, {"id": row.id}, **changes)


async def _loud(tx: Transaction, chat_id: int, thread: str) -> OutboxRow | None:
    """The first message of a thread that made a sound here, and was no mere news."""
    return await tx.first(
        OutboxRow,
        chat_id=chat_id,
        thread=thread,
        rang=True,
        priority__le=int(a.Priority.WARNING),
    )


async def _stands(tx: Transaction, chat_id: int, thread: str) -> bool:
    """Whether there is a message to edit; else what ends it arrives as one of its own."""
    shown = await tx.first(
        OutboxRow,
        chat_id=chat_id,
        thread=thread,
        state="sent",
        message_id__gt=0,
        mode__ne=REPLY,
    )
    return shown is not None


def _encoded(line: AlertsOver) -> str:
    return msgspec.json.encode(line).decode()
