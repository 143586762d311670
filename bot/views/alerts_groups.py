"""Many things of one kind in one message."""

from bot.i18n import later, t
from bot.markup import esc
from bot.views.alert_lines import at_line, headline, more, trade, who
from bot.views.alerts_divergence import icon, lasting
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import gain
from bot.views.words import CLOSED_OTHERWISE, FINDING_NOTES, FINDINGS, begun, word
from core.domain.alert_parts import GroupItem
from core.domain.alerts import DivergencesOpened, PositionsClosed

MIXED = "mixed"
NOTES_OF_MANY = {
    "unknown_position": (
        later(
            "No signal called for them. Reckoner does not close them for that "
            "reason; the drawdown and market guards apply to them as to any other."
        )
    ),
}


def differences(alert: DivergencesOpened, voice: Voice, audience: Audience) -> Message:
    """Many differences, of one kind or of several."""
    kind = begun(word(FINDINGS, alert.finding))
    what = t("{difference}, {count} of them,", difference=kind, count=alert.count)
    if alert.finding == MIXED:
        what = t("{count} differences", count=alert.count)
    again = t("Still: ") if alert.lasting_since else ""
    lines = [
        headline(
            voice,
            t(
                "{icon} {still}{differences} on {login}",
                icon=icon(alert.severity),
                still=again,
                differences=what,
                login=alert.login,
            ),
        ),
        *who(alert, audience),
        *(_item(item, alert.currency) for item in alert.items),
        *more(alert.count, len(alert.items)),
    ]
    note = NOTES_OF_MANY.get(alert.finding, FINDING_NOTES.get(alert.finding))
    lines += [t("They have changed since they were last told.")] if alert.changed else []
    lines += lasting(alert, voice)
    lines += [t(note)] if note else []
    if audience is Audience.ADMIN and alert.finding == "unknown_position":
        lines.append(t("To say which of them are signals: /adopt"))
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines))


def closed(alert: PositionsClosed, voice: Voice, audience: Audience) -> Message:
    """Many positions that ended by one reading."""
    why = CLOSED_OTHERWISE.get(alert.close_reason, "")
    reason = f": {t(why)}" if why else ""
    lines = [
        headline(
            voice,
            t(
                "⏹ {count} positions closed on {login}{reason}",
                count=alert.count,
                login=alert.login,
                reason=reason,
            ),
        ),
        *who(alert, audience),
        t("Result: {total}", total=gain(alert.pnl, alert.currency)),
        *(_item(item, alert.currency) for item in alert.items),
        *more(alert.count, len(alert.items)),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _item(item: GroupItem, currency: str) -> str:
    result = "" if item.pnl is None else f", {gain(item.pnl, currency)}"
    what = f"{begun(word(FINDINGS, item.finding))}: " if item.finding else ""
    return f"{what}#{esc(item.subject)} {trade(item.symbol, item.side, item.volume)}{result}"
