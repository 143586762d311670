"""Which alerts end something that was told aloud, so that a silent line has to say it is over.

What is resolved is edited in its place, which makes no push and scrolls out of sight. Whoever was
woken would never learn that it ended. Nothing follows what ends in a message of its own, and
nothing what a person answered: they know, and the message says who it was.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from core.domain import alerts as a
from core.domain import alerts_app as own
from core.domain import alerts_money as m
from core.domain import alerts_rules as r
from core.domain import alerts_terminal as t
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


TOLD_OTHERWISE: Final = frozenset({"closed:reckoner", "cancelled", "adopted"})
"""Ends of a difference that a close job's report tells, or a person has said themselves."""
CLOSE_REPORT: Final = a.PositionClosed.__name__
"""The kind that tells in a message of its own how a position ended."""


def ending_of(alert: a.Alert) -> Ending | None:  # noqa: PLR0911 - one arm per kind
    """What is over with this alert; None where nothing is, or where that is told otherwise."""
    match alert:
        case a.DrawdownEased():
            return _of(What.DRAWDOWN, alert.warned_at, alert.at, login=alert.login)
        case a.DivergenceResolved() if alert.how not in TOLD_OTHERWISE:
            return _of(
                What.DIFFERENCE,
                alert.opened_at,
                alert.resolved_at,
                about=alert.finding,
                symbol=alert.symbol,
                login=alert.login,
            )
        case r.RuleEased():
            return _of(What.RULE, alert.opened_at, alert.at, about=alert.title, login=alert.login)
        case m.PricesMove():
            return _of(What.PRICES, alert.since, alert.at, login=alert.login)
        case t.AccountRecovered():
            return _of(What.UNREAD, alert.since, alert.at, login=alert.login)
        case MarketWarning() if alert.state == "resolved" and not _closed(alert):
            return _of(
                What.MARKET,
                alert.opened_at,
                alert.at,
                about=alert.warning,
                symbol=alert.symbol,
            )
        case MarketCloseAhead() if alert.state in {"dismissed", "resolved"}:
            return _of(
                What.CLOSE_AHEAD,
                None,
                alert.at,
                about=alert.warning,
                symbol=alert.symbol,
                login=alert.login,
            )
        case own.ChatReachable() if not alert.here:
            return _of(What.CHAT, alert.since, alert.at, about=alert.person)
        case _:
            return None


def opens(alert: a.Alert) -> bool:
    """Whether it says that something is open which a line could say is over."""
    return _opens(alert) is not None


def begun_again(alert: a.Alert, thread: str, ending: Ending) -> bool:
    """Whether what a waiting line says is over is open (again) with this alert of a thread.

    A difference is one position's, so only its own thread counts; everything else there is once.
    """
    if ending.thread and ending.thread == thread:
        return _opens(alert) is not None
    opened = _opens(alert)
    if opened is None or opened[0] is What.DIFFERENCE:
        return False
    return opened == (What(ending.kind), ending.about, ending.symbol, ending.login)


def _opens(alert: a.Alert) -> tuple[What, str, str, int] | None:  # noqa: PLR0911 - one arm per kind
    """What is open with this alert: its kind, which, the symbol and the account of its ending."""
    match alert:
        case a.DrawdownWarning():
            return What.DRAWDOWN, "", "", alert.login
        case a.DivergenceOpened():
            return What.DIFFERENCE, alert.finding, alert.symbol, alert.login
        case r.RuleBroken():
            return What.RULE, alert.title, "", alert.login
        case m.PricesStill():
            return What.PRICES, "", "", alert.login
        case t.AccountUnavailable():
            return What.UNREAD, "", "", alert.login
        case MarketWarning() if alert.state == "open":
            return What.MARKET, alert.warning, alert.symbol, 0
        case MarketCloseAhead() if alert.state == "open":
            return What.CLOSE_AHEAD, alert.warning, alert.symbol, alert.login
        case a.ChatUnreachable():
            return What.CHAT, alert.person, "", 0
        case _:
            return None


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


def _of(
    kind: What,
    since: datetime | None,
    until: datetime,
    *,
    about: str = "",
    symbol: str = "",
    login: int = 0,
) -> Ending:
    return Ending(
        kind=kind.value, about=about, symbol=symbol, login=login, since=since, until=until
    )
