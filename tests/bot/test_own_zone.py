"""Times in what somebody reads alone are in their own zone; what a group reads is in UTC."""

import pytest
from msgspec.structs import replace

from bot.notifier import Notifier
from bot.views.message import Voice
from core.records import UserRow
from tests.fakes.alerts import breach
from tests.fakes.clock import FixedClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.rows import outbox_row
from tests.fakes.shell import ANN, EVERYBODY, OLGA, Conversation
from tests.fakes.telegram import ADMIN_CHAT, make_bot, message_json

TOKYO = "Asia/Tokyo"


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Conversation:
    """Ann and Olga live nine hours ahead of UTC."""
    for who in (ANN, OLGA):
        monkeypatch.setitem(EVERYBODY, who, replace(EVERYBODY[who], time_zone=TOKYO))
    return Conversation()


@pytest.mark.parametrize("command", ["/positions", "/drawdown", "/status", "/warnings"])
async def test_what_a_command_answers_in_private_is_in_the_askers_zone(
    chat: Conversation, command: str
) -> None:
    await chat.feed(message_json(OLGA if command == "/warnings" else ANN, command))
    assert "JST" in chat.said
    assert "UTC" not in chat.said


async def test_what_is_answered_in_a_group_is_in_utc(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/warnings", ADMIN_CHAT))
    assert "UTC" in chat.said
    assert "JST" not in chat.said


async def test_an_alert_is_in_its_readers_zone_also_where_it_is_read_in_the_preview() -> None:
    """A countdown that ends at 14:02:21 UTC, told to somebody in Tokyo and to the admins' group."""
    store, clock = MemoryStore(), FixedClock()
    bot, telegram = make_bot()
    await store.put(
        UserRow(telegram_id=ANN, name="Ann", role="client", time_zone=TOKYO, created_at=clock.now())
    )
    for number, chat_id in enumerate((ANN, ADMIN_CHAT)):
        await store.put(
            outbox_row(breach(), dedupe_key=f"k{number}", chat_id=chat_id, thread=f"t{number}")
        )
    notifier = Notifier(bot, store, clock, Voice(), admin_chat_id=ADMIN_CHAT)
    assert await notifier.drain(3)
    texts = telegram.texts()
    first_lines = sorted(text.splitlines()[0] for text in texts)
    assert ["(14:02:21)" in first_lines[0], "(23:02:21)" in first_lines[1]] == [True, True]
    (in_private,) = [text for text in texts if "23:02:21" in text]
    assert "JST" in in_private
    assert "UTC" not in in_private
