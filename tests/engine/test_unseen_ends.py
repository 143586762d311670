"""The ends of positions that nobody saw, or waited for no longer: each is told and logged once."""

from decimal import Decimal

import pytest

from core.domain import alerts as a
from core.domain.broker import Deal
from core.records import EpisodeRow, ReconciliationLogRow
from tests.engine.house import BEN, USD, House

D = Decimal


async def ends(house: House) -> list[tuple[int | None, Decimal | None, str | None, Decimal | None]]:
    """What was logged of ends."""
    rows = await house.rows(ReconciliationLogRow, event_type="close")
    return [(r.mt5_position_id, r.volume, r.close_reason, r.pnl) for r in rows]


async def closes(house: House) -> list[a.PositionClosed]:
    """What Ben was told of ends."""
    return [x for x in await house.said(BEN) if isinstance(x, a.PositionClosed)]


async def test_a_position_opened_and_closed_between_two_readings_is_told_and_logged(
    house: House,
) -> None:
    ticket = house.open(USD, "buy", "0.50", reason=0)
    house.close_position(USD, ticket, reason=1)
    await house.run(11)
    # Bought at the ask 1970.30, sold at the bid 1970.00: 50 oz lose 0.30 each.
    assert await ends(house) == [(ticket, D("0.50"), "client_mobile", D("-15.00"))]
    assert [(x.position_id, x.pnl) for x in await closes(house)] == [(ticket, D("-15.00"))]
    await house.run(30)
    assert len(await closes(house)) == 1


async def test_a_close_whose_deal_comes_after_the_position_was_given_up_is_told_when_it_comes(
    house: House,
) -> None:
    ticket = house.open(USD, "buy", "1.00", reason=0)
    await house.run(11)
    house.close_position(USD, ticket, reason=2)
    late = house.sim.ledger.deals(USD)[-1].ticket
    house.gateway.hide(lambda d: d.ticket == late)
    await house.run(40)
    assert await house.rows(EpisodeRow, subject=str(ticket), resolved_at=None) == []
    assert (await ends(house), await closes(house)) == ([], [])
    house.gateway.show_all()
    await house.run(11)
    assert await ends(house) == [(ticket, D("1.00"), "client_web", D("-30.00"))]
    assert [(x.position_id, x.close_reason) for x in await closes(house)] == [
        (ticket, "client_web")
    ]


async def test_after_a_restart_such_an_end_is_of_the_whole_position_and_reckoners_own(
    house: House,
) -> None:
    """A tenth was closed by hand before; of Reckoner's own close only its job's report tells."""
    ticket = house.open(USD, "buy", "2.00", reason=0)
    await house.run(11)
    house.close_position(USD, ticket, volume="0.20")
    await house.run(11)
    known = {deal.ticket for deal in house.sim.ledger.deals(USD)}
    house.gateway.hide(lambda d: d.ticket not in known)
    house.price("1949.00", "1949.30")
    await house.run(40)
    await house.restart()
    house.gateway.show_all()
    await house.run(11)
    ((position_id, volume, reason, _),) = await ends(house)
    assert (position_id, volume, reason) == (ticket, D("2.00"), "reckoner")
    assert [x.partial for x in await closes(house)] == [True]


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_entry_that_comes_after_the_end_was_told_tells_it_no_second_time(
    house: House, *, restarted: bool
) -> None:
    """A trade was seen, closed, and told; only then the deal came that had opened it."""
    known = {deal.ticket for deal in house.sim.ledger.deals(USD)}
    house.gateway.hide(lambda d: d.ticket not in known and d.entry == 0)
    await house.follow(BEN, USD)
    ticket = next(iter(house.sim.ledger.positions(USD)))
    house.close_position(USD, ticket)
    await house.run(11)
    assert [(x.position_id, x.trade_id is None) for x in await closes(house)] == [(ticket, False)]
    if restarted:
        await house.restart()
    house.gateway.show_all()
    await house.run(11)
    assert len(await closes(house)) == 1
    assert len(await ends(house)) == 1


async def test_an_end_is_told_once_where_a_report_still_waits_for_deals_of_others(
    house: House,
) -> None:
    """The guard closed a trade and a position; of the one the entry is late, of the other the exit.

    The report waits, so a restart knows the trade's deals, and has to know that its end was told.
    """
    by_hand = house.open(USD, "buy", "2.00")
    await house.run(11)
    shown = {deal.ticket for deal in house.sim.ledger.deals(USD)}

    def late(deal: Deal) -> bool:
        return deal.ticket not in shown and (deal.entry == 0) != (deal.position_id == by_hand)

    house.gateway.hide(late)
    await house.follow(BEN, USD)
    trade = next(i for i in house.sim.ledger.positions(USD) if i != by_hand)
    house.price("1957.00", "1957.30")
    await house.run(30)
    assert [(end[0], end[2]) for end in await ends(house)] == [(trade, "reckoner")]
    await house.restart()
    house.gateway.show_all()
    await house.run(11)
    assert sorted(end[0] or 0 for end in await ends(house)) == sorted([trade, by_hand])
