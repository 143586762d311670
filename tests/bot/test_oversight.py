"""/signals, /approve, /reject, /grant, /refuse, /health and /audit: buttons have words, too."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.audit_check import TamperFinding, Tampering
from core.records import ApprovalRow, SignalRow, UserRow
from core.services.errors import Refused
from tests.fakes.clock import START
from tests.fakes.rows import account_row
from tests.fakes.shell import ANN, BO, OLGA, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json


@pytest.fixture
async def chat() -> Conversation:
    made = Conversation()
    person = await made.services.identify(ANN)
    assert person is not None
    (account_id, *_) = person.account_ids
    await made.store.put(
        UserRow(id=person.user_id, telegram_id=ANN, name="Ann", role="client", created_at=START),
        account_row(id=account_id, user_id=person.user_id),
        SignalRow(
            id=12,
            author_user_id=person.user_id,
            symbol="XAUUSD",
            side="buy",
            volume=Decimal("0.10"),
            stop_loss=Decimal(1950),
            take_profit=None,
            source_key="k",
            created_at=START,
            expires_at=START + timedelta(minutes=15),
        ),
        ApprovalRow(
            id=77, signal_id=12, user_id=person.user_id, account_id=account_id, created_at=START
        ),
    )
    return made


async def test_a_client_sees_what_waits_with_its_buttons_and_answers_in_words(
    chat: Conversation,
) -> None:
    await chat.feed(message_json(ANN, "/signals"))
    texts = [call.text for call in chat.telegram.named("sendMessage")]
    assert "Signal: XAUUSD buy 0.10 for 50001" in texts[0]
    assert "1 signal waiting for your answer" in texts[1]
    for word, approve in (("approve", True), ("reject", False)):
        await chat.feed(message_json(ANN, f"/{word} 12"))
        assert ("decide_approval", ANN, 77, approve) in chat.services.calls


@pytest.mark.parametrize("text", ["", " gold", " -1", " 1.5"])
async def test_an_answer_without_a_number_says_how(chat: Conversation, text: str) -> None:
    await chat.feed(message_json(ANN, f"/approve{text}"))
    assert "Write the signal's number after /approve" in chat.said
    assert [call for call in chat.services.calls if call[0] == "decide_approval"] == []


async def test_anothers_offer_is_none_of_ones_own(chat: Conversation) -> None:
    await chat.feed(message_json(BO, "/approve 12"))
    assert "Signal 12 was not offered to you" in chat.said
    assert [call for call in chat.services.calls if call[0] == "decide_approval"] == []


async def test_admins_see_the_last_signals(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/signals", ADMIN_CHAT))
    assert "<b>12</b> XAUUSD buy 0.10, by Ann" in chat.said
    assert "1 waiting" in chat.said


@pytest.mark.parametrize(("word", "grant"), [("grant", True), ("refuse", False)])
async def test_a_release_is_answered_in_words(
    chat: Conversation,
    word: str,
    grant: bool,  # noqa: FBT001 - a case
) -> None:
    board = next(iter(chat.services.boards.values()))
    await chat.feed(message_json(OLGA, f"/{word} {board.login}", ADMIN_CHAT))
    assert ("answer_release", OLGA, board.account_id, grant) in chat.services.calls
    await chat.feed(message_json(OLGA, f"/{word} 99", ADMIN_CHAT))
    assert "There is no account 99 here." in chat.said
    await chat.feed(message_json(OLGA, f"/{word} x", ADMIN_CHAT))
    assert "x" in chat.said


async def test_health_and_the_audit_are_for_admins(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/health", ADMIN_CHAT))
    assert "Reckoner" in chat.said
    await chat.feed(message_json(OLGA, "/audit 50001", ADMIN_CHAT))
    assert "Audit of account 50001: sound" in chat.said
    assert "50001:17:0123456789abcdef" in chat.said
    chat.audits.findings = (
        TamperFinding(account_id=0, sequence=3, kind=Tampering.CHANGED),
        TamperFinding(account_id=0, sequence=9, kind=Tampering.UNREADABLE, text="<broken>"),
    )
    await chat.feed(message_json(OLGA, "/audit", ADMIN_CHAT))
    assert "Audit of the system: not sound" in chat.said
    assert "link 3 was changed" in chat.said
    assert "link 9 cannot be read: &lt;broken&gt;" in chat.said
    for command in ("/health", "/audit", "/grant 50001"):
        await chat.feed(message_json(ANN, command))
        assert "Only an admin can do that" in chat.said


async def test_what_an_account_refuses_is_an_answer_of_its_own(chat: Conversation) -> None:
    """Of several accounts the others are answered all the same."""
    chat.services.refusal = Refused("signal_expired")
    await chat.feed(message_json(ANN, "/approve 12"))
    assert "expired" in chat.said
    assert len(chat.telegram.named("sendMessage")) == 1
