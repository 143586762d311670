"""A client's pinned card in words. Its first line is what the chat's bar shows all the time."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from bot.markup import esc
from bot.views.message import Message, Voice, compose, marked
from bot.views.numbers import gain, limit, moment, money, percent
from bot.views.words import plural
from core.domain.board import AccountBoard
from core.domain.card import CardAccount, rounded, rounded_drawdown

GUARDS = {
    "countdown": "🔴 The guard closes everything in a moment",
    "closing": "🔴 The guard is closing everything",
    "latched": "🔒 Locked: nothing new may be opened. /release",
    "warned": "🟠 Guard watching, past the warning",
    "clear": "🟢 Guard watching",
    "unarmed": "⚪ Guard not ready yet",
}
CANNOT_CLOSE = "🔴 I could not close it as it is: /status"
ACCOUNTS_MAX = 8
GONE = "📌 No account is linked to you any more, and nothing is shown here."
OFF = "📌 This card is off and its figures are not kept current. /settings switches it on again."


def card(
    shown: Sequence[CardAccount],
    boards: Sequence[AccountBoard],
    voice: Voice,
    now: datetime,
    renewed_min: int,
) -> Message:
    """The card. `renewed_min`: an older one, in minutes, means that Reckoner does not run."""
    read = {board.login: board for board in boards}
    rows: list[str] = []
    for account in shown[:ACCOUNTS_MAX]:
        rows += _account(account, read[account.login], voice, now)
    if len(shown) > ACCOUNTS_MAX:
        rows.append(f"and {len(shown) - ACCOUNTS_MAX} more: /positions")
    seen = f"As of {moment(now, voice)}, rounded. I edit this when it changes and at least every "
    tail = ["", f"{seen}{renewed_min} min: if it is older, nothing is watched. Exactly: /drawdown"]
    return Message(html=compose([_headline(shown, voice)], rows, tail), silent=True)


def _headline(shown: Sequence[CardAccount], voice: Voice) -> str:
    stale = [account for account in shown if account.stale]
    locked = [account for account in shown if account.guard == "latched"]
    busy = [account for account in shown if account.guard in {"closing", "countdown"}]
    if stale:
        text = f"⚠️ {_which(stale)} cannot be read now"
    elif busy:
        text = f"🔴 Closing everything on {_which(busy)}"
    elif locked:
        text = f"🔒 {_which(locked)} locked"
    elif len(shown) == 1 and shown[0].equity is not None:
        text = f"📌 {_money(shown[0].equity, shown[0])}"
        if shown[0].headroom is not None:
            text += f", room {_money(shown[0].headroom, shown[0])}"
    else:
        text = f"📌 {plural(len(shown), 'account')}, all watched"
    return f"<b>{marked(voice, text)}</b>"


def _which(accounts: Sequence[CardAccount]) -> str:
    return str(accounts[0].login) if len(accounts) == 1 else plural(len(accounts), "account")


def _account(account: CardAccount, board: AccountBoard, voice: Voice, now: datetime) -> list[str]:
    lines = [f"<b>{account.login}</b> {esc(board.name)}".rstrip()]
    if account.stale:
        if board.observed_at is None:
            return [*lines, "⚠️ Never read: I do not know what is open. Not guarded."]
        read = moment(board.observed_at, voice, today=now)
        lines.append(f"⚠️ Not read since {read}, not guarded until it can. Then it was:")
    else:
        lines.append(GUARDS.get(account.guard, esc(account.guard)))
    if not account.can_close:
        lines.append(CANNOT_CLOSE)
    if account.equity is not None:
        room = ""
        if account.headroom is not None:
            past = account.headroom < 0
            figure = _money(abs(account.headroom) if past else account.headroom, account)
            room = f", {figure} past the limit" if past else f", room {figure}"
        lines.append(f"Equity {_money(account.equity, account)}{room}")
    if account.drawdown_percent is not None:
        drawn = percent(rounded_drawdown(account.drawdown_percent))
        lines.append(f"Drawdown {drawn} of {limit(board.limit_percent)}")
    if account.positions_count is not None:
        result = ""
        if account.positions_count and account.profit is not None:
            profit = rounded(account.profit, account.step)
            result = f", {gain(profit, account.currency, _digits(account))}"
        lines.append(f"{plural(account.positions_count, 'open position')}{result}")
    return lines


def _money(amount: Decimal, account: CardAccount) -> str:
    return money(rounded(amount, account.step), account.currency, _digits(account))


def _digits(account: CardAccount) -> int:
    return 0 if account.step >= 1 else account.currency_digits
