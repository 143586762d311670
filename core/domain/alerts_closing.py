"""Alerts about closes that make no progress, and about rehearsals of closing.

They belong to the union in `core.domain.alerts`; amounts, instants and words are as there.
"""

from datetime import datetime

from core.domain.alert_parts import AccountAlert, AlertBase, Blocked
from core.domain.drill import Drilled


class CloseStalled(AccountAlert, frozen=True, kw_only=True):
    """A close job makes no progress since `since`, and goes on trying.

    `blocks` says what keeps each ticket open, `more` how many tickets are not listed. `opens_at` is
    when the closed market that holds it up usually opens, None where that is not the reason or not
    known.
    """

    job_id: int
    scope: str
    since: datetime
    blocks: tuple[Blocked, ...]
    more: int
    next_try_at: datetime
    opens_at: datetime | None
    at: datetime


class DrillBlocked(AlertBase, frozen=True, kw_only=True):
    """A rehearsal by schedule found accounts that could not be closed now; for the admins.

    `more` of them are not listed; `rehearsed` counts all that were tried.
    """

    accounts: tuple[Drilled, ...]
    more: int
    rehearsed: int
    at: datetime


ClosingAlert = CloseStalled | DrillBlocked
