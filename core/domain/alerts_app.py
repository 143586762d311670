"""Alerts about Reckoner itself, for the admin chat. They belong to the union in `alerts`."""

from datetime import datetime
from decimal import Decimal

from core.domain.alert_parts import AlertBase, Unguarded


class AppStarted(AlertBase, frozen=True, kw_only=True):
    """Reckoner has started and reads its accounts; none of them is guarded by that alone.

    What it found in its store, and when it last read an account before this start.
    """

    version: str
    accounts: int
    latched: int
    unfinished_closes: int
    open_warnings: int
    last_read_at: datetime | None
    at: datetime


class AppStanding(AlertBase, frozen=True, kw_only=True):
    """The first look after a start is done: of `started.accounts` so many are guarded.

    `unguarded` says why each of the others is not; it may lack one that nothing is known of.
    """

    started: AppStarted
    guarded: int
    latched: int
    unguarded: tuple[Unguarded, ...]
    at: datetime


class AppStopping(AlertBase, frozen=True, kw_only=True):
    """Reckoner stops on purpose; nothing is guarded until it is back.

    `open_positions` were open when their accounts were last read; of the accounts `never_read`
    nothing is known.
    """

    accounts: int
    open_positions: int
    unfinished_closes: int
    at: datetime
    never_read: tuple[int, ...] = ()


class ChatReachable(AlertBase, frozen=True, kw_only=True):
    """Messages reach a chat again, out of reach since `since`; `missed` were given up meanwhile.

    `here` is what that chat itself reads of it; without it, what the admins read.
    """

    chat_id: int
    person: str
    since: datetime
    missed: int
    at: datetime
    here: bool = False


class ChatMoved(AlertBase, frozen=True, kw_only=True):
    """A group has become a supergroup, which Telegram gives a new id."""

    old_id: int
    new_id: int
    at: datetime


class PauseChanged(AlertBase, frozen=True, kw_only=True):
    """An admin paused the market guard's actions or signals, or they go on.

    Without `until` they go on; without `by` because the time was over.
    """

    what: str
    by: str
    at: datetime
    until: datetime | None = None
    reason: str = ""


class SignalByProgram(AlertBase, frozen=True, kw_only=True):
    """A program posted a signal on an admin's behalf, and nobody pressed anything for it."""

    signal_id: int
    author: str
    symbol: str
    side: str
    volume: Decimal
    offered: int
    skipped: tuple[str, ...]
    expires_at: datetime
    at: datetime


OwnAlert = AppStarted | AppStanding | AppStopping | PauseChanged | SignalByProgram
"""What Reckoner, its admins and programs do with it."""
AppAlert = OwnAlert | ChatReachable | ChatMoved
