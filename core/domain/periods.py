"""Days and weeks as people live them, as spans of instants; and when a day's digest is due.

A day begins at its local midnight and ends where the next one begins, so that days follow one
another without gap or overlap when clocks change: they then last 23 or 25 hours. A local time that
the clocks skip counts as its instant by the clock before the change; one that comes twice, as its
first. Source: PEP 495, fold 0.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from msgspec import Struct

WEEK_DAYS = 7
DAY = timedelta(days=1)


class Span(StrEnum):
    """How much a report covers."""

    DAY = "day"
    WEEK = "week"


class Period(Struct, frozen=True, kw_only=True):
    """From `start` up to, and without, `end`. `first`, `last` are the local dates it covers."""

    span: Span
    first: date
    last: date
    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Whether an instant belongs to it."""
        return self.start <= at < self.end


def midnight(day: date, zone: tzinfo) -> datetime:
    """The instant (UTC) at which a day begins in a time zone."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def period(span: Span, day: date, zone: tzinfo) -> Period:
    """The day itself, or the week from Monday to Sunday that has it.

    Raises OverflowError at the ends of the calendar.
    """
    first, days = day, 1
    if span is Span.WEEK:
        first, days = day - DAY * day.weekday(), WEEK_DAYS
    last = first + DAY * (days - 1)
    return Period(
        span=span,
        first=first,
        last=last,
        start=midnight(first, zone),
        end=midnight(last + DAY, zone),
    )


def digest_due(day: date, hour: int, zone: tzinfo) -> datetime:
    """When a day's digest is due (UTC): at this hour of the day after it."""
    return datetime.combine(day + DAY, time(hour), zone).astimezone(UTC)


def digest_day(now: datetime, hour: int, zone: tzinfo, make_up: timedelta) -> date | None:
    """The day whose digest is due now and not more than `make_up` late; None where none is.

    Derived from the time alone: a run that was missed is made up by the next one.
    """
    yesterday = now.astimezone(zone).date() - DAY
    for day in (yesterday, yesterday - DAY):  # before today's hour, the one before may be late
        due = digest_due(day, hour, zone)
        if due <= now:
            return day if now - due <= make_up else None
    return None
