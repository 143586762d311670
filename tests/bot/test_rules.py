"""/rules through the real dispatcher: own accounts, any account for an admin, one answer."""

import pytest

from tests.fakes.rules import enforced, rule_board, rule_line
from tests.fakes.shell import ANN, OLGA, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json


@pytest.fixture
def chat() -> Conversation:
    made = Conversation()
    made.rule_boards.boards = [rule_board(rule_line(enforced(), "95412.30"))]
    return made


async def test_a_client_reads_the_rules_of_their_own_accounts(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/rules"))
    assert "You can lose 412.30 USD more" in chat.said
    assert chat.services.calls == [("rules", ANN, None)]


async def test_an_admin_names_the_account_in_the_admin_chat(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/rules", ADMIN_CHAT))
    assert chat.said == "Name the account here: /rules 50001"
    await chat.feed(message_json(OLGA, "/rules 50001", ADMIN_CHAT))
    assert chat.services.calls == [("rules", OLGA, 50001)]


@pytest.mark.parametrize(
    ("who", "text", "answer"),
    [
        (ANN, "/rules gold", "'gold' is not a login. Write /rules or /rules 50001."),
        (OLGA, "/rules", "You have no account of your own; /accounts shows all."),
    ],
)
async def test_what_is_no_account_is_said(
    chat: Conversation, who: int, text: str, answer: str
) -> None:
    await chat.feed(message_json(who, text))
    assert chat.said == answer
    assert chat.services.calls == []
