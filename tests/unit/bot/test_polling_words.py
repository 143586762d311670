"""Words that may be a password: out of the chat at once, and nobody waits for it."""

import asyncio
from typing import Any

import pytest
import structlog
from aiogram import Dispatcher
from aiogram.methods import TelegramMethod
from aiogram.types import Message

from bot.polling import CLEARING_MAX, HANDLING_MAX, Poller
from bot.removing import AT_ONCE_S
from core.domain.link_heard import Ask, Heard
from core.ports import KeysUnusable, Transaction, UnreadableRow
from core.records import PressRow
from core.services.link_hearing import Said
from tests.fakes.clock import FixedClock
from tests.fakes.polled import ANN, BO, World, impatient, message_json
from tests.fakes.telegram import Answer
from tests.fakes.telegram import message_json as written


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return impatient(monkeypatch)


class Expecting:
    """Waits for Ann's password, and takes it. `told` is who was told that it was not removed."""

    def __init__(self) -> None:
        self.told: list[int] = []

    async def hear(self, tx: Transaction, said: Said) -> Heard:
        is_answer = said.ask is Ask.WORDS and said.telegram_id == ANN
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


class Broken(Expecting):
    """Cannot take what Ann writes; of others it takes nothing."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def hear(self, tx: Transaction, said: Said) -> Heard:
        if said.telegram_id == ANN:
            raise self.error
        return Heard()


@pytest.mark.parametrize(
    "error",
    [UnreadableRow("S3cret"), KeysUnusable("S3cret"), LookupError("S3cret")],
    ids=lambda error: type(error).__name__,
)
async def test_a_conversation_that_breaks_makes_nobody_elses_presses_wait(
    world: World, error: Exception
) -> None:
    """Its writer's words are gone from the chat, its commands are answered; told is what kind."""
    secret = written(ANN, "S3cret-of-Ann")
    world.telegram.updates.append(
        [
            message_json(BO, "rules"),
            secret,
            message_json(ANN, "positions S3cret-of-Ann"),
            message_json(ANN, "approve 12"),
            message_json(BO, "status"),
        ]
    )
    of = (world.bot, world.dispatcher, world.store, FixedClock())
    poller = Poller(*of, talks=Broken(error))
    with structlog.testing.capture_logs() as lines:
        async with world.running(poller):
            await world.until(lambda: len(world.handled) == 5)
            assert await poller.drain(2)
    assert sorted(world.handled) == ["approve 12", "link remove", "positions", "rules", "status"]
    (gone,) = world.telegram.named("deleteMessage")
    assert gone.message_id == secret["message"]["message_id"]
    told = [line["error"] for line in lines if line["event"] == "update_not_heard"]
    assert told == [type(error).__name__] * 3
    bodies = [row.body for row in await world.store.all(PressRow)]
    assert "S3cret" not in str([lines, bodies])
