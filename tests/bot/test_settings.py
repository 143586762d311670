"""/settings through the real dispatcher: words and buttons do the same, and nobody else's."""

from typing import Any

import pytest

from core.records import PreferenceRow, UserRow
from tests.fakes.clock import START
from tests.fakes.shell import ANN, BO, OLGA, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json


@pytest.fixture
async def chat() -> Conversation:
    made = Conversation()
    people = [
        UserRow(id=who % 100 + 1, telegram_id=who, name=f"P{who}", role=role, created_at=START)
        for who, role in ((ANN, "client"), (BO, "client"), (OLGA, "admin"))
    ]
    await made.store.put(*people)
    return made


def buttons(chat: Conversation) -> dict[str, str]:
    """Label -> data of the buttons shown last."""
    shown: Any = [call for call in chat.telegram.calls if getattr(call, "reply_markup", None)][-1]
    rows = shown.reply_markup.inline_keyboard
    return {button.text: button.callback_data for row in rows for button in row}


async def test_the_board_says_what_is_heard_and_what_nobody_can_switch_off(
    chat: Conversation,
) -> None:
    await chat.feed(message_json(ANN, "/settings"))
    assert "🔔 Guard: always on (drawdown, locks, a blind guard)" in chat.said
    assert "🔔 Market: on (closes ahead after a gap)" in chat.said
    assert "Quiet hours: none" in chat.said
    assert "Time zone: UTC, where it is 14:02" in chat.said
    labels = buttons(chat)
    assert "Market: on" in labels
    assert not [label for label in labels if label.startswith(("Guard", "Closes"))]
    assert max(len(data.encode()) for data in labels.values()) <= 64


async def test_a_button_changes_one_group_and_edits_the_board_in_place(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/settings"))
    await chat.feed(press_json(ANN, buttons(chat)["Market: on"]))
    assert "🔕 Market: silent" in chat.said
    assert [call.__api_method__ for call in chat.telegram.calls] == [
        "editMessageText",
        "answerCallbackQuery",
    ]
    await chat.feed(press_json(ANN, buttons(chat)["Market: silent"]))
    assert "✖️ Market: off" in chat.said
    await chat.feed(press_json(ANN, buttons(chat)["Market: off"]))
    assert "🔔 Market: on" in chat.said


async def test_a_stale_button_changes_nothing_and_shows_the_board_as_it_is(
    chat: Conversation,
) -> None:
    await chat.feed(message_json(ANN, "/settings"))
    old = buttons(chat)["Money: on"]
    await chat.feed(message_json(ANN, "/settings market off"))
    await chat.feed(press_json(ANN, old))
    assert chat.popup == "Your settings have changed since. This is how they are now."
    assert "🔔 Money: on" in chat.said
    assert "✖️ Market: off" in chat.said


async def test_nobody_presses_another_persons_button(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/settings"))
    await chat.feed(press_json(BO, buttons(chat)["Market: on"]))
    assert await chat.store.all(PreferenceRow) == []


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("market silent", "🔕 Market: silent"),
        ("Digests OFF", "✖️ Digests: off"),
        ("quiet 22:00-07:00", "Quiet hours: 22:00 to 07:00."),
        ("quiet 14:00-15:00", "Quiet hours: 14:00 to 15:00, now."),
        ("quiet off", "Quiet hours: none"),
        ("zone europe/london", "Time zone: Europe/London, where it is 14:02"),
        ("zone Tokyo", "Time zone: Asia/Tokyo, where it is 23:02"),
    ],
)
async def test_every_button_can_be_said_in_words(
    chat: Conversation, words: str, shown: str
) -> None:
    await chat.feed(message_json(ANN, f"/settings {words}"))
    assert shown in chat.said


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("gold off", "I do not know 'gold off'. Nothing was changed."),
        ("market", "I do not know 'market'. Nothing was changed."),
        ("quiet 25:00-07:00", "I do not know 'quiet 25:00-07:00'. Nothing was changed."),
        ("guard off", "The guard's messages and those of closes are always on."),
        ("zone Europe/Lodnon", "Did you mean Europe/London"),
    ],
)
async def test_what_is_not_understood_changes_nothing_and_says_so(
    chat: Conversation, words: str, answer: str
) -> None:
    await chat.feed(message_json(ANN, f"/settings {words}"))
    assert answer in chat.said
    assert await chat.store.all(PreferenceRow) == []


async def test_quiet_hours_and_zones_have_buttons(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/settings"))
    await chat.feed(press_json(ANN, buttons(chat)["Quiet 22:00-07:00"]))
    assert "Quiet hours: 22:00 to 07:00." in chat.said
    await chat.feed(press_json(ANN, buttons(chat)["Time zone"]))
    await chat.feed(press_json(ANN, buttons(chat)["Sao Paulo"]))
    assert "Time zone: America/Sao_Paulo, where it is 11:02" in chat.said
    await chat.feed(press_json(ANN, buttons(chat)["No quiet hours"]))
    assert "Quiet hours: none" in chat.said


async def test_an_admin_without_accounts_has_settings_too_in_private_only(
    chat: Conversation,
) -> None:
    await chat.feed(message_json(OLGA, "/settings"))
    assert "Your settings" in chat.said
    await chat.feed(message_json(OLGA, "/settings", ADMIN_CHAT))
    assert "only in private" in chat.said
