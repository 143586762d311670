"""Gaps that nobody would have heard of, and warnings that said too little."""

from decimal import Decimal

import pytest

from bot.markup import plain
from bot.views.alerts_closing import confirmed
from bot.views.message import Audience, Voice
from core.domain import alerts as a
from core.domain.alerts_market import MarketCloseAhead, MarketWarning
from core.ports import SnapshotRequest, StoreUnavailable
from core.records import CloseJobRow, MarketWarningRow
from tests.engine.house import ALICE, BEN, GBP, USD, House
from tests.engine.test_market_guard import both_hold_gold, press, warnings

D = Decimal


async def test_a_gap_first_read_by_somebody_who_holds_nothing_is_told_for_who_does(
    house: House,
) -> None:
    """Alice only waits for her trade, and is read first after the start; Ben holds gold."""
    house.open(USD, "buy", "0.01")
    await house.approve(ALICE, await house.signal())
    await house.run(100)  # quotes are kept each minute
    house.price("2080.00", "2080.30")  # 5.6 %
    await house.restart()
    await house.engine.sync(house.ids[GBP])
    await house.engine.sync(house.ids[USD])
    (told,) = await warnings(house)
    assert (told.warning, told.figure, told.accounts) == ("gap", D("5.58"), ("Ben 50002",))


async def test_who_opened_after_a_gap_is_not_warned_of_it(house: House) -> None:
    await house.approve(ALICE, await house.signal())
    await house.run(11)
    house.price("2080.00", "2080.30")
    await house.run(3)
    house.open(USD, "buy", "0.01")
    await house.run(11)
    assert await warnings(house) == []


async def test_a_gap_whose_commit_fails_is_judged_by_the_next_reading(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    writing, fails = house.store.writing, iter([True])

    def broken() -> object:
        if next(fails, False):
            raise StoreUnavailable("the disk is full")
        return writing()

    reading = await house.gateway.snapshot(
        SnapshotRequest(
            account_id=house.ids[GBP],
            login=GBP,
            server="Sim",
            deals_since=house.clock.now(),
            symbols=(),
        )
    )
    monkeypatch.setattr(type(house.store), "writing", lambda _store: broken())
    with pytest.raises(StoreUnavailable):
        await house.engine.market.look(reading)
    assert await warnings(house) == []
    await house.run(3)
    (told, *_) = await warnings(house)
    assert told.figure == D("5.58")


async def test_a_close_that_waits_for_one_account_keeps_no_later_gap_quiet(house: House) -> None:
    """Ben cannot be read; Alice was closed and buys again, and the market jumps once more."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(5)
    house.fault(USD, "read_fails", times=500)
    await press(house, "close")
    await house.run(15)
    assert house.sim.ledger.positions(GBP) == {}
    house.open(GBP, "buy", "0.01")
    house.sim.clear_faults(USD)
    await house.run(20)
    house.price("2300.00", "2300.30")  # 10.6 %
    await house.run(10)
    last = (await warnings(house))[-1]
    assert (last.state, last.accounts) == ("open", ("Alice 50001",))


async def test_a_further_gap_on_hold_is_told_and_ends_no_hold(house: House) -> None:
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(5)
    await press(house, "hold1h")
    house.price("2300.00", "2300.30")  # 220 of 2080.15: 10.58 %
    await house.run(5)
    last = (await warnings(house))[-1]
    assert (last.state, last.figure, last.again) == ("held", D("10.58"), True)
    (row,) = await house.rows(MarketWarningRow)
    assert row.worst == D("10.58")


async def test_results_are_those_after_the_jump_whoever_was_read_first(house: House) -> None:
    """A hundredth of a lot of gold: an ounce. Ben sold it, and the ask rose by 110."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.engine.sync(house.ids[GBP])
    (told,) = await warnings(house)
    results = {e.account: e.profit for e in told.exposures}
    # Sold at 1970.00, to be bought back at 2080.30.
    assert results["Ben 50002"] == D("-110.30")
    (ahead,) = [x for x in await house.said(BEN) if isinstance(x, MarketCloseAhead)]
    assert ahead.exposures[0].profit == D("-110.30")


async def test_who_comes_to_hold_a_symbol_that_is_to_be_closed_is_named_to_the_admins(
    house: House,
) -> None:
    house.open(GBP, "buy", "0.01")
    await house.run(11)
    house.price("2080.00", "2080.30")
    await house.run(5)
    house.open(USD, "buy", "0.01")
    await house.run(11)
    last = (await warnings(house))[-1]
    assert isinstance(last, MarketWarning)
    assert (last.accounts, last.again) == (("Alice 50001", "Ben 50002"), False)


@pytest.mark.parametrize("verb", ["close", ""])
async def test_the_result_says_when_the_gap_was_and_who_decided(house: House, verb: str) -> None:
    """The gap and the decision are two moments; the first was told as the second before."""
    await both_hold_gold(house)
    house.price("2080.00", "2080.30")
    await house.run(5)
    opened = (await warnings(house))[0].opened_at
    if verb:
        await press(house, verb)
    await house.run(140)
    (job,) = await house.rows(CloseJobRow, account_id=house.ids[GBP])
    assert job.created_at > opened
    (told,) = [x for x in await house.said(ALICE) if isinstance(x, a.CloseConfirmed)]
    lines = plain(confirmed(told, Voice(), Audience.CLIENT).html).splitlines()
    gap, decided = f"price gap of {opened:%H:%M:%S} UTC", f"{job.created_at:%H:%M:%S} UTC"
    assert [line for line in lines if line.startswith("Why")] == [
        f"Why: {gap}. Ada decided at {decided} (news)."
        if verb
        else f"Why: {gap}, and nobody decided otherwise by {decided}."
    ]
