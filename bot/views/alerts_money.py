"""Operations on an account's money, balances without deals, still prices, and absences."""

from decimal import Decimal

from bot.i18n import later, t
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
FLOWS = {"credit": later("Credit"), "bonus": later("Bonus")}
"""Flows that the sign of their amount does not name."""
OPERATIONS = {
    "deposit": later("Deposit"),
    "withdrawal": later("Withdrawal"),
    "credit": later("Credit"),
    "bonus": later("Bonus"),
    "charge": later("Charge"),
    "correction": later("Correction"),
    "commission": later("Commission"),
    "interest": later("Interest"),
    "dividend": later("Dividend"),
    "tax": later("Tax"),
    "cancelled": later("Cancelled deal"),
    "other": later("Operation of the broker"),
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
    "interest": (later("interest payment"), later("interest payments")),
    "dividend": ("dividend", "dividends"),
    "tax": ("tax", "taxes"),
    "cancelled": (later("cancelled deal"), later("cancelled deals")),
    "other": (later("other operation"), later("other operations")),
    "placed": (later("order placed"), later("orders placed")),
    "gone": (later("order gone"), later("orders gone")),
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
    name = FLOWS.get(alert.operation, t("Deposit") if alert.amount > 0 else t("Withdrawal"))
    lines = [
        headline(
            voice,
            t(
                "💷 {name} {amount} on {login}",
                name=name,
                amount=gain(alert.amount, alert.currency),
                login=alert.login,
            ),
        ),
        *who(alert, audience),
        t("It counts neither as profit nor as loss."),
        (
            t(
                "Equity: {equity}. The peak moves with it, from {peak_before} to {peak_after}.",
                equity=money(alert.equity, alert.currency),
                peak_before=money(alert.peak_before, alert.currency),
                peak_after=money(alert.peak_after, alert.currency),
            )
        ),
    ]
    if alert.below_minimum:
        lines.append(
            t(
                "Equity is below the minimum now: signals cannot be approved until it "
                "is above again."
            )
        )
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines), silent=not alert.below_minimum)


def _unexplained(alert: BalanceUnexplained, voice: Voice, audience: Audience) -> Message:
    """A balance change without a deal: a loss counts, a gain does not until it is explained."""
    still = t("Still unexplained:") if alert.again else t("Unexplained")
    count = (
        t("From now on it counts as a trading result, so the guard sees it.")
        if alert.amount < 0
        else t("Until a deal explains it the guard does not count it as yours.")
    )
    lines = [
        headline(
            voice,
            t(
                "🟠 {still} {amount} on {login}",
                still=still,
                amount=gain(alert.amount, alert.currency),
                login=alert.login,
            ),
        ),
        *who(alert, audience),
        t("The balance changed and no deal of the broker says why."),
        count,
        t("Seen since {since}.", since=moment(alert.since, voice, today=alert.at)),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _results(alert: ResultsBooked, voice: Voice, audience: Audience) -> Message:
    total = gain(alert.total, alert.currency)
    if alert.count == 1:
        title = t(
            "🧾 {operation} {total} on {login}",
            operation=word(OPERATIONS, alert.items[0].operation),
            total=total,
            login=alert.login,
        )
        rows = [
            t("The broker's words: {comment}", comment=esc(i.comment, COMMENT_CHARS_MAX))
            for i in alert.items
        ]
        rows = rows if alert.items[0].comment else []
    else:
        title = t(
            "🧾 {count} operations, {total} on {login}",
            count=alert.count,
            total=total,
            login=alert.login,
        )
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
        t("It counts as a {what}, not as money paid in or out.", what=what),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def _explained(alert: BalanceExplained, voice: Voice, audience: Audience) -> Message:
    amount = gain(alert.amount, alert.currency)
    lines = [
        headline(voice, t("🟢 Explained: {amount} on {login}", amount=amount, login=alert.login)),
        *who(alert, audience),
        t("The broker has shown the deals that explain the balance."),
        t("Unexplained since {since}.", since=moment(alert.since, voice, today=alert.at)),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def _still(alert: PricesStill, voice: Voice, audience: Audience) -> Message:
    lines = [
        headline(voice, t("🟠 Prices stand still on {login}", login=alert.login)),
        *who(alert, audience),
        (
            t(
                "No price has moved since {since} ({span}), with {positions} open.",
                since=moment(alert.since, voice, today=alert.at),
                span=span(alert.at - alert.since),
                positions=_positions(alert.positions_count),
            )
        ),
        t("The terminal answers, but its figures may be old: a loss may not show yet."),
        t("Until prices move the guard takes no reading for better than the one before."),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _move(alert: PricesMove, voice: Voice, audience: Audience) -> Message:
    lines = [
        headline(voice, t("🟢 Prices no longer stand still on {login}", login=alert.login)),
        *who(alert, audience),
        t("They stood since {since}.", since=moment(alert.since, voice, today=alert.at)),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def _away(alert: WhileAway, voice: Voice, audience: Audience) -> Message:
    """What happened unwatched; an absence in which nothing was booked makes no sound."""
    since = moment(alert.since, voice, today=alert.until)
    until = moment(alert.until, voice)
    happened = _happened(alert)
    lines = [
        headline(voice, t("🕓 While I was away on {login}", login=alert.login)),
        *who(alert, audience),
        t(
            "From {since} to {until}: {happened}{unknown}.",
            since=since,
            until=until,
            happened=happened,
            unknown=_unknown(alert),
        ),
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
    return ", ".join(parts) or t("nothing was booked")


def _unknown(alert: WhileAway) -> str:
    return t("; lowest equity unknown") if alert.uncertain else ""


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
        by = t("by you") if audience is Audience.CLIENT else t("by the client")
        return f"{verb} {by}, {where}"
    return f"{verb} ({word(CLOSED_OTHERWISE, item.reason)})"


def _open(alert: WhileAway) -> list[str]:
    lines = []
    if alert.counts:
        lines.append(
            t("Trading and charges came to {result}.", result=gain(alert.result, alert.currency))
        )
    if alert.vanished:
        gone = _positions(alert.vanished)
        lines.append(
            t("{gone} gone, and no deal says why yet. Reckoner goes on looking.", gone=gone)
        )
    if alert.unexplained:
        lines.append(
            t("{change} has no deal yet.", change=_change(alert.unexplained, alert.currency))
        )
    if alert.uncertain:
        lines.append(
            t(
                "{positions} open before, {positions_count} now. Equity in between was "
                "not seen: the peak may be higher than Reckoner knows.",
                positions=_positions(alert.positions_before),
                positions_count=alert.positions_count,
            )
        )
    return lines


def _change(amount: Decimal, currency: str) -> str:
    return t("A change of the balance by {amount}", amount=gain(amount, currency))


def _positions(count: int) -> str:
    return t("1 position") if count == 1 else t("{count} positions", count=count)


def _more(count: int, shown: int) -> list[str]:
    return [t("and {figure} more", figure=count - shown)] if count > shown else []
