"""A rule's arithmetic: its base through resets and cash flows, its floor, its limit.

Invariants:

1. A day's base is taken from the last trusted reading before the reset; where none came just
   before it, from the last there was, and the memory says how old that was.
2. The base of a trail only rises, but for cash flows; so does the floor, until its lock.
3. A cash flow f multiplies a percent rule's figures by (E + f) / E, and is added to those of a
   money rule, E being the reading's equity without it (law 9): it changes no verdict. Where E or
   E + f is not above zero the rule begins anew.
"""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct
from msgspec.structs import replace

from core.domain.broker import ZERO
from core.domain.money import HUNDRED
from core.domain.rule_clock import last_reset, next_reset
from core.domain.rules import AmountKind, Base, Compare, Measure, RuleSpec, Trail

QUANTUM = Decimal("0.00000001")
SCALE_QUANTUM = Decimal("0.000000000000000001")
ONE = Decimal(1)


class Trusted(Struct, frozen=True, gc=False):
    """The last reading that could be believed: when, and its two figures."""

    at: datetime
    equity: Decimal
    balance: Decimal


class RuleReading(Struct, frozen=True, kw_only=True, gc=False):
    """What one reading shows to rules. Money in account currency, without unexplained gains.

    `flow` is what came in (+) or went out with it. `doubtful`: not to be believed by itself, since
    money is unexplained, figures contradict each other, or prices stand still. `trusted`: deals
    explain it, so that its flows are whole. `exposure` is the value of all positions, both sides
    added; None where a position's value is not known.
    """

    at: datetime
    equity: Decimal
    balance: Decimal
    flow: Decimal = ZERO
    trusted: bool = True
    doubtful: bool = False
    margin_level_percent: Decimal | None = None
    positions: int = 0
    exposure: Decimal | None = ZERO


class RuleMemory(Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one rule of one account between readings; it is kept with the account.

    `base` is what the amount is taken from, read at `base_at`; `base_age_s` how long before its
    reset that was. `resets_at` is the next reset. `initial` and `scale` follow cash flows: `scale`
    is what the initial balance was multiplied by. `over_since`: over the limit by readings in
    doubt. `opened_at` with `opened_equity` (which follows cash flows) and `worst`: an episode under
    way. `reset_told_for`: the reset that was warned of. `armed`: a
    reading was inside the limit once; before that nothing is closed, for an initial balance may
    be mistyped.
    """

    shape: str
    initial: Decimal
    scale: Decimal = ONE
    base: Decimal
    base_at: datetime
    base_age_s: int = 0
    resets_at: datetime | None = None
    over_since: datetime | None = None
    opened_at: datetime | None = None
    opened_equity: Decimal | None = None
    worst: Decimal | None = None
    paused_until: datetime | None = None
    reset_told_for: datetime | None = None
    armed: bool = False


class Floor(Struct, frozen=True, kw_only=True, gc=False):
    """Where a rule ends: `limit` is the rule's own figure, `acts_at` that with its buffer.

    `amount` is how much the rule allows. `locked`: the floor has reached its lock and stays.
    """

    base: Decimal
    amount: Decimal
    limit: Decimal
    acts_at: Decimal
    locked: bool = False


def shape_of(spec: RuleSpec, initial: Decimal | None) -> str:
    """What a memory belongs to: it serves no other rule, and no other initial balance."""
    return f"{spec.shape}|{'' if initial is None else f'{initial.normalize():f}'}"


def begin(spec: RuleSpec, reading: RuleReading, initial: Decimal | None) -> RuleMemory:
    """The memory after a rule's first trusted reading."""
    start = reading.balance if initial is None else initial
    return RuleMemory(
        shape=shape_of(spec, initial),
        initial=start,
        base=_of(spec.base, reading.balance, reading.equity, start),
        base_at=reading.at,
        resets_at=None if spec.clock is None else next_reset(spec.clock, reading.at),
    )


def rolled(spec: RuleSpec, memory: RuleMemory, last: Trusted | None, now: datetime) -> RuleMemory:
    """The memory after the resets that lie between the last reading and this one."""
    if spec.clock is None or memory.resets_at is None or now < memory.resets_at:
        return memory
    boundary = last_reset(spec.clock, now)
    memory = replace(memory, resets_at=next_reset(spec.clock, now))
    if last is None:
        return memory
    if spec.trail is Trail.NONE:
        base = _of(spec.base, last.balance, last.equity, memory.initial)
    else:
        end = last.balance if spec.trail is Trail.EOD_BALANCE else last.equity
        base = max(memory.base, end)
        if base == memory.base:
            return memory
    age_s = max(0, int((boundary - last.at).total_seconds()))
    return replace(memory, base=base, base_at=last.at, base_age_s=age_s)


def flowed(spec: RuleSpec, memory: RuleMemory, reading: RuleReading) -> RuleMemory:
    """The memory after money came in or went out (law 9)."""
    flow = reading.flow
    if flow == 0:
        return memory
    before = reading.equity - flow
    opened = memory.opened_equity
    memory = replace(memory, opened_equity=None if opened is None else opened + flow)
    if before <= 0 or reading.equity <= 0:
        fresh = begin(spec, reading, None)
        return replace(
            memory, initial=fresh.initial, scale=ONE, base=fresh.base, base_at=reading.at
        )
    if not spec.counts_percent:
        return replace(memory, initial=memory.initial + flow, base=memory.base + flow)
    return replace(
        memory,
        initial=_times(memory.initial, reading.equity, before),
        base=_times(memory.base, reading.equity, before),
        scale=(memory.scale * reading.equity / before).quantize(SCALE_QUANTUM),
    )


def ratcheted(spec: RuleSpec, memory: RuleMemory, reading: RuleReading) -> RuleMemory:
    """The memory after a reading that is to be believed: an intraday trail follows it up."""
    if spec.trail is not Trail.INTRADAY_EQUITY or reading.equity <= memory.base:
        return memory
    return replace(memory, base=reading.equity, base_at=reading.at)


def floor_of(spec: RuleSpec, memory: RuleMemory, reading: RuleReading | None = None) -> Floor:
    """Where the rule ends now. Limits other than of losses are of the reading's own base."""
    if spec.measure is not Measure.LOSS:
        return _limit(spec, memory, reading)
    amount = _amount(spec, memory.base, memory.initial)
    limit, locked = memory.base - amount, False
    if spec.lock_offset is not None:
        lock = memory.initial + spec.lock_offset * memory.scale
        limit, locked = min(limit, lock), limit >= lock
    kept = amount * spec.buffer_percent / HUNDRED
    return Floor(base=memory.base, amount=amount, limit=limit, acts_at=limit + kept, locked=locked)


def value_of(spec: RuleSpec, reading: RuleReading) -> Decimal | None:
    """The figure that is compared; None where there is none, which breaks no rule."""
    match spec.measure:
        case Measure.MARGIN_LEVEL:
            return reading.margin_level_percent
        case Measure.POSITIONS:
            return Decimal(reading.positions)
        case Measure.EXPOSURE:
            return reading.exposure
        case Measure.LOSS:
            pass
    match spec.compare:
        case Compare.EQUITY:
            return reading.equity
        case Compare.BALANCE:
            return reading.balance
        case Compare.BOTH:
            return min(reading.equity, reading.balance)


def is_past(spec: RuleSpec, value: Decimal | None, limit: Decimal) -> bool:
    """Whether a figure breaks the rule at this limit."""
    if value is None:
        return False
    if value == limit:
        return spec.touch
    return value > limit if spec.is_ceiling else value < limit


def after_reset(spec: RuleSpec, memory: RuleMemory, reading: RuleReading) -> Floor | None:
    """The floor as the next reset would make it, were this the last reading before it."""
    if spec.clock is None or memory.resets_at is None or spec.measure is not Measure.LOSS:
        return None
    last = Trusted(reading.at, reading.equity, reading.balance)
    return floor_of(spec, rolled(spec, memory, last, memory.resets_at))


def _of(base: Base, balance: Decimal, equity: Decimal, initial: Decimal) -> Decimal:
    match base:
        case Base.BALANCE:
            return balance
        case Base.EQUITY:
            return equity
        case Base.MAX:
            return max(balance, equity)
        case Base.INITIAL:
            return initial


def _amount(spec: RuleSpec, base: Decimal, initial: Decimal) -> Decimal:
    match spec.amount.kind:
        case AmountKind.PERCENT_OF_INITIAL:
            return initial * spec.amount.value / HUNDRED
        case AmountKind.PERCENT_OF_BASE:
            return base * spec.amount.value / HUNDRED
        case AmountKind.FIXED:
            return spec.amount.value
        case AmountKind.REMAIN:
            return base - spec.amount.value


def _limit(spec: RuleSpec, memory: RuleMemory, reading: RuleReading | None) -> Floor:
    """A ceiling or a margin level; its base is today's money, not that of a reset."""
    base = memory.base
    if reading is not None:
        base = _of(spec.base, reading.balance, reading.equity, memory.initial)
    limit = _amount(spec, base, memory.initial)
    kept = limit * spec.buffer_percent / HUNDRED
    acts_at = limit - kept if spec.is_ceiling else limit + kept
    return Floor(base=base, amount=limit, limit=limit, acts_at=acts_at)


def _times(figure: Decimal, equity: Decimal, before: Decimal) -> Decimal:
    return (figure * equity / before).quantize(QUANTUM, ROUND_HALF_EVEN)
