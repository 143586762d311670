"""When a closed market usually opens, and when a close without progress is told.

Summer time begins in New York on 8 March 2026: 17:00 there is 22:00 UTC before, 21:00 after.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.domain import stall
from core.domain.closing import PARKED_LOOK_S, ClosePolicy, plan
from core.domain.sessions import usual_open
from tests.unit.domain.make import EURUSD, at, job, position, sent, snapshot, spec, tick

POLICY = ClosePolicy(quiet_period_s=2.0, deviation_points=50)
GOLD = spec()
COIN = spec("BTCUSD", currency_base="BTC")
SHARE = spec("AAPL", currency_base="USD")
INDEX = spec("US500", currency_base="USD")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("symbol", "refused", "opens"),
    [
        (EURUSD, "2026-03-06 22:00", "2026-03-08 21:00"),  # Friday 17:00; Sunday is summer time
        (EURUSD, "2026-03-07 12:00", "2026-03-08 21:00"),
        (EURUSD, "2026-03-08 20:59", "2026-03-08 21:00"),
        (EURUSD, "2026-02-28 12:00", "2026-03-01 22:00"),  # winter time
        (GOLD, "2026-03-06 22:00", "2026-03-08 22:00"),  # metals an hour later
        (INDEX, "2026-03-07 12:00", "2026-03-08 22:00"),
        (EURUSD, "2026-03-06 21:45", "2026-03-08 21:00"),  # brokers end Friday some minutes early
        (GOLD, "2026-03-10 21:00", "2026-03-10 22:00"),  # the daily rest, 17:00 to 18:00
        (GOLD, "2026-03-10 20:45", "2026-03-10 22:00"),
        (EURUSD, "2026-03-10 21:05", "2026-03-10 21:10"),
    ],
)
def test_where_hours_are_the_same_everywhere_they_are_known(
    symbol: object, refused: str, opens: str
) -> None:
    assert isinstance(symbol, type(GOLD))
    assert usual_open(symbol.name, symbol, utc(refused)) == utc(opens)


@pytest.mark.parametrize(
    ("symbol", "refused"),
    [
        (EURUSD, "2026-03-06 21:44"),  # within the session: a holiday, a halt
        (EURUSD, "2026-03-08 21:00"),  # it should be open
        (EURUSD, "2026-03-10 21:10"),
        (EURUSD, "2026-03-10 20:44"),
        (GOLD, "2026-03-10 22:00"),
        (COIN, "2026-03-07 12:00"),
        (SHARE, "2026-03-07 12:00"),
        (None, "2026-03-07 12:00"),
    ],
)
def test_where_nobody_can_say_nothing_is_said(symbol: object, refused: str) -> None:
    known = symbol if isinstance(symbol, type(GOLD)) else None
    assert usual_open("X" if known is None else known.name, known, utc(refused)) is None


def test_a_close_is_parked_until_the_market_opens_and_looked_at_meanwhile() -> None:
    """Four hours before it opens a quarter of an hour passes; near it, not more than is left."""
    saturday = timedelta(days=3)  # the tests' present is Wednesday 4 March, 10:00
    opens = utc("2026-03-08 22:00")

    def due_s(before: timedelta) -> float:
        s = (opens - before - at(0)).total_seconds()
        refused = sent("refused", s, retcode=10018)
        quiet = {"XAUUSD": tick(s=-3600)}
        made = plan(job(), (refused,), snapshot(position(), began=s, ticks=quiet), at(s), POLICY)
        assert (made.attempts, made.opens_at, made.trouble) == ((), opens, "market_closed")
        return (made.due_at - at(s)).total_seconds()

    assert due_s(opens - at(0) - saturday) == PARKED_LOOK_S == 900
    assert due_s(timedelta(hours=4)) == 900
    assert due_s(timedelta(seconds=901)) == 900
    assert due_s(timedelta(seconds=899)) == 899


def test_a_new_price_ends_the_parking_at_once() -> None:
    s = (utc("2026-03-07 12:00") - at(0)).total_seconds()
    refused = sent("refused", s, retcode=10018)
    reading = snapshot(position(), began=s + 5, ticks={"XAUUSD": tick(s=s + 4)})
    made = plan(job(), (refused,), reading, at(s + 5), POLICY)
    assert (len(made.attempts), made.opens_at) == (1, None)


# --- stalls ---------------------------------------------------------------------------------------


def told_at_s(until_s: int, every_s: int = 10, **changes: Any) -> list[int]:
    """At which seconds without progress it is told, looking each so many seconds."""
    current, told = job(started_at=at(0), **changes), []
    for s in range(0, until_s + 1, every_s):
        if stall.is_due(current, at(s)):
            told.append(s)
            current = job(started_at=at(0), stalled_told_at=at(s), **changes)
    return told


def test_a_close_without_progress_is_told_at_its_marks_and_then_hourly() -> None:
    assert told_at_s(3 * 3600 + 900) == [60, 300, 900, 4500, 8100, 11700]


def test_a_mark_that_was_slept_through_is_told_once() -> None:
    assert told_at_s(4000, every_s=1000) == [1000]
    assert told_at_s(5000, every_s=1000) == [1000, 5000], "an hour after it was told"


def test_progress_begins_it_anew() -> None:
    assert told_at_s(400, progress_at=at(200)) == [260]


def test_a_market_that_opens_at_a_known_hour_begins_it_then() -> None:
    assert told_at_s(4000, trouble="market_closed", opens_at=at(3600)) == [3660, 3900]


def test_a_market_that_opens_nobody_knows_when_is_told_each_six_hours() -> None:
    hour = 3600
    assert told_at_s(13 * hour, every_s=60, trouble="market_closed") == [6 * hour, 12 * hour]


def test_before_its_first_mark_nothing_is_told() -> None:
    assert not stall.is_due(job(started_at=at(0)), at(59.999))
    assert stall.is_due(job(started_at=at(0)), at(60))
    assert not stall.is_due(job(started_at=at(0)), at(-5)), "a clock set back"
