"""Operations on an account's money, balances without deals, still prices, and absences."""

from decimal import Decimal

from bot.markup import esc
from bot.views.alert_lines import at_line, headline, trade, who
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import gain, moment, money, span
from bot.views.words import CLOSED_BY_CLIENT, CLOSED_BY_YOU, CLOSED_OTHERWISE, word
from core.domain.alerts_money import (
    AwayItem,
    BalanceExplained,
    BalanceUnexplained,
    CashFlowSeen,
    MoneyAlert,
    PricesMove,
    PricesStill,
    ResultsBooked,
    WhileAway,
)

COMMENT_CHARS_MAX = 60
FLOWS = {"credit": "Credit", "bonus": "Bonus"}
"""Flows that the sign of their amount does not name."""
OPERATIONS = {
    "deposit": "Deposit",
    "withdrawal": "Withdrawal",
    "credit": "Credit",
    "bonus": "Bonus",
    "charge": "Charge",
    "correction": "Correction",
    "commission": "Commission",
    "interest": "Interest",
    "dividend": "Dividend",
    "tax": "Tax",
    "cancelled": "Cancelled deal",
    "other": "Operation of the broker",
}
HAPPENED = {
    "opened": ("opening", "openings"),
    "closed": ("close", "closes"),
    "reversed": ("reversal", "reversals"),
    "deposit": ("deposit", "deposits"),
    "withdrawal": ("withdrawal", "withdrawals"),
    "credit": ("credit", "credits"),
    "bonus": ("bonus", "bonuses"),
    "charge": ("charge", "charges"),
    "correction": ("correction", "corrections"),
    "commission": ("commission", "commissions"),
    "interest": ("interest payment", "interest payments"),
    "dividend": ("dividend", "dividends"),
    "tax": ("tax", "taxes"),
    "cancelled": ("cancelled deal", "cancelled deals"),
    "other": ("other operation", "other operations"),
    "placed": ("order placed", "orders placed"),
    "gone": ("order gone", "orders gone"),
}
"""The one end of a position that an absence does not make less urgent."""


def render(alert: MoneyAlert, voice: Voice, audience: Audience) -> Message:  # noqa: PLR0911 - one case per kind
    """The message about money or figures."""
    match alert:
        case CashFlowSeen():
            return _cash_flow(alert, voice, audience)
        case BalanceUnexplained():
            return _unexplained(alert, voice, audience)
        case ResultsBooked():
            return _results(alert, voice, audience)
        case BalanceExplained():
            return _explained(alert, voice, audience)
        case PricesStill():
            return _still(alert, voice, audience)
        case PricesMove():
            return _move(alert, voice, audience)
        case WhileAway():
            return _away(alert, voice, audience)


def _cash_flow(alert: CashFlowSeen, voice: Voice, audience: Audience) -> Message:
    """Money came in or went out; neither profit nor loss."""
    name = FLOWS.get(alert.operation, "Deposit" if alert.amount > 0 else "Withdrawal")
    lines = [
        headline(voice, f"💷 {name} {gain(alert.amount, alert.currency)} on {alert.login}"),
        *who(alert, audience),
        "It counts neither as profit nor as loss.",
        (
            f"Equity: {money(alert.equity, alert.currency)}. The peak moves with it, "
            f"from {money(alert.peak_before, alert.currency)} "
            f"to {money(alert.peak_after, alert.currency)}."
        ),
    ]
    if alert.below_minimum:
        lines.append(
            "Equity is below the minimum now: signals cannot be approved until it is above again."
        )
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines), silent=not alert.below_minimum)


def _unexplained(alert: BalanceUnexplained, voice: Voice, audience: Audience) -> Message:
    """A balance change without a deal: a loss counts, a gain does not until it is explained."""
    still = "Still unexplained:" if alert.again else "Unexplained"
    count = (
        "From now on it counts as a trading result, so the guard sees it."
        if alert.amount < 0
        else "Until a deal explains it the guard does not count it as yours."
    )
    lines = [
        headline(voice, f"🟠 {still} {gain(alert.amount, alert.currency)} on {alert.login}"),
        *who(alert, audience),
        "The balance changed and no deal of the broker says why.",
        count,
        f"Seen since {moment(alert.since, voice, today=alert.at)}.",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _results(alert: ResultsBooked, voice: Voice, audience: Audience) -> Message:
    total = gain(alert.total, alert.currency)
    if alert.count == 1:
        title = f"🧾 {word(OPERATIONS, alert.items[0].operation)} {total} on {alert.login}"
        rows = [f"The broker's words: {esc(i.comment, COMMENT_CHARS_MAX)}" for i in alert.items]
        rows = rows if alert.items[0].comment else []
    else:
        title = f"🧾 {alert.count} operations, {total} on {alert.login}"
        rows = [
            f"• {word(OPERATIONS, i.operation)} {gain(i.amount, alert.currency)}"
            for i in alert.items
        ]
        rows += _more(alert.count, len(alert.items))
    what = "loss" if alert.total < 0 else "profit"
    lines = [
        headline(voice, title),
        *who(alert, audience),
        *rows,
        f"It counts as a {what}, not as money paid in or out.",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def _explained(alert: BalanceExplained, voice: Voice, audience: Audience) -> Message:
    amount = gain(alert.amount, alert.currency)
    lines = [
        headline(voice, f"🟢 Explained: {amount} on {alert.login}"),
        *who(alert, audience),
        "The broker has shown the deals that explain the balance.",
        f"Unexplained since {moment(alert.since, voice, today=alert.at)}.",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def _still(alert: PricesStill, voice: Voice, audience: Audience) -> Message:
    lines = [
        headline(voice, f"🟠 Prices stand still on {alert.login}"),
        *who(alert, audience),
        (
            f"No price has moved since {moment(alert.since, voice, today=alert.at)} "
            f"({span(alert.at - alert.since)}), with {_positions(alert.positions_count)} open."
        ),
        "The terminal answers, but its figures may be old: a loss may not show yet.",
        "Until prices move the guard takes no reading for better than the one before.",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _move(alert: PricesMove, voice: Voice, audience: Audience) -> Message:
    lines = [
        headline(voice, f"🟢 Prices no longer stand still on {alert.login}"),
        *who(alert, audience),
        f"They stood since {moment(alert.since, voice, today=alert.at)}.",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def _away(alert: WhileAway, voice: Voice, audience: Audience) -> Message:
    """What happened unwatched; an absence in which nothing was booked makes no sound."""
    since = moment(alert.since, voice, today=alert.until)
    until = moment(alert.until, voice)
    happened = _happened(alert)
    lines = [
        headline(voice, f"🕓 While I was away on {alert.login}"),
        *who(alert, audience),
        f"From {since} to {until}: {happened}{_unknown(alert)}.",
        *(_item(item, alert, voice, audience) for item in alert.items),
        *_more(alert.count, len(alert.items)),
        *_open(alert),
    ]
    loud = alert.count or alert.orders_placed or alert.vanished or alert.unexplained
    return Message(html="\n".join(lines), silent=not loud)


def _happened(alert: WhileAway) -> str:
    counts = {**alert.counts, "placed": alert.orders_placed, "gone": alert.orders_gone}
    parts = [
        f"{count} {HAPPENED.get(what, (esc(what), esc(what)))[count > 1]}"
        for what, count in counts.items()
        if count
    ]
    return ", ".join(parts) or "nothing was booked"


def _unknown(alert: WhileAway) -> str:
    return "; lowest equity unknown" if alert.uncertain else ""


def _item(item: AwayItem, alert: WhileAway, voice: Voice, audience: Audience) -> str:
    when = moment(item.at, voice, today=alert.until)
    result = "" if item.amount is None else f": {gain(item.amount, alert.currency)}"
    if item.volume is None:
        return f"• {when} {word(OPERATIONS, item.what)}{result}"
    return f"• {when} {trade(item.symbol, item.side, item.volume)} {_how(item, audience)}{result}"


def _how(item: AwayItem, audience: Audience) -> str:
    if item.what == "opened":
        return "opened"
    where = (CLOSED_BY_YOU if audience is Audience.CLIENT else CLOSED_BY_CLIENT).get(item.reason)
    verb = "reversed" if item.what == "reversed" else "closed"
    if where is not None:
        by = "by you" if audience is Audience.CLIENT else "by the client"
        return f"{verb} {by}, {where}"
    return f"{verb} ({word(CLOSED_OTHERWISE, item.reason)})"


def _open(alert: WhileAway) -> list[str]:
    lines = []
    if alert.counts:
        lines.append(f"Trading and charges came to {gain(alert.result, alert.currency)}.")
    if alert.vanished:
        gone = _positions(alert.vanished)
        lines.append(f"{gone} gone, and no deal says why yet. Reckoner goes on looking.")
    if alert.unexplained:
        lines.append(f"{_change(alert.unexplained, alert.currency)} has no deal yet.")
    if alert.uncertain:
        lines.append(
            f"{_positions(alert.positions_before)} open before, {alert.positions_count} now. "
            "Equity in between was not seen: the peak may be higher than Reckoner knows."
        )
    return lines


def _change(amount: Decimal, currency: str) -> str:
    return f"A change of the balance by {gain(amount, currency)}"


def _positions(count: int) -> str:
    return "1 position" if count == 1 else f"{count} positions"


def _more(count: int, shown: int) -> list[str]:
    return [f"and {count - shown} more"] if count > shown else []
