"""When a rule's day begins: a local time in a time zone, as instants (UTC).

A local time that the clocks skip counts as its instant by the clock before the change; one that
comes twice, as its first (PEP 495, fold 0; the same as `core.domain.periods`). So every local date
has exactly one reset, days last 23 to 25 hours, and a reset never happens twice.

The broker's clock plays no part: it stands still while no price moves, and brokers change to
summer time on other days than the rule's zone does.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

DAY = timedelta(days=1)
DATES_AROUND = (-2, -1, 0, 1, 2)
"""Local dates looked at: a reset is at most a day and a change of the clocks away."""


class RuleClock(Struct, frozen=True, gc=False):
    """A local time of day in an IANA zone."""

    zone: str
    hour: int
    minute: int

    def __str__(self) -> str:
        """`00:00 Europe/Prague`."""
        return f"{self.hour:02}:{self.minute:02} {self.zone}"


def last_reset(clock: RuleClock, now: datetime) -> datetime:
    """The latest reset at or before `now`."""
    return max(instant for instant in _around(clock, now) if instant <= now)


def next_reset(clock: RuleClock, now: datetime) -> datetime:
    """The earliest reset after `now`."""
    return min(instant for instant in _around(clock, now) if instant > now)


def _around(clock: RuleClock, now: datetime) -> list[datetime]:
    zone = ZoneInfo(clock.zone)
    today = now.astimezone(zone).date()
    at = time(clock.hour, clock.minute)
    return [datetime.combine(today + DAY * days, at, zone).astimezone(UTC) for days in DATES_AROUND]
