"""Guard rules as data: what a rule is, which of two is the stricter, and when a looser one holds.

A rule sets a floor under the equity (`Measure.LOSS`: base minus amount), or a limit to the margin
level, to the number of positions, or to the exposure.

Rules of an account are tightened at once and loosened after 24 h, of a flat and unlatched account
(law 8), as its limits are (`core.domain.limits`). A rule whose clock, base, trail, lock or kind of
amount changes is another rule: nobody can say which is stricter, so the old one stays that long.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from core.domain.broker import ZERO
from core.domain.limits import LOOSENING_WAIT
from core.domain.rule_clock import RuleClock


class Measure(StrEnum):
    """What a rule looks at."""

    LOSS = "loss"
    MARGIN_LEVEL = "margin_level"
    POSITIONS = "positions"
    EXPOSURE = "exposure"


class Base(StrEnum):
    """What an allowed loss is counted from: at the reset, or at the start of a trail."""

    BALANCE = "balance"
    EQUITY = "equity"
    MAX = "max"
    INITIAL = "initial"


class AmountKind(StrEnum):
    """What an amount's figure means. `remain` is the floor itself, for the minimum equity only."""

    PERCENT_OF_INITIAL = "percent_of_initial"
    PERCENT_OF_BASE = "percent_of_base"
    FIXED = "fixed"
    REMAIN = "remain"


class Compare(StrEnum):
    """What is compared with the floor; `both`: whichever is lower."""

    EQUITY = "equity"
    BALANCE = "balance"
    BOTH = "both"


class Trail(StrEnum):
    """What the base follows upwards, and never down."""

    NONE = "none"
    EOD_BALANCE = "eod_balance"
    EOD_EQUITY = "eod_equity"
    INTRADAY_EQUITY = "intraday_equity"


class Severity(StrEnum):
    """What a broken rule calls for."""

    WARN = "warn"
    PAUSE_DAY = "pause_day"
    CLOSE_ALL = "close_all"


class Mode(StrEnum):
    """Whether a rule only keeps a log, also tells what it would do, or does it."""

    OBSERVE = "observe"
    ADVISE = "advise"
    ENFORCE = "enforce"


class Amount(Struct, frozen=True, gc=False):
    """How much: percent (5 means 5 %), money, a margin level in percent, or a count."""

    kind: AmountKind
    value: Decimal


class RuleSpec(Struct, frozen=True, kw_only=True, gc=False):
    """One rule.

    `touch`: at the limit counts as past it. `lock_offset`: the floor stops rising at the initial
    balance plus this; None: never. `buffer_percent` of the amount is kept back: the guard acts that
    much before the floor. `always`: judged by `core.domain.drawdown`, with the account's limits.
    """

    name: str
    title: str
    measure: Measure = Measure.LOSS
    clock: RuleClock | None = None
    base: Base = Base.INITIAL
    amount: Amount
    compare: Compare = Compare.EQUITY
    touch: bool = False
    trail: Trail = Trail.NONE
    lock_offset: Decimal | None = None
    severity: Severity = Severity.CLOSE_ALL
    buffer_percent: Decimal = ZERO
    always: bool = False

    @property
    def shape(self) -> str:
        """What makes it the same rule with other figures."""
        clock = (
            "" if self.clock is None else f"{self.clock.zone} {self.clock.hour}:{self.clock.minute}"
        )
        lock = "" if self.lock_offset is None else f"{self.lock_offset.normalize():f}"
        parts = (self.measure, clock, self.base, self.amount.kind, self.trail, lock)
        return "|".join(str(part) for part in parts)

    @property
    def counts_percent(self) -> bool:
        """Whether a cash flow multiplies its figures; it is added to those of others (law 9)."""
        return self.amount.kind in {AmountKind.PERCENT_OF_INITIAL, AmountKind.PERCENT_OF_BASE}

    @property
    def is_ceiling(self) -> bool:
        """Whether more is worse."""
        return self.measure in {Measure.POSITIONS, Measure.EXPOSURE}


class Profile(Struct, frozen=True, kw_only=True):
    """A set of rules as a file has it, and where its figures come from."""

    name: str
    title: str
    source: str
    rules: tuple[RuleSpec, ...]


class HeldRule(Struct, frozen=True, gc=False):
    """A rule as one account holds it."""

    spec: RuleSpec
    mode: Mode

    @property
    def closes(self) -> bool:
        """Whether it closes everything when it is broken."""
        return self.mode is Mode.ENFORCE and self.spec.severity is Severity.CLOSE_ALL


class RuleSet(Struct, frozen=True, kw_only=True, gc=False):
    """An account's rules. `initial` is its nominal balance; None: that of its first reading."""

    profile: str
    initial: Decimal | None = None
    rules: tuple[HeldRule, ...] = ()


class RulesState(Struct, frozen=True, kw_only=True, gc=False):
    """What is in force, and what waits to be."""

    in_force: RuleSet
    pending: RuleSet | None = None
    effective_at: datetime | None = None


NO_RULES = RuleSet(profile="default")
_SEVERITIES = tuple(Severity)
_MODES = tuple(Mode)


def tightest(one: RuleSet, other: RuleSet) -> RuleSet:
    """The rules of `one`, each tightened by `other`, and those only `other` has.

    A rule of another shape, or of another initial balance, is kept as `one` has it.
    """
    if not one.rules:
        return other
    same_initial = one.initial == other.initial
    mine = {held.spec.name: held for held in one.rules}
    rules: list[HeldRule] = []
    for theirs in other.rules:
        own = mine.pop(theirs.spec.name, None)
        if own is None:
            rules.append(theirs)
        elif same_initial and own.spec.shape == theirs.spec.shape:
            rules.append(_strictest(own, theirs))
        else:
            rules.append(own)
    return RuleSet(profile=other.profile, initial=one.initial, rules=(*rules, *mine.values()))


def align(state: RulesState, wanted: RuleSet, now: datetime, *, may_loosen: bool) -> RulesState:
    """Bring the rules in force towards the wanted ones.

    `may_loosen` is whether the account is flat and unlatched now. What waits stays only while it is
    still what is wanted, and ripens only while the account may loosen.
    """
    in_force = tightest(state.in_force, wanted)
    if in_force == wanted:
        return RulesState(in_force=in_force)
    if state.pending != wanted or state.effective_at is None:
        if not may_loosen:
            return RulesState(in_force=in_force)
        return RulesState(in_force=in_force, pending=wanted, effective_at=now + LOOSENING_WAIT)
    if now >= state.effective_at and may_loosen:
        return RulesState(in_force=wanted)
    return RulesState(in_force=in_force, pending=wanted, effective_at=state.effective_at)


def _strictest(one: HeldRule, other: HeldRule) -> HeldRule:
    """The stricter of both in each figure; their shape is the same. Words are `other`'s."""
    a, b = one.spec, other.spec
    higher = a.measure is Measure.MARGIN_LEVEL or a.amount.kind is AmountKind.REMAIN
    choose = max if higher else min
    spec = replace(
        b,
        amount=Amount(a.amount.kind, choose(a.amount.value, b.amount.value)),
        compare=b.compare if a.compare is b.compare else Compare.BOTH,
        touch=a.touch or b.touch,
        severity=max(a.severity, b.severity, key=_SEVERITIES.index),
        buffer_percent=max(a.buffer_percent, b.buffer_percent),
    )
    return HeldRule(spec, max(one.mode, other.mode, key=_MODES.index))
