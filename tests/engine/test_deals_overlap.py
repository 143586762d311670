"""Twice a year the broker's clock jumps by an hour, known only from the first fresh tick on.

Until then deals are asked for from an hour off, and come dated an hour off.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.domain import alerts_money as m
from core.domain.deal_window import CLOCK_SPAN, LATE_DEALS_MAX, OVERLAP, asked_from
from core.records import CashFlowRow, DealRow
from tests.engine.house import BEN, USD, House

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("moved", [-HOUR, HOUR], ids=["back", "forward"])
@pytest.mark.parametrize("restarts", [False, True])
async def test_no_deal_is_lost_or_counted_twice_while_the_servers_clock_is_an_hour_off(
    house: House, *, moved: timedelta, restarts: bool
) -> None:
    """Opened and closed before, during and after the jump, with money coming in between."""
    for position in range(3):
        if position == 1:
            house.gateway.server_moved = moved
        if position == 2:
            house.gateway.server_moved = timedelta()
        ticket = house.open(USD, "buy", "0.10")
        await house.run(5)
        house.cash(USD, "100")
        await house.run(5)
        if restarts:
            await house.restart()
            house.gateway.server_moved = moved if position == 1 else timedelta()
        house.close_position(USD, ticket)
        await house.run(30)
        await house.run(30)

    said = await house.said(BEN)
    assert [x for x in said if isinstance(x, m.BalanceUnexplained)] == []
    assert [x.amount for x in said if isinstance(x, m.CashFlowSeen)] == [100, 100, 100]
    assert len(await house.rows(CashFlowRow)) == 3
    kept = await house.rows(DealRow, account_id=house.ids[USD])
    booked = {deal.ticket for deal in house.sim.ledger.deals(USD)}
    assert {row.ticket for row in kept} >= booked - {min(booked)}  # the first deposit came before
    assert len({row.ticket for row in kept}) == len(kept)
    state = await house.state(USD)
    assert state.ledger_balance == state.balance
    assert state.written_off == 0


async def test_deals_are_asked_for_over_more_than_the_hour_that_a_clock_may_jump(
    house: House,
) -> None:
    house.open(USD, "buy", "0.10")
    await house.run(11)
    memory = house.engine.desk.peek(house.ids[USD])
    assert memory is not None
    cursor = memory.state.deals_cursor_at
    assert cursor is not None
    assert memory.deals_since(house.clock.now()) == cursor - OVERLAP
    assert OVERLAP > HOUR


async def test_a_restart_knows_every_deal_that_can_be_shown_again(house: House) -> None:
    """What is asked for, an hour off, is within what is loaded: none is booked anew."""
    for _ in range(4):
        house.close_position(USD, house.open(USD, "buy", "0.01"))
        await house.run(15)
        house.clock.instant += timedelta(minutes=29)
    before = {row.ticket for row in await house.rows(DealRow, account_id=house.ids[USD])}
    await house.restart()
    await house.run(0)
    memory = house.engine.desk.peek(house.ids[USD])
    assert memory is not None
    asked_from = memory.deals_since(house.clock.now()) - HOUR
    shown = {
        deal.ticket
        for deal in house.sim.ledger.deals(USD)
        if deal.time_ms >= asked_from.timestamp() * 1000
    }
    assert len(shown) > 2
    assert shown <= memory.deal_tickets.keys()
    after = {row.ticket for row in await house.rows(DealRow, account_id=house.ids[USD])}
    assert after == before


def test_the_question_goes_back_as_far_as_a_clock_may_be_off_while_money_is_unexplained() -> None:
    """Zones lie between UTC-12 and UTC+14, and the first question goes back further still."""
    now = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
    cursor, waiting = now - timedelta(minutes=5), [now - timedelta(minutes=20)]
    explained = asked_from(cursor, waiting, now, explained=True)
    wide = asked_from(cursor, waiting, now, explained=False)
    assert explained == now - timedelta(minutes=20 + 75)
    assert explained - wide == CLOCK_SPAN == timedelta(hours=12 + 14)
    # An agent goes back an hour more, and its clock may be put right by as much as it can be off.
    further = OVERLAP + CLOCK_SPAN + HOUR + CLOCK_SPAN
    assert further < LATE_DEALS_MAX
    assert asked_from(None, (), now, explained=True) == now - LATE_DEALS_MAX


async def test_what_is_older_than_the_first_reading_is_in_the_balance_it_began_with(
    tmp_path: Path,
) -> None:
    """A deal of 100 minutes before, and one of 70, which the second question begins 75 before."""
    house = House(tmp_path)
    for minutes, amount in ((30, "200"), (70, "300")):
        house.cash(USD, amount)
        house.clock.instant += timedelta(minutes=minutes)
    await house.start()
    await house.run(30)
    house.cash(USD, "100")
    await house.run(30)
    state = await house.state(USD)
    assert state.peak_equity == 12_600
    assert state.written_off == 0
    assert [row.amount for row in await house.rows(CashFlowRow)] == [100]
    assert not [x for x in await house.said(BEN) if isinstance(x, m.BalanceUnexplained)]
    await house.close()
