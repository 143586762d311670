"""The market guard, end to end: gaps close when nobody answers, wide spreads hold and warn."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain import alerts as a
from core.domain.alerts_market import MarketWarning
from core.records import AuditRow, CloseJobRow, MarketWarningRow, OverrideRow
from core.services.errors import Refused
from tests.engine.house import ADMIN, ADMIN_CHAT, BEN, GBP, USD, House

D = Decimal


async def both_hold_gold(house: House) -> None:
    """Alice and Ben hold a little gold, so that no drawdown limit is near."""
    house.open(GBP, "buy", "0.01")
    house.open(USD, "sell", "0.01")
    house.open(USD, "buy", "0.01", "EURUSD")
    await house.run(11)


async def warnings(house: House) -> list[MarketWarning]:
    """What the admin chat was told of the market."""
    return [x for x in await house.said(ADMIN_CHAT) if isinstance(x, MarketWarning)]


async def press(house: House, verb: str, version: int | None = None) -> None:
    """Ada presses a button of the newest warning."""
    row = (await house.rows(MarketWarningRow))[-1]
    ada = await house.person(ADMIN)
    await house.engine.answer_warning(ada, row.id, version or row.version, verb, "news")


async def test_a_gap_warns_once_for_all_accounts_with_its_deadline(house: House) -> None:
    """1970.15 to 2080.15 is 5.58 %; one warning, both accounts, 120 s."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(10)
    (told,) = await warnings(house)
    assert (told.warning, told.symbol, told.state, told.figure) == (
        "gap",
        "XAUUSD",
        "open",
        D("5.58"),
    )
    assert told.accounts == ("Alice 50001", "Ben 50002")
    assert told.deadline_at - told.opened_at == timedelta(seconds=120)


async def test_a_smaller_move_is_no_gap(house: House) -> None:
    """1970.15 to 2068.50 is 4.99 %."""
    await both_hold_gold(house)
    house.price("2068.35", "2068.65")
    await house.run(10)
    assert await warnings(house) == []


async def test_an_unanswered_gap_closes_that_symbol_only(house: House) -> None:
    """At the deadline gold is closed in both accounts; the euro stays; nobody is latched."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(110)
    assert house.sends(USD) == []
    await house.run(30)
    assert [p.symbol for p in house.sim.ledger.positions(USD).values()] == ["EURUSD"]
    assert house.sim.ledger.positions(GBP) == {}
    assert (await house.state(USD)).latched_at is None
    jobs = await house.rows(CloseJobRow)
    assert {(j.reason, j.scope, j.state) for j in jobs} == {("market_gap", "XAUUSD", "flat")}
    assert (await warnings(house))[-1].ended == "closed", "not: nobody holds it, as if by chance"
    (row,) = await house.rows(MarketWarningRow)
    assert row.state == "resolved"
    assert "CloseConfirmed" in await house.kinds(BEN)


async def test_close_now_only_brings_a_gaps_close_forward(house: House) -> None:
    """The button does what the deadline would have done."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(5)
    await press(house, "close")
    await house.run(8)
    assert house.sim.ledger.positions(GBP) == {}
    (override,) = await house.rows(OverrideRow)
    assert override.verb == "close"


async def test_hold_stops_the_clock_and_warns_again_when_it_ends(house: House) -> None:
    """15 minutes; then the same warning again, with a new deadline."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(5)
    await press(house, "hold")
    await house.run(890)
    assert house.sim.ledger.positions(GBP) != {}
    await house.run(30)
    told = (await warnings(house))[-1]
    assert (told.state, told.again) == ("open", True)
    await house.run(130)
    assert house.sim.ledger.positions(GBP) == {}


async def test_a_dismissed_gap_closes_nothing(house: House) -> None:
    """Dismissed is over."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(5)
    await press(house, "dismiss")
    await house.run(200)
    assert house.sim.ledger.positions(GBP) != {}


async def test_a_wide_spread_warns_holds_and_resolves(house: House) -> None:
    """11 pips of gold against 10; it is told again each two minutes, and never closes."""
    await both_hold_gold(house)
    house.price("1970.00", "1971.10")
    await house.run(5)
    (told,) = await warnings(house)
    assert (told.warning, told.figure, told.limit) == ("spread", D("11.00"), D(10))
    await house.run(250)
    assert [w.again for w in await warnings(house)] == [False, True, True]
    assert house.sends(GBP) == []
    house.price("1970.00", "1970.30")
    await house.run(25)
    assert (await warnings(house))[-1].state == "open", "narrow for less than half a minute"
    await house.run(15)
    assert (await warnings(house))[-1].state == "resolved"
    # A second widening is a second episode.
    house.price("1970.00", "1971.20")
    await house.run(5)
    assert len(await house.rows(MarketWarningRow)) == 2


async def test_ten_pips_of_gold_are_not_wide(house: House) -> None:
    """At the limit is within it."""
    await both_hold_gold(house)
    house.price("1970.00", "1971.00")
    await house.run(5)
    assert await warnings(house) == []


async def test_close_now_is_not_offered_for_a_spread(house: House) -> None:
    """A spread warning schedules nothing, so there is nothing to bring forward (law 15)."""
    await both_hold_gold(house)
    house.price("1970.00", "1971.50")
    await house.run(5)
    with pytest.raises(Refused):
        await press(house, "close")
    assert await house.rows(CloseJobRow) == []


async def test_of_two_presses_one_acts_and_the_other_reads_who_did(house: House) -> None:
    """The version in the button tells."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(5)
    await press(house, "hold")
    with pytest.raises(Refused) as refused:
        await press(house, "close", version=1)
    assert refused.value.code == "stale_button"
    assert refused.value.facts["by"] == "Ada"
    assert (await house.rows(CloseJobRow)) == []


async def test_a_client_cannot_answer(house: House) -> None:
    """Deny by default."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(5)
    (row,) = await house.rows(MarketWarningRow)
    with pytest.raises(Refused) as refused:
        await house.engine.answer_warning(
            await house.person(BEN), row.id, row.version, "dismiss", "news"
        )
    assert refused.value.code == "not_admin"


async def test_a_hold_never_outlives_a_drawdown_floor(house: House) -> None:
    """Overrides bind the market guard only."""
    house.open(USD, "sell", "2.00")
    await house.run(11)
    house.price("2080.00", "2080.30")  # 200 oz short: 22,000 USD lost of 12,000
    await house.run(8)
    assert house.sim.ledger.positions(USD) == {}
    assert (await house.state(USD)).latched_at is not None


async def test_warnings_and_deadlines_survive_a_restart(house: House) -> None:
    """The deadline is in the store."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(5)
    await house.restart()
    await house.run(125)
    assert house.sim.ledger.positions(GBP) == {}
    assert len(await house.rows(MarketWarningRow)) == 1
    assert {r.action for r in await house.rows(AuditRow, account_id=0)} >= {"market_warned"}


async def test_nobody_is_warned_of_a_market_nobody_holds(house: House) -> None:
    """Noise is what makes warnings be ignored."""
    await house.run(2)
    house.price("2080.00", "2090.30")
    await house.run(20)
    assert await warnings(house) == []


async def test_a_closed_gap_is_over_as_soon_as_nobody_holds_the_symbol(house: House) -> None:
    """Not at its deadline, two minutes later: `/warnings` would list it as closing until then."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(10)
    await press(house, "close")
    await house.run(15)
    assert [w.state for w in await warnings(house)][-1] == "resolved"


async def test_a_restart_does_not_end_a_warning_before_its_accounts_are_read(
    house: House,
) -> None:
    """Nobody seen to hold gold yet is not nobody holding it."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(10)
    await house.restart()
    house.fault(GBP, "read_fails")
    house.fault(USD, "read_fails")
    await house.run(3)
    assert [w.state for w in await warnings(house)][-1] == "open"
    await house.run(150)
    (row,) = await house.rows(MarketWarningRow)
    assert row.resolved_at is None


async def test_a_breach_takes_over_what_a_gap_close_has_under_way(house: House) -> None:
    """A ticket whose close has an open outcome is not sent again by the account's job at once."""
    house.open(GBP, "sell", "0.10")
    await house.run(11)
    house.price("2080.00", "2080.30")  # 10 oz short: 1,100 USD lost, under 9 % of 10,000 GBP
    await house.run(4)
    house.fault(GBP, "timeout_not_executed", times=1)
    await press(house, "close")
    await house.run(0.1)
    assert len(house.sends(GBP)) == 1
    house.price("2300.00", "2300.30")  # 3,300 USD: 26 %
    await house.run(1.5)
    assert (await house.state(GBP)).latched_at is not None
    assert len(house.sends(GBP)) == 1, "the quiet period of the unknown outcome is not over"
    await house.run(8)
    assert len(house.sends(GBP)) == 2
    assert house.sim.ledger.positions(GBP) == {}
    states = {j.scope: j.state for j in await house.rows(CloseJobRow)}
    assert states == {"XAUUSD": "superseded", "account": "flat"}


async def test_a_slow_account_does_not_hold_up_the_market_guard(house: House) -> None:
    """Answering a gap locks no account: one whose terminal hangs is closed when it can be."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(5)
    async with house.engine.desk.holding(house.ids[USD]):  # as during a long close
        async with asyncio.timeout(5):
            await press(house, "close")
        await house.engine.sync(house.ids[GBP])
    assert house.sim.ledger.positions(GBP) == {}
    await house.run(8)
    assert [p.symbol for p in house.sim.ledger.positions(USD).values()] == ["EURUSD"]


async def test_a_breach_reports_what_the_gap_close_it_took_over_had_closed(house: House) -> None:
    """Gold was closed, but its answer was lost; the account's report must list it all the same."""
    gold = house.open(GBP, "sell", "0.01")
    euro = house.open(GBP, "buy", "1.00", "EURUSD")
    await house.run(11)
    house.price("2080.00", "2080.30")
    await house.run(4)
    house.fault(GBP, "timeout_after_execution", times=1)
    await press(house, "close")
    await house.run(0.01)
    assert gold not in house.sim.ledger.positions(GBP)
    house.price("1.05500", "1.05510", "EURUSD")  # 3,010 USD of 10,000 GBP: over 22 %
    await house.run(10)
    report = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, a.CloseConfirmed)][-1]
    assert (report.scope, {r.ticket: r.outcome for r in report.results}) == (
        "account",
        {gold: "closed", euro: "closed"},
    )
