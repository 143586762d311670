"""The euro on 8 May 2014, the European Central Bank's day: a spread of a second, and a long fall.

At 11:45:10 UTC the decision makes the spread five pips, for about a second; from 12:40 on the euro
falls by over a hundred pips. Ben holds four lots of it on 12,000 dollars.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.records import CloseJobRow, DrawdownAlertRow, MarketWarningRow
from tests.engine.house import USD
from tests.replays.arithmetic import D, follow, rounded, unusual
from tests.replays.harness import DATA, Recording, ReplayHouse, exits, made_at, zipped

FILE = "eurusd-ticks-20140508-ecb.zip"
MIDNIGHT = datetime(2014, 5, 8, 5, tzinfo=UTC)
"""The file's times are of a clock five hours behind UTC."""
BEGIN = datetime(2014, 5, 8, 11, 5, 10, 500_000, tzinfo=UTC)
"""Half a second past, so that a read every twenty seconds meets the spread of that one second."""
END = datetime(2014, 5, 8, 12, 57, tzinfo=UTC)
LOTS = D(4)
PIP = D("0.0001")


@pytest.mark.skipif(not (DATA / FILE).is_file(), reason="../shared/market-data is not here")
async def test_the_banks_day_ends_as_the_file_says(tmp_path: Path) -> None:
    """When the spread is told and is over, when the drawdown breaks, at what price it closes."""
    file = Recording(zipped(FILE, MIDNIGHT, BEGIN, END))
    house = ReplayHouse(
        tmp_path,
        "EURUSD",
        5,
        file,
        BEGIN,
        SYNC_INTERVAL_OPEN_S="20",
        SYNC_INTERVAL_FAST_S="20",
        SNAPSHOT_ROW_INTERVAL_S="3600",
        RECONCILIATION_SYNC_INTERVAL_S="300",
    )
    await house.start()
    house.open(USD, "buy", "4", "EURUSD")
    entry = file.known(BEGIN).ask
    await house.run_until(END)

    reads = house.reads[USD]

    def worth(at: datetime) -> Decimal:
        return D(12_000) + rounded((file.known(at).bid - entry) * LOTS * 100_000)

    course = follow(reads, worth, D(20))
    assert course.breach is not None
    (execution,) = await house.rows(DrawdownAlertRow, alert_type="execution")
    assert execution.created_at == course.breach
    assert execution.equity == course.equity
    assert abs(execution.drawdown_percent - course.fallen) <= D("0.0001")
    (job,) = await house.rows(CloseJobRow)
    assert (job.reason, job.state) == ("drawdown", "flat")

    (out,) = exits(house, USD)
    closed_at = made_at(out)
    assert course.fallen > 22, "two points past the limit there is no countdown"
    assert timedelta() <= closed_at - course.breach <= timedelta(seconds=1)
    assert out.price == file.known(closed_at).bid
    result = rounded((out.price - entry) * LOTS * 100_000)
    assert house.sim.ledger.accounts[USD].balance == D(12_000) + result

    held = [at for at in reads if at <= closed_at]
    wide, jumps = unusual(held, file, PIP, D("2.5"), lambda at: at.hour)
    rows = await house.rows(MarketWarningRow)
    spreads = [row for row in rows if row.kind == "spread"]
    assert wide[0].opened == datetime(2014, 5, 8, 11, 45, 10, 500_000, tzinfo=UTC)
    assert [(r.opened_at, r.resolved_at, r.worst) for r in spreads] == [
        (one.opened, one.resolved, one.worst.quantize(D("0.01"))) for one in wide
    ]
    found = [row for row in rows if row.kind == "gap"]
    assert [row.opened_at for row in found][:1] == [jump.at for jump in jumps][:1]
    assert {row.action for row in found} <= {"block"}, "no move of that day closes anything"
    await house.close()
