"""One Chromium for all tests of this directory, a world and a page for each."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox.world import World, WorldOptions
from tests.browser.devtools import Browser, chromium_path
from tests.browser.hand import Hand


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    if chromium_path() is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    running = World(tmp_path / "data", 0, WorldOptions(market="manual", flood_limits=False))
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def hand(world: World) -> AsyncIterator[Hand]:
    async with aiohttp.ClientSession() as http:
        yield Hand(http, world.base_url)


@pytest.fixture
async def browser(world: World, tmp_path: Path) -> AsyncIterator[Browser]:
    async with Browser(tmp_path / "profile") as running:
        yield running
