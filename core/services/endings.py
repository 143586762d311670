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
from core.domain.endings import GATHER, begun_again, ending_of, gathered, is_told, opens
from core.domain.speech import EDIT, NEW, REPLY, deliver
from core.ports import Transaction
from core.records import OutboxRow
from core.services.hearing import FAILED, hearing_of, put
from core.services.telling import audit_fate

KIND: Final = AlertsOver.__name__
DUE: Final = "due"
WITHDRAWN: Final = "withdrawn: it had begun again before it was told as over"
WITHDRAWN_AS: Final = {"state": FAILED, "error": WITHDRAWN}


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
    if opens(alert):
        await _withdraw(tx, alert, delivery.thread, chats, now=now)
    if ending is None or delivery.mode != EDIT:
        return
    for chat_id in chats:
        loud = await _loud(tx, chat_id, delivery.thread)
        if loud is None or not await _stands(tx, chat_id, delivery.thread):
            continue
        hearing = await hearing_of(tx, chat_id)
        if not is_told(alert, hearing, own=chat_id == client):
            told = replace(ending, thread=delivery.thread)
            await add(tx, loud, told, admin=admin, now=now)


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


async def _withdraw(
    tx: Transaction, alert: a.Alert, thread: str, chats: Collection[int], *, now: datetime
) -> None:
    """Take out of the lines that wait what is open again: it must not be told as over."""
    for chat_id in chats:
        for row in await tx.find(OutboxRow, state=DUE, chat_id=chat_id, kind=KIND, attempts=0):
            line = msgspec.json.decode(row.payload, type=AlertsOver)
            left = tuple(e for e in line.endings if not begun_again(alert, thread, e))
            if len(left) == len(line.endings):
                continue
            changes = {"payload": _encoded(AlertsOver(endings=left))} if left else WITHDRAWN_AS
            if await tx.update(OutboxRow, {"id": row.id, "state": DUE}, **changes) and not left:
                await audit_fate(tx, row, now, message_id=None, error=WITHDRAWN)


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
