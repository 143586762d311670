"""Updates are journalled before they are confirmed, handled in order per person, and never lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from aiogram import Dispatcher
from aiogram.methods import TelegramMethod
from aiogram.types import Message, Update

from bot import polling as module
from bot.polling import CLEARING_MAX, HANDLING_MAX, PENDING_MAX, Poller, Press
from bot.removing import AT_ONCE_S
from core.ports import Transaction
from core.records import PressRow
from core.services.link_talks import Ask, Heard
from tests.fakes.clock import START, FixedClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.telegram import Answer, make_bot, press_json
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


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "BACKOFF_S", (0.01, 0.02))
    monkeypatch.setattr(module, "CONFLICT_S", 0.02)
    return World()


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


class Expecting:
    """Waits for Ann's password, and takes it. `told` is who was told that it was not removed."""

    def __init__(self) -> None:
        self.told: list[int] = []

    async def hear(
        self, tx: Transaction, telegram_id: int, ask: Ask, text: str | None, *, private: bool
    ) -> Heard:
        is_answer = ask is Ask.WORDS and telegram_id == ANN
        return Heard(is_ours=is_answer, remove=is_answer)

    def expects(self, telegram_id: int) -> bool:
        return telegram_id == ANN

    async def not_removed(self, telegram_id: int) -> None:
        self.told.append(telegram_id)


async def test_a_password_leaves_the_chat_while_the_store_is_away(world: World) -> None:
    """It is taken when the store is back: Telegram has kept the update, if not the message."""
    secret = written(ANN, "S3cret-of-Ann")
    talks = Expecting()
    poller = Poller(world.bot, world.dispatcher, world.store, FixedClock(), talks=talks)
    async with world.running(poller):
        await world.until(lambda: bool(world.offsets))
        world.store.down = True
        world.telegram.updates.append([secret, written(BO, "hello")])
        await world.until(lambda: bool(world.telegram.named("deleteMessage")))
        (gone,) = world.telegram.named("deleteMessage")
        assert gone.message_id == secret["message"]["message_id"]
        assert world.handled == []
        world.store.down = False
        await world.until(lambda: "link remove" in world.handled)
    assert talks.told == []
    bodies = [row.body for row in await world.store.all(PressRow)]
    assert not [body for body in bodies if "S3cret" in body]


async def test_a_removal_that_telegram_lets_wait_holds_up_nobody(world: World) -> None:
    """The writer is answered and goes on; settled is it once the message is gone.

    After a crash before that it is removed first: nobody knows for how long it has stood there.
    """
    gate, poll = asyncio.Event(), world.telegram.on_call
    assert poll is not None

    async def slow(method: TelegramMethod[Any]) -> None:
        if method.__api_method__ == "deleteMessage":
            order.append("removal")
            if len(order) > 1:
                await gate.wait()
        await poll(method)

    async def note(message: Message) -> None:
        order.append(message.text or "")

    order: list[str] = []
    world.telegram.on_call = slow
    world.dispatcher = Dispatcher(disable_fsm=True)
    world.dispatcher.message.register(note)
    wait = {"retry_after": 0}
    world.telegram.script.append(Answer(429, "Too Many", method="deleteMessage", parameters=wait))
    world.telegram.updates.append([written(ANN, "S3cret-of-Ann"), message_json(ANN, "status")])
    talks = Expecting()
    of = (world.bot, world.dispatcher, world.store, FixedClock())
    async with world.running(Poller(*of, talks=talks)):
        await world.until(lambda: len(order) == 4)
        assert sorted(order) == ["/link remove", "/status", "removal", "removal"]
        assert order[:2] == ["removal", "/link remove"]
    assert (await world.states())["received"] >= 1
    order[:] = ["again"]
    gate.set()
    again = Poller(*of, talks=talks)
    async with world.running(again):
        await world.until(lambda: "/link remove" in order)
        assert await again.drain(2)
    assert order[:3] == ["again", "removal", "/link remove"]
    assert await world.states() == {"handled": 2}
    assert talks.told == []


async def test_while_telegram_lets_a_first_removal_hang_everybody_else_is_served(
    world: World,
) -> None:
    """Its writer waits for it, in order; the updates fetched with it and after it do not.

    One flood more than is removed at the same time, and those served at the same time, too.
    """
    gate, poll = asyncio.Event(), world.telegram.on_call
    assert poll is not None

    async def hang(method: TelegramMethod[Any]) -> None:
        if method.__api_method__ == "deleteMessage":
            await gate.wait()
        await poll(method)

    world.telegram.on_call = hang
    flood = [written(ANN, "S3cret-of-Ann") for _ in range(CLEARING_MAX + HANDLING_MAX + 1)]
    world.telegram.updates += [
        [*flood, message_json(ANN, "status"), message_json(BO, "with")],
        [message_json(BO, "after")],
    ]
    talks = Expecting()
    poller = Poller(world.bot, world.dispatcher, world.store, FixedClock(), talks=talks)
    async with world.running(poller), asyncio.timeout(AT_ONCE_S / 2):
        await world.until(lambda: world.handled == ["with", "after"])
        gate.set()
        assert await poller.drain(2)
    assert world.handled == ["with", "after", *["link remove"] * len(flood), "status"]
    assert len(world.telegram.named("deleteMessage")) == len(flood)
    assert talks.told == []


async def test_a_removal_waits_for_nobody_who_is_being_served(world: World) -> None:
    """A handler may take a minute, also its writer's own one before."""
    world.gate = asyncio.Event()
    busy = [message_json(BO + number, "wait") for number in range(HANDLING_MAX)]
    world.telegram.updates.append([*busy, written(ANN, "S3cret-of-Ann")])
    poller = Poller(world.bot, world.dispatcher, world.store, FixedClock(), talks=Expecting())
    async with world.running(poller):
        await world.until(lambda: bool(world.telegram.named("deleteMessage")))
        assert world.handled == []


async def test_what_telegram_does_not_remove_is_told_after_the_answer(world: World) -> None:
    refused = "Bad Request: message can't be deleted for everyone"
    answers = [Answer(400, refused, method="deleteMessage") for _ in range(2)]
    world.telegram.script.extend(answers)
    world.telegram.updates.append([written(ANN, "S3cret-of-Ann")])
    talks = Expecting()
    poller = Poller(world.bot, world.dispatcher, world.store, FixedClock(), talks=talks)
    async with world.running(poller):
        await world.until(lambda: bool(talks.told))
        assert world.handled == ["link remove"]
        assert await poller.drain(2)
    assert talks.told == [ANN]
    assert await world.states() == {"handled": 1}


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
