"""A world of its own for each test, the real aiogram client, and a person with HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.sandbox.people import BOT_TOKEN
from bot.sandbox.world import World, WorldOptions

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x04\x00\x00\x00\x03\x08\x02\x00\x00\x00"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)
"""The head of a picture 4 pixels wide and 3 high."""


class QuickSession(AiohttpSession):
    """aiogram's session without the quarter second it waits for TLS when closed."""

    async def close(self) -> None:
        """Close at once."""
        if self._session is not None:
            await self._session.close()


@dataclass
class Side:
    """HTTP to the world: the person's side, and the Bot API by hand."""

    http: aiohttp.ClientSession
    base_url: str

    async def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """Get JSON."""
        async with self.http.get(self.base_url + path) as answer:
            return await answer.json()

    async def text(self, chat_id: int) -> str:
        """Read a chat as text."""
        async with self.http.get(f"{self.base_url}/sim/chat/{chat_id}?format=text") as answer:
            return await answer.text()

    async def post(self, path: str, body: object, status: int = 200) -> Any:  # noqa: ANN401
        """Post JSON and read JSON, of the status expected."""
        async with self.http.post(self.base_url + path, json=body) as answer:
            found = await answer.json()
            assert answer.status == status, found
            return found

    async def raw(
        self, method: str, params: dict[str, Any], token: str = BOT_TOKEN
    ) -> tuple[int, dict[str, Any]]:
        """Call the Bot API with a JSON body; answer HTTP status and envelope."""
        url = f"{self.base_url}/bot{token}/{method}"
        async with self.http.post(url, json=params) as answer:
            return answer.status, await answer.json()

    async def calls(self, method: str = "") -> list[dict[str, Any]]:
        """Read the outbox."""
        found = await self.get(f"/sim/outbox?method={method}")
        calls: list[dict[str, Any]] = found["calls"]
        return calls


def make_bot(base_url: str, token: str = BOT_TOKEN) -> Bot:
    """Make the real client, pointed at the world."""
    return Bot(token, session=QuickSession(api=TelegramAPIServer.from_base(base_url)))


@pytest.fixture
def options() -> WorldOptions:
    """Without the rates, which have tests of their own."""
    return WorldOptions(market="manual", flood_limits=False)


@pytest.fixture
async def world(tmp_path: Path, options: WorldOptions) -> AsyncIterator[World]:
    running = World(tmp_path, 0, options)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def side(world: World) -> AsyncIterator[Side]:
    async with aiohttp.ClientSession() as http:
        yield Side(http, world.base_url)


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Bot]:
    client = make_bot(world.base_url)
    yield client
    await client.session.close()
