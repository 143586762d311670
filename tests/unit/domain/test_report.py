"""A report against figures added up by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from core.domain.absence import NOT_READ
from core.domain.broker import Deal
from core.domain.periods import Span, period
from core.domain.report import Blind, Flows, Material, SignalCount, report
from core.records import (
    ApprovalRow,
    DrawdownAlertRow,
    PositionSnapshotRow,
    ReconciliationLogRow,
    TradeRow,
)

D = Decimal
LONDON = ZoneInfo("Europe/London")
WEDNESDAY = date(2026, 3, 4)
DAY = period(Span.DAY, WEDNESDAY, LONDON)
WEEK = period(Span.WEEK, WEDNESDAY, LONDON)


def at(hour: int, minute: int = 0, day: int = 4) -> datetime:
    """An instant of March 2026; London is at UTC then."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def deal(ticket: int, position: int, when: datetime, **changes: Any) -> Deal:
    """A bought entry in gold, unless told otherwise."""
    facts: dict[str, Any] = {
        "ticket": ticket,
        "order": ticket,
        "position_id": position,
        "deal_type": 0,
        "entry": 0,
        "reason": 3,
        "symbol": "XAUUSD",
        "volume": D("0.10"),
        "price": D("1950.00"),
        "profit": D(0),
        "commission": D(0),
        "swap": D(0),
        "fee": D(0),
        "magic": 0,
        "comment": "",
        "executed_at": when,
    }
    return Deal(**{**facts, **changes})


def cash(ticket: int, when: datetime, amount: str, kind: int = 2) -> Deal:
    """A balance operation."""
    return deal(ticket, 0, when, deal_type=kind, symbol="", profit=D(amount))


def a_day() -> list[Deal]:
    """Two positions closed, one still open, money in and out, a charge, yesterday's and tomorrow's.

    Gold: -1.50 commission, then in two exits +80.00 and +41.90: 120.40.
    Euro: -0.65 commission, -19.00 with -0.50 swap: -20.15. Yen: only its commission, -0.70.
    """
    return [
        deal(1, 11, at(9), commission=D("-1.50")),
        deal(2, 11, at(10), deal_type=1, entry=1, volume=D("0.06"), profit=D("80.00")),
        deal(3, 11, at(11), deal_type=1, entry=1, volume=D("0.04"), profit=D("41.90")),
        deal(4, 12, at(12), deal_type=1, symbol="EURUSD", commission=D("-0.65")),
        deal(
            5,
            12,
            at(13),
            entry=1,
            symbol="EURUSD",
            profit=D("-19.00"),
            swap=D("-0.50"),
        ),
        deal(6, 13, at(14), symbol="USDJPY", commission=D("-0.70")),
        cash(7, at(15), "500"),
        cash(8, at(16), "-120.50"),
        cash(9, at(17), "30", kind=3),
        cash(10, at(18), "-2.00", kind=4),
        deal(11, 14, at(23, 59, day=3), deal_type=1, entry=1, profit=D(999)),
        deal(12, 14, at(0, 0, day=5), deal_type=1, entry=1, profit=D(999)),
    ]


def material(deals: Sequence[Deal] = (), **changes: Any) -> Material:
    """Wednesday's rows, seen on Thursday."""
    facts: dict[str, Any] = {
        "period": DAY,
        "zone": LONDON,
        "now": at(12, day=5),
        "known_from": at(0, day=1),
        "blind_after": timedelta(minutes=3),
        "deals": deals,
    }
    return Material(**{**facts, **changes})


def sample(
    when: datetime, drawdown: str | None = "1", error: str | None = None
) -> PositionSnapshotRow:
    """A reading at an equity of 9,900 below a peak of 10,000, or a failed one."""
    good = error is None
    return PositionSnapshotRow(
        user_id=1,
        account_id=7,
        currency="GBP",
        equity=D(9900) if good else None,
        peak_equity=D(10000) if good else None,
        drawdown_percent=D(drawdown) if good and drawdown else None,
        sync_error=error,
        created_at=when,
    )


def test_results_by_hand() -> None:
    """120.40 - 20.15 - 0.70 - 2.00 = 97.55; deposits and withdrawals are none of it."""
    made = report(material(a_day()))
    assert made.realised == D("97.55")
    assert [(s.symbol, s.trades, s.result) for s in made.symbols] == [
        ("XAUUSD", 1, D("120.40")),
        ("EURUSD", 1, D("-20.15")),
        ("USDJPY", 0, D("-0.70")),
    ]
    assert made.charges == D("-2.00")
    assert made.flows == Flows(deposits=D(500), withdrawals=D("-120.50"), credit=D(30))
    assert made.days == (D("97.55"),)


def test_trades_are_positions_closed_with_the_best_and_the_worst() -> None:
    made = report(material(a_day()))
    assert (made.trades, made.won, made.lost) == (2, 1, 1)
    assert made.best is not None
    assert made.worst is not None
    assert (made.best.position_id, made.best.result) == (11, D("120.40"))
    assert (made.best.side, made.best.volume, made.best.closed_at) == ("buy", D("0.10"), at(11))
    assert (made.worst.position_id, made.worst.result) == (12, D("-20.15"))
    assert made.worst.side == "sell"


def test_a_quiet_day_has_no_best_trade_and_no_result() -> None:
    made = report(material())
    assert (made.realised, made.trades, made.best, made.worst) == (D(0), 0, None, None)
    assert made.worst_drawdown is None


def test_a_week_is_split_into_its_days() -> None:
    """Tuesday's 999.00 and Thursday's stand beside Wednesday's 97.55."""
    made = report(material(a_day(), period=WEEK))
    assert made.days == (D(0), D(999), D("97.55"), D(999), D(0), D(0), D(0))
    assert made.realised == D("2095.55")


def test_a_result_belongs_to_the_readers_own_day() -> None:
    """18:30 UTC on the 4th is the 5th's first instant in Kolkata."""
    kolkata = ZoneInfo("Asia/Kolkata")
    edge = datetime(2026, 3, 4, 18, 30, tzinfo=UTC)
    won = deal(1, 11, edge, deal_type=1, entry=1, profit=D(5))
    earlier = replace(won, executed_at=edge - timedelta(milliseconds=1))
    fourth = period(Span.DAY, WEDNESDAY, kolkata)
    assert report(material([won], period=fourth, zone=kolkata)).realised == 0
    assert report(material([earlier], period=fourth, zone=kolkata)).realised == 5


def log(position: int, pips: str, when: datetime, **changes: Any) -> ReconciliationLogRow:
    """A first match."""
    facts: dict[str, Any] = {
        "user_id": 1,
        "account_id": 7,
        "mt5_position_id": position,
        "symbol": "XAUUSD",
        "matched": True,
        "slippage_pips": D(pips),
        "currency": "GBP",
        "event_type": "sync",
        "status": "success",
        "created_at": when,
        "updated_at": when,
    }
    return ReconciliationLogRow(**{**facts, **changes})


def trade(approval: int, status: str, position: int | None = None, **changes: Any) -> TradeRow:
    """A trade of gold."""
    facts: dict[str, Any] = {
        "approval_id": approval,
        "signal_id": approval,
        "user_id": 1,
        "account_id": 7,
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": D("0.10"),
        "stop_loss": None,
        "take_profit": None,
        "expected_entry": D(1950),
        "expected_at": at(9),
        "magic": 761000000 + approval,
        "comment": "",
        "deadline_at": at(9),
        "status": status,
        "position_id": position,
        "created_at": at(9),
    }
    return TradeRow(**{**facts, **changes})


def test_slippage_is_signed_with_median_and_worst_by_symbol_and_hour() -> None:
    """Entries -0.4, 1.0, 2.6, 3.0: median (1.0 + 2.6) / 2 = 1.8, worst 3.0. An exit: -0.5.

    The second entry was filled at 9:59 and found at 10:02; it counts by its fill.
    """
    logs = [
        log(1, "3.0", at(9, 30)),
        log(2, "-0.4", at(10, 2)),
        log(3, "1.0", at(14)),
        log(4, "2.6", at(14, 30)),
        log(1, "-0.5", at(15), event_type="close"),
        log(9, "7.7", at(15), divergence_reason="entry_slippage", status="warning"),
        log(8, "8.8", at(15), matched=False, event_type="close"),
    ]
    made = report(material(logs=logs, trades=[trade(1, "open", 2, opened_at=at(9, 59))]))
    assert [(s.is_entry, s.count, s.median, s.worst) for s in made.slippage] == [
        (True, 4, D("1.8"), D("3.0")),
        (False, 1, D("-0.5"), D("-0.5")),
    ]
    assert [(s.is_entry, s.hour, s.count, s.median) for s in made.slippage_by_hour] == [
        (True, 9, 2, D("1.3")),
        (True, 14, 2, D("1.8")),
        (False, 15, 1, D("-0.5")),
    ]


def approval(number: int, status: str, when: datetime | None = None) -> ApprovalRow:
    """An offer of Wednesday."""
    return ApprovalRow(
        id=number,
        signal_id=number,
        user_id=1,
        account_id=7,
        status=status,
        created_at=when or at(9),
    )


def test_each_signal_offered_has_one_fate() -> None:
    offers = [
        *(approval(n, "approved") for n in range(1, 6)),
        approval(6, "rejected"),
        approval(7, "expired"),
        approval(8, "offered"),
        approval(9, "rejected", at(9, day=3)),
    ]
    statuses = ("open", "closed", "expired", "cancelled", "pending")
    trades = [trade(n, status) for n, status in enumerate(statuses, 1)]
    made = report(material(approvals=offers, trades=trades))
    assert made.signals == SignalCount(followed=2, missed=2, rejected=1, expired=1, waiting=2)


def every(minutes: int, start: datetime, end: datetime) -> list[PositionSnapshotRow]:
    """Readings from `start` to `end`, so many minutes apart."""
    count = int((end - start) / timedelta(minutes=minutes)) + 1
    return [sample(start + timedelta(minutes=minutes * n)) for n in range(count)]


def test_the_worst_drawdown_is_the_deepest_reading_of_the_day_and_its_first_instant() -> None:
    rows = [sample(at(9), "4.5"), sample(at(10), "7.25"), sample(at(11), "7.25")]
    assert report(material(samples=rows)).worst_drawdown == (D("7.25"), at(10))
    yesterday = sample(at(9, day=3), "19")
    assert report(material(samples=[*rows, yesterday])).worst_drawdown == (D("7.25"), at(10))


def test_the_worst_drawdown_is_dated_when_it_was_first_read_to_the_tenth() -> None:
    """Breached at 9:28 with 20.6186 %, closed with 20.6235 %, and read so until the release."""
    rows = [sample(at(9, 28), "20.6186"), sample(at(9, 29), "20.6235"), sample(at(9, 30), "20.5")]
    assert report(material(samples=rows)).worst_drawdown == (D("20.6235"), at(9, 28))


def test_a_breach_between_two_samples_counts() -> None:
    breach = DrawdownAlertRow(
        user_id=1,
        account_id=7,
        alert_type="execution",
        drawdown_percent=D("20.4"),
        currency="GBP",
        equity=D(7960),
        threshold_percent=D(20),
        action_taken="positions_closed",
        status="success",
        created_at=at(9, 30),
    )
    made = report(material(samples=[sample(at(9))], alerts=[breach]))
    assert made.worst_drawdown == (D("20.4"), at(9, 30))


def test_an_outage_goes_from_the_last_reading_to_the_next_and_says_that_reads_failed() -> None:
    rows = [*every(1, at(0), at(2)), *every(1, at(6, 40), at(23, 59))]
    rows.append(sample(at(2, 1), error="no connection"))
    made = report(material(samples=rows))
    assert made.blind == (Blind(start=at(2), end=at(6, 40), is_outage=True),)


def test_a_short_outage_is_told_too() -> None:
    rows = every(1, at(0), at(23, 59))
    rows.append(sample(at(2) + timedelta(seconds=30), error="no connection"))
    made = report(material(samples=rows))
    assert made.blind == (Blind(start=at(2), end=at(2, 1), is_outage=True),)


def test_a_stop_of_reckoners_own_is_no_outage_and_ends_with_the_first_reading_after_it() -> None:
    """The note of the stop is written with that reading, and in the column of failed reads."""
    rows = [*every(1, at(0), at(2)), *every(1, at(6, 40), at(23, 59))]
    rows.append(sample(at(6, 40), error=f"{NOT_READ} 02:00 to 06:40: no figure is uncertain"))
    made = report(material(samples=rows))
    assert made.blind == (Blind(start=at(2), end=at(6, 40), is_outage=False),)


def test_a_gap_counts_only_past_its_bound() -> None:
    """Three minutes are allowed: readings 3 apart are no gap, one second more is one."""
    rows = every(3, at(0), at(23, 57))
    assert report(material(samples=rows)).blind == ()
    later = sample(at(12) + timedelta(seconds=1))
    moved = [row for row in rows if row.created_at != at(12)] + [later]
    assert report(material(samples=moved)).blind == (
        Blind(start=at(11, 57), end=at(12) + timedelta(seconds=1), is_outage=False),
    )


def test_a_day_that_began_without_readings_says_so_unless_the_account_was_not_known_yet() -> None:
    rows = every(1, at(8), at(23, 59))
    assert report(material(samples=rows)).blind == (Blind(start=at(0), end=at(8), is_outage=False),)
    assert report(material(samples=rows, known_from=at(7, 59))).blind == ()
    whole = material(samples=rows, before=sample(at(20, day=3)))
    assert report(whole).blind == (Blind(start=at(0), end=at(8), is_outage=False),)


def test_a_day_under_way_ends_now_and_an_outage_under_way_lasts_until_now() -> None:
    rows = every(1, at(0), at(11, 58))
    assert report(material(samples=rows, now=at(12))).blind == ()
    assert report(material(samples=rows, now=at(13))).blind == (
        Blind(start=at(11, 58), end=at(13), is_outage=False),
    )


def test_a_day_without_any_reading_is_blind_from_end_to_end() -> None:
    assert report(material()).blind == (Blind(start=DAY.start, end=DAY.end, is_outage=False),)


def test_what_was_not_looked_at_is_not_called_unread() -> None:
    rows = every(1, at(8), at(23, 59))
    assert report(material(samples=rows, are_samples_cut=True)).blind == ()
