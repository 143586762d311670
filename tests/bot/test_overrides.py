"""Overrides of market warnings in the chat: by two presses, by words, and listed."""

from typing import Any

import pytest
from msgspec.structs import replace

from bot.callbacks import WarningPress, WarningVerb
from core.domain.board import OverrideLine
from tests.bot.test_conversations import data_of, labels
from tests.fakes.clock import START
from tests.fakes.shell import OLGA, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


async def test_back_takes_no_answer_and_shows_them_again(chat: Conversation) -> None:
    press = WarningPress(warning_id=21, version=1, verb=WarningVerb.HOLD)
    await chat.feed(press_json(OLGA, press.pack(), ADMIN_CHAT))
    asked = chat.telegram.named("editMessageReplyMarkup")[-1]
    await chat.feed(press_json(OLGA, data_of(asked, "Back"), ADMIN_CHAT))
    assert [call[0] for call in chat.services.calls] == []
    again = chat.telegram.named("editMessageReplyMarkup")[-1]
    assert labels(again)[0] == ["Close now", "Hold 15 min", "Hold 1 h"]


async def test_an_override_in_words_names_the_warning_the_answer_and_the_reason(
    chat: Conversation,
) -> None:
    await chat.feed(message_json(OLGA, "/override 21 hold1h waiting for the bank", ADMIN_CHAT))
    assert chat.services.calls == [
        ("answer_warning", OLGA, 21, None, "hold1h", "waiting for the bank")
    ]


@pytest.mark.parametrize(
    "words", ["", "21", "21 hold", "x hold why", "21 stop why", f"{10**19} hold y"]
)
async def test_an_override_without_one_of_them_does_nothing(chat: Conversation, words: str) -> None:
    await chat.feed(message_json(OLGA, f"/override {words}", ADMIN_CHAT))
    assert chat.services.calls == []
    assert "/override 12 hold waiting for the news" in chat.said


async def test_overrides_that_last_have_their_buttons_and_past_ones_are_a_list(
    chat: Conversation,
) -> None:
    held = replace(chat.services.lines[0], state="held", hold_until=START, answered_by="Olga")
    over = replace(held, warning_id=20, state="resolved")
    facts: dict[str, Any] = {"by": "Olga", "decided_at": START}
    chat.services.override_lines = [
        OverrideLine(
            verb="hold", reason="news", expires_at=START, lasts=True, warning=held, **facts
        ),
        OverrideLine(
            verb="dismiss", reason="<b>x", expires_at=None, lasts=False, warning=over, **facts
        ),
    ]
    await chat.feed(message_json(OLGA, "/overrides", ADMIN_CHAT))
    lasting, past = chat.telegram.named("sendMessage")
    assert lasting.text.startswith("<b>[DEMO] ⏸ On hold until 14:02:11: Gap")
    assert "Hold until" in lasting.text
    assert "(news)" in lasting.text
    assert labels(lasting)[1] == ["Hold until day's end", "Dismiss"]
    assert "Dismiss: XAUUSD, warning 20, by Olga" in past.text
    assert "(&lt;b&gt;x)" in past.text
