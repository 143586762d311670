"""Updates are journalled before they are confirmed, handled in order per person, and never lost."""

import asyncio
from typing import Any

import pytest
import structlog
from aiogram.methods import TelegramMethod
from aiogram.types import Update

from bot import polling as module
from bot.polling import HANDLING_MAX, PENDING_MAX, Poller, Press
from core.records import PressRow
from tests.fakes.clock import START
from tests.fakes.polled import ANN, BO, World, impatient, message_json
from tests.fakes.telegram import Answer, press_json


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return impatient(monkeypatch)


async def test_an_update_is_confirmed_only_after_its_commit(world: World) -> None:
    body = message_json(ANN, "hello")
    world.telegram.updates.append([body])
    committed: list[tuple[int | None, int]] = []
    poll = world.telegram.on_call
    assert poll is not None

    async def look(method: TelegramMethod[Any]) -> None:
        committed.append((getattr(method, "offset", None), world.store.commits))
        await poll(method)

    world.telegram.on_call = look
    async with world.running():
        await world.until(lambda: len(world.offsets) > 1)
    assert committed[0] == (None, 0)
    assert committed[1][0] == body["update_id"] + 1
    assert committed[1][1] >= 1


async def test_a_handled_update_is_marked(world: World) -> None:
    world.telegram.updates.append([message_json(ANN, "hello"), message_json(ANN, "fail")])
    async with world.running():
        await world.until(lambda: len(world.handled) == 2)
        assert await world.poller.drain(2)
    assert await world.states() == {"handled": 1, "failed": 1}
    (failed,) = await world.store.all(PressRow, state="failed")
    assert failed.error == "RuntimeError: broken"


async def test_while_the_store_is_away_nothing_is_confirmed(world: World) -> None:
    world.telegram.updates.append([message_json(ANN, "hello")])
    async with world.running():
        world.store.down = True
        await asyncio.sleep(0.1)
        assert set(world.offsets) <= {None}
        assert world.handled == []
        world.store.down = False
        await world.until(lambda: world.handled == ["hello"])


async def test_a_journal_that_breaks_leaves_the_update_with_telegram(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = message_json(ANN, "hello")
    world.telegram.updates += [[body], [body]]
    journal = Poller._journal  # noqa: SLF001 - the step that breaks
    broken: list[int] = []

    async def break_once(self: Poller, updates: list[Update]) -> list[Press]:
        if not broken:
            broken.append(1)
            raise ValueError("broken")
        return await journal(self, updates)

    monkeypatch.setattr(Poller, "_journal", break_once)
    async with world.running():
        await world.until(lambda: world.handled == ["hello"])
    assert world.offsets[:2] == [None, None], "not confirmed, so Telegram gives it again"


async def test_a_crash_between_journal_and_handling_handles_once_after_the_restart(
    world: World,
) -> None:
    world.gate = asyncio.Event()
    body = message_json(ANN, "wait")
    world.telegram.updates.append([body])
    async with world.running():
        await world.until(lambda: len(world.offsets) > 1)
    assert world.handled == []
    assert await world.states() == {"received": 1}
    world.gate.set()
    world.telegram.updates.append([body, message_json(ANN, "later")])
    async with world.running(world.fresh()):
        await world.until(lambda: len(world.handled) == 2)
        await asyncio.sleep(0.05)
    assert world.handled == ["wait", "later"], "Telegram's repetition is recognised"
    assert await world.states() == {"handled": 2}


async def test_the_same_press_under_another_update_is_not_handled_twice(world: World) -> None:
    first = press_json(ANN, "x")
    second = {**first, "update_id": first["update_id"] + 100_000}
    world.telegram.updates += [[first], [second]]
    async with world.running():
        await world.until(lambda: second["update_id"] + 1 in world.offsets)
    assert len(await world.store.all(PressRow)) == 1


async def test_one_persons_updates_are_handled_in_order_and_hold_up_nobody_else(
    world: World,
) -> None:
    world.gate = asyncio.Event()
    world.telegram.updates.append(
        [message_json(ANN, "wait"), message_json(ANN, "second"), message_json(BO, "other")]
    )
    async with world.running():
        await world.until(lambda: world.handled == ["other"])
        world.gate.set()
        await world.until(lambda: len(world.handled) == 3)
    assert world.handled == ["other", "wait", "second"]


async def test_above_the_bound_of_waiting_updates_nothing_more_is_fetched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PENDING_MAX", 3)
    world.gate = asyncio.Event()
    world.telegram.updates.append([message_json(ANN, "wait"), message_json(ANN, "a")])
    world.telegram.updates.append([message_json(ANN, "b")])
    world.telegram.updates.append([message_json(ANN, "c")])
    async with world.running():
        await world.until(lambda: len(world.offsets) == 2)
        await asyncio.sleep(0.05)
        assert len(world.offsets) == 2, "three wait: the fourth stays with Telegram"
        world.gate.set()
        await world.until(lambda: len(world.handled) == 4)
    assert (PENDING_MAX, HANDLING_MAX) == (200, 16)


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(409, "Conflict: terminated by other getUpdates request"),
        Answer(502, body="<html>"),
        Answer(500, "Internal Server Error"),
        Answer(error=OSError("no route")),
        Answer(401, "Unauthorized"),
    ],
    ids=["conflict", "not-json", "5xx", "network", "unauthorized"],
)
async def test_no_trouble_with_telegram_ends_the_loop(world: World, trouble: Answer) -> None:
    world.telegram.script += [trouble, trouble]
    world.telegram.updates.append([message_json(ANN, "hello")])
    async with world.running():
        await world.until(lambda: world.handled == ["hello"])


async def test_an_answer_that_cannot_be_read_is_not_repeated_in_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has people's words in it, and one of them may be a password."""
    body = '{"ok": true, "result": [{"update_id": "S3cret-of-Ann"}]}'
    world.telegram.script.append(Answer(200, body=body))
    world.telegram.updates.append([message_json(ANN, "hello")])
    with structlog.testing.capture_logs() as lines:
        async with world.running():
            await world.until(lambda: world.handled == ["hello"])
    told = [line for line in lines if line["event"] == "updates_unavailable"]
    assert [line["error"] for line in told] == ["ClientDecodeError"]
    assert "S3cret" not in str(lines)


async def test_drain_waits_for_what_is_being_handled_and_not_for_ever(world: World) -> None:
    world.gate = asyncio.Event()
    world.telegram.updates.append([message_json(ANN, "wait")])
    async with world.running():
        await world.until(lambda: len(world.offsets) > 1)
        assert not await world.poller.drain(0.05)
        world.gate.set()
        assert await world.poller.drain(2)
    assert world.handled == ["wait"]


async def test_a_journalled_update_nobody_can_read_is_marked_failed(world: World) -> None:
    await world.store.put(
        PressRow(
            update_id=1,
            callback_id=None,
            telegram_id=ANN,
            chat_id=ANN,
            body='{"no": "update"}',
            received_at=START,
        )
    )
    world.telegram.updates.append([message_json(ANN, "hello")])
    async with world.running():
        await world.until(lambda: world.handled == ["hello"])
        assert await world.poller.drain(2)
    assert await world.states() == {"failed": 1, "handled": 1}
