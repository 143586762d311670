"""What people read of a close, beside what really happened to their money.

Ben holds 2.00 lots of gold (200 oz) bought at 1970.30 with 12,000 USD. At a bid of 1958.20 he has
lost 200 x 12.10 = 2,420 USD: 20.17 % of the peak, which is closed after ten seconds.
"""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import msgspec

from bot.views.alerts import render
from bot.views.message import Audience, Voice
from bot.views.signals import own
from core.domain import alerts as a
from core.domain.speech import EDIT, NEW, REPLY
from core.records import DrawdownAlertRow, OutboxRow
from core.services.signal_boards import SignalBoards
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, USD, House

D = Decimal
LOSS = D(-2420)


async def breach(house: House, *volumes: str) -> list[int]:
    """Gold is bought, falls past the limit, and the countdown has begun."""
    tickets = [house.open(USD, "buy", volume) for volume in volumes]
    await house.run(11)
    house.price("1958.20", "1958.50")
    await house.run(4)
    assert "GuardBreached" in await house.kinds(BEN)
    return tickets


async def messages(house: House, chat_id: int, kind: type, mode: str) -> list[OutboxRow]:
    """The rows of a kind of message, oldest first."""
    rows = await house.rows(OutboxRow, chat_id=chat_id, mode=mode)
    return [row for row in rows if row.kind == kind.__name__]


async def changes(house: House, chat_id: int) -> list[OutboxRow]:
    """Edits of what told of the breach, in the order they were committed."""
    return await messages(house, chat_id, a.GuardBreached, EDIT)


async def sent(house: House) -> None:
    """Telegram has taken everything so far."""
    async with house.store.writing() as tx:
        await tx.update(OutboxRow, {"state": "due"}, state="sent", message_id=77)


async def reports(house: House, chat_id: int = BEN) -> list[a.CloseConfirmed]:
    """What a chat was told of closes that are proved."""
    return [x for x in await house.said(chat_id) if isinstance(x, a.CloseConfirmed)]


def read(alert: a.Alert, audience: Audience = Audience.CLIENT) -> str:
    """The message as its reader sees it."""
    return unescape(re.sub(r"<[^>]+>", "", render(alert, Voice(), audience).html))


async def test_what_the_client_closed_in_the_countdown_is_in_the_result(house: House) -> None:
    (ticket,) = await breach(house, "2.00")
    house.close_position(USD, ticket)
    await house.run(15)
    assert house.sends(USD) == []
    (report,) = await reports(house)
    (result,) = report.results
    assert (result.ticket, result.profit, result.attempts) == (ticket, LOSS, 0)
    assert report.total_pnl == LOSS
    (row,) = await house.rows(DrawdownAlertRow, alert_type="execution")
    assert (row.positions_closed_count, row.total_loss) == (0, LOSS)
    lines = read(report).splitlines()
    assert "Result: -2,420.00 USD" in lines
    assert "You closed 1 position yourself during the countdown: -2,420.00 USD." in lines
    assert "Reckoner had nothing left to close." in lines
    row_of = f"#{ticket} XAUUSD buy 2.00: you closed it on your phone at 1,958.20, -2,420.00 USD"
    assert row_of in lines
    (told,) = await reports(house, ADMIN_CHAT)
    by_hand = "The client closed 1 position by hand during the countdown: -2,420.00 USD."
    assert by_hand in read(told, Audience.ADMIN).splitlines()


async def test_a_restart_does_not_forget_what_the_client_closed_in_the_countdown(
    house: House,
) -> None:
    (ticket,) = await breach(house, "2.00")
    house.close_position(USD, ticket)
    await house.run(2)
    await house.restart()
    await house.run(15)
    (report,) = await reports(house)
    assert report.total_pnl == LOSS


async def test_a_result_is_not_called_nothing_while_the_deal_of_a_close_by_hand_is_late(
    house: House,
) -> None:
    (ticket,) = await breach(house, "2.00")
    await house.run(6)
    house.fault(USD, "deal_delayed", ms=14_000)
    house.close_position(USD, ticket)
    await house.run(12)
    (report,) = await reports(house)
    assert report.results_missing
    assert "Result" not in read(report)
    assert "The broker has not shown every deal yet. The whole result follows." in read(report)
    await house.run(20)
    _, whole = await reports(house)
    assert whole.completed
    assert whole.total_pnl == LOSS
    assert "Result: -2,420.00 USD" in read(whole).splitlines()


async def test_a_result_says_what_the_client_closed_and_what_reckoner_did(house: House) -> None:
    """0.50 lots are 50 oz: 50 x 12.10 = 605. The rest, 1.50 lots, lost 1,815."""
    by_hand, ours = await breach(house, "0.50", "1.50")
    house.close_position(USD, by_hand, reason=0)
    await house.run(15)
    assert [sent["request"]["position"] for sent in house.sends(USD)] == [ours]
    (report,) = await reports(house)
    assert report.total_pnl == LOSS
    lines = read(report).splitlines()
    assert "You closed 1 position yourself before Reckoner did: -605.00 USD." in lines
    assert "Reckoner closed 1 position: -1,815.00 USD." in lines
    assert "Reckoner had nothing left to close." not in lines
    assert any(line.startswith("Took ") for line in lines)


async def test_what_a_stop_closed_in_the_countdown_is_not_called_the_clients_doing(
    house: House,
) -> None:
    """The stop at 1958.00 is filled at the bid: 200 x 12.30 = 2,460."""
    house.open(USD, "buy", "2.00", sl=1958.00)
    await house.run(11)
    house.price("1958.20", "1958.50")
    await house.run(4)
    house.price("1958.00", "1958.30")
    await house.run(15)
    (report,) = await reports(house)
    lines = read(report).splitlines()
    assert "1 position ended otherwise during the countdown: -2,460.00 USD." in lines
    assert not any("yourself" in line for line in lines[:6])


async def test_what_ended_before_a_breach_or_after_its_proof_is_not_in_its_result(
    house: House,
) -> None:
    """A small position is closed by hand just before; the report is of the other alone."""
    small = house.open(USD, "buy", "0.10")
    tickets = [house.open(USD, "buy", "2.00")]
    await house.run(11)
    house.close_position(USD, small)
    house.price("1958.00", "1958.30")
    await house.run(20)
    (report,) = await reports(house)
    assert [result.ticket for result in report.results] == tickets


async def test_prices_of_a_close_report_keep_the_digits_of_their_symbol(house: House) -> None:
    """2.00 lots of euro bought at 1.08510 are 200,000 EUR: at 1.07300 2,420 USD are lost."""
    house.price("1.08500", "1.08510", "EURUSD")
    ticket = house.open(USD, "buy", "2.00", "EURUSD")
    await house.run(11)
    house.price("1.07300", "1.07310", "EURUSD")
    await house.run(20)
    (report,) = await reports(house)
    assert f"#{ticket} EURUSD buy 2.00: closed at 1.07300, -2,420.00 USD" in read(report)


async def test_a_countdown_is_edited_once_at_its_end_in_the_clients_chat_as_in_the_admins(
    house: House,
) -> None:
    (ticket,) = await breach(house, "2.00")
    await sent(house)
    house.close_position(USD, ticket)
    await house.run(5)
    assert await changes(house, BEN) == [], "the countdown runs"
    await house.run(10)
    (proved,) = await reports(house)
    for chat_id, audience in ((BEN, Audience.CLIENT), (ADMIN_CHAT, Audience.ADMIN)):
        told = await messages(house, chat_id, a.GuardBreached, NEW)
        (change,) = await changes(house, chat_id)
        assert change.about_id == told[0].id
        over = msgspec.json.decode(change.payload, type=a.Alert)
        assert isinstance(over, a.GuardBreached)
        assert over.over_at is not None
        assert over.over_at - proved.flat_at < timedelta(seconds=1)
        text = read(over, audience)
        assert text.startswith("⏹ Over: 50002 was closed - drawdown 20.2 %\n")
        assert "Closing 1 position" not in text
    await house.run(30)
    assert len(await changes(house, BEN)) == 1


async def test_a_countdown_that_telegram_never_took_is_told_as_over(house: House) -> None:
    """It would read "in 10 s" half an hour later."""
    await breach(house, "2.00")
    await house.run(15)
    assert await changes(house, BEN) == []
    (told,) = [x for x in await house.said(BEN) if isinstance(x, a.GuardBreached)]
    assert told.over_at is not None


async def test_what_told_of_something_on_a_locked_account_says_when_it_is_over(
    house: House,
) -> None:
    await breach(house, "2.00")
    await house.run(15)
    await sent(house)
    house.open(USD, "buy", "0.10")
    for _ in range(24):
        await house.run(0.5)
        await sent(house)
    (change,) = await messages(house, BEN, a.LatchedReappeared, EDIT)
    over = read(msgspec.json.decode(change.payload, type=a.Alert))
    assert "Reckoner is closing it." not in over
    assert "proved flat, after " in over


async def test_a_lock_without_a_close_is_over_with_its_release(house: House) -> None:
    await house.run(2)
    house.cash(USD, "-3000", "commission")
    await house.run(11)
    await sent(house)
    ben, ada = await house.person(BEN), await house.person(ADMIN)
    await house.engine.ask_release(ben, house.ids[USD])
    await house.engine.answer_release(ada, house.ids[USD], grant=True)
    await house.run(5)
    (change,) = await changes(house, BEN)
    text = read(msgspec.json.decode(change.payload, type=a.Alert))
    assert text.startswith("🔓 Over: 50002 was locked - drawdown 25.0 %\n")
    assert text.endswith(": the account was released.")


async def test_who_asks_for_release_has_it_in_writing_and_hears_of_a_refusal(house: House) -> None:
    """A pop-up is gone with the next touch; an edit would make no sound."""
    await breach(house, "2.00")
    await house.run(15)
    ben, ada = await house.person(BEN), await house.person(ADMIN)
    await house.engine.ask_release(ben, house.ids[USD])
    (asked,) = await messages(house, BEN, a.ReleaseAsked, NEW)
    text = read(msgspec.json.decode(asked.payload, type=a.Alert))
    assert text.startswith("🔓 You asked for the release of 50002\n")
    await sent(house)
    await house.engine.answer_release(ada, house.ids[USD], grant=False)
    assert len(await messages(house, BEN, a.ReleaseAnswered, REPLY)) == 1
    assert len(await messages(house, ADMIN_CHAT, a.ReleaseAnswered, EDIT)) == 1


async def test_signals_say_which_account_is_locked(house: House) -> None:
    await breach(house, "2.00")
    await house.run(15)
    boards = SignalBoards(house.store, house.clock)
    (message,) = own(await boards.own(await house.person(BEN)), Voice())
    assert "🔒 50002 is locked: nothing can be approved before its /release." in message.html
    (others,) = own(await boards.own(await house.person(ALICE)), Voice())
    assert "locked" not in others.html
