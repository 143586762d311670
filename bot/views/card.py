"""A client's pinned card in words. Its first line is what the chat's bar shows all the time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views.message import Message, Voice, compose, marked
from bot.views.numbers import clock, gain, limit, moment, money, percent
from bot.views.words import word
from core.domain.board import AccountBoard
from core.domain.card import CardAccount, rounded, rounded_up

GUARDS = {
    "countdown": later("🔴 The guard closes everything in a moment"),
    "closing": later("🔴 The guard is closing everything"),
    "latched": later("🔒 Locked: nothing new may be opened. /release"),
    "warned": later("🟠 Guard watching, past the warning"),
    "clear": later("🟢 Guard watching"),
    "unarmed": later("⚪ Guard not ready yet"),
}
CANNOT_CLOSE = later("🔴 I could not close it as it is: /status")
ACCOUNTS_MAX = 8
GONE = later("📌 No account is linked to you any more, and nothing is shown here.")
OFF = later(
    "📌 This card is off and its figures are not kept current. /settings switches it on again."
)


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
        rows.append(t("and {left} more: /positions", left=len(shown) - ACCOUNTS_MAX))
    seen = t(
        "As of {now}, rounded. I edit this when it changes and at least every {minutes} min: "
        "if it is older, nothing is watched. Exactly: /drawdown",
        now=moment(now, voice),
        minutes=renewed_min,
    )
    head = [_headline(shown, read, voice)]
    return Message(html=compose(head, rows, ["", seen]), silent=True)


def _headline(shown: Sequence[CardAccount], read: Mapping[int, AccountBoard], voice: Voice) -> str:
    stale = [account for account in shown if account.stale]
    locked = [account for account in shown if account.guard == "latched"]
    busy = [account for account in shown if account.guard == "closing"]
    begins = [read[a.login].deadline_at for a in shown if a.guard == "countdown"]
    if stale:
        text = (
            t("⚠️ {login} cannot be read now", login=stale[0].login)
            if len(stale) == 1
            else tn(
                "⚠️ {n} account cannot be read now",
                "⚠️ {n} accounts cannot be read now",
                len(stale),
            )
        )
    elif busy:
        text = t("🔴 Closing everything on {accounts}", accounts=_which(busy))
    elif begins:
        text = _closes(shown, [at for at in begins if at is not None], voice)
    elif locked:
        text = (
            t("🔒 {login} locked", login=locked[0].login)
            if len(locked) == 1
            else tn("🔒 {n} account locked", "🔒 {n} accounts locked", len(locked))
        )
    elif len(shown) == 1 and shown[0].equity is not None:
        text = f"📌 {_money(shown[0].equity, shown[0])}"
        if shown[0].headroom is not None:
            text += t(", room {room}", room=_money(shown[0].headroom, shown[0]))
    else:
        text = tn("📌 {n} account, all watched", "📌 {n} accounts, all watched", len(shown))
    return f"<b>{marked(voice, text)}</b>"


def _closes(shown: Sequence[CardAccount], begins: Sequence[datetime], voice: Voice) -> str:
    """A countdown runs: when closing begins, of several accounts the first."""
    counting = [account for account in shown if account.guard == "countdown"]
    if not begins:
        return t("🔴 Closing everything on {accounts}", accounts=_which(counting))
    at = clock(min(begins), voice)
    if len(counting) == 1:
        return t("🔴 {login} closes at {at}", login=counting[0].login, at=at)
    return tn(
        "🔴 {n} account closes at {at}", "🔴 {n} accounts close, from {at}", len(counting), at=at
    )


def _which(accounts: Sequence[CardAccount]) -> str:
    return (
        str(accounts[0].login)
        if len(accounts) == 1
        else tn("{n} account", "{n} accounts", len(accounts))
    )


def _account(account: CardAccount, board: AccountBoard, voice: Voice, now: datetime) -> list[str]:
    lines = [f"<b>{account.login}</b> {esc(board.name)}".rstrip()]
    if account.stale:
        if board.observed_at is None:
            return [*lines, t("⚠️ Never read: I do not know what is open. Not guarded.")]
        read = moment(board.observed_at, voice, today=now)
        lines.append(
            t("⚠️ Not read since {read}, not guarded until it can. Then it was:", read=read)
        )
    elif account.guard == "countdown" and board.deadline_at is not None:
        begins = moment(board.deadline_at, voice, today=now)
        lines.append(t("🔴 The guard closes everything at {at}", at=begins))
    else:
        lines.append(word(GUARDS, account.guard))
    if not account.can_close:
        lines.append(t(CANNOT_CLOSE))
    if account.equity is not None:
        room = ""
        if account.headroom is not None:
            past = account.headroom < 0
            figure = (
                _past(-account.headroom, account) if past else _money(account.headroom, account)
            )
            room = (
                t(", {past} past the limit", past=figure)
                if past
                else t(", room {room}", room=figure)
            )
        lines.append(t("Equity {equity}{room}", equity=_money(account.equity, account), room=room))
    if account.drawdown_percent is not None:
        drawn = percent(account.drawdown_percent, board.warn_percent, board.limit_percent)
        most = limit(board.limit_percent)
        lines.append(t("Drawdown {drawdown} (limit {limit})", drawdown=drawn, limit=most))
    if account.positions_count is not None:
        result = ""
        if account.positions_count and account.profit is not None:
            profit = rounded(account.profit, account.step)
            result = f", {gain(profit, account.currency, _digits(account))}"
        lines.append(
            f"{tn('{n} open position', '{n} open positions', account.positions_count)}{result}"
        )
    return lines


def _money(amount: Decimal, account: CardAccount) -> str:
    return money(rounded(amount, account.step), account.currency, _digits(account))


def _past(amount: Decimal, account: CardAccount) -> str:
    return money(rounded_up(amount, account.step), account.currency, _digits(account))


def _digits(account: CardAccount) -> int:
    return 0 if account.step >= 1 else account.currency_digits
