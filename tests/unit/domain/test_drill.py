"""How long closing would take, which week's rehearsal is due."""

from datetime import UTC, datetime, time

import pytest

from core.domain.drill import Slot, Timing, closing_s, due_slot, proof_s, timing


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WEDNESDAY = Slot(2, time(10))


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ("2026-03-04 10:00", "2026-03-04 10:00"),
        ("2026-03-04 22:00", "2026-03-04 10:00"),  # made up for within 12 h
        ("2026-03-04 22:00:01", None),
        ("2026-03-04 09:59", None),
        ("2026-03-07 10:00", None),
    ],
)
def test_a_rehearsal_is_due_from_its_hour_for_half_a_day(now: str, slot: str | None) -> None:
    assert due_slot(WEDNESDAY, utc(now)) == (None if slot is None else utc(slot))
    assert due_slot(None, utc(now)) is None


def test_the_latest_slot_before_its_hour_is_last_weeks() -> None:
    assert WEDNESDAY.latest(utc("2026-03-04 09:59")) == utc("2026-02-25 10:00")
    assert WEDNESDAY.latest(utc("2026-03-10 23:00")) == utc("2026-03-04 10:00")


@pytest.mark.parametrize(
    ("count", "longest", "seconds"),
    [
        (1, 1, 0.3 + 0.1),
        (25, 1, 25 * 0.3 + 0.1),  # one round
        (26, 1, 26 * 0.3 + 2 * 0.1),  # a reading between two
        (3, 3, 3 * 0.3 + 3 * 0.1),  # pieces of one position each wait for a reading
    ],
)
def test_closing_takes_its_requests_and_a_reading_a_round(
    count: int, longest: int, seconds: float
) -> None:
    known = Timing(read_s=0.1, send_s=0.3, from_sends=True)
    assert closing_s(count, longest, known) == pytest.approx(seconds)
    assert proof_s(known) == pytest.approx(1.2)


def test_where_no_request_was_ever_timed_nothing_is_said() -> None:
    assert closing_s(3, 1, timing(0.1, (), ())) is None


def test_the_accounts_own_closes_tell_before_the_checks_do() -> None:
    """Of 1, 2, ... 20 seconds the 95th percentile is 19.95 (exclusive method)."""
    known = timing(0.1, [float(s) for s in range(1, 21)], [0.5])
    assert known.from_sends
    assert known.send_s == pytest.approx(19.95)
    few = timing(0.1, [9.0] * 4, [0.2, 0.5])
    assert (few.send_s, few.from_sends) == (0.5, False)
