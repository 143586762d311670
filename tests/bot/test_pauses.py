"""/pause and /resume through the real dispatcher: words and buttons do the same."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.pauses import Pausable, span_of
from tests.fakes.shell import ANN, OLGA, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


def buttons(chat: Conversation) -> dict[str, str]:
    """Label -> data of the buttons shown last."""
    shown: Any = [call for call in chat.telegram.calls if getattr(call, "reply_markup", None)][-1]
    rows = shown.reply_markup.inline_keyboard
    return {button.text: button.callback_data for row in rows for button in row}


def asked(chat: Conversation) -> list[tuple[Any, ...]]:
    return [call for call in chat.services.calls if call[0] in {"pause", "resume"}]


async def test_words_pause_and_resume(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/pause market 90m the broker is at work", ADMIN_CHAT))
    assert "Market-guard actions</b> until" in chat.said
    assert "15:32:11 UTC" in chat.said
    assert "Why: the broker is at work" in chat.said
    assert "never paused" in chat.said
    lasts = timedelta(minutes=90)
    assert asked(chat) == [("pause", OLGA, Pausable.MARKET, lasts, "the broker is at work")]
    await chat.feed(message_json(OLGA, "/resume market", ADMIN_CHAT))
    assert "Nothing is paused" in chat.said
    assert asked(chat) == [("resume", OLGA, Pausable.MARKET)]


async def test_a_button_says_first_what_it_would_do_and_asks_why(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/pause", ADMIN_CHAT))
    await chat.feed(press_json(OLGA, buttons(chat)["Signals: 1 h"], ADMIN_CHAT))
    assert "Pause signals for 1 h?" in chat.said
    assert asked(chat) == []
    await chat.feed(press_json(OLGA, buttons(chat)["Pause: news"], ADMIN_CHAT))
    assert asked(chat) == [("pause", OLGA, Pausable.SIGNALS, timedelta(hours=1), "news")]
    await chat.feed(press_json(OLGA, buttons(chat)["Resume signals"], ADMIN_CHAT))
    assert "Nothing is paused" in chat.said
    assert max(len(data.encode()) for data in buttons(chat).values()) <= 64


@pytest.mark.parametrize(
    "text", ["all 1h x", "market", "market 1h", "market now x", "drawdown 1h x"]
)
async def test_what_is_not_understood_pauses_nothing_and_says_how(
    chat: Conversation, text: str
) -> None:
    await chat.feed(message_json(OLGA, f"/pause {text}", ADMIN_CHAT))
    assert "I do not understand" in chat.said
    assert "/pause market 1h broker at work" in chat.said
    assert asked(chat) == []


async def test_clients_neither_pause_nor_press(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/pause market 1h x"))
    assert "Only an admin can do that" in chat.said
    await chat.feed(press_json(ANN, "pr1:market:1h:news"))
    assert "Only an admin can do that" in chat.popup
    assert asked(chat) == []


@pytest.mark.parametrize(
    ("text", "lasts"),
    [
        ("1m", timedelta(minutes=1)),
        ("24h", timedelta(hours=24)),
        ("1440m", timedelta(hours=24)),
        ("2H", timedelta(hours=2)),
        ("0m", None),
        ("25h", None),
        ("1441m", None),
        ("h", None),
        ("-1h", None),
        ("1d", None),
        ("٣m", None),
        ("99999999999h", None),
    ],
)
def test_a_length_of_time_is_read_up_to_its_bounds(text: str, lasts: timedelta | None) -> None:
    assert span_of(text) == lasts
