"""What a person asked to see, as values: the answers to commands, before they become words."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from core.domain.alerts_market import MarketWarning
from core.domain.exposure import SymbolExposure
from core.domain.headroom import RuleLine


class PositionLine(Struct, frozen=True, kw_only=True):
    """One open position with the signal behind it, if any. Money in the account's currency."""

    ticket: int
    symbol: str
    side: str
    volume: Decimal
    price_open: Decimal
    price_current: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    profit: Decimal
    signal_id: int | None
    opened_at: datetime


class PendingLine(Struct, frozen=True, kw_only=True):
    """One resting order, or one approved trade that is not placed yet (`expected`)."""

    symbol: str
    side: str
    volume: Decimal
    price: Decimal | None
    expected: bool
    deadline_at: datetime | None


class TerminalLine(Struct, frozen=True, kw_only=True):
    """How an account's terminal is: up, starting, resting or unlinked, and since when.

    `attempts` is how many starts have failed in a row; a resting one is started again at
    `next_try_at`.
    """

    state: str
    since: datetime
    attempts: int
    next_try_at: datetime | None
    reason: str


class AccountBoard(Struct, frozen=True, kw_only=True):
    """One account as last read, and its guard.

    `guard`: unarmed, clear, warned, countdown, closing, latched. `floor` is the equity at which the
    guard closes (the higher of the two rules' floors), `headroom` equity minus floor. Figures are
    None before the first complete read; `observed_at` is that read's age, `unavailable_since` set
    while reads fail (then figures are old). `obstacles` are words of `core.domain.permissions`: why
    the account cannot be closed now, and `obstacles_since` since when. `positions` are those of a
    reading of this start; `positions_count` is how many the last reading had, None where there was
    none ever. `terminal` is None where nothing is known of it.
    """

    account_id: int
    login: int
    server: str
    name: str
    client: str
    currency: str
    currency_digits: int
    observed_at: datetime | None
    unavailable_since: datetime | None
    unavailable_reason: str | None
    balance: Decimal | None
    credit: Decimal | None
    equity: Decimal | None
    profit: Decimal | None
    margin_level_percent: Decimal | None
    equity_gbp: Decimal | None
    gbp_rate_at: datetime | None
    peak_equity: Decimal | None
    drawdown_percent: Decimal | None
    warn_percent: Decimal
    limit_percent: Decimal
    minimum_equity: Decimal | None
    min_equity_gbp: Decimal
    floor: Decimal | None
    headroom: Decimal | None
    guard: str
    guard_since: datetime | None
    guard_reason: str | None
    deadline_at: datetime | None
    release_requested_at: datetime | None
    obstacles: tuple[str, ...]
    obstacles_since: datetime | None
    positions_count: int | None
    terminal: TerminalLine | None
    open_divergences: int
    positions: tuple[PositionLine, ...]
    pending: tuple[PendingLine, ...]
    exposure: tuple[SymbolExposure, ...] = ()


class EquityPoint(Struct, frozen=True, gc=False):
    """One sample of an equity curve."""

    at: datetime
    equity: Decimal
    peak: Decimal


class DrawdownBoard(Struct, frozen=True, kw_only=True):
    """An account's drawdown with its history, oldest first, and the rules of its profile."""

    account: AccountBoard
    history: tuple[EquityPoint, ...]
    rules: tuple[RuleLine, ...] = ()


class OverrideLine(Struct, frozen=True, kw_only=True):
    """An admin's decision over a market warning; it `lasts` while it is what the warning does."""

    verb: str
    by: str
    reason: str
    decided_at: datetime
    expires_at: datetime | None
    lasts: bool
    warning: MarketWarning


class SystemBoard(Struct, frozen=True, kw_only=True):
    """How Reckoner itself is.

    `terminals` counts those of each state that are known of; `cannot_close` accounts with
    obstacles.
    """

    version: str
    started_at: datetime
    now: datetime
    accounts: int
    unavailable: int
    latched: int
    unfinished_closes: int
    open_warnings: int
    outbox_due: int
    oldest_due_at: datetime | None
    epoch: int
    terminals: tuple[tuple[str, int], ...] = ()
    cannot_close: int = 0
