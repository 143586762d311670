"""Each person is spoken to in their own language; a group in the one that is set for groups."""

from typing import Any

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

STRANGER = 4711


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Conversation:
    """Ann and Olga chose Spanish."""
    for who in (ANN, OLGA):
        monkeypatch.setitem(EVERYBODY, who, replace(EVERYBODY[who], language="es"))
    return Conversation()


def with_app(update: dict[str, Any], language: str) -> dict[str, Any]:
    """The update as it comes from somebody whose Telegram speaks this."""
    update["message"]["from"]["language_code"] = language
    return update


async def test_what_a_command_answers_in_private_is_in_the_askers_language(
    chat: Conversation,
) -> None:
    await chat.feed(message_json(ANN, "/status"))
    assert "está en marcha" in chat.said
    assert "is running" not in chat.said


async def test_a_refusal_is_in_the_askers_language(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/sync"))
    assert "admin" in chat.said
    assert "Only an admin" not in chat.said


async def test_what_is_answered_in_a_group_is_in_the_groups_language(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/accounts", ADMIN_CHAT))
    assert "account" in chat.said.lower()
    assert "cuenta" not in chat.said.lower()


@pytest.mark.parametrize(
    ("speaks", "word"), [("es", "acceso"), ("es-MX", "acceso"), ("xx", "access"), ("", "access")]
)
async def test_a_stranger_is_answered_in_what_their_telegram_speaks(
    chat: Conversation, speaks: str, word: str
) -> None:
    await chat.feed(with_app(message_json(STRANGER, "hello"), speaks))
    assert word in chat.said.lower()


async def test_an_alert_is_in_its_readers_language_and_in_a_group_in_the_groups() -> None:
    """Ann chose Spanish, Bo's Telegram speaks it, Cy chose English over his app's Spanish."""
    store, clock = MemoryStore(), FixedClock()
    bot, telegram = make_bot()
    readers = {ANN: ("es", None), 902: (None, "es"), 903: ("en", "es"), 904: (None, None)}
    for chat_id, (chosen, app) in readers.items():
        await store.put(
            UserRow(
                telegram_id=chat_id,
                name="N",
                role="client",
                language=chosen,
                app_language=app,
                created_at=clock.now(),
            )
        )
    for number, chat_id in enumerate((*readers, ADMIN_CHAT)):
        await store.put(
            outbox_row(breach(), dedupe_key=f"k{number}", chat_id=chat_id, thread=f"t{number}")
        )
    notifier = Notifier(bot, store, clock, Voice(), admin_chat_id=ADMIN_CHAT)
    assert await notifier.drain(3)
    said = {call.chat_id: call.text for call in telegram.named("sendMessage")}
    spanish = {chat_id: "Se cierra 50001 en" in text for chat_id, text in said.items()}
    assert spanish == {ANN: True, 902: True, 903: False, 904: False, ADMIN_CHAT: False}
    english = {chat_id: "Closing 50001 in" in text for chat_id, text in said.items()}
    assert english == {chat_id: not each for chat_id, each in spanish.items()}
