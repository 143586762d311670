"""A notifier with its store, its clock and its recorded Telegram, for tests of what is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.notifier import Notifier
from bot.views.message import Voice
from core.domain import alerts as a
from core.records import OutboxRow
from tests.fakes.clock import FixedClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.rows import outbox_row
from tests.fakes.telegram import ADMIN_CHAT, make_bot

ANN, BO = 900, 901


class World:
    """A notifier with its store and its recorded Telegram."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = FixedClock()
        self.bot, self.telegram = make_bot()
        self.notifier = self.fresh()
        self._number = 0

    def fresh(self) -> Notifier:
        """The notifier of a new process."""
        voice = Voice(mark="[DEMO]")
        return Notifier(self.bot, self.store, self.clock, voice, admin_chat_id=ADMIN_CHAT)

    async def put(self, alert: a.Alert, chat_id: int = ANN, **changes: Any) -> int:
        """Commit one alert for one chat."""
        self._number += 1
        own = {"dedupe_key": f"k{self._number}", "thread": f"t{self._number}"}
        at = {"created_at": self.clock.now(), "due_at": self.clock.now()}
        row = outbox_row(alert, chat_id=chat_id, **{**own, **at, **changes})
        (row_id,) = await self.store.put(row)
        return row_id

    async def row(self, row_id: int) -> OutboxRow:
        """The row as it is."""
        (row,) = await self.store.all(OutboxRow, id=row_id)
        return row

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The notifier at work."""
        task = asyncio.create_task(self.notifier.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until_tried(self, row_id: int) -> None:
        """Wait for an attempt at the row to have failed."""
        async with asyncio.timeout(5):
            while not (await self.row(row_id)).error:
                await asyncio.sleep(0.005)

    async def until(self, row_id: int, state: str) -> OutboxRow:
        """Wait for the row to reach a state."""
        async with asyncio.timeout(5):
            while (row := await self.row(row_id)).state != state:
                await asyncio.sleep(0.005)
            return row
