"""The market guard's choices: what blocks, what closes, into which spread, and what is told before.

Gold stands at 1970.00 / 1970.30; its limit is a spread of ten pips of 0.10.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.domain.alerts_market import MarketCloseAhead, MarketWarning
from core.domain.broker import AccountSnapshot
from core.records import AuditRow, CloseJobRow, MarketQuoteRow, MarketWarningRow, OverrideRow
from core.services.errors import Refused
from tests.engine.gateway import START
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, GBP, USD, House

D = Decimal
GAP = ("2080.00", "2080.30")
"""5.58 % up."""


@pytest.fixture
async def closing_spreads(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose operator chose to close at wide spreads."""
    made = House(tmp_path, MARKET_SPREAD_ACTION="close")
    await made.start()
    await made.run(1)
    yield made
    await made.close()


async def alice_holds(house: House, side: str = "buy") -> int:
    """A little gold, so that no drawdown limit is near."""
    ticket = house.open(GBP, side, "0.01")
    await house.run(11)
    return ticket


async def told_admins(house: House) -> list[MarketWarning]:
    """What the admin chat was told of the market."""
    return [x for x in await house.said(ADMIN_CHAT) if isinstance(x, MarketWarning)]


async def told(house: House, chat: int) -> list[MarketCloseAhead]:
    """What a client was told of a close ahead."""
    return [x for x in await house.said(chat) if isinstance(x, MarketCloseAhead)]


async def answer(house: House, verb: str, reason: str = "news", by: int = ADMIN) -> None:
    """An admin answers the newest warning as it stands."""
    row = (await house.rows(MarketWarningRow))[-1]
    person = await house.person(by)
    await house.engine.answer_warning(person, row.id, row.version, verb, reason)


# --- block ----------------------------------------------------------------------------------------


async def test_while_a_spread_is_wide_nothing_new_of_the_symbol_is_approved(house: House) -> None:
    """Alice holds gold, so there is a warning; Ben's approval is refused with its figures."""
    await alice_holds(house)
    signal = await house.signal()
    house.price("1970.00", "1971.10")
    await house.run(4)
    with pytest.raises(Refused) as refused:
        await house.approve(BEN, signal)
    assert (refused.value.code, refused.value.facts) == (
        "market_warning",
        {"symbol": "XAUUSD", "kind": "spread", "figure": D("11.00"), "limit": D(10)},
    )
    refusals = await house.rows(AuditRow, action="approval_refused")
    assert [r.detail["code"] for r in refusals] == ["market_warning"]
    with pytest.raises(Refused) as refused:
        await house.signal("XAUUSD sell 0.10 sl 1990")
    assert refused.value.code == "market_warning"
    await house.signal("EURUSD buy 0.10 sl 1.05")
    house.price("1970.00", "1970.30")
    await house.run(40)
    await house.approve(BEN, signal)


async def test_the_quote_of_the_approval_itself_is_judged_where_nobody_holds_the_symbol(
    house: House,
) -> None:
    """Nobody is warned of a market nobody holds, and all the same nobody buys in it."""
    signal = await house.signal()
    house.price("1970.00", "1971.10")
    with pytest.raises(Refused) as refused:
        await house.approve(BEN, signal)
    assert refused.value.code == "market_warning"
    assert await told_admins(house) == []
    house.price("1970.00", "1970.30")
    await house.approve(BEN, signal)


async def test_a_hold_puts_off_the_close_and_does_not_open_the_market(house: House) -> None:
    """A dismissal does."""
    await alice_holds(house)
    house.price(*GAP)
    await house.run(4)
    await answer(house, "hold")
    with pytest.raises(Refused) as refused:
        await house.signal("XAUUSD buy 0.10 sl 1990")
    assert refused.value.code == "market_warning"
    await answer(house, "dismiss")
    await house.signal("XAUUSD buy 0.10 sl 1990")


# --- clients are told -----------------------------------------------------------------------------


async def test_a_client_is_told_before_a_gap_closes_their_position(house: House) -> None:
    """With the instant, and before anything is sent; who joins later is told then."""
    await alice_holds(house)
    house.price(*GAP)
    await house.run(4)
    (ahead,) = await told(house, ALICE)
    assert (ahead.state, ahead.symbol, ahead.login) == ("open", "XAUUSD", GBP)
    assert ahead.deadline_at - (START + timedelta(seconds=12)) <= timedelta(seconds=124)
    assert (ahead.price_before, ahead.price_after) == (D("1970.15"), D("2080.15"))
    assert [(e.side, e.volume) for e in ahead.exposures] == [("buy", D("0.01"))]
    assert await told(house, BEN) == []
    house.open(USD, "buy", "0.01")
    await house.run(11)
    assert [x.state for x in await told(house, BEN)] == ["open"]
    assert house.sends(GBP) == house.sends(USD) == []
    await house.run(120)
    assert house.sim.ledger.positions(GBP) == house.sim.ledger.positions(USD) == {}
    assert [x.state for x in await told(house, ALICE)] == ["open", "closing"]


async def test_a_client_reads_that_a_close_was_put_off_or_called_off(house: House) -> None:
    await alice_holds(house)
    house.price(*GAP)
    await house.run(4)
    await answer(house, "hold")
    await house.run(1)
    await answer(house, "dismiss")
    assert [x.state for x in await told(house, ALICE)] == ["open", "held", "dismissed"]


async def test_a_client_is_not_told_of_what_closes_nothing(house: House) -> None:
    await alice_holds(house)
    house.price("1970.00", "1971.10")
    await house.run(4)
    assert len(await told_admins(house)) == 1
    assert await told(house, ALICE) == []


# --- closing into a wide spread -------------------------------------------------------------------


async def test_a_gaps_close_waits_for_the_spread_and_is_made_once_it_is_narrow(
    house: House,
) -> None:
    """Due after 120 s; 25 pips wide then; the close comes with the narrow quote."""
    await alice_holds(house)
    house.price("2080.00", "2082.50")
    await house.run(150)
    assert house.sends(GBP) == []
    gap = [w for w in await told_admins(house) if w.warning == "gap"][-1]
    assert gap.wait_until == gap.deadline_at + timedelta(seconds=600)
    assert gap.spread_now == D("25.00")
    assert [x.wait_until is not None for x in await told(house, ALICE)] == [False, True]
    house.price("2080.00", "2080.30")
    await house.run(10)
    (deal,) = [d for d in house.sim.ledger.deals(GBP) if d.entry == 1]
    assert deal.price == D("2080.00")


async def test_a_close_does_not_wait_longer_than_the_settings_say(house: House) -> None:
    """720 s after the gap it closes into whatever spread there is."""
    await alice_holds(house)
    house.price("2080.00", "2082.50")
    await house.run(715)
    assert house.sends(GBP) == []
    await house.run(25)
    assert house.sim.ledger.positions(GBP) == {}


async def test_a_spread_closes_where_the_operator_chose_so(closing_spreads: House) -> None:
    """After the grace period, with a reason of its own; the drawdown guard has no part in it."""
    house = closing_spreads
    await alice_holds(house)
    house.price("1970.00", "1971.10")
    await house.run(100)
    assert house.sends(GBP) == []
    assert [x.warning for x in await told(house, ALICE)] == ["spread"]
    await house.run(40)
    assert house.sim.ledger.positions(GBP) == {}
    (job,) = await house.rows(CloseJobRow)
    assert (job.reason, job.scope, job.state) == ("market_spread", "XAUUSD", "flat")
    assert (await house.state(GBP)).latched_at is None


# --- overrides ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "lasts_s"),
    [("hold", 900), ("hold1h", 3600), ("session", None)],
)
async def test_an_expired_hold_acts_again(house: House, verb: str, lasts_s: int | None) -> None:
    """The broker is three hours ahead: its day ends at 21:00 UTC."""
    await alice_holds(house)
    house.price(*GAP)
    await house.run(4)
    before = house.clock.instant
    await answer(house, verb)
    (row,) = await house.rows(MarketWarningRow)
    end = START.replace(hour=21) if lasts_s is None else before + timedelta(seconds=lasts_s)
    assert row.hold_until == end
    house.clock.instant = end - timedelta(seconds=5)  # nothing is due in between but readings
    house.due = dict.fromkeys(house.due, house.clock.instant)
    await house.run(4)
    assert house.sends(GBP) == []
    await house.run(10)
    assert [(w.state, w.again) for w in await told_admins(house)][-1] == ("open", True)
    await house.run(125)
    assert house.sim.ledger.positions(GBP) == {}


async def test_an_override_keeps_author_reason_expiry_and_a_link_of_the_chain(
    house: House,
) -> None:
    await alice_holds(house)
    house.price(*GAP)
    await house.run(4)
    await answer(house, "hold1h", "the bank speaks at noon")
    (row,) = await house.rows(OverrideRow)
    ada = await house.person(ADMIN)
    assert (row.user_id, row.verb, row.reason) == (ada.user_id, "hold1h", "the bank speaks at noon")
    assert row.expires_at == row.created_at + timedelta(hours=1)
    (link,) = await house.rows(AuditRow, action="market_answered")
    assert link.actor == "Ada"
    assert link.detail["reason"] == "the bank speaks at noon"
    assert (link.detail["bid"], link.detail["figure"]) == ("2080.00", "5.58")
    (line,) = await house.engine.boards.overrides()
    assert (line.by, line.lasts, line.expires_at) == ("Ada", True, row.expires_at)
    await answer(house, "dismiss", "over")
    lines = await house.engine.boards.overrides()
    assert [(x.verb, x.lasts) for x in lines] == [("dismiss", False), ("hold1h", False)]


@pytest.mark.parametrize(
    ("reason", "code"),
    [("", "reason_missing"), ("   ", "reason_missing"), ("x" * 201, "reason_long")],
)
async def test_an_override_without_a_reason_does_nothing(
    house: House, reason: str, code: str
) -> None:
    await alice_holds(house)
    house.price(*GAP)
    await house.run(4)
    with pytest.raises(Refused) as refused:
        await answer(house, "dismiss", reason)
    assert refused.value.code == code
    assert await house.rows(OverrideRow) == []
    await answer(house, "dismiss", "x" * 200)


async def test_of_two_simultaneous_presses_one_acts_and_the_other_reads_who_did(
    house: House,
) -> None:
    """Both saw the same version and press at the same instant."""
    await alice_holds(house)
    house.price(*GAP)
    await house.run(4)
    (row,) = await house.rows(MarketWarningRow)
    ada = await house.person(ADMIN)
    press = house.engine.answer_warning
    results = await asyncio.gather(
        press(ada, row.id, row.version, "hold", "news"),
        press(ada, row.id, row.version, "dismiss", "hedged"),
        return_exceptions=True,
    )
    (lost,) = [each for each in results if isinstance(each, Refused)]
    assert (lost.code, lost.facts["by"]) == ("stale_button", "Ada")
    assert len(await house.rows(OverrideRow)) == 1


async def test_a_hold_and_its_end_survive_a_restart(house: House) -> None:
    await alice_holds(house)
    house.price(*GAP)
    await house.run(4)
    await answer(house, "hold")
    await house.restart()
    await house.run(890)
    assert house.sim.ledger.positions(GBP) != {}
    (line,) = await house.engine.boards.overrides()
    assert (line.lasts, line.reason) == (True, "news")
    await house.run(150)
    assert house.sim.ledger.positions(GBP) == {}


@pytest.mark.parametrize("verb", ["hold", "hold1h", "session", "dismiss"])
async def test_no_override_outlives_a_drawdown_floor(house: House, verb: str) -> None:
    """Ben is short half a lot: 5,500 dollars of 12,000 would be 45 %; he is put on hold before."""
    house.open(USD, "sell", "0.18")  # 18 oz: 1,980 dollars at the gap, 16.5 %
    await house.run(11)
    house.price(*GAP)
    await house.run(4)
    await answer(house, verb)
    house.price("2110.00", "2110.30")  # 2,523 dollars: 21.0 %
    await house.run(15)
    assert house.sim.ledger.positions(USD) == {}
    assert (await house.state(USD)).latched_at is not None
    (job,) = await house.rows(CloseJobRow)
    assert (job.reason, job.scope) == ("drawdown", "account")


# --- earlier quotes -------------------------------------------------------------------------------


async def test_a_jump_while_the_process_was_down_is_a_gap(house: House) -> None:
    """Quotes are kept each minute; the price jumps between two starts."""
    await alice_holds(house)
    await house.run(65)
    await house.stop()
    house.price(*GAP)
    house.clock.instant += timedelta(minutes=5)
    await house.start()
    await house.run(4)
    (warned,) = await told_admins(house)
    assert (warned.warning, warned.price_before) == ("gap", D("1970.15"))
    assert warned.before_at is not None
    assert house.clock.instant - warned.before_at < timedelta(minutes=7)


async def test_the_first_jump_of_a_position_opened_on_a_flat_account_is_seen(
    house: House,
) -> None:
    """Nobody ever read gold before: the fill is what the next quote is compared with."""
    house.open(GBP, "buy", "0.01")
    house.price(*GAP)
    await house.run(11)
    (warned,) = await told_admins(house)
    assert (warned.price_before, warned.price_after) == (D("1970.30"), D("2080.30"))
    assert warned.figure == D("5.58")


async def test_quotes_are_written_once_a_minute_and_all_of_them_at_the_end(house: House) -> None:
    """Of the first minute there is nothing yet; samples are written each quarter of an hour."""
    await alice_holds(house)
    await house.run(45)
    assert await house.rows(MarketQuoteRow, symbol="XAUUSD") == []
    await house.run(10)
    (row,) = await house.rows(MarketQuoteRow, symbol="XAUUSD")
    assert (row.bid, row.ask, row.moves) == (D("1970.00"), D("1970.30"), [])
    await house.run(130)
    (row,) = await house.rows(MarketQuoteRow, symbol="XAUUSD")
    assert row.moves == []
    await house.engine.announce_stop()
    (row,) = await house.rows(MarketQuoteRow, symbol="XAUUSD")
    assert row.moves == [0, 0, 0]
    assert row.spreads == {"13": [30, 30, 30, 30]}, "the broker is three hours ahead"


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[House]:
    """A house that reads once a minute."""
    made = House(tmp_path, RECONCILIATION_SYNC_INTERVAL_S="60", SYNC_INTERVAL_OPEN_S="60")
    await made.start()
    await made.run(1)
    yield made
    await made.close()


async def test_a_price_that_stands_still_among_others_that_move_is_warned_of_and_blocks(
    slow: House,
) -> None:
    """Twenty minutes without a new tick of gold, in an hour in which it is quoted usually."""
    house = slow
    house.open(USD, "buy", "0.01", "EURUSD")
    await alice_holds(house)
    await house.run(1300)  # twenty minutes of quotes, one sample each
    still_since = house.clock.instant

    def frozen(snapshot: AccountSnapshot) -> AccountSnapshot:
        ticks = dict(snapshot.ticks)
        if "XAUUSD" in ticks:
            ticks["XAUUSD"] = replace(ticks["XAUUSD"], at=still_since)
        return replace(snapshot, ticks=ticks)

    house.gateway.as_read = frozen
    await house.run(1130)
    assert await told_admins(house) == []
    await house.run(130)
    (warned,) = await told_admins(house)
    assert (warned.warning, warned.action, warned.limit) == ("still", "block", D(1200))
    with pytest.raises(Refused):
        await house.signal("XAUUSD buy 0.10 sl 1950")
    house.gateway.show_all()
    await house.run(61)
    assert [(w.state, w.ended) for w in await told_admins(house)][-1] == ("resolved", "calm")
    await house.signal("XAUUSD buy 0.10 sl 1950")


async def test_the_list_of_warnings_shows_what_is_held_at_the_price_of_now(house: House) -> None:
    """0.01 lots are one ounce: bought at 1970.30, at 2080 109.70 USD up."""
    house.open(USD, "buy", "0.01")
    await house.run(11)
    house.price("2080.00", "2080.30")
    await house.run(5)
    (line,) = await house.engine.boards.warnings()
    (held,) = line.exposures
    assert (held.account, held.side, held.profit) == ("Ben 50002", "buy", D("109.70"))
