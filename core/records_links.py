"""The row of an account that its client links in the private chat (`core.records`)."""

from datetime import datetime
from typing import ClassVar

from core.record_base import Record


class LinkRequestRow(Record, frozen=True, kw_only=True):
    """Somebody links an account: the conversation, the request it becomes, and its end.

    `state` is a word of `core.domain.linking.LinkState`. `login` is 0 until it was given.
    `password_token` is encrypted, as in `terminals`; None before it was given and after the end.
    `problem` is why the last answer was not taken, `wrong` how many were not, `late` how many words
    came after the end. `due_at` is when the state ends by itself, or the broker is asked (again).
    """

    table: ClassVar[str] = "link_requests"
    user_id: int
    state: str
    server: str = ""
    login: int = 0
    password_token: str | None = None
    problem: str = ""
    wrong: int = 0
    late: int = 0
    checks: int = 0
    begun_at: datetime
    due_at: datetime
    asked_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str = ""
    ended_at: datetime | None = None
    failure: str = ""
    account_id: int | None = None


LINK_RECORDS: tuple[type[Record], ...] = (LinkRequestRow,)
