"""Who hears what, and how loud: a person's own matrix of alert groups, and their quiet hours.

Nothing here can quieten what is critical: the guard's messages, closes, stop-outs, a blind guard.
What is switched off is not sent; that it was not, and why, is kept with the message.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from core.domain.alerts import Priority


class Group(StrEnum):
    """What is switched together: alerts, and the pinned card, which no alert is."""

    GUARD = "guard"
    CLOSES = "closes"
    POSITIONS = "positions"
    DIFFERENCES = "differences"
    SIGNALS = "signals"
    MARKET = "market"
    MONEY = "money"
    RULES = "rules"
    TERMINAL = "terminal"
    DIGESTS = "digests"
    CARD = "card"


class Level(StrEnum):
    """How a group is heard: with a sound, without one, or not at all."""

    ON = "on"
    SILENT = "silent"
    OFF = "off"


LOCKED: Final = frozenset({Group.GUARD, Group.CLOSES})
"""Groups that are always on: an account at its limit is not a matter of taste."""
NEEDS_A_HAND: Final = frozenset({"SignalOffered"})
"""Kinds whose buttons are the only way on: switched off they are sent silently all the same."""
SUMMARIES: Final = frozenset({"AlertsFolded"})
"""Kinds about many messages, none of which pierces anything."""
GROUPS: Final[Mapping[str, Group]] = {
    kind: group
    for group, kinds in {
        Group.GUARD: (
            "AccountGiven",
            "AccountTaken",
            "DrawdownWarning",
            "DrawdownEased",
            "GuardBreached",
            "LatchedReappeared",
            "LimitsChanged",
            "GuardBlind",
            "GuardSees",
            "ReleaseAsked",
            "ReleaseAnswered",
        ),
        Group.CLOSES: ("CloseConfirmed", "CloseTrouble", "CloseStalled"),
        Group.POSITIONS: ("PositionClosed", "PositionsClosed", "PositionAdopted", "WhileAway"),
        Group.DIFFERENCES: ("DivergenceOpened", "DivergencesOpened", "DivergenceResolved"),
        Group.SIGNALS: ("SignalOffered", "OfferAnswered", "TradeOpened", "TradeNotPlaced"),
        Group.MARKET: ("MarketCloseAhead",),
        Group.MONEY: ("CashFlowSeen", "ResultsBooked", "BalanceUnexplained", "BalanceExplained"),
        Group.RULES: ("RuleBroken", "RuleEased", "RuleResetAhead", "RulesChanged"),
        Group.TERMINAL: (
            "AccountUnavailable",
            "AccountRecovered",
            "CannotClose",
            "CanCloseAgain",
            "TerminalBlocked",
            "TerminalCleared",
            "PricesStill",
            "PricesMove",
        ),
        Group.DIGESTS: ("DailyDigest",),
    }.items()
    for kind in kinds
}
"""The group of every kind of alert that a client is sent. A kind that has none is always on."""


class QuietHours(Struct, frozen=True):
    """Minutes since midnight on the person's own wall clock, from `start_min` until `end_min`.

    The second may be the smaller: then the night is in between. By the wall clock means that the
    hour which comes twice in autumn is quiet twice, and the one left out in spring never.
    """

    start_min: int
    end_min: int

    def cover(self, at: datetime, time_zone: str) -> bool:
        """Whether this instant (UTC) is in them, where the person is."""
        there = at.astimezone(ZoneInfo(time_zone))
        minute = there.hour * 60 + there.minute
        if self.start_min < self.end_min:
            return self.start_min <= minute < self.end_min
        return minute >= self.start_min or minute < self.end_min


class Hearing(Struct, frozen=True, kw_only=True):
    """What one person wants to hear. A group that `levels` does not name is on."""

    levels: Mapping[Group, Level] = {}
    quiet: QuietHours | None = None
    time_zone: str = "UTC"

    def level(self, group: Group) -> Level:
        """How the group is heard."""
        return Level.ON if group in LOCKED else self.levels.get(group, Level.ON)


class Choices(Struct, frozen=True, kw_only=True):
    """What a person has chosen. `version` rises with each change; 0 where nothing was chosen.

    `language` is what they chose to be spoken to in; empty: what their Telegram speaks.
    """

    version: int
    hearing: Hearing
    language: str = ""


def pierces(kind: str, priority: int) -> bool:
    """Whether nobody can quieten it: what is critical, and the guard's and closes' own news."""
    if priority == Priority.CRITICAL:
        return True
    if kind in SUMMARIES:
        return False
    return GROUPS.get(kind, Group.GUARD) in LOCKED and priority != Priority.INFO


def is_off(hearing: Hearing, kind: str, priority: int) -> bool:
    """Whether it is not sent at all."""
    group = GROUPS.get(kind)
    if group is None or pierces(kind, priority) or kind in NEEDS_A_HAND:
        return False
    return hearing.level(group) is Level.OFF


def is_silent(hearing: Hearing, kind: str, priority: int, at: datetime) -> bool:
    """Whether it is sent without a sound, at this instant (UTC)."""
    if pierces(kind, priority):
        return False
    group = GROUPS.get(kind)
    if group is not None and hearing.level(group) is not Level.ON:
        return True
    return hearing.quiet is not None and hearing.quiet.cover(at, hearing.time_zone)


def parse_quiet(text: str) -> QuietHours:
    """`22:00-07:00`. Raises ValueError where it is not two different times of a day."""
    start, dash, end = text.replace("\N{EN DASH}", "-").replace(" ", "").partition("-")
    found = QuietHours(_minute(start), _minute(end))
    if not dash or found.start_min == found.end_min:
        raise ValueError(text)
    return found


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    minutes = minutes or "00"
    if not (hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
        raise ValueError(text)
    if len(hours) > 2 or len(minutes) != 2 or int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004 - a clock's own
        raise ValueError(text)
    return int(hours) * 60 + int(minutes)
