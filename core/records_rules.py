"""The row of what guard rules would have done, or did (`core.records`)."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from core.record_base import Record


class RuleEventRow(Record, frozen=True, kw_only=True):
    """One time a rule was broken: what it did, or in its mode would have done, and what came of it.

    `mode`: observe, advise or enforce. `severity`: close_all, pause_day or warn. `figure` was
    compared with `floor` (money, percent or a count); `equity` was the equity then, `worst_equity`
    the lowest until it was over, `result` by how much equity changed from then until then, without
    cash flows. One that is not over has no `resolved_at`.
    """

    table: ClassVar[str] = "rule_events"
    account_id: int
    rule: str
    title: str
    mode: str
    severity: str
    figure: Decimal
    floor: Decimal
    equity: Decimal
    worst_equity: Decimal | None = None
    result: Decimal | None = None
    opened_at: datetime
    resolved_at: datetime | None = None
