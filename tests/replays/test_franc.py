"""The franc on 15 January 2015: hours of the day it was unpegged, and the reopening on Monday.

The file has hourly bars of one broker, prices as points, times two hours ahead of UTC. Each bar is
told as four quotes, twenty minutes apart but the last: open, low, high, close; the spread, which
the file does not have, is one pip. Bars are missing from Thursday 21:00 until Monday.
"""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.records import CloseJobRow, DrawdownAlertRow, MarketWarningRow
from tests.engine.house import GBP, USD
from tests.replays.arithmetic import D, gaps, rounded
from tests.replays.harness import DATA, Quoted, Recording, ReplayHouse, exits, made_at

FILE = "usdchf-h1-201501-snb.csv"
AHEAD = timedelta(hours=2)
SPREAD = D("0.0001")
BEGIN = datetime(2015, 1, 15, 8, 30, tzinfo=UTC)
THURSDAYS_END = datetime(2015, 1, 15, 18, 59, 30, tzinfo=UTC)
MONDAY = datetime(2015, 1, 18, 22, 0, tzinfo=UTC)
POUND = D("1.27000")
"""Dollars for a pound, where dollars were lost."""
STEPS = (("open", 0), ("low", 20), ("high", 40), ("close", 59))


def bars() -> list[Quoted]:
    """Four quotes of each bar."""
    quotes = []
    with (DATA / FILE).open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            begin = datetime.fromisoformat(row["Date"]).replace(tzinfo=UTC) - AHEAD
            for name, minute in STEPS:
                bid = (D(row[name]) / 100_000).quantize(D("0.00001"))
                quotes.append(Quoted(begin + timedelta(minutes=minute), bid, bid + SPREAD))
    return quotes


def worth(bought: Decimal, price: Decimal, dollars: int) -> Decimal:
    """What so many dollars of francs have made, in dollars, at a price."""
    return (price - bought) * dollars / price


async def alices_guard_closes_at_once(house: ReplayHouse, low: Quoted, entry: Decimal) -> None:
    """20,000 dollars bought at 1.0205: in pounds that is more than a fifth of her 10,000 lost."""
    loss = worth(entry, low.bid, 20_000) / POUND
    assert loss < -2_000
    (execution,) = await house.rows(DrawdownAlertRow, alert_type="execution")
    assert abs(execution.equity - (D(10_000) + loss)) <= D("0.02")
    (out,) = exits(house, GBP)
    assert out.price == low.bid
    assert made_at(out) - execution.created_at <= timedelta(seconds=1), "far past the limit"
    assert abs(house.sim.ledger.accounts[GBP].balance - (D(10_000) + loss)) <= D("0.02")


async def bens_gap_is_closed_unanswered(house: ReplayHouse, low: Quoted, entry: Decimal) -> Decimal:
    """Two minutes after it was told, at the price of then; answers his balance."""
    expected = gaps(house.reads[USD], house.file, D(3), timedelta(seconds=60))[0]
    assert expected.percent == D("19.75"), "1.02117 to 0.81946, by hand"
    warning = (await house.rows(MarketWarningRow))[0]
    found = (warning.figure, warning.price_before, warning.price_after)
    assert found == (expected.percent, expected.before.mid, low.mid)
    everybody = (*house.reads[USD], *house.reads[GBP])
    assert warning.opened_at == min(at for at in everybody if at >= low.at)
    (out,) = exits(house, USD)
    assert timedelta(0) <= made_at(out) - warning.deadline_at <= timedelta(seconds=31)
    assert out.price == house.file.known(made_at(out)).bid
    balance = D(12_000) + rounded(worth(entry, out.price, 5_000))
    assert abs(house.sim.ledger.accounts[USD].balance - balance) <= D("0.01")
    return balance


async def mondays_gap_is_seen_once_it_settled(
    house: ReplayHouse, quiet: int, sold: Decimal, balance: Decimal
) -> None:
    """Compared with Thursday's last price; bought back unanswered, two minutes later."""
    (warning,) = (await house.rows(MarketWarningRow))[quiet:]
    before, after = house.file.known(THURSDAYS_END), house.file.known(MONDAY)
    assert (before.at, before.bid) == (datetime(2015, 1, 15, 18, 59, tzinfo=UTC), D("0.89031"))
    assert after.bid == D("0.86088")
    monday = [at for at in house.reads[USD] if at >= MONDAY]
    assert warning.opened_at == min(at for at in monday if at >= monday[0] + timedelta(seconds=60))
    assert (warning.price_before, warning.price_after) == (before.mid, after.mid)
    assert warning.figure == D("3.31"), "0.89036 to 0.86093, by hand"
    out = exits(house, USD)[-1]
    assert timedelta(0) <= made_at(out) - warning.deadline_at <= timedelta(seconds=31)
    assert out.price == house.file.known(made_at(out)).ask
    gain = rounded((sold - out.price) * 5_000 / out.price)
    assert abs(house.sim.ledger.accounts[USD].balance - (balance + gain)) <= D("0.02")


@pytest.mark.skipif(not (DATA / FILE).is_file(), reason="../shared/market-data is not here")
async def test_the_francs_day_and_its_reopening_end_as_the_file_says(tmp_path: Path) -> None:
    """Alice's guard closes at once; Ben's gap is closed unanswered, and so is Monday's."""
    file = Recording(bars())
    house = ReplayHouse(
        tmp_path,
        "USDCHF",
        5,
        file,
        BEGIN,
        PRICE_GAP_ALERT_PERCENT="3",
        SYNC_INTERVAL_OPEN_S="30",
        SYNC_INTERVAL_FAST_S="30",
        RECONCILIATION_SYNC_INTERVAL_S="120",
        SNAPSHOT_ROW_INTERVAL_S="3600",
    )
    await house.start()
    house.open(USD, "buy", "0.05", "USDCHF")
    house.open(GBP, "buy", "0.20", "USDCHF")
    entry = file.known(BEGIN).ask
    await house.run_until(datetime(2015, 1, 15, 9, 30, tzinfo=UTC))
    # Bar 11:00 of the broker's clock: its low is told at 09:20 UTC.
    low = file.known(datetime(2015, 1, 15, 9, 20, tzinfo=UTC))
    assert low.bid == D("0.81941")
    await alices_guard_closes_at_once(house, low, entry)
    balance = await bens_gap_is_closed_unanswered(house, low, entry)

    # Thursday evening Ben sells; no quote comes until Monday, though it is looked for until then.
    evening = datetime(2015, 1, 15, 18, 30, tzinfo=UTC)
    await house.rest_until(evening)
    house.open(USD, "sell", "0.05", "USDCHF")
    await house.run_until(THURSDAYS_END)
    await house.rest_until(MONDAY - timedelta(minutes=5))
    quiet = len(await house.rows(MarketWarningRow))
    await house.run_until(MONDAY + timedelta(minutes=6))
    await mondays_gap_is_seen_once_it_settled(house, quiet, file.known(evening).bid, balance)
    reasons = {(j.reason, j.scope) for j in await house.rows(CloseJobRow)}
    assert reasons == {("market_gap", "USDCHF"), ("drawdown", "account")}
    await house.close()
