"""The summary of a burst: how many more messages there were, of what, and where they are."""

from bot.i18n import later, t, tn
from bot.views.alert_lines import at_line, headline
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import span
from bot.views.words import FINDINGS, begun, word
from core.domain.alerts_folded import AlertsFolded
from core.domain.bursts import LOGINS_MAX

NAMES = {
    "TradeOpened": later("Trade opened"),
    "TradeNotPlaced": later("Not placed"),
    "CashFlowSeen": later("Money in or out"),
    "ResultsBooked": later("Charges and other results"),
    "PricesStill": later("Prices stand still"),
    "WhileAway": later("Changed while Reckoner was down"),
    "RuleBroken": later("Rule broken, nothing stopped"),
    "AccountUnavailable": later("Account cannot be read"),
    "CannotClose": later("Account could not be closed"),
    "market_gap": later("Price gap"),
    "market_spread": later("Wide spread"),
    "market_still": later("Price stands still"),
    "mixed": later("Differences of several kinds"),
}
WHERE = {
    Audience.CLIENT: later("They came too fast to be sent one by one. They are in /history."),
    Audience.ADMIN: later(
        "They came too fast to be sent one by one. /history with an account's number has them, "
        "/warnings the market's."
    ),
}


def summary(alert: AlertsFolded, voice: Voice, audience: Audience) -> Message:
    """How many of what, the most first, whose, and where to look."""
    title = tn("📚 {n} more alert", "📚 {n} more alerts", alert.messages)
    took = alert.at - alert.since
    if took.total_seconds() >= 1:
        title = t("{title} in {span}", title=title, span=span(took))
    names = FINDINGS | NAMES
    counts = sorted(alert.counts.items(), key=lambda each: -each[1])
    lines = [
        headline(voice, title),
        *(t("{what}: {n}", what=begun(word(names, kind)), n=n) for kind, n in counts),
        *_accounts(alert, audience),
        t(WHERE[audience]),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=not alert.urgent)


def _accounts(alert: AlertsFolded, audience: Audience) -> list[str]:
    """Whose they are; a client with one account knows."""
    if not alert.logins or (audience is Audience.CLIENT and len(alert.logins) == 1):
        return []
    logins = ", ".join(map(str, alert.logins))
    if len(alert.logins) < LOGINS_MAX:
        return [t("Accounts: {logins}", logins=logins)]
    return [t("Accounts: {logins} and perhaps others", logins=logins)]
