"""Alerts that somebody has to say they have: which, what ends them, and who is told next.

A short list on purpose: what is asked of people at night is asked rarely.
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import alerts_closing as c
from core.domain import alerts_rules as r
from core.domain import alerts_terminal as t

ROUNDS_MAX: Final = 2
"""Times that each admin is told of an alarm nobody has; after that it stays as it is."""
REPEATS_MAX: Final = 20
"""Times that an alarm is repeated in all, however many admins there are."""

ALWAYS: Final = (a.GuardBreached, a.LatchedReappeared, c.CloseStalled, r.GuardBlind)
SAYING_THEIR_END: Final = (a.GuardBreached, a.LatchedReappeared)
"""Kinds whose own words change when they are over, for whoever read them: they said what comes."""
WHILE_HOLDING: Final = (t.AccountUnavailable, t.TerminalBlocked)
"""Kinds that need somebody only where the account holds positions."""


def raises(alert: a.Alert) -> bool:
    """Whether an admin has to acknowledge it."""
    return isinstance(alert, ALWAYS) or (
        isinstance(alert, WHILE_HOLDING) and bool(alert.positions_count)
    )


def may_raise(alert: a.Alert) -> bool:
    """Whether it is of a kind that an admin has to acknowledge, if not always."""
    return isinstance(alert, ALWAYS + WHILE_HOLDING)


def ends_thread(alert: a.Alert) -> bool:
    """Whether every alarm of its thread is over with it."""
    over = a.CloseConfirmed | r.GuardSees | t.AccountRecovered | t.TerminalCleared
    return isinstance(alert, over)


def ended(alert: a.Alert, at: datetime) -> a.Alert:
    """The alert as its messages say it once it is over."""
    return replace(alert, over_at=at) if isinstance(alert, SAYING_THEIR_END) else alert


def ends_account(alert: a.Alert) -> bool:
    """Whether every alarm of its account is over with it: the lock was lifted, proved flat."""
    return isinstance(alert, a.ReleaseAnswered) and alert.state == "released"


def repeats_max(admins: int) -> int:
    """How often an alarm is repeated at most, where there are so many admins."""
    return min(REPEATS_MAX, ROUNDS_MAX * max(1, admins))


def next_admin(repeats: int, admins: int) -> int | None:
    """The place in the list of admins of who is told after so many repeats; None without any."""
    return repeats % admins if admins else None
