"""Which alerts end something that was told aloud, so that a silent line has to say it is over.

What is resolved is edited in its place, which makes no push and scrolls out of sight. Whoever was
woken would never learn that it ended. Nothing follows what ends in a message of its own, and
nothing what a person answered: they know, and the message says who it was.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from core.domain import alarms
from core.domain import alerts as a
from core.domain import alerts_app as own
from core.domain import alerts_money as m
from core.domain import alerts_rules as r
from core.domain import alerts_terminal as t
from core.domain.alert_parts import AccountAlert, GroupItem
from core.domain.alerts_market import MarketCloseAhead, MarketWarning
from core.domain.alerts_over import AlertsOver, Ending
from core.domain.findings import CloseReason
from core.domain.hearing import Hearing, is_off

GATHER: Final = timedelta(seconds=5)
"""A line waits so long for others that end with it; each that does starts the wait anew."""
GATHER_MAX: Final = timedelta(seconds=45)
"""The longest that a line waits in all."""
ENDINGS_MAX: Final = 100
"""Things that one line counts; the next begins another."""


class What(StrEnum):
    """What a line says is over."""

    DRAWDOWN = "drawdown"
    DIFFERENCE = "difference"
    RULE = "rule"
    PRICES = "prices"
    UNREAD = "unread"
    MARKET = "market"
    CLOSE_AHEAD = "close_ahead"
    CHAT = "chat"
    ALARM = "alarm"


class Thing(Struct, frozen=True, gc=False):
    """What may be open and over, as `Ending` names it: the same again is equal."""

    kind: What
    about: str = ""
    symbol: str = ""
    login: int = 0
    subject: str = ""


TOLD_OTHERWISE: Final = frozenset({"closed:reckoner", "cancelled", "adopted"})
"""Ends of a difference that a close job's report tells, or a person has said themselves."""
CLOSE_REPORT: Final = a.PositionClosed.__name__
"""The kind that tells in a message of its own how a position ended."""


def ending_of(alert: a.Alert) -> Ending | None:  # noqa: PLR0911 - one arm per kind
    """What is over with this alert; None where nothing is, or where that is told otherwise."""
    match alert:
        case a.DrawdownEased():
            return _over(Thing(What.DRAWDOWN, login=alert.login), alert.warned_at, alert.at)
        case a.DivergenceResolved() if alert.how not in TOLD_OTHERWISE:
            thing = _difference(alert, alert, alert.finding)
            return _over(thing, alert.opened_at, alert.resolved_at)
        case r.RuleEased():
            thing = Thing(What.RULE, alert.title, login=alert.login, subject=alert.rule)
            return _over(thing, alert.opened_at, alert.at)
        case m.PricesMove():
            return _over(Thing(What.PRICES, login=alert.login), alert.since, alert.at)
        case t.AccountRecovered():
            return _over(Thing(What.UNREAD, login=alert.login), alert.since, alert.at)
        case MarketWarning() if alert.state == "resolved" and not _closed(alert):
            thing = Thing(What.MARKET, alert.warning, alert.symbol, subject=alert.server)
            return _over(thing, alert.opened_at, alert.at)
        case MarketCloseAhead() if alert.state in {"dismissed", "resolved"}:
            thing = Thing(What.CLOSE_AHEAD, alert.warning, alert.symbol, alert.login)
            return _over(thing, None, alert.at)
        case own.ChatReachable() if not alert.here:
            thing = Thing(What.CHAT, alert.person, subject=str(alert.chat_id))
            return _over(thing, alert.since, alert.at)
        case _:
            return None


def opened_by(alert: a.Alert) -> frozenset[Thing]:
    """What is open with this alert, of all that a line could say is over."""
    things = _opened_alone(alert)
    if isinstance(alert, a.DivergencesOpened):
        things = [_difference(alert, each, each.finding or alert.finding) for each in alert.items]
    if alarms.may_raise(alert):
        things.append(Thing(What.ALARM, type(alert).__name__, login=getattr(alert, "login", 0)))
    return frozenset(things)


def begun_again(alert: a.Alert, ending: Ending) -> bool:
    """Whether what a waiting line says is over is open (again) with this alert.

    An alert about many names the first of them: any of its account may be among the others.
    """
    if isinstance(alert, a.DivergencesOpened) and alert.count > len(alert.items):
        return ending.kind == What.DIFFERENCE and ending.login == alert.login
    thing = Thing(What(ending.kind), ending.about, ending.symbol, ending.login, ending.subject)
    return thing in opened_by(alert)


def _opened_alone(alert: a.Alert) -> list[Thing]:  # noqa: PLR0911 - one arm per kind
    match alert:
        case a.DrawdownWarning():
            return [Thing(What.DRAWDOWN, login=alert.login)]
        case a.DivergenceOpened():
            return [_difference(alert, alert, alert.finding)]
        case r.RuleBroken():
            return [Thing(What.RULE, alert.title, login=alert.login, subject=alert.rule)]
        case m.PricesStill():
            return [Thing(What.PRICES, login=alert.login)]
        case t.AccountUnavailable():
            return [Thing(What.UNREAD, login=alert.login)]
        case MarketWarning() if alert.state == "open":
            return [Thing(What.MARKET, alert.warning, alert.symbol, subject=alert.server)]
        case MarketCloseAhead() if alert.state == "open":
            return [Thing(What.CLOSE_AHEAD, alert.warning, alert.symbol, alert.login)]
        case a.ChatUnreachable():
            return [Thing(What.CHAT, alert.person, subject=str(alert.chat_id))]
        case _:
            return []


def _difference(
    account: AccountAlert,
    one: a.DivergenceOpened | a.DivergenceResolved | GroupItem,
    finding: str,
) -> Thing:
    return Thing(What.DIFFERENCE, finding, one.symbol, account.login, one.subject)


def is_told(alert: a.Alert, hearing: Hearing | None, *, own: bool) -> bool:
    """Whether the close that ended a difference is told here by itself, in the same commit.

    `own` where this is its client's chat, `hearing` what they want to hear of. A stop-out is told
    to everybody, whatever they chose; of the others the admins are not.
    """
    if not isinstance(alert, a.DivergenceResolved) or not alert.how.startswith("closed:"):
        return False
    if alert.how == f"closed:{CloseReason.STOP_OUT.value}":
        return True
    heard = hearing is None or not is_off(hearing, CLOSE_REPORT, a.Priority.INFO)
    return own and heard


def gathered(
    waiting: AlertsOver, since: datetime, ending: Ending, now: datetime
) -> tuple[AlertsOver, datetime] | None:
    """The line with one more in it, and when it is due; None where another has to begin.

    `since` is when the line began to wait.
    """
    if len(waiting.endings) >= ENDINGS_MAX or now >= since + GATHER_MAX:
        return None
    line = AlertsOver(endings=(*waiting.endings, ending))
    return line, min(now + GATHER, since + GATHER_MAX)


def _closed(alert: MarketWarning) -> bool:
    """Whether it ended by its close, which is reported when it is proved."""
    gap_closed = alert.warning == "gap" and alert.action == "close" and not alert.ended
    return alert.ended == "closed" or gap_closed


def _over(thing: Thing, since: datetime | None, until: datetime) -> Ending:
    return Ending(
        kind=thing.kind.value,
        about=thing.about,
        symbol=thing.symbol,
        login=thing.login,
        subject=thing.subject,
        since=since,
        until=until,
    )
