"""Statements that add up: start + money moved + results = end."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.periods import Span, period
from core.domain.statement import Booked, statement
from core.records import PositionSnapshotRow

D = Decimal
WEEK = period(Span.WEEK, date(2026, 3, 4), UTC)
"""2 to 8 March 2026."""


def at(day: int, hour: int, second: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, 0, second, tzinfo=UTC)


def reading(
    when: datetime, equity: str | None, open_result: str | None = "0", **more: Any
) -> PositionSnapshotRow:
    facts: dict[str, Any] = {
        "user_id": 1,
        "account_id": 7,
        "currency": "GBP",
        "equity": None if equity is None else D(equity),
        "open_pnl": None if open_result is None else D(open_result),
        "created_at": when,
    }
    return PositionSnapshotRow(**{**facts, **more})


def booked(when: datetime, amount: str, seen: datetime | None = None) -> Booked:
    return Booked(executed_at=when, seen_at=seen or when, amount=D(amount))


def test_a_deposit_before_the_first_reading_leaves_nothing_at_the_start() -> None:
    """0 + 10,000 in - 1,933.35 = 8,066.65: as a new user's first week was."""
    deals = [booked(at(4, 9), "10000", at(4, 10)), booked(at(4, 12), "-1933.35")]
    made = statement(
        WEEK, [reading(at(4, 10), "10000"), reading(at(4, 13), "8066.65")], None, deals
    )
    assert made is not None
    assert (made.start, made.end, made.unexplained) == (D(0), D("8066.65"), D(0))
    assert (made.open_result, made.equity) == (D(0), D("8066.65"))


def test_the_last_reading_before_the_period_is_carried_to_its_start() -> None:
    """500 read on Sunday, 20 won after it: 520 on Monday; 100 out, 30 won: 450, with 7 open 457."""
    before = reading(at(1, 12), "500")
    deals = [booked(at(1, 20), "20"), booked(at(3, 9), "-100"), booked(at(4, 9), "30")]
    readings = [reading(at(4, 10), "457", "7"), reading(at(2, 1), "520")]
    made = statement(WEEK, readings, before, deals)
    assert made is not None
    assert (made.start, made.end, made.open_result, made.equity) == (D(520), D(450), D(7), D(457))
    assert made.unexplained == 0


def test_open_results_are_in_no_balance() -> None:
    """Equity 990 with 10 lost in the open is a balance of 1,000; closed for 12 lost it is 988."""
    made = statement(
        WEEK,
        [reading(at(3, 9), "990", "-10"), reading(at(3, 11), "988")],
        None,
        [booked(at(3, 10), "-12")],
    )
    assert made is not None
    assert (made.start, made.end, made.equity) == (D(1000), D(988), D(988))


def test_what_no_deal_explains_is_a_line_of_its_own() -> None:
    """1,000 - 50 by a deal is 950, 940 was read: 10 are gone without a deal."""
    made = statement(
        WEEK,
        [reading(at(3, 9), "1000"), reading(at(3, 11), "940")],
        None,
        [booked(at(3, 10), "-50")],
    )
    assert made is not None
    assert (made.start, made.unexplained, made.end) == (D(1000), D(-10), D(940))


def test_a_deal_near_a_reading_belongs_to_the_one_that_showed_it() -> None:
    """The broker's clock is two seconds behind ours: executed before the reading, seen after it."""
    near = booked(at(3, 10) - timedelta(seconds=2), "5", at(3, 10, 10))
    readings = [reading(at(3, 10), "100"), reading(at(3, 10, 10), "105")]
    made = statement(WEEK, readings, None, [near])
    assert made is not None
    assert (made.start, made.unexplained, made.end) == (D(100), D(0), D(105))


def test_a_deal_that_the_broker_listed_late_was_in_the_balance_already() -> None:
    """Executed six seconds before the reading, listed after it: 105 were read with its 5."""
    late = booked(at(3, 10) - timedelta(seconds=6), "5", at(3, 11))
    made = statement(WEEK, [reading(at(3, 10), "105"), reading(at(3, 12), "105")], None, [late])
    assert made is not None
    assert (made.start, made.unexplained, made.end) == (D(100), D(0), D(105))


def test_deals_after_the_last_reading_count_and_no_equity_is_named() -> None:
    """Reckoner was down on Sunday; the deal was seen on Monday: 1,000 - 40 = 960."""
    deals = [booked(at(8, 20), "-40", at(9, 8))]
    made = statement(WEEK, [reading(at(7, 10), "1000")], None, deals)
    assert made is not None
    assert (made.start, made.end) == (D(1000), D(960))
    assert (made.open_result, made.equity) == (None, None)


def test_credit_is_part_of_it_and_named() -> None:
    """A balance of 1,000 and a credit of 50, of which the deal is of this week."""
    made = statement(
        WEEK, [reading(at(3, 9), "1050", balance=D(1000))], None, [booked(at(3, 8), "50")]
    )
    assert made is not None
    assert (made.start, made.end, made.has_credit) == (D(1000), D(1050), True)


def test_without_a_reading_there_is_no_statement() -> None:
    failed = reading(at(3, 9), None, None, sync_error="no connection")
    assert statement(WEEK, [failed], None, [booked(at(3, 8), "50")]) is None
