"""Which row of the outbox is next for which chat, and each change of its state."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from core.domain.alerts import Priority
from core.domain.people import Person
from core.ports import Clock, Store, Transaction
from core.records import OutboxRow, UserRow
from core.services import reach
from core.services.persons import person_from
from core.services.telling import audit_fate

DUE, SENDING, SENT, FAILED = "due", "sending", "sent", "failed"
NEW, EDIT, REPLY = "new", "edit", "reply"
SUPERSEDED = "superseded"
UNKNOWN_OUTCOME = "outcome unknown"
CHATS_PER_LOOK_MAX = 64
"""Chats with something due that one look considers per priority; the next look goes on there."""
ROWS_PER_CHAT_MAX = 8
"""Rows of one chat considered where earlier ones wait for their next attempt."""
ERROR_CHARS_MAX = 300
LATELY_MAX = 1_000
"""Recent sends remembered across a restart."""


class Ready(Struct, frozen=True):
    """A row to send now. `shown_id` is the message its thread has in this chat already."""

    row: OutboxRow
    shown_id: int | None


class Outbox:
    """The table's reader and writer. Every method may raise StoreUnavailable."""

    def __init__(self, store: Store, clock: Clock, *, admin_chat_id: int) -> None:
        self._store = store
        self._clock = clock
        self._admin_chat_id = admin_chat_id
        self._from_chat: dict[int, int] = {}
        self._out_of_reach: set[int] = set()

    async def recover(self) -> int:
        """Rows that were being sent when the app ended: nobody knows, so they are repeated."""
        async with self._store.writing() as tx:
            self._out_of_reach = await reach.out_of_reach(tx)
            return await tx.update(OutboxRow, {"state": SENDING}, state=DUE, error=UNKNOWN_OUTCOME)

    async def sent_lately(self, span_s: float) -> list[tuple[int, float]]:
        """Chats sent to within the last `span_s` seconds, each with how long ago it was."""
        now = self._clock.now()
        async with self._store.reading() as tx:
            rows = await tx.find(
                OutboxRow,
                state=SENT,
                sent_at__gt=now - timedelta(seconds=span_s),
                order_by="sent_at",
                limit=LATELY_MAX,
            )
        real = [r for r in rows if r.sent_at and r.error != SUPERSEDED]
        return [(r.chat_id, (now - r.sent_at).total_seconds()) for r in real if r.sent_at]

    async def reader_of(self, chat_id: int) -> Person | None:
        """Whoever reads this chat alone; None where it is a group, or nobody known."""
        if chat_id < 0:
            return None
        async with self._store.reading() as tx:
            reader = await tx.first(UserRow, telegram_id=chat_id)
        return None if reader is None else person_from(reader, ())

    async def empty(self) -> bool:
        """Whether nothing is due or under way."""
        async with self._store.reading() as tx:
            due = await tx.first(OutboxRow, state=DUE, due_at__le=self._clock.now())
            return due is None and await tx.first(OutboxRow, state=SENDING) is None

    async def pick(
        self, free: Callable[[int, int], bool], waiting: frozenset[int], *, rows_max: int
    ) -> list[Ready]:
        """At most `rows_max` rows, one per free chat, criticals of all chats first."""
        picked: dict[int, Ready] = {}
        async with self._store.reading() as tx:
            now = self._clock.now()
            if await tx.first(OutboxRow, state=DUE, due_at__le=now) is None:
                return []
            for priority in Priority:
                if len(picked) >= rows_max:
                    break
                await self._pick_at(tx, priority, now, picked, (free, waiting, rows_max))
        stale = [each for each in picked.values() if each.row.mode == EDIT]
        if stale:
            await self._supersede([each.row for each in stale])
        return list(picked.values())

    async def _pick_at(
        self,
        tx: Transaction,
        priority: Priority,
        now: datetime,
        picked: dict[int, Ready],
        bounds: tuple[Callable[[int, int], bool], frozenset[int], int],
    ) -> None:
        """Pick from the chats that have something due, going on where the last look ended."""
        free, waiting, rows_max = bounds
        due: dict[str, Any] = {"state": DUE, "priority": int(priority), "due_at__le": now}
        async with aclosing(_chats(tx, due, self._from_chat.get(int(priority)))) as chats:
            async for chat_id in chats:
                self._from_chat[int(priority)] = chat_id
                if chat_id in picked or not free(chat_id, int(priority)):
                    continue
                ready = await self._head(tx, due | {"chat_id": chat_id}, waiting)
                if ready is not None:
                    picked[chat_id] = ready
                if len(picked) >= rows_max:
                    return

    async def _head(
        self, tx: Transaction, due: dict[str, Any], waiting: frozenset[int]
    ) -> Ready | None:
        """The chat's next row that can go."""
        rows = await tx.find(OutboxRow, order_by="id", limit=ROWS_PER_CHAT_MAX, **due)
        for row in rows:
            if row.id in waiting:
                continue
            ready = await self._ready(tx, row, due, waiting)
            if ready is not None:  # one that waits for another keeps nobody else back
                return ready
        return None

    async def _ready(
        self, tx: Transaction, row: OutboxRow, due: dict[str, Any], waiting: frozenset[int]
    ) -> Ready | None:
        """The row, or the one of its thread that has to come before or instead."""
        if row.mode == NEW or not row.thread:
            return Ready(row, None)
        if row.about_id is not None:
            return await self._about(tx, row, row.about_id, waiting)
        thread = {"chat_id": row.chat_id, "thread": row.thread}
        opening = await tx.first(
            OutboxRow, order_by="id", state=DUE, mode=NEW, id__lt=row.id, **thread
        )
        if opening is not None and opening.id not in waiting:
            return Ready(opening, None)
        if row.mode == EDIT:
            newest = await tx.first(
                OutboxRow,
                order_by="-id",
                state=DUE,
                mode=EDIT,
                due_at__le=due["due_at__le"],
                **thread,
            )
            row = newest or row
        shown = await tx.first(
            OutboxRow, order_by="-id", state=SENT, mode__ne=REPLY, message_id__gt=0, **thread
        )
        return Ready(row, None if shown is None else shown.message_id)

    async def _about(
        self, tx: Transaction, row: OutboxRow, about_id: int, waiting: frozenset[int]
    ) -> Ready | None:
        """A row about one message, whatever its thread: that one first, while it is due."""
        about = await tx.get(OutboxRow, about_id)
        if about is not None and about.state == DUE:
            return None if about.id in waiting else Ready(about, None)
        return Ready(row, None if about is None else about.message_id)

    async def _supersede(self, newest: list[OutboxRow]) -> None:
        """Older edits of the same message need not be seen any more."""
        async with self._store.writing() as tx:
            for row in newest:
                if row.thread:
                    older = {
                        "chat_id": row.chat_id,
                        "thread": row.thread,
                        "state": DUE,
                        "mode": EDIT,
                        "id__lt": row.id,
                    }
                    await tx.update(
                        OutboxRow,
                        older,
                        state=SENT,
                        error=SUPERSEDED,
                        sent_at=self._clock.now(),
                    )

    async def sending(self, row: OutboxRow, *, tried: bool = False) -> bool:
        """Commit the attempt before it is made; False where somebody else has the row.

        `tried` where committing it was called failed before: it may have been made all the same,
        and then the row is ours. Left at that, its message would never leave.
        """
        async with self._store.writing() as tx:
            attempt = {"state": SENDING, "attempts": row.attempts + 1}
            # What has gained a line since it was picked goes as it is now, at a later look.
            as_picked = {"id": row.id, "state": DUE, "payload": row.payload}
            changed = await tx.update(OutboxRow, as_picked, **attempt)
            return changed == 1 or (tried and await tx.count(OutboxRow, id=row.id, **attempt) == 1)

    async def sent(self, row: OutboxRow, message_id: int | None, *, rang: bool = False) -> None:
        """It arrived; `rang` where it made a sound."""
        now = self._clock.now()
        arrived = {"state": SENT, "message_id": message_id, "sent_at": now, "rang": rang}
        async with self._store.writing() as tx:
            await tx.update(OutboxRow, {"id": row.id}, **arrived)
            await audit_fate(tx, row, now, message_id=message_id, error=None)
            if row.chat_id in self._out_of_reach:
                await reach.back(tx, [row.chat_id], admin=self._admin_chat_id, now=now)
        self._out_of_reach.discard(row.chat_id)

    async def again(self, row: OutboxRow, error: str | None) -> None:
        """It is tried again."""
        await self._set(row, state=DUE, error=error)

    async def failed(self, row: OutboxRow, error: str) -> None:
        """It is given up."""
        error = error[:ERROR_CHARS_MAX]
        async with self._store.writing() as tx:
            await tx.update(OutboxRow, {"id": row.id}, state=FAILED, error=error)
            await audit_fate(tx, row, self._clock.now(), message_id=None, error=error)

    async def migrated(self, row: OutboxRow, chat_id: int) -> None:
        """The group has a new id: everything still to be sent goes there, and later rows too."""
        async with self._store.writing() as tx:
            await tx.update(OutboxRow, {"id": row.id}, state=DUE)
            await tx.update(OutboxRow, {"chat_id": row.chat_id, "state": DUE}, chat_id=chat_id)
            await reach.moved(
                tx, row.chat_id, chat_id, admin=self._admin_chat_id, now=self._clock.now()
            )

    async def moves(self) -> dict[int, int]:
        """Where each group that has moved is now."""
        async with self._store.reading() as tx:
            return await reach.moves(tx)

    async def unreachable(self, row: OutboxRow, error: str) -> None:
        """The person blocked the bot: give it up, and tell the admins in the same commit."""
        now = self._clock.now()
        error = error[:ERROR_CHARS_MAX]
        async with self._store.writing() as tx:
            await tx.update(OutboxRow, {"id": row.id}, state=FAILED, error=error)
            await audit_fate(tx, row, now, message_id=None, error=error)
            await reach.lost(tx, row.chat_id, row.kind, error, admin=self._admin_chat_id, now=now)
        self._out_of_reach.add(row.chat_id)

    async def _set(self, row: OutboxRow, **changes: Any) -> None:
        async with self._store.writing() as tx:
            await tx.update(OutboxRow, {"id": row.id}, **changes)


async def _chats(
    tx: Transaction, due: dict[str, Any], after: int | None
) -> AsyncGenerator[int, None]:
    """Chats that have something due, each once, from after `after` on and round again."""
    low, wrapped = after, after is None
    for _ in range(CHATS_PER_LOOK_MAX):
        beyond = {} if low is None else {"chat_id__gt": low}
        row = await tx.first(OutboxRow, order_by="chat_id", **due, **beyond)
        if row is None:
            if wrapped:
                return
            low, wrapped = None, True
            continue
        if wrapped and after is not None and row.chat_id > after:
            return
        yield row.chat_id
        low = row.chat_id
