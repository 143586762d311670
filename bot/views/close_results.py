"""What a close came to: what Reckoner closed, what ended before its turn, and the whole of it."""

from decimal import Decimal

from bot.i18n import later, t, tn
from bot.views.alert_lines import trade
from bot.views.message import Audience, Voice
from bot.views.numbers import gain, moment, money, price, span
from bot.views.words import CLOSED_BY_YOU, OUTCOMES, ended, word
from core.domain.alert_parts import TicketResult
from core.domain.alerts import CloseConfirmed

MISSING = later("The broker has not shown every deal yet. The whole result follows.")
NOTHING_LEFT = later("Reckoner had nothing left to close.")


def outcome(alert: CloseConfirmed, voice: Voice, audience: Audience) -> list[str]:
    """What it came to, who closed what, and how long it took."""
    return [
        *_total(alert),
        *_whose(alert, audience),
        t(
            "Equity: {equity}, balance {balance}",
            equity=money(alert.equity, alert.currency),
            balance=money(alert.balance, alert.currency),
        ),
        _took(alert, voice),
    ]


def ticket(result: TicketResult, currency: str, *, own: bool) -> str:
    """One ticket's end: `#900001 XAUUSD buy 0.10: closed at 1,950.00, -12.00 GBP (2 tries)`.

    `own` where the reader is the client whose account it is.
    """
    text = f"#{result.ticket} {trade(result.symbol, result.side, result.volume)}: "
    text += ended(f"closed:{result.how}", own=own) if result.how else word(OUTCOMES, result.outcome)
    if result.price is not None:
        text += t(" at {price}", price=price(result.price))
    if result.profit is not None:
        text += f", {gain(result.profit, currency)}"
    if result.attempts > 1:
        text += tn(" ({n} try)", " ({n} tries)", result.attempts)
    return text


def _total(alert: CloseConfirmed) -> list[str]:
    """The whole result. Nothing is said of none: where nothing was closed there is none."""
    total, missing = gain(alert.total_pnl, alert.currency), [t(MISSING)]
    if not alert.results:
        return missing if alert.results_missing else []
    if alert.results_missing:
        return [t("Result: {total} so far", total=total), *missing]
    return [t("Result: {total}", total=total)]


def _whose(alert: CloseConfirmed, audience: Audience) -> list[str]:
    """What ended without Reckoner, and that nothing was left for it, where that is so."""
    ours = [r for r in alert.results if r.attempts]
    others = [r for r in alert.results if not r.attempts]
    by_hand = [r for r in others if r.how in CLOSED_BY_YOU]
    otherwise = [r for r in others if r.how not in CLOSED_BY_YOU]
    counted = alert.deadline_at is not None and alert.deadline_at > alert.triggered_at
    in_countdown = counted and not ours
    lines = []
    if by_hand:
        lines.append(_by_hand(by_hand, alert.currency, audience, in_countdown=in_countdown))
    if otherwise:
        lines.append(_otherwise(otherwise, alert.currency, in_countdown=in_countdown))
    if ours and others:
        closed = tn(
            "Reckoner closed {n} position: {total}.",
            "Reckoner closed {n} positions: {total}.",
            len(ours),
            total=_sum(ours, alert.currency),
        )
        lines.append(closed)
    return lines if ours else [*lines, t(NOTHING_LEFT)]


def _by_hand(
    results: list[TicketResult], currency: str, audience: Audience, *, in_countdown: bool
) -> str:
    n, total = len(results), _sum(results, currency)
    if audience is Audience.CLIENT:
        if in_countdown:
            return tn(
                "You closed {n} position yourself during the countdown: {total}.",
                "You closed {n} positions yourself during the countdown: {total}.",
                n,
                total=total,
            )
        return tn(
            "You closed {n} position yourself before Reckoner did: {total}.",
            "You closed {n} positions yourself before Reckoner did: {total}.",
            n,
            total=total,
        )
    if in_countdown:
        return tn(
            "The client closed {n} position by hand during the countdown: {total}.",
            "The client closed {n} positions by hand during the countdown: {total}.",
            n,
            total=total,
        )
    return tn(
        "The client closed {n} position by hand before Reckoner did: {total}.",
        "The client closed {n} positions by hand before Reckoner did: {total}.",
        n,
        total=total,
    )


def _otherwise(results: list[TicketResult], currency: str, *, in_countdown: bool) -> str:
    n, total = len(results), _sum(results, currency)
    if in_countdown:
        return tn(
            "{n} position ended otherwise during the countdown: {total}.",
            "{n} positions ended otherwise during the countdown: {total}.",
            n,
            total=total,
        )
    return tn(
        "{n} position ended otherwise before Reckoner closed it: {total}.",
        "{n} positions ended otherwise before Reckoner closed them: {total}.",
        n,
        total=total,
    )


def _sum(results: list[TicketResult], currency: str) -> str:
    return gain(sum((r.profit for r in results if r.profit is not None), Decimal(0)), currency)


def _took(alert: CloseConfirmed, voice: Voice) -> str:
    at = moment(alert.flat_at, voice, today=alert.started_at)
    if not any(r.attempts for r in alert.results):
        return t("Proved flat at {at}.", at=at)
    return t("Took {span}, proved at {at}.", span=span(alert.flat_at - alert.started_at), at=at)
