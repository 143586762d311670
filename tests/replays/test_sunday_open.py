"""Gold over the weekend of 2 to 4 May 2014: a gap that is closed once the spread has narrowed.

Ben holds a little gold since Friday evening. On Sunday at 22:00 UTC the first quotes are 16 pips
wide; a minute later the market has settled, over 0.1 % above Friday's last price. The limits are
set so that this counts: 0.1 percent, and five pips of 0.10 for a spread.
"""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from core.domain.alerts_market import MarketCloseAhead
from core.records import CloseJobRow, MarketWarningRow
from tests.engine.house import BEN, USD
from tests.replays.arithmetic import D, Wide, first_close, gaps, rounded
from tests.replays.harness import DATA, Recording, ReplayHouse, exits, made_at, zipped

FRIDAY = "xauusd-ticks-20140502-payrolls.zip"
SUNDAY = "xauusd-ticks-20140504-sunday-open.zip"
BEGIN = datetime(2014, 5, 2, 20, 45, tzinfo=UTC)
LAST = datetime(2014, 5, 2, 20, 59, 59, tzinfo=UTC)
OPEN = datetime(2014, 5, 4, 22, 0, tzinfo=UTC)
END = datetime(2014, 5, 4, 22, 16, tzinfo=UTC)
SERVER_AHEAD = timedelta(hours=3)
PERCENT, SETTLE, GRACE, WAIT = D("0.1"), timedelta(seconds=60), timedelta(seconds=120), 600
WIDE = 5 * D("0.10")
LOTS = D("0.10")


def muted(at: datetime) -> bool:
    """From 23:55 to 00:15 of the broker's clock."""
    there = (at + SERVER_AHEAD).time()
    return there >= time(23, 55) or there < time(0, 15)


def wide_spreads(
    reads: list[datetime], settled_at: datetime, file: Recording, flat_at: datetime
) -> list[Wide]:
    """Episodes over five pips, outside the broker's midnight and of the settled market."""
    found: list[Wide] = []
    calm: datetime | None = None
    for at in reads:
        quote = file.known(at)
        pips = (quote.ask - quote.bid) / D("0.10")
        lasts = bool(found) and found[-1].resolved is None
        if at > flat_at:
            if lasts:
                found[-1].resolved = at
            break
        if muted(at) or OPEN <= at < settled_at:
            continue
        if lasts:
            one = found[-1]
            one.worst = max(one.worst, pips)
            calm = (calm or at) if pips <= D(4) else None
            if calm is not None and at - calm >= timedelta(seconds=30):
                one.resolved, calm = at, None
        elif pips > D(5):
            found.append(Wide(at, pips, D(5)))
    return found


@pytest.mark.skipif(not (DATA / SUNDAY).is_file(), reason="../shared/market-data is not here")
async def test_the_sunday_open_ends_as_the_file_says(tmp_path: Path) -> None:
    """When the gap is seen, when and at what price it is closed, and what is left."""
    file = Recording(
        [
            *zipped(FRIDAY, datetime(2014, 5, 2, tzinfo=UTC), BEGIN, LAST),
            *zipped(SUNDAY, datetime(2014, 5, 4, tzinfo=UTC), OPEN, END),
        ]
    )
    house = ReplayHouse(
        tmp_path,
        "XAUUSD",
        3,
        file,
        BEGIN,
        PRICE_GAP_ALERT_PERCENT="0.1",
        SPREAD_THRESHOLD_PIPS_BY_SYMBOL="XAUUSD=5",
        PRICE_GAP_TYPICAL_MULTIPLE="0",
        SPREAD_TYPICAL_MULTIPLE="0",
        SYNC_INTERVAL_OPEN_S="10",
        SNAPSHOT_ROW_INTERVAL_S="3600",
        RECONCILIATION_SYNC_INTERVAL_S="30",
    )
    await house.start()
    house.open(USD, "buy", "0.10")
    entry = file.known(BEGIN).ask
    await house.run_until(LAST)
    await house.rest_until(OPEN - timedelta(seconds=5))
    await house.run_until(END)

    reads = house.reads[USD]
    others = [at for login, each in house.reads.items() if login != USD for at in each]
    jump = gaps(reads, file, PERCENT, SETTLE)[0]
    assert jump.before.at < LAST
    assert jump.at >= OPEN + SETTLE
    warnings = await house.rows(MarketWarningRow)
    (gap,) = [row for row in warnings if row.kind == "gap"]
    assert (gap.opened_at, gap.figure) == (jump.at, jump.percent)
    assert (gap.price_before, gap.price_after) == (jump.before.mid, jump.after.mid)
    assert gap.before_at == jump.before.at

    closes_at = first_close(reads, others, file, jump.at + GRACE, WIDE, timedelta(seconds=WAIT))
    assert closes_at > jump.at + GRACE + timedelta(seconds=10), "this file makes it wait"
    (out,) = exits(house, USD)
    closed_at = made_at(out)
    assert timedelta(0) <= closed_at - closes_at <= timedelta(seconds=1)
    assert out.price == file.known(closed_at).bid
    result = rounded((out.price - entry) * LOTS * 100)
    assert house.sim.ledger.accounts[USD].balance == D(12_000) + result
    (job,) = await house.rows(CloseJobRow)
    assert (job.reason, job.scope, job.state) == ("market_gap", "XAUUSD", "flat")
    told = [x for x in await house.said(BEN) if isinstance(x, MarketCloseAhead)]
    assert [x.state for x in told] == ["open", "open", "closing"]
    assert told[0].at == jump.at
    assert told[1].wait_until == jump.at + GRACE + timedelta(seconds=WAIT)

    expected = wide_spreads(reads, jump.at, file, closed_at)
    assert expected
    found = [row for row in warnings if row.kind == "spread"]
    assert [(row.opened_at, row.resolved_at) for row in found] == [
        (one.opened, one.resolved) for one in expected
    ]
    await house.close()
