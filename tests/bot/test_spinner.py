"""A pressed button turns until it is answered: it always is, once, whatever becomes of its work."""

import asyncio

import pytest

from bot.callbacks import BoardKind, RefreshPress
from bot.middlewares import errors
from bot.middlewares.errors import Failed
from bot.polling import HANDLING_TIMEOUT_S
from core.ports import StoreUnavailable
from tests.fakes.shell import ANN, Conversation
from tests.fakes.telegram import press_json

REFRESH = RefreshPress(board=BoardKind.POSITIONS).pack()


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


async def test_a_handler_that_hangs_is_given_up_and_the_press_is_answered(
    chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(errors, "HANDLING_S", 0.01)
    monkeypatch.setattr(chat.services, "accounts_of", hang)
    handled = await chat.feed(press_json(ANN, REFRESH))
    assert isinstance(handled, Failed)
    ((text, alert),) = chat.telegram.popups()
    assert alert
    assert f"Something went wrong on our side, ref {handled.ref}" in (text or "")


def test_a_handler_is_given_up_before_its_update_is() -> None:
    assert errors.HANDLING_S < HANDLING_TIMEOUT_S


@pytest.mark.parametrize("error", [RuntimeError("broken"), StoreUnavailable("away"), OSError()])
async def test_a_handler_that_fails_leaves_no_button_turning(
    chat: Conversation, error: Exception
) -> None:
    chat.services.refusal = error
    await chat.feed(press_json(ANN, REFRESH))
    assert len(chat.telegram.popups()) == 1
