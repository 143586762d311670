"""Whether the prices behind a reading move: a terminal may answer for hours from what it once knew.

A terminal that says it is not connected is no reading at all (law 1); this is about one that says
it is. Flat accounts have no price behind them and are never stale.
"""

from datetime import datetime, timedelta

from core.domain.broker import AccountSnapshot

STALE_AFTER = timedelta(minutes=5)
"""From this age of its newest quote on, a reading is stale to the drawdown guard."""
TOLD_AFTER = timedelta(minutes=20)
"""From this age on it is told while the market is open: daily breaks of indices last 15 min."""
FRESH_WITHIN = timedelta(minutes=1)
"""Prices move again with a quote of at most this age: hysteresis, so that it does not flutter."""
SATURDAY = 5
BREAK_HOURS = frozenset({0, 23})
"""Hours of the broker's day in which many symbols rest: around its midnight (facts: mt5, 2)."""


def quotes_age(snapshot: AccountSnapshot) -> timedelta | None:
    """How old the newest quote of a reading is; None where nothing is held and none is needed."""
    if not snapshot.positions:
        return None
    newest = max((tick.at for tick in snapshot.ticks.values()), default=None)
    if newest is None:
        return timedelta.max
    return max(timedelta(), snapshot.observed_at - newest)


def is_stale(snapshot: AccountSnapshot) -> bool:
    """Whether the reading's equity is of an old price."""
    age = quotes_age(snapshot)
    return age is not None and age >= STALE_AFTER


def in_session(at: datetime, server_offset_s: int) -> bool:
    """Whether prices are to be expected: a weekday of the broker's clock, away from midnight.

    The library does not tell a symbol's sessions, so this errs towards silence.
    """
    there = at + timedelta(seconds=server_offset_s)
    return there.weekday() < SATURDAY and there.hour not in BREAK_HOURS


def still_since(snapshot: AccountSnapshot, *, told: bool) -> datetime | None:
    """Since when prices stand still, where that is to be told; `told` where it was already."""
    age = quotes_age(snapshot)
    if age is None or age == timedelta.max:
        return None
    if told:
        return snapshot.observed_at - age if age > FRESH_WITHIN else None
    if age >= TOLD_AFTER and in_session(snapshot.observed_at, snapshot.server_offset_s):
        return snapshot.observed_at - age
    return None
