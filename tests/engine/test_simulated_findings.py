"""What the simulation found, each by the smallest case and the name of what went wrong."""

from decimal import Decimal
from typing import Any

import pytest

from core.domain import alerts as a
from core.records import EpisodeRow
from tests.engine.house import ALICE, CARLA, EUR, GBP, House

D = Decimal


async def heard(house: House, chat: int, kind: type[Any]) -> list[Any]:
    """What a chat was told of one kind."""
    return [alert for alert in await house.said(chat) if isinstance(alert, kind)]


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
