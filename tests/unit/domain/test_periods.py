"""Days and weeks across both changes of the clocks, and when a digest is due."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.periods import DAY, Span, digest_day, digest_due, midnight, period

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
BEIRUT = ZoneInfo("Asia/Beirut")
ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Asia/Beirut", "Pacific/Apia")
MAKE_UP = timedelta(hours=12)


def at(text: str) -> datetime:
    """An instant, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_day_is_from_midnight_to_midnight_where_its_reader_lives() -> None:
    """London is an hour ahead of UTC in June, Kolkata five and a half."""
    day = period(Span.DAY, date(2026, 6, 3), LONDON)
    assert (day.start, day.end) == (at("2026-06-02T23:00"), at("2026-06-03T23:00"))
    day = period(Span.DAY, date(2026, 6, 3), KOLKATA)
    assert (day.start, day.end) == (at("2026-06-02T18:30"), at("2026-06-03T18:30"))


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 29), LONDON, 23),  # clocks go forward at 01:00
        (date(2026, 10, 25), LONDON, 25),  # and back at 02:00
        (date(2026, 3, 8), NEW_YORK, 23),
        (date(2026, 11, 1), NEW_YORK, 25),
        (date(2026, 3, 29), BEIRUT, 23),  # here at midnight itself: 00:00 does not exist
    ],
)
def test_the_days_on_which_clocks_change_are_shorter_or_longer(
    day: date, zone: ZoneInfo, hours: int
) -> None:
    found = period(Span.DAY, day, zone)
    assert found.end - found.start == timedelta(hours=hours)


def test_a_week_is_from_monday_to_sunday() -> None:
    """4 March 2026 is a Wednesday."""
    week = period(Span.WEEK, date(2026, 3, 4), LONDON)
    assert (week.first, week.last) == (date(2026, 3, 2), date(2026, 3, 8))
    assert (week.start, week.end) == (at("2026-03-02T00:00"), at("2026-03-09T00:00"))
    assert week == period(Span.WEEK, date(2026, 3, 8), LONDON)


def test_a_period_holds_its_beginning_and_not_its_end() -> None:
    day = period(Span.DAY, date(2026, 3, 4), ZoneInfo("UTC"))
    assert day.holds(day.start)
    assert not day.holds(day.end)


@given(
    st.dates(date(2000, 1, 2), date(2037, 12, 30)), st.sampled_from(ZONES), st.integers(0, 86_399)
)
def test_every_instant_belongs_to_one_day(day: date, zone_name: str, second: int) -> None:
    zone = ZoneInfo(zone_name)
    instant = datetime.combine(day, datetime.min.time(), UTC) + timedelta(seconds=second)
    days = [period(Span.DAY, day + DAY * n, zone) for n in (-2, -1, 0, 1, 2)]
    assert sum(one.holds(instant) for one in days) == 1
    assert all(a.end == b.start for a, b in itertools.pairwise(days))


def test_a_digest_is_due_at_the_readers_own_hour_of_the_next_day() -> None:
    """Seven in the morning: 07:00 UTC in a London winter, 06:00 in summer, 12:00 in New York."""
    assert digest_due(date(2026, 1, 5), 7, LONDON) == at("2026-01-06T07:00")
    assert digest_due(date(2026, 6, 5), 7, LONDON) == at("2026-06-06T06:00")
    assert digest_due(date(2026, 1, 5), 7, NEW_YORK) == at("2026-01-06T12:00")


def test_an_hour_that_clocks_skip_counts_by_the_clock_before() -> None:
    """London, 29 March 2026: 01:00 to 02:00 does not exist; 01:00 GMT is 02:00 BST."""
    assert digest_due(date(2026, 3, 28), 1, LONDON) == at("2026-03-29T01:00")


def test_an_hour_that_comes_twice_is_due_the_first_time() -> None:
    """London, 25 October 2026: 01:00 BST is 00:00 UTC, 01:00 GMT is 01:00 UTC."""
    assert digest_due(date(2026, 10, 24), 1, LONDON) == at("2026-10-25T00:00")


def test_a_missed_digest_is_made_up_for_within_its_bound_and_not_past_it() -> None:
    due = at("2026-03-05T07:00")
    day = date(2026, 3, 4)
    assert digest_day(due - timedelta(seconds=1), 7, LONDON, MAKE_UP) is None
    assert digest_day(due, 7, LONDON, MAKE_UP) == day
    assert digest_day(due + MAKE_UP, 7, LONDON, MAKE_UP) == day
    assert digest_day(due + MAKE_UP + timedelta(seconds=1), 7, LONDON, MAKE_UP) is None


def test_a_digest_of_the_late_evening_is_made_up_for_after_midnight() -> None:
    """Due at 23:00 on the 5th, looked for at 04:00 on the 6th."""
    found = digest_day(at("2026-03-06T04:00"), 23, LONDON, MAKE_UP)
    assert found == date(2026, 3, 4)


@pytest.mark.parametrize("hour", [0, 1, 2, 7, 23])
@pytest.mark.parametrize("zone", [LONDON, NEW_YORK, KOLKATA, BEIRUT], ids=str)
def test_over_a_year_every_day_comes_up_once_and_in_order(hour: int, zone: ZoneInfo) -> None:
    """Looked at every half hour of 2026 and a few days more, both changes among them."""
    seen: list[date] = []
    now = midnight(date(2026, 1, 2), UTC)
    while now < midnight(date(2027, 1, 3), UTC):
        day = digest_day(now, hour, zone, MAKE_UP)
        if day is not None and (not seen or seen[-1] != day):
            seen.append(day)
        now += timedelta(minutes=30)
    assert seen == [seen[0] + DAY * n for n in range(len(seen))]
    assert seen[0] <= date(2026, 1, 2)
    assert seen[-1] >= date(2026, 12, 31)
