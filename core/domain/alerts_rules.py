"""What Reckoner tells of guard rules, and of being unable to guard at all."""

from datetime import datetime
from decimal import Decimal

from core.domain.alert_parts import AccountAlert


class RuleBroken(AccountAlert, frozen=True, kw_only=True):
    """A rule is broken that does not close everything, or would in another mode.

    `severity`: close_all, pause_day or warn; `mode`: advise or enforce. `measure` says what
    `figure` and `floor` are: money (loss, exposure), percent (margin_level) or a count (positions).
    `paused_until`: approvals are refused until then. `zone` is the rule's own, empty where it has
    no clock.
    """

    rule: str
    title: str
    severity: str
    mode: str
    measure: str
    figure: Decimal
    floor: Decimal
    equity: Decimal
    paused_until: datetime | None
    zone: str
    at: datetime


class RuleEased(AccountAlert, frozen=True, kw_only=True):
    """What a rule was broken by is over; it takes the place of the message that told of it."""

    rule: str
    title: str
    severity: str
    mode: str
    measure: str
    figure: Decimal | None
    floor: Decimal
    equity: Decimal
    result: Decimal
    opened_at: datetime
    at: datetime


class RuleResetAhead(AccountAlert, frozen=True, kw_only=True):
    """A rule's next reset would find it broken already: `figure` is below `floor_after`.

    `severity` and `mode` say what follows then.
    """

    rule: str
    title: str
    severity: str
    mode: str
    figure: Decimal
    floor: Decimal
    floor_after: Decimal
    resets_at: datetime
    zone: str
    at: datetime


class RulesChanged(AccountAlert, frozen=True, kw_only=True):
    """Other rules are in force, or looser ones wait for their 24 h.

    `rules` are (title, mode) of those in force, or of those that wait.
    """

    profile: str
    rules: tuple[tuple[str, str], ...]
    pending: bool
    effective_at: datetime | None
    at: datetime


class GuardBlind(AccountAlert, frozen=True, kw_only=True):
    """No reading could be trusted since `since`, with positions open: nothing is guarded."""

    since: datetime
    positions_count: int
    reason: str
    at: datetime


class GuardSees(AccountAlert, frozen=True, kw_only=True):
    """The guard sees again; it was blind from `since` on."""

    since: datetime
    equity: Decimal
    at: datetime


RuleAlert = RuleBroken | RuleEased | RuleResetAhead | RulesChanged | GuardBlind | GuardSees
