"""The rows of what people want to hear, and of what they have to say they have (`core.records`)."""

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


class AlarmRow(Record, frozen=True, kw_only=True):
    """An alert that an admin has to say they have. Unique per outbox row, the admin chat's.

    `thread` and `kind` are that row's. `told_at` is when it was last told, from when on the next
    repeat is counted, None where none follows; `repeats` counts. `taken_by` is a name;
    `over_at` is when what it told of was over.
    """

    table: ClassVar[str] = "alarms"
    outbox_id: int
    account_id: int
    thread: str
    kind: str
    opened_at: datetime
    told_at: datetime | None
    repeats: int = 0
    taken_by: str | None = None
    taken_at: datetime | None = None
    over_at: datetime | None = None


class CardRow(Record, frozen=True, kw_only=True):
    """A client's pinned card: which message it is and what it shows. Unique per user.

    `message_id` is None before the first is sent; `pinned_id` is the message that was pinned: each
    is pinned once. `shown` is a `core.domain.card.CardShown`, `[]` where none stands. It is looked
    at again from `next_at` on.
    """

    table: ClassVar[str] = "cards"
    user_id: int
    message_id: int | None = None
    pinned_id: int | None = None
    shown: str = "[]"
    edited_at: datetime | None = None
    next_at: datetime
