"""getUpdates: long polling, offsets, two pollers, remembered types."""

import asyncio
import time

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramConflictError

from bot.sandbox.telegram import limits
from bot.sandbox.world import World
from tests.wire.telegram.conftest import Side, make_bot
from tests.wire.telegram.test_methods import YES_NO

ALICE = 101


async def _say(side: Side, *texts: str) -> None:
    for text in texts:
        await side.post("/sim/message", {"user_id": ALICE, "text": text})


async def _texts(bot: Bot, offset: int | None = None, limit: int | None = None) -> list[str | None]:
    updates = await bot.get_updates(offset=offset, limit=limit)
    return [one.message.text if one.message else None for one in updates]


async def test_updates_stay_until_an_offset_confirms_them(bot: Bot, side: Side) -> None:
    await _say(side, "a", "b", "c")
    assert await _texts(bot, limit=2) == ["a", "b"]
    ids = [one.update_id for one in await bot.get_updates()]
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    assert await _texts(bot, offset=ids[1]) == ["b", "c"]
    assert await _texts(bot) == ["b", "c"]
    assert await _texts(bot, offset=ids[2] + 1) == []


async def test_a_negative_offset_keeps_that_many_from_the_end(bot: Bot, side: Side) -> None:
    await _say(side, "a", "b", "c")
    assert await _texts(bot, offset=-1) == ["c"]
    assert await _texts(bot) == ["c"]


async def test_a_negative_offset_past_the_beginning_keeps_all(bot: Bot, side: Side) -> None:
    await _say(side, "a", "b")
    assert await _texts(bot, offset=-5) == ["a", "b"]


async def test_a_poll_waits_and_ends_with_the_first_update(bot: Bot, side: Side) -> None:
    waiting = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await _say(side, "now")
    updates = await asyncio.wait_for(waiting, 1)
    assert [one.message.text for one in updates if one.message] == ["now"]


async def test_a_poll_that_hears_nothing_ends_at_its_timeout(bot: Bot) -> None:
    began = time.monotonic()
    assert await bot.get_updates(timeout=1) == []
    assert 0.95 <= time.monotonic() - began < 2


async def test_a_second_poller_sends_the_first_away(world: World, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
    other = make_bot(world.base_url)
    second = asyncio.create_task(other.get_updates(timeout=1))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
        await asyncio.wait_for(first, 1)
    assert await second == []
    await other.session.close()


async def test_a_webhook_refuses_polling(bot: Bot) -> None:
    waiting = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
    await bot.set_webhook("https://example.org/hook")
    for poll in (waiting, bot.get_updates()):
        with pytest.raises(TelegramConflictError, match="while webhook is active"):
            await asyncio.wait_for(poll, 1)
    await bot.delete_webhook()
    assert await bot.get_updates() == []


async def test_types_are_remembered_and_applied_when_the_update_is_made(
    bot: Bot, side: Side
) -> None:
    await bot.send_message(ALICE, "x", reply_markup=YES_NO)
    await _say(side, "before")
    await bot.get_updates(allowed_updates=["callback_query"])
    await _say(side, "after")
    await side.post("/sim/callback", {"user_id": ALICE, "chat_id": ALICE, "label": "Yes"})
    kinds = [one.event_type for one in await bot.get_updates()]
    assert kinds == ["message", "callback_query"]
    await bot.get_updates(allowed_updates=[])
    await _say(side, "again")
    assert [one.event_type for one in await bot.get_updates()][-1] == "message"


async def test_a_tap_carries_its_message_as_it_is_now(bot: Bot, side: Side) -> None:
    sent = await bot.send_message(ALICE, "old", reply_markup=YES_NO)
    await bot.edit_message_text(
        "new", chat_id=ALICE, message_id=sent.message_id, reply_markup=YES_NO
    )
    await side.post("/sim/callback", {"user_id": ALICE, "chat_id": ALICE, "data": "n"})
    query = (await bot.get_updates())[-1].callback_query
    assert query is not None
    assert query.message is not None
    assert (query.data, query.from_user.id) == ("n", ALICE)
    assert getattr(query.message, "text", None) == "new"


async def test_ids_grow_across_a_reset(bot: Bot, side: Side) -> None:
    await _say(side, "a")
    before = (await bot.get_updates())[0].update_id
    await side.post("/sim/reset", {})
    assert await bot.get_updates() == []
    await _say(side, "b")
    assert (await bot.get_updates())[0].update_id == before + 1


async def test_what_waits_is_bounded(bot: Bot, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPDATES_PENDING_MAX", 2)
    await _say(side, "a", "b")
    assert await _texts(bot) == ["a", "b"]
    await _say(side, "c")
    assert await _texts(bot) == ["b", "c"]
