"""What the simulation found, each by the smallest case and the name of what went wrong."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain import alerts as a
from core.domain import alerts_money as m
from core.records import EpisodeRow, ReconciliationLogRow, TradeRow
from tests.engine.house import ALICE, BEN, CARLA, EUR, GBP, USD, House

D = Decimal


async def heard(house: House, chat: int, kind: type[Any]) -> list[Any]:
    """What a chat was told of one kind."""
    return [alert for alert in await house.said(chat) if isinstance(alert, kind)]


@pytest.mark.parametrize(
    ("left", "cash"),
    [
        (D(780), "-800"),  # nearly everything was lost, and more than the rest taken out
        (D(-50), "9000"),  # more than everything was lost, and as much as before paid in
    ],
)
async def test_money_that_moves_after_a_loss_does_not_hide_it(
    house: House, left: Decimal, cash: str
) -> None:
    """Between two readings both happen; the peak would restart, and the drawdown be 0."""
    house.cash(GBP, f"{left - 10_000}", "commission")
    house.cash(GBP, cash)
    await house.run(30)
    (told,) = await heard(house, ALICE, a.GuardBreached)
    assert (await house.state(GBP)).latched_at == told.at


async def test_a_repeated_execution_is_told_once_and_stays_one_when_the_first_ends(
    house: House,
) -> None:
    """Nothing about the second position changed: it neither is as expected now nor is it new."""
    await house.approve(ALICE, await house.signal())
    await house.execute(GBP)
    await house.execute(GBP)
    await house.run(4)
    first, second = house.sim.ledger.positions(GBP)
    house.close_position(GBP, first)
    await house.run(30)
    await house.restart()
    await house.run(30)
    opened = await heard(house, ALICE, a.DivergenceOpened)
    assert [(o.finding, o.subject) for o in opened] == [("duplicate_execution", f"{second}")]
    assert await heard(house, ALICE, a.DivergenceResolved) == []
    (episode,) = await house.rows(EpisodeRow, resolved_at=None)
    assert episode.trade_id is not None


async def test_a_reversal_closes_only_what_was_held(house: House) -> None:
    """0.10 bought, 0.30 sold, 0.20 bought back: 0.30 lots were closed in all, not 0.50.

    Their mean price is a third at the reversal's 1980.00, two thirds at the last 1975.30.
    """
    house.open(EUR, "buy", "0.10")
    await house.run(11)
    house.price("1980.00", "1980.30")
    house.open(EUR, "sell", "0.30")
    await house.run(11)
    house.price("1975.00", "1975.30")
    house.open(EUR, "buy", "0.20")
    await house.run(11)
    (closed,) = await heard(house, CARLA, a.PositionClosed)
    assert closed.volume == D("0.30")
    mean = (D("1980.00") * 10 + D("1975.30") * 20) / 30
    assert abs(closed.exit_price - mean) < D("0.00000001")


@pytest.mark.parametrize(
    ("side", "volume", "word"),
    [("sell", "0.30", "direction_mismatch"), ("buy", "0.30", "over_volume")],
)
async def test_what_was_told_before_its_deal_is_not_told_anew_when_the_deal_comes(
    house: House, side: str, volume: str, word: str
) -> None:
    """Turned round, or added to, by hand; history shows the deal 3.5 s later."""
    await house.approve(CARLA, await house.signal("EURUSD buy 0.10"))
    await house.execute(EUR)
    await house.run(4)
    house.fault(EUR, "deal_delayed", ms=3_500)
    house.open(EUR, side, volume, "EURUSD")
    await house.run(30)
    opened = await heard(house, CARLA, a.DivergenceOpened)
    assert [o.finding for o in opened] == [word]
    assert await heard(house, CARLA, a.DivergenceResolved) == []


async def test_money_that_waited_before_an_absence_is_told_beside_it(house: House) -> None:
    """A reading with another deal still hidden judged no flow; the next one was after a stop."""
    house.open(USD, "buy", "0.10", "EURUSD")
    await house.run(11)
    house.cash(USD, "-1000")
    house.fault(USD, "deal_delayed", ms=8_000)
    house.cash(USD, "-500")
    await house.run(4)
    assert await heard(house, BEN, m.CashFlowSeen) == []
    await house.stop()
    house.clock.instant += timedelta(seconds=90)
    await house.start()
    await house.run(4)
    (away,) = await heard(house, BEN, m.WhileAway)
    assert [(i.what, i.amount) for i in away.items] == [("withdrawal", D(-500))]
    assert [told.amount for told in await heard(house, BEN, m.CashFlowSeen)] == [D(-1000)]


async def test_a_reversal_in_an_absence_closes_only_what_was_held(house: House) -> None:
    """0.10 bought, 0.30 sold and 0.20 bought back unwatched: 0.30 lots were closed, not 0.50."""
    await house.stop()
    house.open(EUR, "buy", "0.10")
    house.clock.instant += timedelta(seconds=30)
    house.open(EUR, "sell", "0.30")
    house.clock.instant += timedelta(seconds=30)
    house.open(EUR, "buy", "0.20")
    house.clock.instant += timedelta(seconds=30)
    await house.start()
    await house.run(4)
    (away,) = await heard(house, CARLA, m.WhileAway)
    assert [(i.what, i.volume) for i in away.items] == [
        ("opened", D("0.1")),
        ("reversed", D("0.3")),
    ]
    (row,) = await house.rows(ReconciliationLogRow, event_type="close")
    assert row.volume == D("0.30")  # 0.10 at the reversal and 0.20 at the end


async def test_a_position_that_was_there_before_is_not_taken_for_a_trade(house: House) -> None:
    """Another program's short is turned round while a trade waits that is never placed."""
    house.open(EUR, "sell", "0.30", "EURUSD", reason=3, magic=4242, comment="other")
    await house.run(11)
    await house.approve(CARLA, await house.signal("EURUSD buy 0.10"))
    await house.run(20)
    house.open(EUR, "buy", "0.40", "EURUSD", reason=3)
    await house.run(200)
    (trade,) = await house.rows(TradeRow)
    assert (trade.status, trade.position_id) == ("expired", None)
    assert await heard(house, CARLA, a.TradeOpened) == []
