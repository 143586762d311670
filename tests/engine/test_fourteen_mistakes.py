"""Fourteen mistakes of systems that called themselves finished, and that they are not made here.

Each test was seen to fail with its mistake put into the code.
"""

import sqlite3
from decimal import Decimal
from typing import Any, NoReturn

import pytest

from core.domain import alerts as a
from core.domain.alerts_market import MarketWarning
from core.ports import StoreUnavailable
from core.records import (
    AccountStateRow,
    EpisodeRow,
    PositionSnapshotRow,
    ReconciliationLogRow,
    TradeRow,
)
from core.services.recording import Recorder
from tests.engine.house import ADMIN_CHAT, ALICE, BEN, EUR, GBP, USD, House

D = Decimal

# Ben's 2.00 lots of gold are 200 oz, bought at 1970.30 with 12,000.00 USD.
OZ = 200
ENTRY = D("1970.30")


async def said(house: House, chat: int, kind: type[Any]) -> list[Any]:
    """What a chat was told of one kind."""
    return [alert for alert in await house.said(chat) if isinstance(alert, kind)]


async def hold_gold(house: House) -> int:
    """Ben buys two lots himself."""
    ticket = house.open(USD, "buy", "2.00")
    await house.run(11)
    return ticket


async def fall(house: House, bid: str) -> None:
    """Gold falls to a bid."""
    house.price(bid, f"{D(bid) + D('0.30')}")


async def placed(house: House, text: str, points: int) -> None:
    """Alice follows a signal; her executor fills it so many points worse than expected."""
    await house.approve(ALICE, await house.signal(text))
    house.fault(GBP, "slippage", to="executor", points=points, times=1)
    await house.execute(GBP)
    await house.run(4)


async def test_01_a_fill_far_from_what_was_expected_is_matched_and_its_slippage_told(
    house: House,
) -> None:
    """Tolerances judge and never match: 20.00 worse than the ask are 200 pips of gold."""
    await placed(house, "XAUUSD buy 0.10", 2000)
    (trade,) = await house.rows(TradeRow)
    assert trade.status == "open"
    (told,) = await said(house, ALICE, a.TradeOpened)
    assert told.slippage_pips == D(200)
    (found,) = await said(house, ALICE, a.DivergenceOpened)
    assert (found.finding, found.slippage_pips) == ("entry_slippage", D(200))


@pytest.mark.parametrize(
    ("symbol", "pip_points"),
    [
        ("XAUUSD", 10),  # a pip is 0.10, a point 0.01
        ("USDJPY", 10),  # 0.01, 0.001
        ("US500", 10),  # 1.0, 0.1
        ("EURUSD", 10),  # 0.0001, 0.00001
    ],
)
@pytest.mark.parametrize(("pips", "is_told"), [(5, False), (6, True)])
async def test_02_five_pips_are_five_pips_of_that_symbol(
    house: House, symbol: str, pip_points: int, pips: int, *, is_told: bool
) -> None:
    """One tolerance in price for gold, yen and indices names everything or nothing."""
    await placed(house, f"{symbol} buy 0.10", pips * pip_points)
    (told,) = await said(house, ALICE, a.TradeOpened)
    assert told.slippage_pips == pips
    assert bool(await said(house, ALICE, a.DivergenceOpened)) is is_told


async def test_03_a_write_that_fails_is_a_failure_and_is_done_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is taken for recorded that is not: the next cycle finds it once more."""
    house.open(USD, "buy", "0.10")

    def refuse() -> NoReturn:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(house.store, "writing", refuse)
        house.clock.instant = max(house.due.values())
        with pytest.raises(StoreUnavailable):
            await house.engine.sync(house.ids[USD])
    assert await house.rows(EpisodeRow) == []
    await house.run(11)
    assert len(await said(house, BEN, a.DivergenceOpened)) == 1
    assert len(await house.rows(EpisodeRow)) == 1


async def test_04_what_was_written_is_in_the_file(house: House) -> None:
    """Read by another library, in the table's own columns; scaled by 10^8."""
    await placed(house, "XAUUSD buy 0.10", 0)
    file = sqlite3.connect(house.folder / "reckoner.db")
    rows = file.execute(
        "SELECT symbol, direction, volume, entry_price, matched, event_type, status"
        " FROM reconciliation_logs"
    ).fetchall()
    file.close()
    assert rows == [("XAUUSD", "buy", 10_000_000, 197_030_000_000, 1, "sync", "success")]


async def test_04_a_column_that_the_table_does_not_have_is_refused(house: House) -> None:
    """A name that only a double would know must not vanish in silence."""
    memory = house.engine.desk.peek(house.ids[USD])
    assert memory is not None
    async with house.store.writing() as tx:
        pen = Recorder(tx, memory, house.clock.now(), ADMIN_CHAT)
        with pytest.raises(TypeError, match="closed_price"):
            await pen.log(matched=True, event_type="sync", status="success", closed_price=D(1))
    assert await house.rows(ReconciliationLogRow) == []


async def test_05_a_position_missing_in_one_reading_is_not_liquidated(house: House) -> None:
    """It waits for its deal, and the deal says who closed it."""
    await placed(house, "XAUUSD buy 0.10", 0)
    (ticket,) = house.sim.ledger.positions(GBP)
    house.fault(GBP, "deal_delayed", ms=2_500)
    house.close_position(GBP, ticket, reason=2)
    await house.run(2)
    assert (await house.state(GBP)).positions_count == 0  # it was read, and is gone
    assert await house.rows(ReconciliationLogRow, event_type="close") == []
    await house.run(5)
    (row,) = await house.rows(ReconciliationLogRow, event_type="close")
    assert row.close_reason == "client_web"


async def test_06_an_unmatched_position_is_recorded_once_however_often_it_is_read(
    house: House,
) -> None:
    ticket = house.open(USD, "buy", "0.10")
    await house.run(60)
    rows = await house.rows(ReconciliationLogRow, mt5_position_id=ticket)
    assert [row.divergence_reason for row in rows] == ["unknown_position_manual"]
    assert len(await house.rows(EpisodeRow)) == 1


async def test_07_each_account_has_its_own_figures(house: House) -> None:
    """Ben's are not filed under Alice while her terminal answers with his account."""
    house.open(USD, "buy", "0.10")
    house.fault(GBP, "wrong_login")
    await house.run(70)
    states = {s.id: (s.balance, s.positions_count) for s in await house.rows(AccountStateRow)}
    assert states == {
        house.ids[GBP]: (D(10000), 0),
        house.ids[USD]: (D(12000), 1),
        house.ids[EUR]: (D(8000), 0),
    }
    sampled = await house.rows(PositionSnapshotRow, balance=D(12000))
    assert {row.account_id for row in sampled} == {house.ids[USD]}
    assert {row.account_id for row in await house.rows(EpisodeRow)} == {house.ids[USD]}


async def test_08_swap_and_commission_are_added_as_they_are_signed(house: House) -> None:
    """A gain of 50.00 with a commission of -0.70 and a swap of -3.20 is 46.10."""
    house.sim.set_account(USD, commission=D(7))
    ticket = house.open(USD, "buy", "0.10")
    house.sim.ledger.positions(USD)[ticket].swap = D("-3.20")
    await house.run(11)
    house.price("1975.30", "1975.60")  # 5.00 above the entry, on 10 oz
    house.close_position(USD, ticket)
    await house.run(11)
    (told,) = await said(house, BEN, a.PositionClosed)
    assert told.pnl == D("50.00") - D("0.70") - D("3.20")
    state = await house.state(USD)
    assert state.ledger_balance == state.balance == D("12046.10")


async def test_09_the_peak_rises_and_outlives_a_restart(house: House) -> None:
    """12,000 rises to 13,940; 20 % of that is reached at 11,152, which is 7 % below the start."""
    await hold_gold(house)
    await fall(house, "1980.00")
    await house.run(4)
    assert (await house.state(USD)).peak_equity == D(12000) + OZ * (D("1980.00") - ENTRY)
    await house.restart()
    await fall(house, "1966.05")
    await house.run(4)
    (told,) = await said(house, BEN, a.GuardBreached)
    assert (told.peak_equity, told.equity) == (D(13940), D(11150))


async def test_10_a_slow_fall_is_measured_from_the_same_peak_and_told_with_its_figure(
    house: House,
) -> None:
    """Twelve falls of 1.00, 1.7 % of the peak each: 18.83 % after eleven, 20.5 % after twelve."""
    await hold_gold(house)
    for fallen in range(1, 13):
        assert await said(house, BEN, a.GuardBreached) == []
        await fall(house, f"{D('1970.00') - fallen}")
        await house.run(4)
    (told,) = await said(house, BEN, a.GuardBreached)
    assert told.equity == D(12000) - OZ * (ENTRY - D("1958.00")) == D(9540)
    assert (told.peak_equity, told.drawdown_percent) == (D(12000), D("20.5"))


@pytest.mark.parametrize("fault", ["reject", "partial_fill"])
async def test_11_a_failed_or_partial_close_is_tried_again_until_nothing_is_held(
    house: House, fault: str
) -> None:
    """10010 closed a part; a refusal closed nothing: closed is what the next reading shows."""
    await hold_gold(house)
    house.fault(USD, fault, times=1)
    await fall(house, "1957.00")
    await house.run(30)
    assert house.sim.ledger.positions(USD) == {}
    assert len(house.sends(USD)) == 2
    exits = [deal for deal in house.sim.ledger.deals(USD) if deal.entry == 1]
    assert sum((deal.volume for deal in exits), D(0)) == D("2.00")
    assert len(await said(house, BEN, a.CloseConfirmed)) == 1


async def test_12_a_latched_account_is_closed_to_the_end_also_after_a_restart(
    house: House,
) -> None:
    """The latch comes first; that it is set does not mean that anything is done."""
    for _ in range(2):
        house.open(USD, "buy", "1.00")
    await house.run(11)
    house.fault(USD, "reject", times=1)
    await fall(house, "1957.00")
    await house.run(1.2)
    assert (await house.state(USD)).latched_at is not None
    assert len(house.sim.ledger.positions(USD)) == 1  # the other one was refused
    await house.restart()
    await house.run(30)
    assert house.sim.ledger.positions(USD) == {}


@pytest.mark.parametrize("amount", ["5400", "-5400"])
async def test_13_money_in_or_out_is_neither_profit_nor_loss(house: House, amount: str) -> None:
    """Half as much again, or half of it taken out, at a drawdown of 10 %: it stays 10 %."""
    await hold_gold(house)
    await fall(house, "1964.30")  # 200 oz x 6.00 are 1,200 of 12,000
    await house.run(4)
    assert (await house.state(USD)).drawdown_percent == D(10)
    house.cash(USD, amount)
    await house.run(4)
    state = await house.state(USD)
    assert state.drawdown_percent == D(10)
    assert state.peak_equity == D(12000) * (D(10800) + D(amount)) / D(10800)
    assert await said(house, BEN, a.GuardBreached) == []


async def test_14_a_wide_spread_closes_nothing(house: House) -> None:
    """To close into it would make the spread a loss; it is told, and told again."""
    house.open(USD, "buy", "0.01")
    await house.run(11)
    house.price("1970.00", "1972.00")
    await house.run(600)
    warnings = await said(house, ADMIN_CHAT, MarketWarning)
    assert {w.warning for w in warnings} == {"spread"}
    assert len(warnings) > 1
    assert house.sends(USD) == []
    assert len(house.sim.ledger.positions(USD)) == 1
