"""What the engine needs of the world, as protocols, with the failures it may meet.

Adapters implement these; services receive them by constructor. Nothing here does anything.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from core.domain.audit import AuditKeys
from core.domain.broker import AccountSnapshot, Side
from core.records import AccountStateRow, Record

R = TypeVar("R", bound=Record)


class BrokerUnavailable(Exception):
    """The read did not succeed, or was not complete: nothing is known but that (law 1)."""


class WrongAccount(BrokerUnavailable):
    """The terminal answered for another login or server than was asked for."""


class TerminalStarting(BrokerUnavailable):
    """The terminal's agent is being started or is resting before its next start."""


class LoginRefused(BrokerUnavailable):
    """The broker refuses the account's password: it was changed, or the account is closed."""


class TerminalTaken(BrokerUnavailable):
    """The terminal obeys another owner, and our own store knows of none: this account only."""


class StaleEpoch(Exception):
    """A terminal or the store has seen a newer owner, and will not act for us."""


class NotSent(Exception):
    """A trade request certainly did not reach the broker.

    `code` is the library's `last_error` where it gave one (`core.domain.retcodes`).
    """

    def __init__(self, text: str = "", *, code: int | None = None) -> None:
        super().__init__(text)
        self.code = code


class OutcomeUnknown(Exception):
    """A trade request may or may not have been executed: look, never repeat (law 6).

    `code` is the library's `last_error` where it gave one.
    """

    def __init__(self, text: str = "", *, code: int | None = None) -> None:
        super().__init__(text)
        self.code = code


class AnsweredElsewhere(OutcomeUnknown):
    """Unknown, because another account answered: its terminal is not to be traded through."""


class StoreUnavailable(Exception):
    """The database refused to read or commit."""


class UnreadableRow(ValueError):
    """A row holds what its columns cannot: somebody wrote it by hand, or the disk is damaged.

    Not StoreUnavailable: to ask again, as is done of a database that is away, would never end.
    """


class StoreLocked(StoreUnavailable):
    """Another process owns the database.

    `pid` is its process id (PostgreSQL: its backend's), `since` when it took it (UTC), as far as
    either is known.
    """

    def __init__(self, where: str, pid: int | None, since: datetime | None = None) -> None:
        super().__init__(f"{where} is owned by process {pid or 'unknown'}")
        self.pid = pid
        self.since = since


class SnapshotRequest(Struct, frozen=True, kw_only=True):
    """What to read: all deals executed since an instant (UTC), and symbols beside those held.

    Older deals may come too: a new one looks old while the broker's clock is wrong.
    """

    account_id: int
    login: int
    server: str
    deals_since: datetime
    symbols: tuple[str, ...] = ()


class CloseRequest(Struct, frozen=True, kw_only=True):
    """Close one position, by ticket, with an explicit volume in lots. Never opens anything."""

    login: int
    server: str
    ticket: int
    symbol: str
    position_side: Side
    volume: Decimal
    price: Decimal
    deviation_points: int
    filling: int
    comment: str


class CancelRequest(Struct, frozen=True, kw_only=True):
    """Remove one pending order, by ticket."""

    login: int
    server: str
    ticket: int
    symbol: str


class SendResult(Struct, frozen=True, kw_only=True):
    """The trade server's answer. `retcode` is MetaTrader's; only a later read changes belief."""

    retcode: int
    deal: int
    order: int
    volume: Decimal
    price: Decimal
    comment: str


class CheckResult(Struct, frozen=True, kw_only=True):
    """What `order_check` says of a request; nothing was sent.

    `retcode` 0 is "would be taken". `margin_level_percent` is the account's afterwards, None where
    it would use no margin, or where that was not said.
    """

    retcode: int
    comment: str
    margin_level_percent: Decimal | None = None


class Secret:
    """A text that shows itself to nobody who does not ask: not in logs, errors or reprs."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"


class PasswordUnreadable(Exception):
    """An encrypted password cannot be decrypted; the text says why and shows no secret."""


class KeysUnusable(Exception):
    """The keys to passwords or audit cannot be used; one line with what to do, no key in it."""


class PasswordVault(Protocol):
    """Passwords, encrypted for one account each."""

    def seal(self, login: int, server: str, password: Secret) -> str:
        """Encrypt, under the newest key. Raises KeysUnusable."""
        ...

    def unseal(self, login: int, server: str, token: str) -> Secret:
        """Decrypt what was sealed for this login and server. Raises PasswordUnreadable."""
        ...


class TerminalLink(Struct, frozen=True, kw_only=True):
    """Where an account's terminal is, and how it logs in.

    `host` fills `{host}` of MT5_AGENT_COMMAND, "" where that has none. `password` is None where
    the terminal remembers its own login. `server_offset_s`: the broker's clock minus UTC as last
    inferred, None before that.
    """

    login: int
    server: str
    path: str
    portable: bool = False
    host: str = ""
    password: Secret | None = None
    server_offset_s: int | None = None


class TerminalDirectory(Protocol):
    """Which terminal belongs to which account."""

    async def find(self, login: int, server: str) -> TerminalLink | None:
        """The account's terminal; None where none is linked.

        Raises StoreUnavailable, and BrokerUnavailable where its password cannot be decrypted.
        """
        ...

    async def keep_offset(self, login: int, server: str, offset_s: int, at: datetime) -> None:
        """Remember the broker's clock minus UTC, as inferred at an instant (UTC)."""
        ...


class TerminalState(StrEnum):
    """Where an account's way to its broker stands."""

    UP = "up"
    """The last call was answered."""
    STARTING = "starting"
    """The agent is being started or the terminal logs in."""
    RESTING = "resting"
    """The last attempts failed; the next is made at `next_try_at`."""
    UNLINKED = "unlinked"
    """No terminal is linked to the account."""


class TerminalHealth(Struct, frozen=True, kw_only=True):
    """A terminal's state. `failures` count attempts in a row; `since` is when this state began."""

    state: TerminalState
    since: datetime
    failures: int = 0
    next_try_at: datetime | None = None
    reason: str = ""


class TerminalGateway(Protocol):
    """The account's terminal. Every call carries the owner's epoch; lower ones are refused."""

    def health(self, login: int, server: str) -> TerminalHealth | None:
        """How the account's terminal is, at once and without asking it; None where not known."""
        ...

    async def snapshot(self, request: SnapshotRequest) -> AccountSnapshot:
        """Read the account whole.

        Raises BrokerUnavailable, WrongAccount or StaleEpoch.
        """
        ...

    async def send(self, request: CloseRequest | CancelRequest) -> SendResult:
        """Send one request, once.

        Raises NotSent, OutcomeUnknown, WrongAccount (not sent) or StaleEpoch (not sent).
        """
        ...

    async def check(self, request: CloseRequest) -> CheckResult:
        """Ask whether the terminal would take this request now. Sends nothing.

        Raises BrokerUnavailable, WrongAccount or StaleEpoch.
        """
        ...


class Clock(Protocol):
    """The time, UTC, and its passing."""

    def now(self) -> datetime:
        """The present instant, UTC, aware."""
        ...

    def steady_s(self) -> float:
        """Seconds on a clock that nobody sets: for how long something took, and nothing else."""
        ...

    async def rest_until(self, due: datetime) -> bool:
        """Say that nothing is due before `due`.

        A clock that only follows time answers False at once; one that can make time pass moves
        to `due` (or to its end) and answers True.
        """
        ...


class Transaction(Protocol):
    """One unit of work over `core.records` rows. Column names are the records' field names.

    Filters are keyword arguments: `name=value` (None means IS NULL, a tuple or list means IN), with
    the suffixes `__ge`, `__gt`, `__le`, `__lt`, `__ne`. Unknown columns raise AttributeError.
    """

    @property
    def audit_keys(self) -> AuditKeys:
        """What audit links are signed with. Raises KeysUnusable where the store was given none."""
        ...

    async def get(self, kind: type[R], row_id: int, /) -> R | None:
        """The row with this primary key."""
        ...

    async def find(
        self, kind: type[R], /, *, order_by: str = "id", limit: int | None = None, **where: Any
    ) -> list[R]:
        """Rows that match, ordered by a column (`-column` descending)."""
        ...

    async def first(self, kind: type[R], /, *, order_by: str = "id", **where: Any) -> R | None:
        """The first of `find`."""
        ...

    async def count(self, kind: type[Record], /, **where: Any) -> int:
        """How many rows match."""
        ...

    async def insert(self, row: Record) -> int:
        """Insert and answer the new id (the row's own `id` is ignored when 0).

        Raises sqlalchemy-free `DuplicateRow` where a unique key already holds the value.
        """
        ...

    async def insert_many(self, rows: Sequence[Record]) -> None:
        """Insert rows of one kind in one statement."""
        ...

    async def insert_new(self, row: Record) -> int | None:
        """Insert unless a unique key already holds the value; None where it does."""
        ...

    async def update(self, kind: type[Record], where: dict[str, Any], /, **changes: Any) -> int:
        """Change matching rows; answers how many, so that a compare-and-set can be told."""
        ...

    async def delete(self, kind: type[Record], /, **where: Any) -> int:
        """Remove matching rows; answers how many."""
        ...

    async def save_state(self, row: AccountStateRow) -> None:
        """Upsert the account's one `account_state` row."""
        ...


class DuplicateRow(Exception):
    """A unique key already holds this value."""


class Store(Protocol):
    """The database."""

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """A consistent read. Raises StoreUnavailable."""
        ...

    def writing(self) -> AbstractAsyncContextManager[Transaction]:
        """A write transaction, serialised, committed on leaving, rolled back on an exception.

        Raises StoreUnavailable, or StaleEpoch where the store has a newer owner.
        """
        ...

    async def save_state(self, row: AccountStateRow) -> None:
        """Upsert one `account_state` row in a commit shared with whoever else is waiting.

        Returns after the commit. For cycles that changed nothing else.
        """
        ...

    async def owner_epoch(self) -> int:
        """Take ownership of the store: lock, raise the epoch, commit, and answer it."""
        ...


class Metrics(Protocol):
    """Counters and gauges the services report to (names in docs/metrics.md)."""

    def synced(self, outcome: str, latency_s: float) -> None:
        """One account cycle ended: `ok`, `unavailable`, `wrong_account` or `error`."""
        ...

    def divergence(self, reason: str) -> None:
        """A divergence episode opened."""
        ...

    def guard_triggered(self, guard: str) -> None:
        """A guard tripped."""
        ...

    def autoclosed(self, reason: str, positions: int) -> None:
        """Positions that a close job closed, counted when confirmed."""
        ...

    def account(
        self, login: int, positions: int, equity_gbp: Decimal | None, drawdown_percent: Decimal
    ) -> None:
        """The account's latest figures."""
        ...

    def terminal(self, login: int, state: str) -> None:
        """A terminal's state changed: a word of `TerminalState`."""
        ...

    def terminal_restarted(self, reason: str) -> None:
        """An agent was killed or died: timeout, died, malformed, frozen, wrong_account."""
        ...
