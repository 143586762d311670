"""The rows of how people came to be known (`core.records`)."""

from datetime import datetime
from typing import ClassVar

from core.record_base import Record


class AccessRequestRow(Record, frozen=True, kw_only=True):
    """Somebody unknown asked to be let in. `state`: waiting, approved or blocked.

    `username` is Telegram's, empty where they have none. `decided_by` names the admin.
    """

    table: ClassVar[str] = "access_requests"
    user_id: int
    username: str
    state: str
    asked_at: datetime
    decided_at: datetime | None = None
    decided_by: str = ""
