"""How a terminal's state changes: starting, up, resting between attempts, unlinked. Pure.

A rest has a random length between nothing and a bound that doubles with each failure in a row
("full jitter"), so that a thousand terminals that fail together do not come back together.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from core.ports import TerminalHealth, TerminalState

REST_S_FIRST: Final = 1.0
"""The longest rest after one failure."""
REST_S_MAX: Final = 60.0
LASTED: Final = timedelta(seconds=60)
"""A terminal that was up this long begins anew: its next failure counts as the first."""
UNLINKED_RECHECK: Final = timedelta(seconds=5)
"""How often it is looked up whether an unlinked account has been linked."""
REASON_LENGTH_MAX: Final = 300


def rest_s_bound(failures: int) -> float:
    """The longest rest after so many failures in a row, at least one."""
    doublings = min(failures - 1, 30)  # a float holds no end of doublings
    return min(REST_S_MAX, REST_S_FIRST * 2.0**doublings)


def starting(health: TerminalHealth, now: datetime, reason: str) -> TerminalHealth:
    """An attempt begins."""
    return replace(
        health,
        state=TerminalState.STARTING,
        since=now,
        next_try_at=None,
        reason=reason,
    )


def up(health: TerminalHealth, now: datetime) -> TerminalHealth:
    """The terminal answers. Its failures are forgotten only after it has lasted."""
    return replace(health, state=TerminalState.UP, since=now, next_try_at=None, reason="")


def resting(
    health: TerminalHealth, now: datetime, reason: str, *, fraction: float
) -> TerminalHealth:
    """An attempt or a terminal that was up has failed. `fraction`: random, from 0 to below 1."""
    lasted = health.state is TerminalState.UP and now - health.since >= LASTED
    failures = 1 if lasted else health.failures + 1
    return replace(
        health,
        state=TerminalState.RESTING,
        since=now,
        failures=failures,
        next_try_at=now + timedelta(seconds=fraction * rest_s_bound(failures)),
        reason=reason[:REASON_LENGTH_MAX],
    )


def unlinked(health: TerminalHealth, now: datetime) -> TerminalHealth:
    """No terminal is linked to the account."""
    return replace(
        health,
        state=TerminalState.UNLINKED,
        since=health.since if health.state is TerminalState.UNLINKED else now,
        failures=0,
        next_try_at=now + UNLINKED_RECHECK,
        reason="no terminal is linked: python -m bot link",
    )


def is_due(health: TerminalHealth, now: datetime) -> bool:
    """Whether the next attempt may begin."""
    return health.next_try_at is not None and now >= health.next_try_at
