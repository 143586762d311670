"""How an alert travels: how urgent, about what, and whether it repeats, edits or stands alone.

`thread` names the incident; `mode` says whether a message of the same thread and chat is edited in
place, answered by a reply, or a new one is sent.
"""

from collections.abc import Mapping
from typing import Final, assert_never

from msgspec import Struct

from core.domain import alerts as a
from core.domain import alerts_adoption as ad
from core.domain import alerts_app as own
from core.domain import alerts_closing as c
from core.domain import alerts_links as k
from core.domain import alerts_money as m
from core.domain import alerts_people as p
from core.domain import alerts_rules as r
from core.domain import alerts_terminal as t
from core.domain.alerts_audit import HeadsRecorded
from core.domain.alerts_digest import DailyDigest
from core.domain.alerts_folded import AlertsFolded
from core.domain.alerts_market import MarketCloseAhead, MarketWarning
from core.domain.alerts_over import AlertsOver
from core.domain.divergences import Severity, severity_of
from core.domain.findings import Kind

Difference = (
    a.PositionClosed
    | a.PositionsClosed
    | a.DivergenceOpened
    | a.DivergencesOpened
    | a.DivergenceResolved
)
"""What differs from the signals, and what ended."""
NEW = "new"
EDIT = "edit"
REPLY = "reply"
URGENCIES: Final[Mapping[str, a.Priority]] = {
    Severity.CRITICAL: a.Priority.CRITICAL,
    Severity.WARNING: a.Priority.WARNING,
    Severity.INFO: a.Priority.INFO,
}


class Delivery(Struct, frozen=True, gc=False):
    """How one alert is delivered."""

    priority: a.Priority
    thread: str
    mode: str


def deliver(alert: a.Alert) -> Delivery:  # noqa: C901, PLR0911, PLR0912 - one arm per kind
    """The delivery of an alert. Total over the union."""
    critical, warning, info = a.Priority.CRITICAL, a.Priority.WARNING, a.Priority.INFO
    if isinstance(alert, own.OwnAlert):
        return _of_app(alert)
    if isinstance(
        alert, m.MoneyAlert | ad.AdoptionAlert | c.ClosingAlert | r.RuleAlert | p.PeopleAlert
    ):
        return _of_own_file(alert)
    match alert:
        case a.SignalOffered():
            return Delivery(warning, f"offer:{alert.approval_id}", NEW)
        case a.OfferAnswered():
            return Delivery(info, f"offer:{alert.approval_id}", EDIT)
        case a.TradeOpened():  # as urgent as what is found wrong with it, or it came after that
            return Delivery(warning, f"trade:{alert.trade_id}", NEW)
        case a.TradeNotPlaced():
            return Delivery(info, f"trade:{alert.trade_id}", NEW)
        case (
            a.PositionClosed()
            | a.PositionsClosed()
            | a.DivergenceOpened()
            | a.DivergencesOpened()
            | a.DivergenceResolved()
        ):
            return _of_differences(alert)
        case a.DrawdownWarning():
            return Delivery(warning, f"warned:{alert.account_id}:{alert.at.isoformat()}", NEW)
        case a.DrawdownEased():
            return Delivery(info, f"warned:{alert.account_id}:{alert.warned_at.isoformat()}", EDIT)
        case a.CloseConfirmed() | a.CloseTrouble():
            return Delivery(critical, f"job:{alert.job_id}:{alert.account_id}", REPLY)
        case a.GuardBreached() | a.LatchedReappeared():
            return Delivery(critical, f"job:{alert.job_id}:{alert.account_id}", NEW)
        case a.ReleaseAsked():
            return Delivery(warning, _release(alert.account_id, alert.at.isoformat()), NEW)
        case a.ReleaseAnswered():
            # The decision takes the place of the question; the release itself is news again.
            mode = REPLY if alert.state == "released" else EDIT
            return Delivery(warning, _release(alert.account_id, alert.asked_at.isoformat()), mode)
        case MarketWarning():
            return _of_market(f"market:{alert.warning_id}", alert.version == 1 or alert.again)
        case MarketCloseAhead():
            return _of_market(f"ahead:{alert.warning_id}:{alert.account_id}", alert.again)
        case a.ChatUnreachable():
            return Delivery(warning, _reach(alert.chat_id, alert.at.isoformat()), NEW)
        case own.ChatReachable():
            mode = NEW if alert.here else EDIT
            return Delivery(warning, _reach(alert.chat_id, alert.since.isoformat()), mode)
        case own.ChatMoved():
            return Delivery(warning, f"moved:{alert.old_id}:{alert.new_id}", NEW)
        case DailyDigest() | HeadsRecorded() | AlertsFolded():
            return _of_many(alert)
        case AlertsOver():
            return Delivery(info, f"over:{alert.endings[0].until.isoformat()}", NEW)
        case a.LimitsChanged():
            return Delivery(info, f"limits:{alert.account_id}:{alert.at.isoformat()}", NEW)
        case _:
            return _of_terminal(alert)


def _of_app(alert: own.OwnAlert) -> Delivery:
    info = a.Priority.INFO
    match alert:
        case own.AppStanding():
            return Delivery(info, f"app:{alert.started.at.isoformat()}", EDIT)
        case own.SignalByProgram():
            return Delivery(info, f"signal:{alert.signal_id}", NEW)
        case own.PauseChanged():
            return Delivery(a.Priority.WARNING, f"pause:{alert.what}:{alert.at.isoformat()}", NEW)
        case _:
            return Delivery(info, f"app:{alert.at.isoformat()}", NEW)


def _of_market(thread: str, news: bool) -> Delivery:  # noqa: FBT001 - the one thing it asks
    """A warning, told anew where it is news; what becomes of it takes its place."""
    return Delivery(a.Priority.WARNING if news else a.Priority.INFO, thread, NEW if news else EDIT)


def _of_adoption(alert: ad.AdoptionAlert) -> Delivery:
    """A question takes the place of what told that the position is unknown."""
    match alert:
        case ad.PositionQuestion():
            return Delivery(a.Priority.WARNING, f"episode:{alert.episode_id}", EDIT)
        case ad.PositionAdopted():
            at = alert.adopted_at.isoformat()
            thread = f"adopted:{alert.account_id}:{alert.position_id}:{at}"
            return Delivery(a.Priority.WARNING, thread, EDIT if alert.undone_by else NEW)


def _of_differences(alert: Difference) -> Delivery:
    """The taxonomy decides how urgent each is."""
    match alert:
        case a.PositionClosed():
            urgent = _urgency(severity_of(alert.close_reason))
            # A netting position may be several trades', and each of them ends.
            whose = "" if alert.trade_id is None else f":{alert.trade_id}"
            return Delivery(urgent, f"position:{alert.account_id}:{alert.position_id}{whose}", NEW)
        case a.DivergenceOpened():
            urgent = _urgency(severity_of(alert.finding, alert.origin))
            aloud = alert.lasting_since is not None or alert.worse
            mode = REPLY if aloud else EDIT if alert.changed else NEW
            return Delivery(urgent, f"episode:{alert.episode_id}", mode)
        case a.DivergencesOpened():
            again = "lasting:" if alert.lasting_since else "changed:" if alert.changed else ""
            thread = f"episodes:{again}{alert.account_id}:{alert.finding}:{alert.at.isoformat()}"
            return Delivery(_urgency(alert.severity), thread, NEW)
        case a.PositionsClosed():
            urgent = _urgency(severity_of(alert.close_reason))
            return Delivery(urgent, f"closed:{alert.account_id}:{alert.at.isoformat()}", NEW)
        case a.DivergenceResolved():
            return Delivery(a.Priority.INFO, f"episode:{alert.episode_id}", EDIT)


def _urgency(severity: str) -> a.Priority:
    """What the taxonomy says of a difference decides how fast its message travels."""
    return URGENCIES.get(severity, a.Priority.WARNING)


def _of_own_file(
    alert: m.MoneyAlert | ad.AdoptionAlert | c.ClosingAlert | r.RuleAlert | p.PeopleAlert,
) -> Delivery:
    if isinstance(alert, m.MoneyAlert):
        return _of_money(alert)
    if isinstance(alert, ad.AdoptionAlert):
        return _of_adoption(alert)
    if isinstance(alert, r.RuleAlert):
        return _of_rules(alert)
    if isinstance(alert, p.PeopleAlert):
        return _of_people(alert)
    if isinstance(alert, c.DrillBlocked):
        return Delivery(a.Priority.WARNING, f"drill:{alert.at.isoformat()}", NEW)
    return Delivery(a.Priority.CRITICAL, f"job:{alert.job_id}:{alert.account_id}", REPLY)


def _of_people(alert: p.PeopleAlert) -> Delivery:
    """What became of a request takes its place; whoever asked hears of it besides."""
    if isinstance(alert, k.AnyLinkAlert):
        return _of_links(alert)
    match alert:
        case p.AccessAsked():
            return Delivery(a.Priority.WARNING, f"access:{alert.request_id}", NEW)
        case p.AccessAnswered():
            return Delivery(a.Priority.INFO, f"access:{alert.request_id}", EDIT)
        case p.AccessDecided():
            return Delivery(a.Priority.WARNING, f"access_decided:{alert.request_id}", NEW)
        case p.StandingChanged():
            thread = f"standing:{alert.telegram_id}:{alert.at.isoformat()}"
            return Delivery(a.Priority.WARNING, thread, NEW)
        case p.AccountGiven() | p.AccountTaken():
            thread = f"owner:{alert.account_id}:{alert.at.isoformat()}"
            return Delivery(a.Priority.WARNING, thread, NEW)


def _of_links(alert: k.AnyLinkAlert) -> Delivery:
    """As those about access; what the broker said is news under the admins' question."""
    warning, info = a.Priority.WARNING, a.Priority.INFO
    match alert:
        case k.LinkAsked():
            return Delivery(warning, f"link:{alert.request_id}", NEW)
        case k.LinkAnswered():
            return Delivery(info, f"link:{alert.request_id}", EDIT)
        case k.LinkEnded() | k.AccountLinked() | k.PasswordRenewed() | k.RequestDamaged():
            return Delivery(warning, f"link:{alert.request_id}", REPLY)
        case k.LinkNews():
            return Delivery(warning, f"link_news:{alert.request_id}:{alert.state}", NEW)
        case k.WordsLeft():
            return Delivery(warning, f"left:{alert.telegram_id}:{alert.at.isoformat()}", NEW)


def _of_terminal(alert: t.TerminalAlert) -> Delivery:
    """What keeps somebody from being guarded goes first while they hold anything."""
    critical, warning, info = a.Priority.CRITICAL, a.Priority.WARNING, a.Priority.INFO
    match alert:
        case t.AccountUnavailable():
            mode = REPLY if alert.changed else NEW
            return Delivery(warning, _outage(alert.account_id, alert.since.isoformat()), mode)
        case t.AccountRecovered():
            return Delivery(info, _outage(alert.account_id, alert.since.isoformat()), EDIT)
        case t.CannotClose():
            urgent = critical if alert.positions_count else warning
            mode = NEW if alert.news == "appeared" else REPLY
            return Delivery(urgent, _obstacles(alert.account_id, alert.since.isoformat()), mode)
        case t.CanCloseAgain():
            return Delivery(info, _obstacles(alert.account_id, alert.since.isoformat()), REPLY)
        case t.TerminalBlocked():
            mode = REPLY if alert.right_again else NEW
            return Delivery(
                critical, _blocked(alert.account_id, alert.blocked_at.isoformat()), mode
            )
        case t.TerminalCleared():
            return Delivery(
                warning, _blocked(alert.account_id, alert.blocked_at.isoformat()), REPLY
            )
        case _:
            assert_never(alert)


def _of_rules(alert: r.RuleAlert) -> Delivery:
    """A blind guard and a pause come first; what is over takes the place of what told of it."""
    critical, warning, info = a.Priority.CRITICAL, a.Priority.WARNING, a.Priority.INFO
    match alert:
        case r.RuleBroken():
            return Delivery(warning, _rule(alert.account_id, alert.rule, alert.at.isoformat()), NEW)
        case r.RuleEased():
            since = alert.opened_at.isoformat()
            return Delivery(info, _rule(alert.account_id, alert.rule, since), EDIT)
        case r.RuleResetAhead():
            thread = f"reset:{alert.account_id}:{alert.rule}:{alert.resets_at.isoformat()}"
            return Delivery(warning, thread, NEW)
        case r.RulesChanged():
            return Delivery(info, f"rules:{alert.account_id}:{alert.at.isoformat()}", NEW)
        case r.GuardBlind():
            return Delivery(critical, _blind(alert.account_id, alert.since.isoformat()), NEW)
        case r.GuardSees():
            return Delivery(warning, _blind(alert.account_id, alert.since.isoformat()), REPLY)


def _rule(account_id: int, rule: str, opened_at: str) -> str:
    return f"rule:{account_id}:{rule}:{opened_at}"


def _blind(account_id: int, since: str) -> str:
    return f"blind:{account_id}:{since}"


def _of_money(alert: m.MoneyAlert) -> Delivery:  # noqa: PLR0911 - one arm per kind
    """What contradicts itself is a warning; what was merely booked can wait."""
    warning, info = a.Priority.WARNING, a.Priority.INFO
    match alert:
        case m.CashFlowSeen():
            return Delivery(info, f"cash:{alert.account_id}:{alert.at.isoformat()}", NEW)
        case m.ResultsBooked():
            return Delivery(info, f"booked:{alert.account_id}:{alert.at.isoformat()}", NEW)
        case m.BalanceUnexplained():
            # One that lasts or grows is news again, under the first message about it.
            mode = REPLY if alert.again else NEW
            urgent = _urgency(severity_of(Kind.PNL_MISMATCH.value))
            return Delivery(urgent, _mismatch(alert.account_id, alert.episode_id), mode)
        case m.BalanceExplained():
            return Delivery(info, _mismatch(alert.account_id, alert.episode_id), REPLY)
        case m.PricesStill():
            return Delivery(warning, f"still:{alert.account_id}:{alert.episode_id}", NEW)
        case m.PricesMove():
            return Delivery(info, f"still:{alert.account_id}:{alert.episode_id}", EDIT)
        case m.WhileAway():
            return Delivery(warning, f"away:{alert.account_id}:{alert.until.isoformat()}", NEW)


def _of_many(alert: DailyDigest | HeadsRecorded | AlertsFolded) -> Delivery:
    if isinstance(alert, AlertsFolded):
        return Delivery(a.Priority.WARNING, f"burst:{alert.since.isoformat()}", NEW)
    whose = f"digest:{alert.user_id}" if isinstance(alert, DailyDigest) else "heads"
    return Delivery(a.Priority.INFO, f"{whose}:{alert.day.isoformat()}", NEW)


def _mismatch(account_id: int, episode_id: int) -> str:
    return f"mismatch:{account_id}:{episode_id}"


def _outage(account_id: int, since: str) -> str:
    return f"outage:{account_id}:{since}"


def _reach(chat_id: int, since: str) -> str:
    return f"unreachable:{chat_id}:{since}"


def _obstacles(account_id: int, since: str) -> str:
    return f"obstacles:{account_id}:{since}"


def _blocked(account_id: int, at: str) -> str:
    return f"blocked:{account_id}:{at}"


def _release(account_id: int, asked_at: str) -> str:
    return f"release:{account_id}:{asked_at}"
