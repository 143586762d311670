"""The broker's clock: how far a server's time stands from UTC, told from fresh prices only.

MetaTrader stamps everything in its server's wall clock, encoded as if UTC, and tells the offset
nowhere (facts: mt5, 2, "time base"). It is inferred: a price that is known to be fresh bears the
server's present time, and what is left after UTC is the offset, a whole number of quarter hours.

A price is fresh when the newest price's time moved on between two looks not far apart: it came in
between, so its age is less than the time from one to the other. One such price is not believed. A
terminal that finds its connection again shows, one after another, prices of hours ago; they move on
too, but not for long. So several in a row must agree, over some time: a few where nothing is known
yet, more where something known is to be changed (daylight saving). While the market is closed
nothing moves, and what is known stays.

UTC is our own clock: the clock of the terminal's host may be wrong. A jump of our own breaks the
row, because the looks then lie too far apart or in the wrong order.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

STEP_S: Final = 900
"""Offsets are whole quarter hours: all time zones in use are."""
OFFSET_S_MIN: Final = -12 * 3600
OFFSET_S_MAX: Final = 14 * 3600
"""The time zones in use lie between these (UTC-12, UTC+14)."""
SAVING_S: Final = 3600
"""Daylight saving moves a clock by this. Any other change only corrects what was wrong before."""
LOOKS_APART_MAX: Final = timedelta(seconds=60)
"""Two looks farther apart than this prove no price fresh."""
TOLERANCE: Final = timedelta(seconds=45)
"""How far our clock and the server's may be wrong together, beside the time between two looks."""
PRICES_APART_MAX: Final = timedelta(seconds=120)
"""Fresh prices farther apart than this do not stand in one row."""
FIRST_AGREEING_MIN: Final = 3
FIRST_SPAN_MIN: Final = timedelta(seconds=10)
CHANGE_AGREEING_MIN: Final = 5
CHANGE_SPAN_MIN: Final = timedelta(seconds=30)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_TOLERANCE_MS: Final = TOLERANCE // _MILLISECOND


class Look(Struct, frozen=True, kw_only=True, gc=False):
    """One reading of the newest price's time (server time, ms), between two instants (UTC)."""

    tick_ms: int
    asked_at: datetime
    answered_at: datetime


class Row(Struct, frozen=True, kw_only=True, gc=False):
    """Fresh prices that agree on one offset: how many, from when to when, the first one's time."""

    offset_s: int
    count: int
    since: datetime
    until: datetime
    first_tick_ms: int


class Change(Struct, frozen=True, kw_only=True, gc=False):
    """The last change of the broker's clock: what was stamped before `until_ms` bears `before_s`.

    Where the clock was put back, an hour is stamped twice: it is read as the later one, unless that
    is still to come.
    """

    before_s: int
    until_ms: int


class BrokerClock(Struct, frozen=True, kw_only=True, gc=False):
    """What one terminal's prices have told so far.

    `offset_s`: server time minus UTC, None while it is not known. `watched_since`: the first look;
    `fresh_at`: when a fresh price was last seen, None before one was.
    """

    offset_s: int | None = None
    change: Change | None = None
    watched_since: datetime | None = None
    fresh_at: datetime | None = None
    last: Look | None = None
    row: Row | None = None
    confirmed_ms: int | None = None
    """The time of the newest fresh price that agreed with `offset_s`."""


def observe(clock: BrokerClock, look: Look) -> BrokerClock:
    """Take one more look into account."""
    seen = replace(clock, last=look, watched_since=clock.watched_since or look.asked_at)
    last = clock.last
    if last is None:
        return seen
    apart = look.answered_at - last.asked_at
    if not timedelta(0) <= apart <= LOOKS_APART_MAX or look.tick_ms < last.tick_ms:
        return replace(seen, row=None)
    if look.tick_ms == last.tick_ms:
        return seen
    offset_s = _offset(look, last)
    if offset_s is None:
        return replace(seen, row=None)
    row = _longer(clock.row, offset_s, look)
    fresh = replace(seen, fresh_at=look.answered_at, row=row)
    return _believe(fresh, row, look.tick_ms)


def _offset(look: Look, last: Look) -> int | None:
    """The one offset that fits a price that came between two looks; None where none does.

    The price was made after the last look was asked and before this one was answered, so that its
    own time minus the offset lies between these two.
    """
    tick_at = _EPOCH + look.tick_ms * _MILLISECOND
    low_s = (tick_at - look.answered_at - TOLERANCE).total_seconds()
    high_s = (tick_at - last.asked_at + TOLERANCE).total_seconds()
    offset_s = int(high_s // STEP_S) * STEP_S
    fits = offset_s >= low_s and OFFSET_S_MIN <= offset_s <= OFFSET_S_MAX
    return offset_s if fits else None


def _longer(row: Row | None, offset_s: int, look: Look) -> Row:
    at = look.answered_at
    if row is None or row.offset_s != offset_s or at - row.until > PRICES_APART_MAX:
        return Row(offset_s=offset_s, count=1, since=at, until=at, first_tick_ms=look.tick_ms)
    return replace(row, count=row.count + 1, until=at)


def _believe(clock: BrokerClock, row: Row, tick_ms: int) -> BrokerClock:
    """Take over what the row says, where it is long enough."""
    known_s = clock.offset_s
    if row.offset_s == known_s:
        return replace(clock, confirmed_ms=tick_ms)
    count_min = FIRST_AGREEING_MIN if known_s is None else CHANGE_AGREEING_MIN
    span_min = FIRST_SPAN_MIN if known_s is None else CHANGE_SPAN_MIN
    if row.count < count_min or row.until - row.since < span_min:
        return clock
    change = clock.change
    if known_s is not None and abs(row.offset_s - known_s) == SAVING_S:
        change = Change(before_s=known_s, until_ms=_changed_ms(row, clock.confirmed_ms))
    return replace(clock, offset_s=row.offset_s, change=change, confirmed_ms=tick_ms)


def _changed_ms(row: Row, confirmed_ms: int | None) -> int:
    """Where, in server time, the new clock begins.

    Both the United States and Europe change theirs in the small hours of a Sunday (Energy Policy
    Act of 2005, section 110; directive 2000/84/EC), while currencies rest. What is stamped later is
    new, also where no price of that Sunday was seen; what came with a price of the old clock is
    old.
    """
    first = _EPOCH + row.first_tick_ms * _MILLISECOND
    noon = first.replace(hour=12, minute=0, second=0, microsecond=0)
    sunday = noon - timedelta(days=first.isoweekday() % 7)
    if sunday > first:
        sunday -= timedelta(days=7)
    sunday_ms = (sunday - _EPOCH) // _MILLISECOND
    return min(row.first_tick_ms, max(sunday_ms, 0 if confirmed_ms is None else confirmed_ms + 1))


def restated(stamp_ms: int, clock: BrokerClock, now: datetime) -> int:
    """A server time as it would have been stamped with the present offset.

    What was stamped before the broker's clock was changed is moved by as much, so that taking the
    present offset off gives the instant it really was.
    """
    change = clock.change
    if change is None or clock.offset_s is None:
        return stamp_ms
    now_ms = (now - _EPOCH) // _MILLISECOND + clock.offset_s * 1000
    before = stamp_ms < change.until_ms or stamp_ms - now_ms > _TOLERANCE_MS
    return stamp_ms + (clock.offset_s - change.before_s) * 1000 if before else stamp_ms
