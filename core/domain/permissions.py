"""What keeps an account from being closed: words, each with the one rule that decides it.

Close-only symbols can be closed, and so can those for buyers or sellers only; an account that
closes by age (FIFO) is closed in that order. None of these is an obstacle (facts: mt5, section 2).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.broker import Side, SymbolSpec
from core.domain.symbols import TradeMode
from core.records import AccountStateRow

REMINDER_EVERY = timedelta(days=1)
"""How often obstacles that last are told again while something is open."""


class Obstacle(StrEnum):
    """Why nothing could be closed now, the one to see to first at the top."""

    WRONG_ACCOUNT = "wrong_account"
    """The terminal answered for another account, and no operator has cleared it."""
    DISCONNECTED = "disconnected"
    """The terminal has no connection to the broker."""
    INVESTOR_PASSWORD = "investor_password"  # noqa: S105 - the word for it, not one
    """The account may not trade: an investor password, or the broker's own decision."""
    EXPERTS_FORBIDDEN = "experts_forbidden"
    """The broker lets people trade on the account, but no programs."""
    AUTOTRADING_OFF = "autotrading_off"
    """The terminal's "Algo Trading" button is off."""
    API_DISABLED = "api_disabled"
    """The terminal's option to trade through the Python API is off."""
    SYMBOL_DISABLED = "symbol_disabled"
    """A symbol that is held may not be traded at all; written with the symbol behind a colon."""


TERMINALS = frozenset({Obstacle.AUTOTRADING_OFF.value, Obstacle.API_DISABLED.value})
"""Those that the terminal's own switches make."""
ACCOUNTS = frozenset({Obstacle.INVESTOR_PASSWORD.value, Obstacle.EXPERTS_FORBIDDEN.value})
"""Those that the broker or the password makes."""
CAUSES = {"autotrading_off": TERMINALS, "cannot_trade": ACCOUNTS}
"""The troubles of a close that an obstacle explains (`core.domain.closing`)."""


def obstacles(  # noqa: PLR0913 - each flag is named once
    *,
    account_trade_allowed: bool,
    account_trade_expert: bool,
    terminal_trade_allowed: bool,
    terminal_tradeapi_disabled: bool,
    connected: bool,
    held: Iterable[str],
    symbols: Mapping[str, SymbolSpec],
) -> tuple[str, ...]:
    """The obstacles that MetaTrader's flags name, as words, in the order of `Obstacle`.

    `held` are the symbols of positions and pending orders. A missing right to trade hides that of
    programs, which goes with it.
    """
    decided = (
        (Obstacle.DISCONNECTED, not connected),
        (Obstacle.INVESTOR_PASSWORD, not account_trade_allowed),
        (Obstacle.EXPERTS_FORBIDDEN, account_trade_allowed and not account_trade_expert),
        (Obstacle.AUTOTRADING_OFF, not terminal_trade_allowed),
        (Obstacle.API_DISABLED, terminal_tradeapi_disabled),
    )
    disabled = sorted(
        name
        for name in set(held)
        if name in symbols and symbols[name].trade_mode == TradeMode.DISABLED
    )
    return (
        *(word.value for word, stands in decided if stands),
        *(f"{Obstacle.SYMBOL_DISABLED}:{name}" for name in disabled),
    )


def explain(words: Iterable[str], trouble: str) -> bool:
    """Whether a close that is held up by this trouble is so because of one of these obstacles."""
    return not CAUSES.get(trouble, frozenset()).isdisjoint(words)


def parts(word: str) -> tuple[Obstacle | None, str]:
    """An obstacle's word as the obstacle and its symbol ("" for most); None for an unknown one."""
    name, _, symbol = word.partition(":")
    known = next((each for each in Obstacle if each.value == name), None)
    return known, symbol


def standing(state: AccountStateRow) -> tuple[str, ...]:
    """Why nothing could be closed on the account as it is known, the one to see to first first."""
    blocked = (Obstacle.WRONG_ACCOUNT.value,) if state.terminal_blocked_at is not None else ()
    return (*blocked, *(state.obstacles or ()))


class News(StrEnum):
    """What is new about an account's obstacles."""

    APPEARED = "appeared"
    CHANGED = "changed"
    HELD = "held"
    """They are the same, but something is open now for the first time."""
    REMINDER = "reminder"
    ENDED = "ended"


def news(before: AccountStateRow, after: AccountStateRow, now: datetime) -> News | None:
    """What there is to tell of the obstacles between two readings; None for nothing."""
    known, found = before.obstacles or [], after.obstacles or []
    if known != found:
        return News.ENDED if not found else News.CHANGED if known else News.APPEARED
    if not found or not after.positions_count:
        return None
    told = before.obstacles_told_at
    if told is None:
        return News.HELD
    return News.REMINDER if now - told >= REMINDER_EVERY else None


def may_open(trade_mode: int, side: Side) -> bool:
    """Whether a position of this side may be opened on a symbol in this mode."""
    if trade_mode == TradeMode.FULL:
        return True
    return trade_mode == (TradeMode.LONG_ONLY if side is Side.BUY else TradeMode.SHORT_ONLY)
