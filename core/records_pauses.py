"""The row of what an admin paused (`core.records`)."""

from datetime import datetime
from typing import ClassVar

from core.record_base import Record


class PauseRow(Record, frozen=True, kw_only=True):
    """One pause. `what`: market or signals. Over at `until`, or when somebody ended it before."""

    table: ClassVar[str] = "pauses"
    what: str
    user_id: int
    reason: str
    created_at: datetime
    until: datetime
    ended_at: datetime | None = None
    ended_by: int | None = None
