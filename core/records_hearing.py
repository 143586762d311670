"""The row of what a person wants to hear (`core.records`)."""

from datetime import datetime
from typing import ClassVar

from core.record_base import JsonObject, Record


class PreferenceRow(Record, frozen=True, kw_only=True):
    """What one person chose in /settings. Unique per user; who chose nothing has none.

    `levels` has the level (on, silent, off) by alert group, quiet hours are minutes since midnight
    on the person's own clock (both or neither), `time_zone` an IANA name that holds in place of the
    people file's, empty where none was chosen. `version` rises with each change.
    """

    table: ClassVar[str] = "preferences"
    user_id: int
    version: int = 1
    levels: JsonObject
    quiet_start_min: int | None = None
    quiet_end_min: int | None = None
    time_zone: str = ""
    changed_at: datetime
