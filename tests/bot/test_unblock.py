"""/unblock and its button, through the real dispatcher: admins only, one service, one answer."""

import pytest

from bot.callbacks import UnblockPress
from core.services.errors import Refused
from tests.fakes.clock import START
from tests.fakes.shell import ANN, OLGA, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json

PRESS = UnblockPress(account_id=7, blocked_ms=1_772_614_931_000).pack()


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


async def test_an_admin_unblocks_by_login_and_by_button(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/unblock 50001", ADMIN_CHAT))
    assert chat.said == "50001 is unblocked."
    assert chat.services.calls == [("clear_by_login", OLGA, 50001)]
    await chat.feed(press_json(OLGA, PRESS, ADMIN_CHAT))
    assert chat.popup == "50001 is unblocked. Closing everything goes on now."
    assert len(chat.telegram.named("editMessageReplyMarkup")) == 1
    assert chat.services.calls == [("clear_terminal", OLGA, 7, 1_772_614_931_000)]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/unblock", "Write the login to unblock: /unblock 50001"),
        ("/unblock gold", "'gold' is not a login. Write the login to unblock: /unblock 50001"),
    ],
)
async def test_without_a_login_it_says_how(chat: Conversation, text: str, answer: str) -> None:
    await chat.feed(message_json(OLGA, text, ADMIN_CHAT))
    assert chat.said == answer
    assert chat.services.calls == []


async def test_a_client_cannot_unblock(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/unblock 50001"))
    await chat.feed(press_json(ANN, PRESS))
    assert chat.services.calls == []


@pytest.mark.parametrize(
    ("code", "edits", "text"),
    [
        ("not_blocked", 1, "50001 is not blocked (any more). Nothing was changed."),
        (
            "newer_block",
            1,
            (
                "50001 was blocked again at 14:02:11 UTC, after this message. Nothing was changed: "
                "see the newer one."
            ),
        ),
        (
            "still_unreadable",
            0,
            (
                "50001 stays blocked: its last reading failed: IPC timeout. It can be unblocked "
                "once it is read as itself again. Unread since 14:02:11 UTC."
            ),
        ),
        (
            "not_read_since",
            0,
            (
                "50001 stays blocked: it was not read since it was blocked at 14:02:11 UTC. Try "
                "again soon."
            ),
        ),
    ],
)
async def test_a_refusal_says_why_and_keeps_the_button_where_it_may_still_help(
    chat: Conversation, code: str, edits: int, text: str
) -> None:
    chat.services.refusal = Refused(code, login=50001, reason="IPC timeout", since=START)
    await chat.feed(press_json(OLGA, PRESS, ADMIN_CHAT))
    assert chat.popup == text
    assert len(chat.telegram.named("editMessageReplyMarkup")) == edits


async def test_a_client_who_approves_what_cannot_be_closed_reads_why(chat: Conversation) -> None:
    chat.services.refusal = Refused("cannot_close", obstacles=("investor_password",))
    await chat.feed(message_json(ANN, "/positions"))
    assert chat.said == (
        "Not approved: a close would fail, because it is linked with an investor (read-only) "
        "password or closed to trading by the broker. Ask your admin to link the master password. "
        "Never send it in a chat."
    )
