"""What a message gets on its way out that is not in it: whether it may make a sound.

Decided when it is sent and not when it was committed, so that what Telegram or a limit held up
until the night does not ring then.
"""

from msgspec.structs import replace

from bot.views.message import Message
from core.domain.hearing import is_silent
from core.ports import Clock, Store
from core.records import OutboxRow
from core.services.hearing import hearing_of


class Dresser:
    """Makes a rendered row ready for its reader."""

    def __init__(self, store: Store, clock: Clock, *, admin_chat_id: int) -> None:
        self._store = store
        self._clock = clock
        self._admin_chat_id = admin_chat_id

    async def __call__(self, row: OutboxRow, message: Message) -> Message:
        """The message as it is sent now. Raises StoreUnavailable."""
        if message.silent or row.chat_id == self._admin_chat_id:
            return message
        async with self._store.reading() as tx:
            hearing = await hearing_of(tx, row.chat_id)
        if hearing is None:
            return message
        now = self._clock.now()
        return replace(message, silent=is_silent(hearing, row.kind, row.priority, now))
