"""Any order, repeats and splits of the same deals rebuild the same ledger; flows are no result."""

from datetime import datetime
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from core.domain import ledger
from core.domain.broker import Deal
from core.domain.cycle import Known, think
from core.domain.deal_window import LATE_DEALS_MAX, next_cursor
from core.domain.operations import FLOWS, Operation, operation_of, totals
from core.records import AccountStateRow
from tests.unit.domain.make import D, at, money, snapshot, state
from tests.unit.domain.test_cycle import ACCOUNT, POLICY

OPENING = D(10000)
KINDS = st.integers(0, 19)
AMOUNTS = st.one_of(st.integers(-3, 3), st.integers(-50_000, 50_000)).map(lambda n: D(n) / 100)
EVERY_S = 4


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Deal, int, int]]:
    """Deals, each with the reading before which it was booked and the one that first shows it."""
    found = draw(st.lists(st.tuples(AMOUNTS, KINDS, st.integers(0, 6), st.integers(0, 6))))
    return [
        (money(n + 1, amount, kind, executed_at=at(EVERY_S * when)), when, when + late)
        for n, (amount, kind, when, late) in enumerate(found)
    ]


def shown_at(history: list[tuple[Deal, int, int]], reading: int, data: st.DataObject) -> list[Deal]:
    """What a reading shows: all that is visible, in any order, some of it twice."""
    visible = [deal for deal, _, first in history if first <= reading]
    again = data.draw(st.lists(st.sampled_from(visible), max_size=3)) if visible else []
    return data.draw(st.permutations([*visible, *again]))


@given(histories(), st.data())
def test_replaying_deals_in_any_order_with_repeats_and_splits_rebuilds_the_same_ledger(
    history: list[tuple[Deal, int, int]], data: st.DataObject
) -> None:
    """Every deal is booked before or when it is shown, at worst so late that it was written off."""
    memory = ledger.LedgerMemory(booked=OPENING, written_off=D(0), unexplained_since=None)
    known: set[int] = set()
    flows = D(0)
    booked: list[Deal] = []
    for reading in range(13):
        new = ledger.unseen(shown_at(history, reading, data), known)
        known |= {deal.ticket for deal in new}
        booked += new
        funds = sum((d.amount for d, when, _ in history if when <= reading), OPENING)
        credit = data.draw(st.sampled_from([D(0), D(700)]))  # where the broker keeps it is its own
        figures = state(balance=funds - credit, credit=credit)
        step = ledger.book(memory, figures, new, at(EVERY_S * reading), explanation_wait_s=10)
        memory, flows = step.memory, flows + step.flow

    deals = [deal for deal, _, _ in history]
    paid_in = [d.amount for d in deals if d.deal_type in (2, 3, 6)]
    assert memory == ledger.LedgerMemory(
        booked=sum((d.amount for d in deals), OPENING), written_off=D(0), unexplained_since=None
    )
    assert flows == sum(paid_in, D(0))
    assert sorted(d.ticket for d in booked) == [d.ticket for d in deals]
    assert totals(booked) == totals(deals)
    assert sum((v for k, v in totals(booked).items() if k in FLOWS), D(0)) == flows


@given(st.lists(st.tuples(AMOUNTS, KINDS)))
def test_what_deals_come_to_is_the_sum_of_its_parts(moves: list[tuple[Decimal, int]]) -> None:
    deals = [money(n, amount, kind) for n, (amount, kind) in enumerate(moves)]
    assert sum(totals(deals).values(), D(0)) == sum((a for a, _ in moves), D(0))
    assert totals([*deals, *deals]) == totals(deals)
    for deal in deals:
        assert (operation_of(deal) in FLOWS) == deal.is_flow
        assert (operation_of(deal) is Operation.TRADE) == (deal.deal_type in (0, 1))


def read(
    before: AccountStateRow, funds: Decimal, deals: list[Deal], known: set[int], s: int
) -> AccountStateRow:
    """The next state after one reading of a flat account."""
    reading = snapshot(state=state(balance=funds), deals=tuple(deals), began=s)
    cycle = think(
        Known(
            account=ACCOUNT,
            state=before,
            trades=(),
            episodes={},
            deals={},
            deal_tickets=known,
            closed_by_us=frozenset(),
            absent={},
            inhibited=False,
        ),
        reading,
        at(s),
        POLICY,
        explanation_wait_s=10,
    )
    known |= {d.ticket for d in cycle.new_deals}
    return cycle.state


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(-7000, 7000).filter(bool), st.integers(0, 12)), min_size=1, max_size=4
    )
)
@example([(5000, 12), (-5000, 12)])
@example([(-7000, 3), (7000, 2)])
def test_deposits_and_withdrawals_however_late_their_deals_leave_the_drawdown_as_it_was(
    moves: list[tuple[int, int]],
) -> None:
    """Down 10 %. A deposit lowers the drawdown at no time; when its deal is there nothing is left.

    A withdrawal whose deal is late counts as a loss meanwhile, and only then (law 9).
    """
    now = AccountStateRow(
        id=1,
        peak_equity=D(10000),
        drawdown_percent=D(10),
        ledger_balance=D(9000),
        deals_cursor_at=at(0),
    )
    funds, known, s = D(9000), set[int](), 0
    for ticket, (percent, late) in enumerate(moves, 1):
        amount = (funds * percent / 10_000).quantize(D("0.01"))
        funds += amount
        deal = money(ticket, amount, executed_at=at(s))
        for reading in range(late + 1):
            s += EVERY_S
            now = read(now, funds, [deal] if reading == late else [], known, s)
            assert now.drawdown_percent is not None
            assert now.drawdown_percent >= D("9.9990")
            assert now.drawdown_percent <= D("10.0010") or (amount < 0 and reading < late)
        assert now.written_off == 0
        assert now.drawdown_percent is not None
        assert abs(now.drawdown_percent - 10) <= D("0.0010")


@given(
    st.lists(st.tuples(st.integers(0, 500_000), st.booleans(), st.integers(-90, 300_000))),
)
def test_the_cursor_never_passes_an_unexplained_reading_nor_stands_for_ever(
    readings: list[tuple[int, bool, int]],
) -> None:
    """Seconds that pass, whether deals explain it, and how old the newest deal shown is."""
    cursor, s = at(0), 0
    for passed, explained, age in readings:
        s += passed
        deals = (money(1, "5", executed_at=at(s - age)),)
        after = next_cursor(cursor, snapshot(deals=deals, began=s), explained=explained)
        assert after is not None
        assert cursor <= after <= _latest(cursor, s)
        if not explained:
            assert after == _latest(cursor, s - LATE_DEALS_MAX.total_seconds())
        cursor = after


def _latest(cursor: datetime, seconds: float) -> datetime:
    return max(cursor, at(seconds))


def test_the_cursor_is_held_back_at_the_bound_and_not_past_it() -> None:
    """Three days: to the second it stands, a second later it follows."""
    days = LATE_DEALS_MAX.total_seconds()
    for late, expected in ((0.0, at(0)), (1.0, at(1))):
        reading = replace(snapshot(began=days + late), deals=())
        assert next_cursor(at(0), reading, explained=False) == expected
