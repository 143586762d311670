"""The daily digest: one message, a few lines for each account, quietly."""

from datetime import timedelta

from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views.alert_lines import headline
from bot.views.alerts_audit import heads
from bot.views.message import Message, Voice
from bot.views.numbers import dated, gain, percent, span
from bot.views.sparks import sparkline
from core.domain.alerts_audit import HeadsRecorded
from core.domain.alerts_digest import DailyDigest, DigestAccount


def daily(alert: DailyDigest | HeadsRecorded, voice: Voice) -> Message:
    """What is told once a day: to a client their day, to the admins the audit's head."""
    return heads(alert, voice) if isinstance(alert, HeadsRecorded) else digest(alert, voice)


def digest(alert: DailyDigest, voice: Voice) -> Message:
    """Yesterday, in the reader's own zone."""
    lines = [headline(voice, f"🗓 {dated(alert.day, 'EEE d MMM')}: {_outcome(alert)}")]
    for account in alert.accounts:
        lines += _account(account)
    if alert.left_out:
        lines.append(
            tn(
                "and {n} more account: see /report",
                "and {n} more accounts: see /report",
                alert.left_out,
            )
        )
    lines += _proof(alert)
    lines.append(t("Times: {time_zone}. Chart and file:", time_zone=esc(alert.time_zone)))
    lines.append(f"<code>/report day {alert.day.isoformat()}</code>")
    return Message(html="\n".join(lines), silent=True)


def _outcome(alert: DailyDigest) -> str:
    """What the day comes to; amounts of several currencies are not added."""
    if len(alert.accounts) == 1:
        only = alert.accounts[0]
        return f"{gain(only.realised, only.currency)}, {_trades(only)}"
    trades = sum(account.trades for account in alert.accounts)
    return tn(
        "{n} trade closed on {accounts}",
        "{n} trades closed on {accounts}",
        trades,
        accounts=tn("{n} account", "{n} accounts", len(alert.accounts)),
    )


def _trades(account: DigestAccount) -> str:
    return (
        tn("{n} trade closed", "{n} trades closed", account.trades)
        if account.trades
        else t("no trade closed")
    )


def _account(account: DigestAccount) -> list[str]:
    currency = account.currency
    lines = [
        t(
            "<b>{login}</b>: realised {realised}",
            login=account.login,
            realised=gain(account.realised, currency),
        )
    ]
    if account.floating is not None:
        lines[0] += t(", open {floating}", floating=gain(account.floating, currency))
    if account.trades:
        lines.append(
            t(
                "{trades}: {won} won, {lost} lost",
                trades=_trades(account),
                won=account.won,
                lost=account.lost,
            )
        )
    if any((account.followed, account.missed, account.rejected, account.expired)):
        lines.append(
            t(
                "Signals: {followed} followed, {missed} missed, {rejected} rejected, "
                "{expired} expired",
                followed=account.followed,
                missed=account.missed,
                rejected=account.rejected,
                expired=account.expired,
            )
        )
    lines += _moved(account)
    if account.worst_drawdown_percent is not None:
        lines.append(
            t(
                "Worst drawdown read: {drawdown}",
                drawdown=percent(account.worst_drawdown_percent),
            )
        )
    if account.unread_s:
        unread = span(timedelta(seconds=account.unread_s))
        lines.append(
            t("⚠️ Not read for {span}: lowest equity of that time is not known.", span=unread)
        )
    if len(set(account.curve)) > 1:
        lines.append(t("Equity {curve}", curve=sparkline(account.curve)))
    return lines


def _proof(alert: DailyDigest) -> list[str]:
    """The heads of the accounts' audits: whoever keeps this message can hold them against it."""
    heads = [
        f"<code>{account.login}:{account.head_sequence}:{esc(account.head_hash)}</code>"
        for account in alert.accounts
        if account.head_sequence is not None
    ]
    return [t("Proof of what was done: {heads}", heads=", ".join(heads))] if heads else []


def _moved(account: DigestAccount) -> list[str]:
    currency = account.currency
    moved = (
        (later("in {amount}"), account.deposits),
        (later("out {amount}"), account.withdrawals),
        (later("credit {amount}"), account.credit),
    )
    parts = [t(text, amount=gain(amount, currency)) for text, amount in moved if amount]
    if not parts:
        return []
    return [t("Money moved, neither profit nor loss: {amounts}", amounts=", ".join(parts))]
