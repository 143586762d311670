"""Telegram's sending rates, at and past each of them."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramRetryAfter

from bot.sandbox.people import ADMIN_CHAT_ID
from bot.sandbox.telegram.errors import ApiError
from bot.sandbox.telegram.flood import FloodGate
from bot.sandbox.world import WorldOptions
from tests.wire.telegram.conftest import Side

GROUP = ADMIN_CHAT_ID
ALICE = 101


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> FloodGate:
    return FloodGate(clock)


def refused_s(gate: FloodGate, chat_id: int, count: int = 1) -> int:
    """Answer the seconds a refused send is told to wait."""
    with pytest.raises(ApiError) as refused:
        gate.take(chat_id, count)
    assert refused.value.code == 429
    assert refused.value.parameters is not None
    wait_s = refused.value.parameters["retry_after"]
    assert refused.value.description == f"Too Many Requests: retry after {wait_s}"
    return wait_s


def test_a_person_gets_a_burst_of_three_then_one_a_second(gate: FloodGate, clock: Clock) -> None:
    for _ in range(3):
        gate.take(ALICE)
    assert refused_s(gate, ALICE) == 1
    clock.now_s += 0.99
    assert refused_s(gate, ALICE) == 1
    clock.now_s += 0.02
    gate.take(ALICE)
    assert refused_s(gate, ALICE) == 1


def test_a_group_gets_twenty_in_any_minute(gate: FloodGate, clock: Clock) -> None:
    for _ in range(20):
        gate.take(GROUP)
        clock.now_s += 1.0
    assert refused_s(gate, GROUP) == 40  # the first was 20 s ago
    clock.now_s += 39.9
    assert refused_s(gate, GROUP) == 1
    clock.now_s += 0.1
    gate.take(GROUP)
    assert refused_s(gate, GROUP) == 1


def test_all_chats_together_get_thirty_in_any_second(gate: FloodGate, clock: Clock) -> None:
    for chat_id in range(1, 31):
        gate.take(chat_id)
    assert refused_s(gate, 31) == 1
    clock.now_s += 1.0
    gate.take(31)


def test_an_album_counts_as_many_as_it_holds(gate: FloodGate, clock: Clock) -> None:
    gate.take(GROUP, 10)
    gate.take(GROUP, 10)
    assert refused_s(gate, GROUP) == 60
    gate.take(ALICE, 5)  # larger than the burst: passes from full, leaves a debt of 2
    assert refused_s(gate, ALICE) == 3
    clock.now_s += 3.0
    gate.take(ALICE)


def test_a_refused_send_is_not_counted(gate: FloodGate, clock: Clock) -> None:
    for _ in range(3):
        gate.take(ALICE)
    for _ in range(50):
        refused_s(gate, ALICE)
    clock.now_s += 1.0
    gate.take(ALICE)


@pytest.fixture
def options() -> WorldOptions:
    """Answer a world that keeps Telegram's rates."""
    return WorldOptions(market="manual")


async def test_edits_count_as_messages(bot: Bot, side: Side) -> None:
    sent = await bot.send_message(ALICE, "1")
    await side.raw("sendMessage", {"chat_id": ALICE})  # refused: no text
    for text in ("2", "3"):
        await bot.edit_message_text(text, chat_id=ALICE, message_id=sent.message_id)
    with pytest.raises(TelegramRetryAfter) as refused:
        await bot.edit_message_text("4", chat_id=ALICE, message_id=sent.message_id)
    assert refused.value.retry_after == 1
    assert await side.text(ALICE) == "[1] bot (edited): 3\n"
    await bot.delete_message(ALICE, sent.message_id)


async def test_the_envelope_says_how_long(side: Side) -> None:
    for n in range(20):
        await side.raw("sendMessage", {"chat_id": GROUP, "text": str(n)})
    status, envelope = await side.raw("sendMessage", {"chat_id": GROUP, "text": "x"})
    wait_s = envelope["parameters"]["retry_after"]
    assert 55 <= wait_s <= 60
    assert (status, envelope["error_code"]) == (429, 429)
    assert envelope["description"] == f"Too Many Requests: retry after {wait_s}"
    await side.post("/sim/reset", {})
    assert (await side.raw("sendMessage", {"chat_id": GROUP, "text": "x"}))[0] == 200
