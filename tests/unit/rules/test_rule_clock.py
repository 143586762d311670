"""When a rule's day begins, over both changes of the clocks.

Source of the instants: the rules of the European Union (last Sundays of March and October, 01:00
UTC) and of the United States (second Sunday of March, first of November, 02:00 local).
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.rule_clock import RuleClock, last_reset, next_reset

PRAGUE = RuleClock("Europe/Prague", 0, 0)
NEW_YORK = RuleClock("America/New_York", 17, 0)
ZONES = ("UTC", "Europe/Prague", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("clock", "now", "last", "following"),
    [
        (PRAGUE, "2026-03-03T22:59:59", "2026-03-02T23:00", "2026-03-03T23:00"),
        (PRAGUE, "2026-03-03T23:00:00", "2026-03-03T23:00", "2026-03-04T23:00"),
        # 29 March lasts 23 hours, 25 October 25.
        (PRAGUE, "2026-03-29T12:00:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        (PRAGUE, "2026-10-25T12:00:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        (NEW_YORK, "2026-03-07T22:30:00", "2026-03-07T22:00", "2026-03-08T21:00"),
        (NEW_YORK, "2026-11-01T21:59:59", "2026-10-31T21:00", "2026-11-01T22:00"),
        # The US changed on 8 March, Europe has not: midnight and 17:00 keep their own hours.
        (PRAGUE, "2026-03-20T12:00:00", "2026-03-19T23:00", "2026-03-20T23:00"),
        (NEW_YORK, "2026-03-20T12:00:00", "2026-03-19T21:00", "2026-03-20T21:00"),
        # 02:30 does not exist on 29 March: its instant by the clock before the change, 03:30 CEST.
        (
            RuleClock("Europe/Prague", 2, 30),
            "2026-03-29T01:29:59",
            "2026-03-28T01:30",
            "2026-03-29T01:30",
        ),
        # It comes twice on 25 October: the first time counts, at 00:30 UTC, and not the second.
        (
            RuleClock("Europe/Prague", 2, 30),
            "2026-10-25T01:45:00",
            "2026-10-25T00:30",
            "2026-10-26T01:30",
        ),
        (RuleClock("UTC", 0, 30), "2026-03-04T00:29:59", "2026-03-03T00:30", "2026-03-04T00:30"),
    ],
)
def test_a_day_begins_at_its_local_time(
    clock: RuleClock, now: str, last: str, following: str
) -> None:
    assert last_reset(clock, utc(now)) == utc(last)
    assert next_reset(clock, utc(now)) == utc(following)


@given(
    zone=st.sampled_from(ZONES),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    now=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
)
def test_days_follow_one_another_without_gap_or_overlap(
    zone: str, hour: int, minute: int, now: datetime
) -> None:
    clock = RuleClock(zone, hour, minute)
    last, following = last_reset(clock, now), next_reset(clock, now)
    assert last <= now < following
    assert timedelta(hours=22) <= following - last <= timedelta(hours=26)
    assert last_reset(clock, following) == following
    assert next_reset(clock, following - timedelta(seconds=1)) == following
