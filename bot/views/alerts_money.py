"""Operations on an account's money, balances without deals, still prices, and absences."""

from collections.abc import Callable, Mapping

from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views.alert_lines import at_line, headline, more, trade, who
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
HAPPENED: Mapping[str, Callable[[int], str]] = {
    "opened": lambda n: tn("{n} opening", "{n} openings", n),
    "closed": lambda n: tn("{n} close", "{n} closes", n),
    "reversed": lambda n: tn("{n} reversal", "{n} reversals", n),
    "deposit": lambda n: tn("{n} deposit", "{n} deposits", n),
    "withdrawal": lambda n: tn("{n} withdrawal", "{n} withdrawals", n),
    "credit": lambda n: tn("{n} credit", "{n} credits", n),
    "bonus": lambda n: tn("{n} bonus", "{n} bonuses", n),
    "charge": lambda n: tn("{n} charge", "{n} charges", n),
    "correction": lambda n: tn("{n} correction", "{n} corrections", n),
    "commission": lambda n: tn("{n} commission", "{n} commissions", n),
    "interest": lambda n: tn("{n} interest payment", "{n} interest payments", n),
    "dividend": lambda n: tn("{n} dividend", "{n} dividends", n),
    "tax": lambda n: tn("{n} tax", "{n} taxes", n),
    "cancelled": lambda n: tn("{n} cancelled deal", "{n} cancelled deals", n),
    "other": lambda n: tn("{n} other operation", "{n} other operations", n),
    "placed": lambda n: tn("{n} order placed", "{n} orders placed", n),
    "gone": lambda n: tn("{n} order gone", "{n} orders gone", n),
}


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
    by_sign = "deposit" if alert.amount > 0 else "withdrawal"
    name = t(FLOWS.get(alert.operation, OPERATIONS[by_sign]))
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
        t(
            "Equity: {equity}. The peak moves with it, from {peak_before} to {peak_after}.",
            equity=money(alert.equity, alert.currency),
            peak_before=money(alert.peak_before, alert.currency),
            peak_after=money(alert.peak_after, alert.currency),
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
    amount = gain(alert.amount, alert.currency)
    title = (
        t("🟠 Still unexplained: {amount} on {login}", amount=amount, login=alert.login)
        if alert.again
        else t("🟠 Unexplained {amount} on {login}", amount=amount, login=alert.login)
    )
    count = (
        t("From now on it counts as a trading result, so the guard sees it.")
        if alert.amount < 0
        else t("Until a deal explains it the guard does not count it as yours.")
    )
    lines = [
        headline(voice, title),
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
            t("The broker's words: {words}", words=esc(i.comment, COMMENT_CHARS_MAX))
            for i in alert.items
        ]
        rows = rows if alert.items[0].comment else []
    else:
        title = tn(
            "🧾 {n} operation, {total} on {login}",
            "🧾 {n} operations, {total} on {login}",
            alert.count,
            total=total,
            login=alert.login,
        )
        rows = [
            f"• {word(OPERATIONS, i.operation)} {gain(i.amount, alert.currency)}"
            for i in alert.items
        ]
        rows += more(alert.count, len(alert.items))
    counts = (
        t("It counts as a loss, not as money paid in or out.")
        if alert.total < 0
        else t("It counts as a profit, not as money paid in or out.")
    )
    lines = [
        headline(voice, title),
        *who(alert, audience),
        *rows,
        counts,
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
        tn(
            "No price has moved since {since} ({span}), with {n} position open.",
            "No price has moved since {since} ({span}), with {n} positions open.",
            alert.positions_count,
            since=moment(alert.since, voice, today=alert.at),
            span=span(alert.at - alert.since),
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
            "From {since} to {until}: {happened}{lowest}.",
            since=since,
            until=until,
            happened=happened,
            lowest=_unknown(alert),
        ),
        *(_item(item, alert, voice, audience) for item in alert.items),
        *more(alert.count, len(alert.items)),
        *_open(alert),
    ]
    loud = alert.count or alert.orders_placed or alert.vanished or alert.unexplained
    return Message(html="\n".join(lines), silent=not loud)


def _happened(alert: WhileAway) -> str:
    counts = {**alert.counts, "placed": alert.orders_placed, "gone": alert.orders_gone}
    parts = [
        HAPPENED[what](count) if what in HAPPENED else f"{count} {esc(what)}"
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
        return t("opened")
    turned = item.what == "reversed"
    if item.reason not in CLOSED_BY_YOU:
        why = word(CLOSED_OTHERWISE, item.reason)
        return t("reversed ({why})", why=why) if turned else t("closed ({why})", why=why)
    if audience is Audience.CLIENT:
        where = t(CLOSED_BY_YOU[item.reason])
        if turned:
            return t("reversed by you, {where}", where=where)
        return t("closed by you, {where}", where=where)
    where = t(CLOSED_BY_CLIENT[item.reason])
    if turned:
        return t("reversed by the client, {where}", where=where)
    return t("closed by the client, {where}", where=where)


def _open(alert: WhileAway) -> list[str]:
    lines = []
    if alert.counts:
        lines.append(
            t("Trading and charges came to {amount}.", amount=gain(alert.result, alert.currency))
        )
    if alert.vanished:
        lines.append(
            tn(
                "{n} position gone, and no deal says why yet. Reckoner goes on looking.",
                "{n} positions gone, and no deal says why yet. Reckoner goes on looking.",
                alert.vanished,
            )
        )
    if alert.unexplained:
        lines.append(
            t(
                "A change of the balance by {amount} has no deal yet.",
                amount=gain(alert.unexplained, alert.currency),
            )
        )
    if alert.uncertain:
        lines.append(
            tn(
                "{n} position open before, {now} now. Equity in between was "
                "not seen: the peak may be higher than Reckoner knows.",
                "{n} positions open before, {now} now. Equity in between was "
                "not seen: the peak may be higher than Reckoner knows.",
                alert.positions_before,
                now=alert.positions_count,
            )
        )
    return lines
