"""A poller over a recorded Telegram, with handlers that note what they see."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiogram import Dispatcher
from aiogram.methods import TelegramMethod
from aiogram.types import Message

from bot import polling as module
from bot.polling import Poller
from core.records import PressRow
from tests.fakes.clock import FixedClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.telegram import make_bot
from tests.fakes.telegram import message_json as written

ANN, BO = 900, 901


def message_json(telegram_id: int, word: str) -> dict[str, Any]:
    """Somebody sends a command: of other words the journal and the handlers get none."""
    return written(telegram_id, f"/{word}")


class World:
    """A poller over a recorded Telegram; `handled` is what the handlers saw, in order."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.bot, self.telegram = make_bot()
        self.telegram.on_call = self._long_poll
        self.handled: list[str] = []
        self.gate: asyncio.Event | None = None
        self.dispatcher = Dispatcher(disable_fsm=True)
        self.dispatcher.message.register(self._handle)
        self.poller = self.fresh()

    def fresh(self) -> Poller:
        """The poller of a new process."""
        return Poller(self.bot, self.dispatcher, self.store, FixedClock())

    async def _long_poll(self, method: TelegramMethod[Any]) -> None:
        if method.__api_method__ == "getUpdates" and not self.telegram.updates:
            await asyncio.sleep(0.01)

    async def _handle(self, message: Message) -> None:
        word = (message.text or "").removeprefix("/")
        if self.gate is not None and word == "wait":
            await self.gate.wait()
        self.handled.append(word)
        if word == "fail":
            raise RuntimeError("broken")

    @asynccontextmanager
    async def running(self, poller: Poller | None = None) -> AsyncIterator[None]:
        """The poller at work, then cancelled."""
        task = asyncio.create_task((poller or self.poller).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait for it, five seconds at most."""
        async with asyncio.timeout(5):
            while not done():
                await asyncio.sleep(0.005)

    async def states(self) -> Counter[str]:
        """How many journalled updates are in which state."""
        return Counter(row.state for row in await self.store.all(PressRow))

    @property
    def offsets(self) -> list[int | None]:
        """The offsets named to Telegram, in order."""
        return [call.offset for call in self.telegram.named("getUpdates")]


def impatient(monkeypatch: pytest.MonkeyPatch) -> World:
    """One whose pauses are short."""
    monkeypatch.setattr(module, "BACKOFF_S", (0.01, 0.02))
    monkeypatch.setattr(module, "CONFLICT_S", 0.02)
    return World()
