"""What a message gets on its way out that is not in it: a sound or none, an alarm's button.

Decided when it is sent and not when it was committed, so that what Telegram or a limit held up
until the night does not ring then, and what somebody has meanwhile does not ask for somebody.
"""

from msgspec.structs import replace

from bot.views import alarms as alarm_views
from bot.views.message import Message, Voice
from core.domain.hearing import is_silent
from core.ports import Clock, Store, Transaction
from core.records import AlarmRow, OutboxRow
from core.services.alarm_noting import COPY
from core.services.hearing import hearing_of


def is_copy(row: OutboxRow) -> bool:
    """Whether it repeats or changes an alarm: then an admin reads it, wherever it goes."""
    return row.thread.startswith(COPY)


class Dresser:
    """Makes a rendered row ready for its reader."""

    def __init__(self, store: Store, clock: Clock, *, admin_chat_id: int) -> None:
        self._store = store
        self._clock = clock
        self._admin_chat_id = admin_chat_id

    async def __call__(self, row: OutboxRow, message: Message, voice: Voice) -> Message:
        """The message as it is sent now. Raises StoreUnavailable."""
        async with self._store.reading() as tx:
            message = replace(message, silent=message.silent or await self._is_silent(tx, row))
            alarm = await _alarm_of(tx, row)
        if alarm is None:
            return message
        repeat = is_copy(row) and row.mode != "edit"
        return alarm_views.dressed(message, alarm, voice, row.created_at if repeat else None)

    async def _is_silent(self, tx: Transaction, row: OutboxRow) -> bool:
        if row.chat_id == self._admin_chat_id:
            return False
        hearing = await hearing_of(tx, row.chat_id)
        now = self._clock.now()
        return hearing is not None and is_silent(hearing, row.kind, row.priority, now)


async def _alarm_of(tx: Transaction, row: OutboxRow) -> AlarmRow | None:
    """The alarm whose message this is, or takes the place of."""
    if is_copy(row):
        return await tx.get(AlarmRow, int(row.thread.split(":")[1]))
    own = await tx.first(AlarmRow, outbox_id=row.id)
    if own is not None or row.mode != "edit":
        return own
    shown = await tx.first(AlarmRow, thread=row.thread, order_by="-id", over_at__ne=None)
    if shown is None or shown.taken_at is None:
        return None
    first = await tx.get(OutboxRow, shown.outbox_id)
    return shown if first is not None and first.chat_id == row.chat_id else None
