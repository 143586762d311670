"""How far back ends are looked for: at the named bounds, and past them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.domain.broker import DealEntry
from core.records import CloseJobRow, DealRow, TradeRow
from core.services.close_reports import EXITS_MAX, exits_of
from core.services.desk import ENDS_KNOWN, deal_of
from tests.engine.house import BEN, USD, House

D = Decimal


def exit_row(house: House, ticket: int) -> DealRow:
    """An exit that was booked a second ago."""
    now = house.clock.now()
    return DealRow(
        account_id=house.ids[USD],
        ticket=ticket,
        position_id=ticket,
        deal_type=1,
        entry=DealEntry.OUT,
        reason=1,
        symbol="XAUUSD",
        volume=D("0.01"),
        price=D("1970.00"),
        profit=D(1),
        commission=D(0),
        swap=D(0),
        fee=D(0),
        magic=0,
        comment="",
        executed_at=now - timedelta(seconds=1),
        seen_at=now,
    )


@pytest.mark.parametrize("count", [EXITS_MAX, EXITS_MAX + 1])
async def test_a_close_counts_the_oldest_exits_up_to_its_bound(house: House, count: int) -> None:
    now = house.clock.now()
    job = CloseJobRow(
        account_id=house.ids[USD],
        trigger_key="drawdown:1",
        reason="drawdown",
        scope="account",
        state="closing",
        deadline_at=now,
        epoch=house.epoch,
        created_at=now - timedelta(seconds=5),
    )
    async with house.store.writing() as tx:
        await tx.insert_many([exit_row(house, n) for n in range(1, count + 1)])
        exits = await exits_of(tx, job)
    assert [d.ticket for d in exits] == list(range(1, EXITS_MAX + 1))


@pytest.mark.parametrize(("over_s", "is_known"), [(0, True), (1, False)])
async def test_the_ends_of_split_fills_are_known_as_long_as_deals_can_be_late(
    house: House, over_s: int, *, is_known: bool
) -> None:
    """A deal of each part comes, of a trade that ended so long ago."""
    await house.run(11)
    closed_at = house.clock.now() - ENDS_KNOWN - timedelta(seconds=over_s)
    account_id = house.ids[USD]
    trade = TradeRow(
        approval_id=None,
        signal_id=None,
        user_id=(await house.person(BEN)).user_id,
        account_id=account_id,
        symbol="XAUUSD",
        side="buy",
        volume=D("0.10"),
        stop_loss=None,
        take_profit=None,
        expected_entry=D("1970.30"),
        expected_at=closed_at,
        magic=0,
        comment="",
        deadline_at=closed_at,
        status="closed",
        position_id=71,
        other_position_ids=[72],
        closed_at=closed_at,
        created_at=closed_at,
    )
    async with house.store.writing() as tx:
        await tx.insert(trade)
        await tx.insert_many([exit_row(house, 71), exit_row(house, 72)])
    memory = house.engine.desk.peek(account_id)
    assert memory is not None
    new = [deal_of(replace(exit_row(house, part), ticket=part + 100)) for part in (71, 72)]
    await house.engine.desk.recall(memory, new)
    assert (memory.ended == {71, 72}) is is_known
