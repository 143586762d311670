"""An incident: one close job with everything from the warning before it to the release after it."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from core.domain.broker import Deal
from core.records import AuditRow, CloseJobRow, CloseOrderRow, DrawdownAlertRow


class IncidentLine(Struct, frozen=True, kw_only=True):
    """One incident of a list; `number` is its close job's. `result` is None before it is known."""

    number: int
    login: int
    client: str
    currency: str
    reason: str
    scope: str
    state: str
    at: datetime
    finished_at: datetime | None


class Incident(Struct, frozen=True, kw_only=True):
    """What is known of one close job, with the part of the audit that tells of it.

    `links` are consecutive; `left_out` says that there are more than are shown. `broken` are the
    numbers of those that do not hold. `market`: the system's links about the market warning that
    led to it, with what admins answered; `market_broken` those of them that do not hold.
    `own`: whether the account is the reader's.
    """

    login: int
    server: str
    client: str
    currency: str
    own: bool
    time_zone: str
    made_at: datetime
    job: CloseJobRow
    execution: DrawdownAlertRow | None
    orders: tuple[CloseOrderRow, ...]
    deals: tuple[Deal, ...]
    links: tuple[AuditRow, ...]
    market: tuple[AuditRow, ...] = ()
    left_out: bool
    broken: tuple[int, ...]
    market_broken: tuple[int, ...] = ()

    def first(self, *actions: str) -> AuditRow | None:
        """The first link with one of these actions that tells of this job or of no job at all."""
        return next((link for link in self._of(actions)), None)

    def last(self, *actions: str) -> AuditRow | None:
        """The last such link."""
        return next((link for link in reversed(self._of(actions))), None)

    def _of(self, actions: tuple[str, ...]) -> list[AuditRow]:
        return [
            link
            for link in self.links
            if link.action in actions and link.detail.get("job", self.job.id) == self.job.id
        ]

    @property
    def result(self) -> Decimal:
        """What the deals that closed it made, charges and swap included."""
        return sum((deal.amount for deal in self.deals), Decimal(0))
