"""The demo's story: played by people of the world, once, and not stopped by what goes missing."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox.narrator import Narrator, Pace
from bot.sandbox.part import WorldOptions
from bot.sandbox.people import ADMIN_CHAT_ID, DEMO_PEOPLE
from bot.sandbox.stage import CAPTIONS_MAX, Captions
from bot.sandbox.store import WorldStore
from bot.sandbox.world import World
from tests.integration.cli.stub_desk import StubDesk

QUICK = Pace(breath_s=0.02, step_s=0.02, effect_s_max=5.0)
HURRIED = Pace(breath_s=0.0, step_s=0.0, effect_s_max=0.1)
STORY_S_MAX = 30


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, 0, WorldOptions(market="walk", flood_limits=False))
    await world.start()
    yield world
    await world.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def _narrator(world: World, pace: Pace) -> Narrator:
    # The world's own file: captions and marker are told and kept there.
    store = world._store  # noqa: SLF001
    return Narrator(store, DEMO_PEOPLE, plays=True, pace=pace)


async def _told(world: World, desk: StubDesk, pace: Pace) -> list[str]:
    """Play the story to its end beside a desk that answers; give back the captions."""
    app = await desk.announce()
    watching = asyncio.create_task(desk.run())
    try:
        async with asyncio.timeout(STORY_S_MAX):
            await _narrator(world, pace).play(world.base_url)
    finally:
        watching.cancel()
        await app.cleanup()
    return [caption["text"] for caption in world.narrator.captions.all()]


async def test_every_scene_finds_its_effect(
    tmp_path: Path, world: World, session: aiohttp.ClientSession
) -> None:
    desk = StubDesk(world.base_url, tmp_path, session)
    captions = await _told(world, desk, QUICK)
    assert not [text for text in captions if "goes on without" in text]
    turns = ["posts a signal", "approve", "slipped", "on her phone", "widens", "hold 15", "Flat"]
    places = [next(n for n, text in enumerate(captions) if turn in text) for turn in turns]
    assert places == sorted(places)
    assert captions[-1].startswith("The story is over")


async def test_the_breach_leaves_room_for_its_countdown(
    tmp_path: Path, world: World, session: aiohttp.ClientSession
) -> None:
    """Law 8: the countdown runs only less than 2 points past the limit of 20 %."""
    desk = StubDesk(world.base_url, tmp_path, session)
    await _told(world, desk, QUICK)
    assert Decimal("0.20") < desk.drawdown_deepest < Decimal("0.22")


async def test_people_did_it_through_their_own_doors(
    tmp_path: Path, world: World, session: aiohttp.ClientSession
) -> None:
    await _told(world, StubDesk(world.base_url, tmp_path, session), QUICK)
    async with session.get(f"{world.base_url}/sim/chat/{ADMIN_CHAT_ID}") as answer:
        admin_chat = await answer.json()
    assert any(
        message["from"] == "Ada" and message["text"].startswith("/signal XAUUSD")
        for message in admin_chat["messages"]
    )
    async with session.get(f"{world.base_url}/broker/50001") as answer:
        alice = await answer.json()
    assert [one["source"] for one in alice["order_sends"]][-1] == "person"
    assert alice["positions"] == []
    async with session.get(f"{world.base_url}/broker/market") as answer:
        quotes = (await answer.json())["quotes"]
    assert {quote["mode"] for quote in quotes} == {"walk"}


async def test_what_does_not_come_is_said_and_the_story_goes_on(
    tmp_path: Path, world: World, session: aiohttp.ClientSession
) -> None:
    """An app that is ready and never speaks: every scene is missed, none hangs."""
    app = await StubDesk(world.base_url, tmp_path, session).announce()
    async with asyncio.timeout(STORY_S_MAX):
        await _narrator(world, HURRIED).play(world.base_url)
    await app.cleanup()
    captions = [caption["text"] for caption in world.narrator.captions.all()]
    assert len([text for text in captions if "goes on without" in text]) == 4
    assert captions[-1].startswith("The story is over")


async def test_it_is_told_once_per_data_dir(
    tmp_path: Path, world: World, session: aiohttp.ClientSession
) -> None:
    narrator = _narrator(world, HURRIED)
    assert len(list(narrator.loops(world.base_url))) == 1
    app = await StubDesk(world.base_url, tmp_path, session).announce()
    async with asyncio.timeout(STORY_S_MAX):
        await narrator.play(world.base_url)
    await app.cleanup()
    assert list(narrator.loops(world.base_url)) == []


async def test_it_waits_for_the_app(world: World) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.7):
            await _narrator(world, HURRIED).play(world.base_url)
    assert world.narrator.captions.all() == []


async def test_it_does_not_play_where_it_is_not_wanted(world: World) -> None:
    assert list(world.narrator.loops(world.base_url)) == []


async def test_captions_are_in_the_state_and_bounded(tmp_path: Path) -> None:
    store = WorldStore(tmp_path / "captions.db")
    captions = Captions(store)
    for n in range(CAPTIONS_MAX + 1):
        captions.add(f"{n}")
    told = captions.all()
    store.close()
    assert len(told) == CAPTIONS_MAX
    assert [told[0]["text"], told[-1]["text"]] == ["1", f"{CAPTIONS_MAX}"]


async def test_the_state_tells_the_story(world: World, session: aiohttp.ClientSession) -> None:
    world.narrator.captions.add("Something happens.")
    async with session.get(f"{world.base_url}/sim/state") as answer:
        (caption,) = (await answer.json())["story"]
    assert caption["text"] == "Something happens."
    assert caption["at"].endswith("+00:00")
