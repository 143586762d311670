"""The broker's clock is put back by hours while no fresh price tells it, and money is withdrawn.

Read through the agents: the deal comes dated hours before anything that was asked for. A withdrawal
that is not found in time counts as loss, and a healthy account is closed for it.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.domain import alerts_money as m
from core.records import CashFlowRow, CloseJobRow, DealRow
from tests.contract.spoiled_agents import AgentHouse
from tests.contract.terminals import SERVER_OFFSET_S
from tests.engine.house import ALICE, GBP, SERVER

D = Decimal


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[AgentHouse]:
    """Three accounts behind agents, the first one with a small position."""
    made = AgentHouse(tmp_path)
    await made.start()
    await made.run(1)
    made.open(GBP, "buy", "0.10")
    await made.run(120)
    yield made
    await made.close()


def put_back(house: AgentHouse, hours: int) -> None:
    """The server's clock, from now on; its history keeps the times it had."""
    house.sim.times.change(SERVER, SERVER_OFFSET_S - hours * 3600, house.now_ms())


async def held_to_the_withdrawal(house: AgentHouse) -> None:
    """It moved the peak, once, and nothing was closed or lost."""
    assert len(house.sim.ledger.positions(GBP)) == 1
    assert await house.rows(CloseJobRow) == []
    state = await house.state(GBP)
    assert state.written_off == 0
    assert state.ledger_balance == state.balance == 7_000
    assert state.drawdown_percent is not None
    assert state.drawdown_percent < 1
    flows = await house.rows(CashFlowRow)
    assert [flow.amount for flow in flows] == [-3_000]
    said = await house.said(ALICE)
    assert [x.amount for x in said if isinstance(x, m.CashFlowSeen)] == [-3_000]
    assert not [x for x in said if isinstance(x, m.BalanceUnexplained)]
    tickets = [row.ticket for row in await house.rows(DealRow, account_id=house.ids[GBP])]
    assert len(set(tickets)) == len(tickets)


# To UTC+0 and UTC+1; back by as much as a server at UTC+3 can be put.
@pytest.mark.parametrize("hours", [2, 3, 15])
async def test_a_withdrawal_is_no_loss_though_its_deal_is_dated_hours_ago(
    house: AgentHouse, hours: int
) -> None:
    put_back(house, hours)
    house.cash(GBP, "-3000")

    await house.run(40)

    await held_to_the_withdrawal(house)


@pytest.mark.parametrize("restarts", [False, True])
async def test_it_counts_once_also_when_fresh_prices_have_told_the_clock(
    house: AgentHouse, *, restarts: bool
) -> None:
    """It is shown again under its right time, to an app that has forgotten its ticket too."""
    put_back(house, 5)
    house.cash(GBP, "-3000")
    await house.run(40)
    if restarts:
        await house.restart()
    for cents in range(10):
        house.price(f"1970.{cents:02}", f"1970.{cents + 30:02}")
        await house.run(9)
    assert (await house.state(GBP)).server_offset_s == SERVER_OFFSET_S - 5 * 3600
    house.cash(GBP, "1")
    await house.run(20)
    house.cash(GBP, "-1")
    await house.run(20)

    flows = await house.rows(CashFlowRow)
    assert [flow.amount for flow in flows] == [-3_000, 1, -1]
    assert flows[1].executed_at - flows[0].executed_at > timedelta(hours=5)
    state = await house.state(GBP)
    assert state.written_off == 0
    assert state.ledger_balance == 7_000
    assert await house.rows(CloseJobRow) == []
