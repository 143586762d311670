"""A client's pinned card: what it shows of each account, and when that has changed enough.

Money is rounded against the reader's hope: equity and headroom down, what is past a limit up. A
drawdown is shown as the messages about it have it. A figure that
moves to and fro across a step is not shown anew until it has gone a whole step.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from msgspec import Struct

from core.domain.board import AccountBoard

STEPS_OF_PEAK: Final = 1_000
"""Money is shown in steps of a power of ten, at most this part of the account's peak."""
DRAWDOWN_STEP: Final = Decimal("0.1")
STALE_AFTER: Final = timedelta(seconds=90)
"""A reading older than this is not shown as current, as for a blind guard."""
LOCKED: Final = frozenset({"latched", "closing", "countdown"})


class CardAccount(Struct, frozen=True, kw_only=True):
    """What the card shows of one account. Money in `currency`; None where nothing is known.

    `stale` where the figures are not of now. `positions_count` is of the last reading.
    """

    login: int
    currency: str
    currency_digits: int
    stale: bool
    guard: str
    can_close: bool
    positions_count: int | None
    equity: Decimal | None
    headroom: Decimal | None
    drawdown_percent: Decimal | None
    profit: Decimal | None
    step: Decimal


class CardShown(Struct, frozen=True, kw_only=True):
    """A card as it stands in the chat: what it shows, and in whose language and time zone."""

    language: str
    time_zone: str
    accounts: tuple[CardAccount, ...]


def accounts_of(boards: Sequence[AccountBoard], now: datetime) -> tuple[CardAccount, ...]:
    """The accounts as a card shows them: what is stale or locked first, then the least room."""
    return tuple(sorted((_account(board, now) for board in boards), key=_place))


def has_changed(shown: CardShown, now: CardShown) -> bool:
    """Whether the card has to be edited, given what it shows."""
    if (shown.language, shown.time_zone) != (now.language, now.time_zone):
        return True
    before = {each.login: each for each in shown.accounts}
    if before.keys() != {each.login for each in now.accounts}:
        return True
    return any(_differs(before[each.login], each) for each in now.accounts)


def rounded(amount: Decimal, step: Decimal) -> Decimal:
    """Down to a whole number of steps."""
    return (amount / step).to_integral_value(ROUND_FLOOR) * step


def rounded_up(amount: Decimal, step: Decimal) -> Decimal:
    """Up to a whole number of steps: what is past a limit is never told as less than it is."""
    return (amount / step).to_integral_value(ROUND_CEILING) * step


def money_step(peak: Decimal | None, digits: int) -> Decimal:
    """The step in which an account's money is shown; never finer than its currency."""
    finest = Decimal(1).scaleb(-digits)
    if peak is None or peak <= 0:
        return finest
    return max(finest, Decimal(1).scaleb((peak / STEPS_OF_PEAK).adjusted()))


def _account(board: AccountBoard, now: datetime) -> CardAccount:
    seen = board.observed_at
    blind = board.unavailable_since is not None or seen is None or now - seen > STALE_AFTER
    return CardAccount(
        login=board.login,
        currency=board.currency,
        currency_digits=board.currency_digits,
        stale=blind,
        guard=board.guard,
        can_close=not board.obstacles,
        positions_count=board.positions_count,
        equity=board.equity,
        headroom=board.headroom,
        drawdown_percent=board.drawdown_percent,
        profit=board.profit,
        step=money_step(board.peak_equity, board.currency_digits),
    )


def _place(account: CardAccount) -> tuple[bool, bool, Decimal, int]:
    room = Decimal(0)
    if account.headroom is not None and account.equity is not None and account.equity > 0:
        room = account.headroom / account.equity
    return (not account.stale, account.guard not in LOCKED, room, account.login)


def _differs(shown: CardAccount, now: CardAccount) -> bool:
    words = ("stale", "guard", "can_close", "positions_count", "currency")
    if any(getattr(shown, name) != getattr(now, name) for name in words):
        return True
    if now.stale:  # old figures do not move
        return False
    money = (
        (shown.equity, now.equity),
        (shown.headroom, now.headroom),
        (shown.profit, now.profit),
    )
    if any(_moved(before, after, now.step) for before, after in money):
        return True
    return _moved(shown.drawdown_percent, now.drawdown_percent, DRAWDOWN_STEP)


def _moved(before: Decimal | None, after: Decimal | None, step: Decimal) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) >= step
