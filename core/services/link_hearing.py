"""What an answer in the conversation that links an account gives, and what is asked next."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from core.domain.link_heard import Ask
from core.domain.linking import (
    ANSWER_TIME,
    ASKING,
    LATE_SPAN,
    Failure,
    LinkState,
    Problem,
    is_password,
    parse_login,
    parse_server,
)
from core.ports import Secret
from core.records_links import LinkRequestRow
from core.services.link_requests import is_renewal


class Said(Struct, frozen=True, kw_only=True):
    """Somebody's message. `text` is None where it has none, and may be a password.

    `written_at` is Telegram's time, which says what it was an answer to.
    """

    telegram_id: int
    ask: Ask
    text: Secret | None
    private: bool
    written_at: datetime


def is_asked_already(row: LinkRequestRow, account_id: int, now: datetime) -> bool:
    """Whether this account's new password is being asked for, or tried."""
    is_open = row.state == LinkState.APPROVED or (row.state in ASKING and now < row.due_at)
    return is_open and is_renewal(row) and row.account_id == account_id


def judged(
    state: LinkState, said: Secret | None, servers: tuple[str, ...]
) -> Problem | Secret | str | int:
    """What an answer gives: a server, a login, a password, or why it gives nothing."""
    if said is None:
        return Problem.NO_TEXT
    text = said.reveal()
    if state is LinkState.SERVER:
        return parse_server(text, servers) or Problem.SERVER
    if state is LinkState.LOGIN:
        return parse_login(text) or Problem.LOGIN
    return said if is_password(text) else Problem.PASSWORD


def is_near(row: LinkRequestRow | None, now: datetime) -> bool:
    """Whether somebody's newest request is open, or was not long ago."""
    return row is not None and (row.ended_at is None or now - row.ended_at < LATE_SPAN)


def was_asked(row: LinkRequestRow) -> bool:
    """Whether the password was asked for, as far as anybody knows."""
    return bool(row.login) or row.failure == Failure.DAMAGED


def asks_next(state: LinkState, now: datetime, **answers: Any) -> dict[str, Any]:
    """What changes where these answers are taken and the next question is asked."""
    return {"state": state.value, "problem": "", "due_at": now + ANSWER_TIME, **answers}
