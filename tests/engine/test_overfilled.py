"""A second execution that passed for a part is let go when the deals say that it was none."""

from decimal import Decimal

from core.domain import alerts as a
from core.records import EpisodeRow, TradeRow
from tests.engine.house import ALICE, GBP, House
from tests.engine.test_matching import expected, place

D = Decimal


async def twice(house: House) -> tuple[int, int]:
    """Of the first execution 0.08 of 0.10 are closed, then 0.05 more are placed: nobody looks.

    No deal of it is shown so far.
    """
    await house.approve(ALICE, await house.signal())
    (trade,) = await expected(house, GBP)
    first = place(house, GBP, trade, "0.10")
    house.close_position(GBP, first, "0.08")
    second = place(house, GBP, trade, "0.05")
    late = {d.ticket for d in house.sim.ledger.deals(GBP)[-3:]}
    house.gateway.hide(lambda d: d.ticket in late)
    return first, second


async def test_a_part_that_does_not_fit_is_a_duplicate_once_the_deals_are_there(
    house: House,
) -> None:
    await house.run(1)
    first, second = await twice(house)
    await house.run(4)
    (row,) = await house.rows(TradeRow)
    assert (row.position_id, row.other_position_ids) == (first, [second]), "it seemed to fit"

    house.gateway.show_all()
    await house.run(6)
    (row,) = await house.rows(TradeRow)
    assert (row.position_id, row.other_position_ids) == (first, None)
    episodes = {(e.kind, e.subject) for e in await house.rows(EpisodeRow, resolved_at=None)}
    assert ("duplicate_execution", f"{second}") in episodes
    told = [
        (x.finding, x.subject)
        for x in await house.said(ALICE)
        if isinstance(x, a.DivergenceOpened) and x.subject == f"{second}"
    ]
    assert told == [("duplicate_execution", f"{second}")]


async def test_the_trade_then_ends_without_it(house: House) -> None:
    """Its end has its own 0.10 lots and their result; the duplicate's has its own."""
    await house.run(1)
    first, second = await twice(house)
    await house.run(4)
    house.gateway.show_all()
    await house.run(6)
    house.close_position(GBP, first)
    await house.run(6)
    (row,) = await house.rows(TradeRow)
    deals = house.sim.ledger.deals(GBP)
    assert (row.status, row.observed_volume) == ("closed", D("0.10"))
    assert row.pnl == sum(d.profit + d.commission + d.swap for d in deals if d.position_id == first)
    house.close_position(GBP, second, reason=0)
    await house.run(6)
    ends = [x for x in await house.said(ALICE) if isinstance(x, a.PositionClosed) and not x.partial]
    assert [(x.position_id, x.volume, x.trade_id) for x in ends] == [
        (first, D("0.10"), row.id),
        (second, D("0.05"), None),
    ]
