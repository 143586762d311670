"""The daily digest: one message, a few lines for each account, quietly."""

from datetime import timedelta

from bot.markup import esc
from bot.views.alert_lines import headline
from bot.views.alerts_audit import heads
from bot.views.boards import sparkline
from bot.views.message import Message, Voice
from bot.views.numbers import gain, percent, span
from bot.views.words import plural
from core.domain.alerts_audit import HeadsRecorded
from core.domain.alerts_digest import DailyDigest, DigestAccount


def daily(alert: DailyDigest | HeadsRecorded, voice: Voice) -> Message:
    """What is told once a day: to a client their day, to the admins the audit's head."""
    return heads(alert, voice) if isinstance(alert, HeadsRecorded) else digest(alert, voice)


def digest(alert: DailyDigest, voice: Voice) -> Message:
    """Yesterday, in the reader's own zone."""
    day = f"{alert.day:%a} {alert.day.day} {alert.day:%b}"
    lines = [headline(voice, f"🗓 {day}: {_outcome(alert)}")]
    for account in alert.accounts:
        lines += _account(account)
    if alert.left_out:
        lines.append(f"and {plural(alert.left_out, 'more account')}: see /report")
    lines += _proof(alert)
    lines.append(f"Times: {esc(alert.time_zone)}. Chart and file:")
    lines.append(f"<code>/report day {alert.day.isoformat()}</code>")
    return Message(html="\n".join(lines), silent=True)


def _outcome(alert: DailyDigest) -> str:
    """What the day comes to; amounts of several currencies are not added."""
    if len(alert.accounts) == 1:
        only = alert.accounts[0]
        return f"{gain(only.realised, only.currency)}, {_trades(only)}"
    trades = sum(account.trades for account in alert.accounts)
    return f"{plural(trades, 'trade')} closed on {plural(len(alert.accounts), 'account')}"


def _trades(account: DigestAccount) -> str:
    return f"{plural(account.trades, 'trade')} closed" if account.trades else "no trade closed"


def _account(account: DigestAccount) -> list[str]:
    currency = account.currency
    lines = [f"<b>{account.login}</b>: realised {gain(account.realised, currency)}"]
    if account.floating is not None:
        lines[0] += f", open {gain(account.floating, currency)}"
    if account.trades:
        lines.append(f"{_trades(account)}: {account.won} won, {account.lost} lost")
    if any((account.followed, account.missed, account.rejected, account.expired)):
        lines.append(
            f"Signals: {account.followed} followed, {account.missed} missed, "
            f"{account.rejected} rejected, {account.expired} expired"
        )
    lines += _moved(account)
    if account.worst_drawdown_percent is not None:
        lines.append(f"Worst drawdown read: {percent(account.worst_drawdown_percent)}")
    if account.unread_s:
        unread = span(timedelta(seconds=account.unread_s))
        lines.append(f"⚠️ Not read for {unread}: lowest equity of that time is not known.")
    if len(set(account.curve)) > 1:
        lines.append(f"Equity {sparkline(account.curve)}")
    return lines


def _proof(alert: DailyDigest) -> list[str]:
    """The heads of the accounts' audits: whoever keeps this message can hold them against it."""
    heads = [
        f"<code>{account.login}:{account.head_sequence}:{esc(account.head_hash)}</code>"
        for account in alert.accounts
        if account.head_sequence is not None
    ]
    return [f"Proof of what was done: {', '.join(heads)}"] if heads else []


def _moved(account: DigestAccount) -> list[str]:
    currency = account.currency
    moved = (("in", account.deposits), ("out", account.withdrawals), ("credit", account.credit))
    parts = [f"{word} {gain(amount, currency)}" for word, amount in moved if amount]
    return [f"Money moved, neither profit nor loss: {', '.join(parts)}"] if parts else []
