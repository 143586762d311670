"""/history and /report through the real dispatcher: who may ask, who may press."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from aiogram.methods import SendDocument

from bot.callbacks import HistoryPress, HistoryVerb, ReportPress
from bot.routers import reports
from bot.routers.reports import BadWord, Wanted, read
from core.domain.history import HistoryFilter
from core.domain.periods import Span
from core.services.errors import Refused
from core.services.history import HistoryAsk
from tests.fakes.shell import ANN, BO, OLGA, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


def turn(asker: int = ANN, **changes: Any) -> str:
    """A press for page 2 of the closed trades of account 7."""
    facts: dict[str, Any] = {
        "verb": HistoryVerb.SHOW,
        "asker": asker,
        "account_id": 7,
        "kind": HistoryFilter.CLOSED,
        "page": 1,
        "as_of": 1_772_618_400,
    }
    return HistoryPress(**{**facts, **changes}).pack()


async def test_a_clients_history_is_their_first_account_or_the_one_named(
    chat: Conversation,
) -> None:
    await chat.feed(message_json(ANN, "/history"))
    await chat.feed(message_json(ANN, "/history 50001"))
    assert chat.histories.asked == [(ANN, None), (ANN, 50001)]
    assert "50001: history" in chat.said
    await chat.feed(message_json(ANN, "/history gold"))
    assert "'gold' is not a login" in chat.said


async def test_in_the_admin_chat_the_account_is_named_and_clients_see_nothing(
    chat: Conversation,
) -> None:
    for command, hint in (("/history", "/history 50001"), ("/report", "/report day 50001")):
        await chat.feed(message_json(OLGA, command, ADMIN_CHAT))
        assert chat.said == f"Name the account here: {hint}"
        await chat.feed(message_json(ANN, f"{command} 50001", ADMIN_CHAT))
        assert ("only in private" in chat.said) is (command == "/history"), "once a minute"
    await chat.feed(message_json(OLGA, "/history"))
    assert "no account of your own" in chat.said
    assert chat.histories.asked == []
    await chat.feed(message_json(OLGA, "/history 50001", ADMIN_CHAT))
    assert chat.histories.asked == [(OLGA, 50001)]


async def test_a_page_is_turned_in_place(chat: Conversation) -> None:
    await chat.feed(press_json(ANN, turn()))
    ((_, asked),) = chat.histories.asked
    assert asked == HistoryAsk(
        account_id=7,
        filter=HistoryFilter.CLOSED,
        page=1,
        as_of=datetime(2026, 3, 4, 10, 0, tzinfo=UTC),
    )
    assert [call.message_id for call in chat.telegram.named("editMessageText")] == [7]
    assert len(chat.telegram.popups()) == 1


async def test_symbols_and_accounts_are_offered_in_place(chat: Conversation) -> None:
    await chat.feed(press_json(ANN, turn(verb=HistoryVerb.SYMBOLS)))
    (call,) = chat.telegram.named("editMessageText")
    assert [b.text for row in call.reply_markup.inline_keyboard for b in row] == [
        "XAUUSD",
        "EURUSD",
        "All symbols",
    ]
    gold = HistoryPress.unpack(call.reply_markup.inline_keyboard[0][0].callback_data)
    assert (gold.verb, gold.symbol_id, gold.page) == (HistoryVerb.SHOW, 41, 0)
    await chat.feed(press_json(ANN, turn(verb=HistoryVerb.ACCOUNTS)))
    assert "Which account?" in chat.said


async def test_presses_of_others_are_answered_and_do_nothing(chat: Conversation) -> None:
    report = ReportPress(span=Span.DAY, asker=ANN, account_id=7, day=739_000)
    for data in (turn(), report.pack()):
        await chat.feed(press_json(BO, data))
        assert chat.popup == "This button belongs to somebody else."
    assert chat.histories.asked == []
    assert chat.reports.asked == []
    for data in (turn(asker=BO), report.model_copy(update={"asker": BO}).pack()):
        await chat.feed(press_json(BO, data))
        assert "This button belongs to somebody else." in chat.popup
    assert chat.telegram.named("editMessageText") == []
    assert chat.telegram.named("sendMessage") == []


async def test_an_old_list_is_answered(chat: Conversation) -> None:
    chat.histories.refusal = Refused("list_expired", at=datetime(2026, 3, 4, 10, 0, tzinfo=UTC))
    await chat.feed(press_json(ANN, turn()))
    assert "Send /history for a new one." in chat.popup


@pytest.mark.parametrize(
    "data",
    [
        turn(as_of=10**15),
        "rp1:day:900:7:0",
        f"rp1:week:900:7:{date.max.toordinal()}",
        f"rp1:day:900:7:{reports.DAY_MIN - 1}",
        f"rp1:day:900:7:{reports.DAY_MAX + 1}",
    ],
)
async def test_a_time_that_does_not_exist_is_answered(chat: Conversation, data: str) -> None:
    await chat.feed(press_json(ANN, data))
    assert chat.popup == "That does not exist (any more)."


async def test_a_report_is_words_buttons_and_a_file(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/report week 2026-03-04"))
    assert chat.reports.asked == [(ANN, None, Span.WEEK, date(2026, 3, 4))]
    assert "Realised" in chat.said
    assert "Equity from" in chat.said, "a line of text where no chart can be drawn"
    (file,) = chat.telegram.named("sendDocument")
    assert isinstance(file, SendDocument)
    assert file.document.filename == "50001_2026-11-22.csv"  # type: ignore[union-attr] # an InputFile


@pytest.mark.parametrize(
    ("code", "said"), [("not_yours", "5 is not your account."), ("not_found", "no account 5 here.")]
)
async def test_a_number_that_is_no_account_is_told_what_report_takes(
    chat: Conversation, code: str, said: str
) -> None:
    chat.reports.refusal = Refused(code, login=5)
    await chat.feed(message_json(ANN, "/report 5"))
    assert said in chat.said
    assert "Write /report day or /report week; a date or a login may follow." in chat.said


async def test_the_same_report_is_sent_once_in_a_while(
    chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ReportPress(span=Span.DAY, asker=ANN, account_id=7, day=739_000).pack()
    await chat.feed(press_json(ANN, data))
    assert len(chat.telegram.named("sendDocument")) == 1
    await chat.feed(press_json(ANN, data))
    assert chat.popup == "That report was sent a moment ago"
    assert chat.telegram.named("sendDocument") == []
    assert reports.AGAIN_S > 0


def test_span_date_and_login_come_in_any_order_each_once() -> None:
    assert read("") == Wanted()
    assert read("week") == Wanted(span=Span.WEEK)
    assert read("50001 2026-03-04 DAY") == Wanted(day=date(2026, 3, 4), login=50001)


@pytest.mark.parametrize(
    "text",
    ["month", "day week", "2026-3-4", "2026-02-30", "2026-W10-3", "1 2", "day 1 2026-03-04 more"],
)
def test_a_word_that_is_none_of_them_is_named(text: str) -> None:
    with pytest.raises(BadWord) as bad:
        read(text)
    assert str(bad.value) in text
