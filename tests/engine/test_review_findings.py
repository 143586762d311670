"""Holes a review found on the money path, each by the name of what went wrong."""

from decimal import Decimal

from core.domain import alerts as a
from core.ports import BrokerUnavailable
from core.records import CloseJobRow, MarketWarningRow
from tests.engine.house import ADMIN, BEN, GBP, USD, House

D = Decimal


async def test_a_deposit_whose_deal_is_late_does_not_move_the_peak_twice(house: House) -> None:
    """10,000 + 5,000 is a peak of 15,000, whether the deal comes now or in half a minute."""
    house.fault(GBP, "deal_delayed", ms=30_000)
    house.cash(GBP, "5000")
    await house.run(25)
    state = await house.state(GBP)
    assert (state.written_off, state.peak_equity) == (D(5000), D(10000))
    await house.run(25)
    state = await house.state(GBP)
    assert (state.written_off, state.peak_equity) == (D(0), D(15000))
    assert state.drawdown_percent == D(0)
    assert state.latched_at is None


async def test_a_breach_whose_second_reading_fails_is_confirmed_by_the_next(house: House) -> None:
    """Two broken trusted readings in a row, with a failed one between, are a breach."""
    house.open(USD, "buy", "2.00")
    await house.run(11)
    house.price("1957.00", "1957.30")
    calls = iter(range(10_000))

    def fail_every_second(verb: str) -> None:
        if verb == "snapshot" and next(calls) % 2 == 1:
            raise BrokerUnavailable("gone for a moment")

    house.gateway.before_call = fail_every_second
    house.due[house.ids[USD]] = house.clock.instant
    for login in (50001, 50003):  # only Ben's account reads
        house.due.pop(house.ids[login])
    await house.run(4)
    assert (await house.state(USD)).latched_at is not None


async def test_a_gap_closes_accounts_that_could_not_be_read_at_its_deadline(house: House) -> None:
    """Not read since the start is not flat: the warning waits for them."""
    house.open(GBP, "buy", "0.01")
    house.open(USD, "sell", "0.01")
    await house.run(11)
    house.price("2080.00", "2080.30")
    await house.run(5)
    await house.restart()
    house.fault(USD, "read_fails")
    await house.run(130)
    (warning,) = await house.rows(MarketWarningRow)
    assert warning.resolved_at is None
    house.sim.clear_faults(USD)
    await house.run(15)
    assert house.sim.ledger.positions(USD) == {}
    (warning,) = await house.rows(MarketWarningRow)
    assert warning.state == "resolved"


async def test_two_symbols_are_closed_side_by_side(house: House) -> None:
    """One market that is closed does not keep another's gap waiting."""
    house.open(USD, "buy", "0.01")
    house.open(USD, "buy", "0.01", "EURUSD")
    await house.run(11)
    house.price("2080.00", "2080.30")
    house.price("1.15000", "1.15010", "EURUSD")
    await house.run(5)
    house.fault(USD, "market_closed", times=1)
    ada = await house.person(ADMIN)
    for row in await house.rows(MarketWarningRow):
        await house.engine.answer_warning(ada, row.id, row.version, "close", "news")
    await house.run(3)
    assert len(house.sim.ledger.positions(USD)) == 1
    await house.run(30)
    assert house.sim.ledger.positions(USD) == {}
    assert {j.state for j in await house.rows(CloseJobRow)} == {"flat"}


async def test_another_experts_close_is_not_reported_as_ours(house: House) -> None:
    """A client's EA closed one of two positions before our request came to it."""
    first = house.open(USD, "buy", "1.00")
    second = house.open(USD, "buy", "1.00")
    await house.run(11)
    house.price("1957.00", "1957.30")

    def another_is_quicker(verb: str) -> None:
        if verb == "send" and first in house.sim.ledger.positions(USD):
            house.close_position(USD, first, reason=3)

    house.gateway.before_call = another_is_quicker
    await house.run(10)
    (report,) = [x for x in await house.said(BEN) if isinstance(x, a.CloseConfirmed)]
    assert {r.ticket: r.outcome for r in report.results} == {first: "gone", second: "closed"}
    assert house.metrics.counts["autoclosed", "drawdown"] == 1
