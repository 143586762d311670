"""Alerts about the way to the broker: unreadable accounts, obstacles, terminals of another account.

They belong to the union in `core.domain.alerts`; amounts, instants and words are as there.
"""

from datetime import datetime

from core.domain.alert_parts import AccountAlert


class AccountUnavailable(AccountAlert, frozen=True, kw_only=True):
    """The account cannot be read. Nothing is concluded but that.

    `terminal` says where that is the reason: starting, failing (to start, `attempts` times in a
    row; tried again at `next_try_at`), unlinked, or refused (the broker refuses the password;
    `renewable`: its owner can give the new one in the chat). `positions_count` is of the last
    reading, None where the account was never read. `changed`: the outage was told before, with
    another reason.
    """

    reason: str
    since: datetime
    positions_count: int | None
    terminal: str = ""
    attempts: int = 0
    next_try_at: datetime | None = None
    renewable: bool = False
    changed: bool = False


class AccountRecovered(AccountAlert, frozen=True, kw_only=True):
    """The account can be read again; `blocked` where nothing may be traded on it even so."""

    since: datetime
    at: datetime
    blocked: bool = False


class CannotClose(AccountAlert, frozen=True, kw_only=True):
    """The account can be read, and could not be closed: `obstacles` say why.

    `obstacles` are words of `core.domain.permissions`. `news` is appeared, changed (others than
    before), held (the same, but something is open now) or reminder (the same, a day later).
    """

    obstacles: tuple[str, ...]
    news: str
    positions_count: int
    since: datetime
    at: datetime


class CanCloseAgain(AccountAlert, frozen=True, kw_only=True):
    """Nothing keeps the account from being closed any more."""

    since: datetime
    at: datetime


class TerminalBlocked(AccountAlert, frozen=True, kw_only=True):
    """The terminal answered for another account: nothing is traded until an admin clears it.

    `right_again` where it answers for the right one since, so that it may be cleared now. `closing`
    is the scope of a close job that waits for it, empty where none does. `positions_count` is of
    the last reading, None where the account was never read.
    """

    reason: str
    positions_count: int | None
    closing: str
    right_again: bool
    blocked_at: datetime
    at: datetime


class TerminalCleared(AccountAlert, frozen=True, kw_only=True):
    """An admin cleared the terminal; a close job of the scope `closing` goes on at once."""

    by: str
    closing: str
    blocked_at: datetime
    at: datetime


TerminalAlert = (
    AccountUnavailable
    | AccountRecovered
    | CannotClose
    | CanCloseAgain
    | TerminalBlocked
    | TerminalCleared
)
