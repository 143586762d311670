"""/users: for admins, bound to who asked; what is grave is previewed first."""

import pytest

from bot.callbacks import ConfirmPress, UsersPress, UsersVerb
from core.domain.people import Role
from core.services.errors import Refused
from tests.fakes.access import user_line
from tests.fakes.shell import ANN, OLGA, STRANGER, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json


def press(verb: UsersVerb, asker: int = OLGA) -> str:
    """A button under Olga's list."""
    return UsersPress(verb=verb, asker=asker, page=1, user_id=1).pack()


def confirm(*, yes: bool, asker: int = OLGA) -> str:
    """A button under a preview."""
    return ConfirmPress(asker=asker, confirmation_id=4, yes=yes, page=1).pack()


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


@pytest.mark.parametrize("place", [OLGA, ADMIN_CHAT])
async def test_an_admin_reads_who_is_who(chat: Conversation, place: int) -> None:
    await chat.feed(message_json(OLGA, "/users", place))
    assert chat.said == (
        "<b>1 person</b>\nPage 1 of 3\n\n"
        "• Ann &lt;b&gt;Smith&lt;/b&gt;: client, 50001, seen 22 Nov 2026, 14:02 UTC"
    )


@pytest.mark.parametrize("who", [ANN, STRANGER])
@pytest.mark.parametrize(
    "data", [press(UsersVerb.BLOCK), press(UsersVerb.UNBLOCK), confirm(yes=True)]
)
async def test_nobody_else_changes_anybody(chat: Conversation, who: int, data: str) -> None:
    await chat.feed(press_json(who, data.replace(str(OLGA), str(who)), ADMIN_CHAT))
    assert chat.services.calls == []
    assert "Only an admin" in chat.popup or "I do not know you" in chat.popup


@pytest.mark.parametrize(
    "data",
    [press(UsersVerb.LIST, 12), press(UsersVerb.BLOCK, 12), confirm(yes=True, asker=12)],
)
async def test_another_admins_list_is_not_pressed(chat: Conversation, data: str) -> None:
    await chat.feed(press_json(OLGA, data, ADMIN_CHAT))
    assert chat.services.calls == []
    assert "belongs to somebody else" in chat.popup


async def test_a_card_offers_what_may_be_changed(chat: Conversation) -> None:
    await chat.feed(press_json(OLGA, press(UsersVerb.CARD), ADMIN_CHAT))
    assert "By the people file: client" in chat.said
    assert "Telegram number: <code>900</code>" in chat.said


async def test_a_block_is_previewed_and_then_done_or_left(chat: Conversation) -> None:
    await chat.feed(press_json(OLGA, press(UsersVerb.BLOCK), ADMIN_CHAT))
    assert chat.services.calls == [("preview_block", OLGA, 1)]
    assert "Block Ann &lt;b&gt;Smith&lt;/b&gt;?" in chat.said
    assert "Their accounts stay guarded" in chat.said
    assert "Good for 60 s" in chat.said
    await chat.feed(press_json(OLGA, confirm(yes=False), ADMIN_CHAT))
    assert chat.services.calls == [("cancel", OLGA, 4)]
    assert chat.popup == "Cancelled. Nothing was changed."
    await chat.feed(press_json(OLGA, confirm(yes=True), ADMIN_CHAT))
    assert chat.services.calls == [("confirm", OLGA, 4)]
    assert chat.popup == "Ann <b>Smith</b> is blocked."
    assert "🔒 blocked" in chat.said


async def test_a_preview_that_is_spent_loses_its_buttons(chat: Conversation) -> None:
    chat.services.refusal = Refused("confirm_expired", limit=60)
    await chat.feed(press_json(OLGA, confirm(yes=True), ADMIN_CHAT))
    assert chat.popup == "A preview is good for 60 s. Please ask again."
    assert [call.__api_method__ for call in chat.telegram.calls] == [
        "editMessageReplyMarkup",
        "answerCallbackQuery",
    ]


async def test_a_block_is_lifted_at_one_press(chat: Conversation) -> None:
    await chat.feed(press_json(OLGA, press(UsersVerb.UNBLOCK), ADMIN_CHAT))
    assert chat.services.calls == [("unblock", OLGA, 1)]
    assert chat.popup == "Ann <b>Smith</b> is not blocked any more: client."


async def test_who_waits_is_let_in_by_their_request(chat: Conversation) -> None:
    chat.users.line = user_line(role=Role.PENDING, file_role=None, request_id=3)
    await chat.feed(press_json(OLGA, press(UsersVerb.APPROVE), ADMIN_CHAT))
    assert ("answer_access", OLGA, 3, True) in chat.services.calls
