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


class InvitationRow(Record, frozen=True, kw_only=True):
    """A code that makes whoever brings it an account's owner. `state`: open, used or void.

    The code itself is kept nowhere; `digest` is its SHA-256. `user_id` is who used it.
    """

    table: ClassVar[str] = "invitations"
    account_id: int
    digest: str
    state: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    user_id: int | None = None


class ConfirmationRow(Record, frozen=True, kw_only=True):
    """Something that was previewed and waits for its asker. `state`: open, done or cancelled.

    `change` is one of `core.domain.standing.Change`, done to the person `user_id`.
    """

    table: ClassVar[str] = "confirmations"
    asker_id: int
    change: str
    user_id: int
    state: str
    made_at: datetime
    expires_at: datetime


PEOPLE_RECORDS: tuple[type[Record], ...] = (AccessRequestRow, InvitationRow, ConfirmationRow)
