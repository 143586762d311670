"""Alert -> message: one entry, every kind of the closed union in one of the themes."""

from datetime import timedelta

from bot.i18n import t
from bot.views import (
    alerts_adoption,
    alerts_app,
    alerts_closing,
    alerts_digest,
    alerts_divergence,
    alerts_folded,
    alerts_groups,
    alerts_guard,
    alerts_market,
    alerts_money,
    alerts_over,
    alerts_rules,
    alerts_terminal,
    alerts_watch,
    drill,
    people,
)
from bot.views import alerts_trades as trades
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import span
from core.domain import alerts as a
from core.domain import alerts_adoption as ad
from core.domain import alerts_app as own
from core.domain import alerts_closing as c
from core.domain import alerts_money as m
from core.domain import alerts_people as p
from core.domain import alerts_rules as r
from core.domain import alerts_terminal as te
from core.domain.alerts_audit import HeadsRecorded
from core.domain.alerts_digest import DailyDigest
from core.domain.alerts_folded import AlertsFolded
from core.domain.alerts_market import MarketCloseAhead, MarketWarning
from core.domain.alerts_over import AlertsOver

LATE_S = 60
"""A message delivered later than this after what it tells of says how late it is."""


def render(alert: a.Alert, voice: Voice, audience: Audience) -> Message:  # noqa: C901, PLR0911, PLR0912 - one case per kind
    """The message an alert becomes for these readers."""
    if isinstance(alert, own.OwnAlert):
        return alerts_app.render(alert, voice)
    if isinstance(alert, m.MoneyAlert | c.ClosingAlert | p.PeopleAlert):
        return _of_own_file(alert, voice, audience)
    match alert:
        case a.SignalOffered():
            return trades.signal_offered(alert, voice, audience)
        case a.OfferAnswered():
            return trades.offer_answered(alert, voice, audience)
        case a.TradeOpened():
            return trades.trade_opened(alert, voice, audience)
        case a.TradeNotPlaced():
            return trades.trade_not_placed(alert, voice, audience)
        case a.PositionClosed():
            return trades.position_closed(alert, voice, audience)
        case a.DivergenceOpened():
            return alerts_divergence.opened(alert, voice, audience)
        case a.DivergencesOpened():
            return alerts_groups.differences(alert, voice, audience)
        case a.PositionsClosed():
            return alerts_groups.closed(alert, voice, audience)
        case a.DivergenceResolved():
            return alerts_divergence.resolved(alert, voice, audience)
        case ad.PositionQuestion() | ad.PositionAdopted():
            return alerts_adoption.render(alert, voice, audience)
        case a.DrawdownWarning():
            return alerts_guard.drawdown_warning(alert, voice, audience)
        case a.DrawdownEased():
            return alerts_guard.drawdown_eased(alert, voice, audience)
        case a.GuardBreached():
            return alerts_guard.breached(alert, voice, audience)
        case a.LimitsChanged():
            return alerts_guard.limits_changed(alert, voice, audience)
        case a.CloseConfirmed():
            return alerts_closing.confirmed(alert, voice, audience)
        case a.CloseTrouble():
            return alerts_closing.trouble(alert, voice, audience)
        case a.LatchedReappeared():
            return alerts_watch.reappeared(alert, voice, audience)
        case a.ReleaseAsked():
            return alerts_closing.release_asked(alert, voice, audience)
        case a.ReleaseAnswered():
            return alerts_closing.release_answered(alert, voice, audience)
        case MarketWarning():
            return alerts_market.warning(alert, voice)
        case MarketCloseAhead():
            return alerts_market.close_ahead(alert, voice)
        case a.ChatUnreachable() | own.ChatReachable() | own.ChatMoved():
            return alerts_app.of_chat(alert, voice)
        case DailyDigest() | HeadsRecorded():
            return alerts_digest.daily(alert, voice)
        case AlertsOver():
            return alerts_over.line(alert, voice)
        case AlertsFolded():
            return alerts_folded.summary(alert, voice, audience)
        case _:
            return _of_guarding(alert, voice, audience)


def _of_guarding(
    alert: r.RuleAlert | te.TerminalAlert, voice: Voice, audience: Audience
) -> Message:
    if isinstance(alert, r.RuleAlert):
        return alerts_rules.render(alert, voice, audience)
    return alerts_terminal.render(alert, voice, audience)


def _of_own_file(
    alert: m.MoneyAlert | c.ClosingAlert | p.PeopleAlert, voice: Voice, audience: Audience
) -> Message:
    if isinstance(alert, p.PeopleAlert):
        return people.render(alert, voice, audience)
    if isinstance(alert, m.MoneyAlert):
        return alerts_money.render(alert, voice, audience)
    if isinstance(alert, c.DrillBlocked):
        return drill.by_schedule(alert, voice)
    return alerts_watch.stalled(alert, voice, audience)


def late_note(late: timedelta) -> str:
    """A line for a message that could not be delivered when it was due."""
    return t("Delivered {span} late.", span=span(late))
