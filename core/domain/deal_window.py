"""From when deals are asked for, so that none is missed, and how long their tickets are kept.

What was shown is never left out for its time, which may be hours off while the broker's clock is
not known: whether a deal is new is told by its ticket alone.

Invariants:

1. The cursor stands where deals last explained every penny: it does not pass a deal that is late.
2. It is never held back for longer than `LATE_DEALS_MAX`, so that what is asked for stays bounded.
3. A ticket is at hand for as long as its deal is likely to be shown again, and in the store for
   good.
4. While money moved and no deal says why, deals are asked for as far back as a clock may be off.
5. The first reading goes further back than any after it: what is older than the first balance is
   in that balance, and is not taken for new when a later question reaches it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from core.domain.broker import AccountSnapshot

OVERLAP = timedelta(minutes=75)
"""Deals are asked for from this long before the newest one known.

They can arrive late; and twice a year the broker's clock jumps by an hour, which is not known
before the first fresh tick: until then the question begins an hour off.
"""
CLOCK_SPAN = timedelta(hours=26)
"""How far a broker's clock can be from what it is taken for: zones lie from UTC-12 to UTC+14."""
LATE_DEALS_MAX = timedelta(days=3)
"""Deals that a mismatch waits for are looked for this far back: over a weekend, and not for ever.

Reports of deals that appeared the next morning: facts, mt5, section 2.
"""


def asked_from(
    cursor: datetime | None, marks: Iterable[datetime], now: datetime, *, explained: bool
) -> datetime:
    """From when deals must be read so that none is missed, late and wrongly dated ones included.

    `marks` are instants that something still waits from; `explained` as for `next_cursor`.
    """
    if cursor is None:
        return now - LATE_DEALS_MAX
    since = min((cursor, *marks)) - OVERLAP
    return since if explained else since - CLOCK_SPAN


def next_cursor(
    cursor: datetime | None, snapshot: AccountSnapshot, *, explained: bool
) -> datetime | None:
    """The instant before which every deal is booked, after this reading."""
    if not explained:
        held = snapshot.observed_at - LATE_DEALS_MAX
        return held if cursor is None else max(cursor, held)
    if cursor is None:
        return snapshot.observed_at
    # A deal stamped ahead (a wrong broker clock) must not move the window past late ones.
    return max((cursor, *(min(d.executed_at, snapshot.observed_at) for d in snapshot.deals)))


def within(tickets: Mapping[int, datetime], since: datetime) -> dict[int, datetime]:
    """The tickets whose deals can still be shown: executed at or after `since`."""
    return {ticket: at for ticket, at in tickets.items() if at >= since}
