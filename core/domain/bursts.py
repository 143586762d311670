"""When messages come so fast that the rest of them share one.

Invariants:

1. What is critical always goes alone, and so does the guard's own news, what was won or lost by a
   close, what has to be answered (an offer, a question, a close that is announced) and an alarm
   that waits for "I have it".
2. A warning that is folded is heard: where the summary is sent already, it begins a new one, unless
   that one rang within the last `RINGS_FOR`.
3. A chat gets at most `GROUP_ALONE_MAX` (`PRIVATE_ALONE_MAX`) messages in `SPAN` before others are
   folded, and one summary for each `LASTS` of a burst of news; it is edited as the burst grows,
   which makes no sound.
4. Every folded message is counted in exactly one summary.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from core.domain import alarms
from core.domain import alerts as a
from core.domain import alerts_money as m
from core.domain import alerts_rules as r
from core.domain import alerts_terminal as t
from core.domain.alerts_folded import AlertsFolded
from core.domain.alerts_market import MarketWarning
from core.domain.speech import NEW, deliver

GROUP_ALONE_MAX: Final = 8
"""New messages that are not critical, to one group within `SPAN`, that are sent one by one.

Telegram takes 18 a minute there, and what is critical and answers to people need the others.
"""
PRIVATE_ALONE_MAX: Final = 20
"""The same to one person, who takes one a second: more than one every three seconds is a burst."""
SPAN: Final = timedelta(seconds=60)
LASTS: Final = timedelta(minutes=5)
"""After this long a burst that goes on gets a new summary: the old one has scrolled away."""
RINGS_FOR: Final = timedelta(minutes=1)
"""How long a summary that rang speaks for the warnings that join it with an edit."""
LOGINS_MAX: Final = 12
"""Accounts that a summary names."""
KINDS: Final = (
    a.TradeOpened,
    a.TradeNotPlaced,
    a.DivergenceOpened,
    a.DivergencesOpened,
    m.CashFlowSeen,
    m.ResultsBooked,
    m.PricesStill,
    m.WhileAway,
    r.RuleBroken,
    t.AccountUnavailable,
    t.CannotClose,
    MarketWarning,
)
"""Kinds that come in bursts, and that can be looked up. Everything else goes alone."""
STOPS: Final = "warn"
"""The severity of a broken rule that stops nothing."""


def folded_as(alert: a.Alert) -> tuple[str, int] | None:
    """What a summary counts it as, and how many it is; None where it always goes alone."""
    delivery = deliver(alert)
    alone = delivery.mode != NEW or delivery.priority is a.Priority.CRITICAL
    if alone or not isinstance(alert, KINDS) or alarms.raises(alert):
        return None
    kind = type(alert).__name__
    match alert:
        case MarketWarning():
            return None if alert.action == "close" else (f"market_{alert.warning}", 1)
        case r.RuleBroken():
            return (kind, 1) if alert.severity == STOPS else None
        case a.DivergenceOpened():
            return alert.finding, 1
        case a.DivergencesOpened():
            return alert.finding, alert.count
        case _:
            return kind, 1


def is_burst(lately: int, *, group: bool) -> bool:
    """Whether the next message is folded, where so many went to its chat within `SPAN`."""
    return lately >= (GROUP_ALONE_MAX if group else PRIVATE_ALONE_MAX)


def goes_on(summary: AlertsFolded, now: datetime) -> bool:
    """Whether the burst that a summary is of has not ended."""
    return now - summary.at < SPAN and now - summary.since < LASTS


def is_heard(summary: AlertsFolded, alert: a.Alert, now: datetime) -> bool:
    """Whether the reader learns of it though a summary that was sent is only edited for it."""
    if deliver(alert).priority is a.Priority.INFO:
        return True
    return summary.urgent and now - summary.since < RINGS_FOR


def grown(
    summary: AlertsFolded | None, alert: a.Alert, counted: tuple[str, int], now: datetime
) -> AlertsFolded:
    """The summary with one message more; a new one where there is none that goes on."""
    word, n = counted
    urgent = deliver(alert).priority is not a.Priority.INFO
    login = getattr(alert, "login", 0)
    before = summary or AlertsFolded(
        messages=0, counts={}, logins=(), urgent=False, since=now, at=now
    )
    known = before.logins
    logins = (*known, login) if login and login not in known else known
    return replace(
        before,
        messages=before.messages + 1,
        counts=before.counts | {word: before.counts.get(word, 0) + n},
        logins=logins[:LOGINS_MAX],
        urgent=before.urgent or urgent,
        at=now,
    )
