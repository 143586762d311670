"""Exposure by symbol: asked for in words or by its button, of one's own accounts only."""

import pytest
from msgspec.structs import replace

from bot.callbacks import ExposurePress
from tests.fakes.exposures import exposures
from tests.fakes.shell import ANN, Conversation
from tests.fakes.telegram import message_json, press_json


@pytest.fixture
def holding() -> Conversation:
    """Ann holds three symbols on 50001."""
    chat = Conversation()
    chat.services.boards[7] = replace(chat.services.boards[7], exposure=exposures())
    return chat


@pytest.mark.parametrize("text", ["/positions chart", "/positions chart 50001", "/positions CHART"])
async def test_the_word_shows_it_and_without_a_picture_as_bars(
    holding: Conversation, text: str
) -> None:
    await holding.feed(message_json(ANN, text))
    assert "All together: 155,000.00 GBP" in holding.said
    assert "short│long" in holding.said


async def test_the_button_under_the_positions_shows_it(holding: Conversation) -> None:
    await holding.feed(message_json(ANN, "/positions"))
    await holding.feed(press_json(ANN, ExposurePress(account_id=7).pack()))
    assert "• XAUUSD: net +0.30 lots (long 0.50, short 0.20)" in holding.said


async def test_another_ones_account_and_what_is_no_login_are_refused(
    holding: Conversation,
) -> None:
    await holding.feed(message_json(ANN, "/positions chart 50002"))
    assert holding.said == "50002 is not your account."
    await holding.feed(message_json(ANN, "/positions chart gold"))
    assert "'gold' is not a login" in holding.said
