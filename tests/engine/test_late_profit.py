"""Whoever takes a profit is not closed for it where the deal is late (ADR 12)."""

from decimal import Decimal

import pytest

from core.domain import alerts as a
from core.domain import alerts_money as m
from tests.engine.house import ADMIN, BEN, USD, House
from tests.engine.test_drawdown_guard import hold_gold

D = Decimal

# Ben holds 2.00 lots of gold (200 oz) bought at 1970.30 with 12,000.00 USD, and 0.50 bought beside
# them. At a bid of 1990.30 the two lots have won 4,000.00, the half 1,000.00: equity 17,000.00.
UP = ("1990.30", "1990.60")
PROFIT = D(4000)
EQUITY = D(17000)


async def up(house: House) -> int:
    """Two positions in profit; the first is the larger."""
    ticket = await hold_gold(house)
    house.open(USD, "buy", "0.50")
    house.price(*UP)
    await house.run(5)
    state = await house.state(USD)
    assert (state.equity, state.peak_equity, state.drawdown_percent) == (EQUITY, EQUITY, D(0))
    return ticket


def hide_the_last(house: House) -> None:
    """The deal that was just made is not shown until `show_all`."""
    late = house.sim.ledger.deals(USD)[-1].ticket
    house.gateway.hide(lambda d: d.ticket == late)


async def test_a_profit_whose_deal_is_late_is_no_drawdown(house: House) -> None:
    """Once wrong: 4,000 of 17,000 without a deal were 23.5 %, and everything was closed."""
    ticket = await up(house)
    house.close_position(USD, ticket)
    hide_the_last(house)
    await house.run(30)
    state = await house.state(USD)
    assert (state.written_off, state.drawdown_percent) == (PROFIT, D(0))
    assert state.latched_at is None
    assert len(house.sim.ledger.positions(USD)) == 1, "the other position is left alone"
    house.gateway.show_all()
    await house.run(5)
    state = await house.state(USD)
    assert (state.written_off, state.foreseen) == (D(0), None)
    assert (state.peak_equity, state.drawdown_percent) == (EQUITY, D(0))


async def test_a_deposit_beside_it_is_still_no_gain(house: House) -> None:
    """Of 4,500 without deals 4,000 were seen floating; the 500 lift neither peak nor equity."""
    ticket = await up(house)
    house.close_position(USD, ticket)
    house.cash(USD, "500")
    late = {d.ticket for d in house.sim.ledger.deals(USD)[-2:]}
    house.gateway.hide(lambda d: d.ticket in late)
    await house.run(30)
    state = await house.state(USD)
    assert (state.equity, state.written_off) == (EQUITY + 500, PROFIT + 500)
    assert (state.peak_equity, state.drawdown_percent) == (EQUITY, D(0))
    house.price("1970.30", "1970.60")  # the half loses its 1,000 again: 16,000 of 17,000
    await house.run(5)
    assert (await house.state(USD)).drawdown_percent == D("5.8824")


async def test_a_loss_behind_a_deposit_stays_a_loss(house: House) -> None:
    """A position that showed a loss is no excuse: the deposit beside it is no gain (law 8)."""
    ticket = await hold_gold(house)
    house.price("1957.30", "1957.60")  # 2,600 lost of 12,000: 21.7 %
    house.close_position(USD, ticket)
    house.cash(USD, "3000")
    late = {d.ticket for d in house.sim.ledger.deals(USD)[-2:]}
    house.gateway.hide(lambda d: d.ticket in late)
    await house.run(30)
    state = await house.state(USD)
    assert (state.equity, state.written_off) == (D(12400), D(400))
    assert (state.peak_equity, state.drawdown_percent) == (D(12000), D(0))
    house.gateway.show_all()
    await house.run(5)
    assert (await house.state(USD)).latch_reason == "drawdown"


@pytest.mark.parametrize("when", ["waiting", "written_off"])
async def test_what_was_foreseen_survives_a_restart(house: House, when: str) -> None:
    """It is kept with the account's state, from the reading on that first missed the position."""
    ticket = await up(house)
    house.close_position(USD, ticket)
    hide_the_last(house)
    await house.run(3 if when == "waiting" else 20)
    await house.restart()
    hide_the_last(house)
    await house.run(30)
    state = await house.state(USD)
    assert (state.written_off, state.drawdown_percent, state.latched_at) == (PROFIT, D(0), None)


async def test_what_nobody_had_seen_is_not_foreseen(house: House) -> None:
    """Closed while nothing read the account: no reading showed the profit at which it closed."""
    ticket = await up(house)
    await house.stop()
    house.close_position(USD, ticket)
    late = house.sim.ledger.deals(USD)[-1].ticket
    await house.start()
    house.gateway.hide(lambda d: d.ticket == late)
    await house.run(30)
    assert (await house.state(USD)).latch_reason == "drawdown"


async def test_a_part_of_a_position_is_foreseen_by_its_share(house: House) -> None:
    """Half a lot of two: 1,000 of the 4,000."""
    ticket = await up(house)
    house.close_position(USD, ticket, "0.50")
    hide_the_last(house)
    await house.run(30)
    state = await house.state(USD)
    assert (state.written_off, state.drawdown_percent) == (D(1000), D(0))


async def test_the_message_says_what_the_guard_goes_on_counting(house: House) -> None:
    """The client reads that what the position showed is theirs, and what of the rest is not yet."""
    ticket = await up(house)
    house.close_position(USD, ticket)
    house.cash(USD, "500")
    late = {d.ticket for d in house.sim.ledger.deals(USD)[-2:]}
    house.gateway.hide(lambda d: d.ticket in late)
    await house.run(30)
    (told,) = [x for x in await house.said(BEN) if isinstance(x, m.BalanceUnexplained)]
    assert (told.amount, told.foreseen) == (PROFIT + 500, PROFIT)


async def test_a_release_restarts_the_peak_with_what_was_foreseen(house: House) -> None:
    """A peak without it would lie below the equity that every reading is judged by.

    50 oz are left: a fall of 68 dollars takes 3,400 of 17,000, which is 20 %.
    """
    ticket = await up(house)
    house.close_position(USD, ticket)
    hide_the_last(house)
    await house.run(20)
    house.price("1922.30", "1922.60")
    await house.run(20)
    state = await house.state(USD)
    assert (state.latch_reason, state.positions_count) == ("drawdown", 0)
    account = house.ids[USD]
    await house.engine.ask_release(await house.person(BEN), account)
    await house.engine.answer_release(await house.person(ADMIN), account, grant=True)
    await house.run(30)
    answers = [x for x in await house.said(BEN) if isinstance(x, a.ReleaseAnswered)]
    assert [(x.state, x.peak_equity) for x in answers][1:] == [("released", EQUITY - 3400)]
    state = await house.state(USD)
    assert (state.written_off, state.latched_at) == (PROFIT, None)
    assert (state.peak_equity, state.drawdown_percent) == (EQUITY - 3400, D(0))
