"""What holds for every report, whatever the day brought."""

import itertools
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.domain.broker import Deal
from core.domain.periods import Span, period
from core.domain.report import Material, report
from core.records import PositionSnapshotRow

ZONE = ZoneInfo("Europe/London")
WEEK = period(Span.WEEK, date(2026, 3, 25), ZONE)
"""The week in which London's clocks go forward."""
SECONDS = int((WEEK.end - WEEK.start).total_seconds())
MONEY = st.integers(-(10**6), 10**6).map(lambda pennies: Decimal(pennies) / 100)
SYMBOLS = ("XAUUSD", "EURUSD", "GOLD.r")


@st.composite
def deals(draw: st.DrawFn) -> list[Deal]:
    """Trades, flows and charges around the week, each with its own ticket."""
    count = draw(st.integers(0, 25))
    return [_deal(draw, ticket) for ticket in range(1, count + 1)]


def _deal(draw: st.DrawFn, ticket: int) -> Deal:
    kind = draw(st.sampled_from([0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 15, 99]))
    is_trade = kind < 2
    second = draw(st.integers(-3600, SECONDS + 3600))
    return Deal(
        ticket=ticket,
        order=ticket,
        position_id=draw(st.integers(1, 6)) if is_trade else 0,
        deal_type=kind,
        entry=draw(st.integers(0, 3)) if is_trade else 0,
        reason=0,
        symbol=draw(st.sampled_from(SYMBOLS)) if is_trade else "",
        volume=Decimal("0.10"),
        price=Decimal(1),
        profit=draw(MONEY),
        commission=draw(MONEY),
        swap=draw(MONEY),
        fee=draw(MONEY),
        magic=0,
        comment="",
        executed_at=WEEK.start + timedelta(seconds=second),
    )


def material(found: list[Deal], samples: list[PositionSnapshotRow] | None = None) -> Material:
    """The week's rows."""
    return Material(
        period=WEEK,
        zone=ZONE,
        now=WEEK.end,
        known_from=WEEK.start,
        blind_after=timedelta(minutes=3),
        deals=found,
        samples=samples or [],
    )


@given(deals())
def test_the_sum_of_the_parts_is_the_whole(found: list[Deal]) -> None:
    made = report(material(found))
    assert sum(s.result for s in made.symbols) + made.charges == made.realised
    assert sum(made.days) == made.realised
    flows = made.flows.deposits + made.flows.withdrawals + made.flows.credit
    inside = [d for d in found if WEEK.holds(d.executed_at)]
    assert made.realised + flows == sum(d.amount for d in inside)
    assert made.won + made.lost <= made.trades


@given(deals(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(found: list[Deal], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis's own Random
    assert report(material(shuffled)) == report(material(found))


@given(deals(), MONEY, st.sampled_from([2, 3, 6]), st.integers(0, SECONDS - 1))
def test_a_deposit_is_no_profit(found: list[Deal], amount: Decimal, kind: int, second: int) -> None:
    flow = Deal(
        ticket=1000,
        order=0,
        position_id=0,
        deal_type=kind,
        entry=0,
        reason=0,
        symbol="",
        volume=Decimal(0),
        price=Decimal(0),
        profit=amount,
        commission=Decimal(0),
        swap=Decimal(0),
        fee=Decimal(0),
        magic=0,
        comment="",
        executed_at=WEEK.start + timedelta(seconds=second),
    )
    without, with_it = report(material(found)), report(material([*found, flow]))
    assert (with_it.realised, with_it.symbols, with_it.best, with_it.days) == (
        without.realised,
        without.symbols,
        without.best,
        without.days,
    )
    assert with_it.worst_drawdown == without.worst_drawdown


@given(deals())
def test_a_weeks_days_are_the_reports_of_its_days(found: list[Deal]) -> None:
    week = report(material(found))
    days = [period(Span.DAY, date.fromordinal(WEEK.first.toordinal() + n), ZONE) for n in range(7)]
    alone = [report(replace(material(found), period=day)).realised for day in days]
    assert tuple(alone) == week.days


@given(st.lists(st.tuples(st.integers(0, SECONDS), st.booleans()), max_size=30))
def test_times_without_readings_never_hold_a_reading(rows: list[tuple[int, bool]]) -> None:
    samples = [
        PositionSnapshotRow(
            id=n,
            user_id=1,
            account_id=7,
            currency="GBP",
            equity=Decimal(1) if good else None,
            sync_error=None if good else "gone",
            created_at=WEEK.start + timedelta(seconds=second),
        )
        for n, (second, good) in enumerate(rows)
    ]
    made = report(material([], samples))
    ends = [(one.start, one.end) for one in made.blind]
    assert ends == sorted(ends)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(ends))
    good = [s.created_at for s in samples if s.equity is not None]
    assert not [at for at in good for start, end in ends if start < at < end]
    assert all(WEEK.start <= start < end <= WEEK.end for start, end in ends)
