"""From when deals are asked for, so that none is missed, and how long their tickets are kept.

Invariants:

1. The cursor stands where deals last explained every penny: it does not pass a deal that is late.
2. It is never held back for longer than `LATE_DEALS_MAX`, so that what is asked for stays bounded.
3. A ticket is known for as long as its deal can be shown again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from core.domain.broker import AccountSnapshot

LATE_DEALS_MAX = timedelta(days=3)
"""Deals that a mismatch waits for are looked for this far back: over a weekend, and not for ever.

Reports of deals that appeared the next morning: facts, mt5, section 2.
"""


def next_cursor(
    cursor: datetime | None, snapshot: AccountSnapshot, *, explained: bool
) -> datetime | None:
    """The instant before which every deal is booked, after this reading."""
    if not explained:
        held = snapshot.observed_at - LATE_DEALS_MAX
        return held if cursor is None else max(cursor, held)
    newest = max(
        # A deal stamped ahead (a wrong broker clock) must not move the window past late ones.
        (min(d.executed_at, snapshot.observed_at) for d in snapshot.deals),
        default=cursor or snapshot.observed_at,
    )
    return newest if cursor is None else max(newest, cursor)


def within(tickets: Mapping[int, datetime], since: datetime) -> dict[int, datetime]:
    """The tickets whose deals can still be shown: executed at or after `since`."""
    return {ticket: at for ticket, at in tickets.items() if at >= since}
