"""An account's rules judged on one reading: what is broken, what begins, ends, or lies ahead.

Invariants:

1. No verdict improves as equity falls.
2. A reading in doubt neither breaks a rule nor ends what is broken. Over the limit by such readings
   for `DOUBT_WAIT` it is taken at its word; only a trusted reading sets that time back.
3. A broken rule is one episode until it is over by a margin, so that it does not flutter.
4. A day's pause lasts until its reset, whatever the equity does.
5. What is remembered is enough to go on from after a restart.
6. A rule that is broken at its first reading closes nothing until a reading was inside it once: so
   that a mistyped initial balance does not close an account. It is told.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from core.domain.money import HUNDRED
from core.domain.rule_floor import (
    Floor,
    RuleMemory,
    RuleReading,
    Trusted,
    after_reset,
    begin,
    floor_of,
    flowed,
    is_past,
    ratcheted,
    rolled,
    shape_of,
    value_of,
)
from core.domain.rules import HeldRule, Measure, Mode, RuleSet, RuleSpec, Severity

DOUBT_WAIT = timedelta(minutes=5)
"""Over the limit by readings in doubt for this long, a rule counts as broken."""
EASE_PERCENT = Decimal(5)
"""An episode is over this much of the amount inside the limit."""
HURRY_PERCENT = Decimal(2)
"""This many percent of the base past the limit, there is no time for a countdown (law 8)."""
NEAR_PERCENT = Decimal(25)
"""With less of the amount left than this an account is read as often as possible."""
RESET_LEAD = timedelta(hours=1)
"""So long before a reset it is told that the floor after it is already passed."""

Memories = Mapping[str, RuleMemory]


class RuleVerdict(Struct, frozen=True, kw_only=True):
    """One rule after one reading.

    `past`: the reading is past where the guard acts. `stands`: and that is to be acted upon.
    `begun`, `ended`: an episode does. `new_day`: a reset passed. `ahead`: the floor after the next
    reset, where it is to be told that it is passed already.
    """

    held: HeldRule
    memory: RuleMemory
    before: RuleMemory | None
    floor: Floor
    value: Decimal | None
    past: bool
    stands: bool
    begun: bool
    ended: bool
    new_day: bool
    ahead: Floor | None

    @property
    def name(self) -> str:
        """The rule's name in its profile."""
        return self.held.spec.name

    @property
    def closes(self) -> bool:
        """Whether everything is to be closed now."""
        return self.stands and self.held.closes and self.memory.armed

    @property
    def room(self) -> Decimal | None:
        """How far the figure is from where the guard acts; below zero past it."""
        if self.value is None:
            return None
        room = self.value - self.floor.acts_at
        return -room if self.held.spec.is_ceiling else room


class RulesVerdict(Struct, frozen=True, kw_only=True):
    """All of an account's rules after one reading. `memories` are to be kept for the next."""

    rules: tuple[RuleVerdict, ...] = ()
    memories: Memories = {}

    @property
    def broken(self) -> RuleVerdict | None:
        """The first rule that closes everything now."""
        return next((rule for rule in self.rules if rule.closes), None)

    @property
    def hurry(self) -> str:
        """Why a countdown would be too slow, empty where it would not."""
        closing = (rule for rule in self.rules if rule.closes)
        return "far_past_limit" if any(map(_is_far, closing)) else ""

    @property
    def near(self) -> bool:
        """Whether a rule that acts has little room left."""
        return any(map(_is_near, self.rules))

    @property
    def eventful(self) -> bool:
        """Whether there is something to record."""
        return any(r.begun or r.ended or r.new_day or r.ahead for r in self.rules)


NOTHING = RulesVerdict()


def judge(
    rules: RuleSet, memories: Memories, last: Trusted | None, reading: RuleReading
) -> RulesVerdict:
    """Judge one reading by each rule. `last` is the last trusted reading before it."""
    judged: list[RuleVerdict] = []
    for held in rules.rules:
        if held.spec.always:
            continue
        known = memories.get(held.spec.name)
        if known is not None and known.shape != shape_of(held.spec, rules.initial):
            known = None
        verdict = _judge(held, known, last, reading, rules.initial)
        if verdict is not None:
            judged.append(verdict)
    return RulesVerdict(rules=tuple(judged), memories={v.name: v.memory for v in judged})


def restarted(rules: RuleSet, reading: RuleReading) -> Memories:
    """The memories after a release: every rule begins anew at this trusted reading (law 8)."""
    return {
        held.spec.name: replace(
            begin(held.spec, reading, None), shape=shape_of(held.spec, rules.initial)
        )
        for held in rules.rules
        if not held.spec.always
    }


def paused(memories: Memories, now: datetime) -> tuple[str, datetime] | None:
    """The rule that pauses the account longest, and until when; None where none does."""
    until = [(m.paused_until, name) for name, m in memories.items() if m.paused_until is not None]
    last = max(until, default=None)
    return None if last is None or last[0] <= now else (last[1], last[0])


def _judge(
    held: HeldRule,
    known: RuleMemory | None,
    last: Trusted | None,
    reading: RuleReading,
    initial: Decimal | None,
) -> RuleVerdict | None:
    spec = held.spec
    if known is None:
        if reading.doubtful:
            return None
        memory = begin(spec, reading, initial)
    else:
        memory = rolled(spec, known, last, reading.at)
        if reading.trusted:
            memory = flowed(spec, memory, reading)
    if not reading.doubtful:
        memory = ratcheted(spec, memory, reading)
    floor = floor_of(spec, memory, reading)
    value = value_of(spec, reading)
    past = is_past(spec, value, floor.acts_at)
    if not (past or reading.doubtful or memory.armed):
        memory = replace(memory, armed=True)
    memory, stands = _doubted(memory, reading, past=past)
    memory, begun, ended = _episode(held, memory, floor, value, reading, stands=stands)
    memory, ahead = _ahead(spec, memory, value, reading, past=past)
    return RuleVerdict(
        held=held,
        memory=memory,
        before=known,
        floor=floor,
        value=value,
        past=past,
        stands=stands,
        begun=begun,
        ended=ended,
        new_day=known is not None and known.resets_at != memory.resets_at,
        ahead=ahead,
    )


def _doubted(memory: RuleMemory, reading: RuleReading, *, past: bool) -> tuple[RuleMemory, bool]:
    """Whether a figure past the limit is acted upon: at once, or after long enough in doubt."""
    if not reading.doubtful:
        return (memory if memory.over_since is None else replace(memory, over_since=None)), past
    if not past:
        return memory, False
    since = memory.over_since or reading.at
    if memory.over_since is None:
        memory = replace(memory, over_since=since)
    return memory, reading.at - since >= DOUBT_WAIT


def _episode(
    held: HeldRule,
    memory: RuleMemory,
    floor: Floor,
    value: Decimal | None,
    reading: RuleReading,
    *,
    stands: bool,
) -> tuple[RuleMemory, bool, bool]:
    """Begin, follow or end the episode; what closes at once has none, but a latch (law 8)."""
    if held.closes and memory.armed:  # it may have only told of an episode until now
        over = replace(memory, opened_at=None, opened_equity=None, worst=None)
        return over, False, memory.opened_at is not None
    if memory.opened_at is None:
        if not stands:
            return memory, False, False
        pauses = held.spec.severity is Severity.PAUSE_DAY and held.mode is Mode.ENFORCE
        memory = replace(
            memory,
            opened_at=reading.at,
            opened_equity=reading.equity,
            worst=reading.equity,
            paused_until=memory.resets_at if pauses else None,
        )
        return memory, True, False
    worst = reading.equity if memory.worst is None else min(memory.worst, reading.equity)
    if worst != memory.worst:
        memory = replace(memory, worst=worst)
    if reading.doubtful or not _is_over(held.spec, memory, floor, value, reading.at):
        return memory, False, False
    over = replace(memory, opened_at=None, opened_equity=None, worst=None, paused_until=None)
    return over, False, True


def _is_over(
    spec: RuleSpec, memory: RuleMemory, floor: Floor, value: Decimal | None, now: datetime
) -> bool:
    """Whether what was broken is well again; a pause lasts to its end."""
    if memory.paused_until is not None and now < memory.paused_until:
        return False
    if spec.measure is Measure.POSITIONS:
        return not is_past(spec, value, floor.acts_at)
    ease = abs(floor.amount) * EASE_PERCENT / HUNDRED
    limit = floor.acts_at - ease if spec.is_ceiling else floor.acts_at + ease
    return value is None or not is_past(spec, value, limit)


def _ahead(
    spec: RuleSpec,
    memory: RuleMemory,
    value: Decimal | None,
    reading: RuleReading,
    *,
    past: bool,
) -> tuple[RuleMemory, Floor | None]:
    """The floor after the next reset, told once where it would be broken already."""
    resets_at = memory.resets_at
    if resets_at is None or memory.reset_told_for == resets_at or past or reading.doubtful:
        return memory, None
    if reading.at < resets_at - RESET_LEAD:
        return memory, None
    then = after_reset(spec, memory, reading)
    if then is None or not is_past(spec, value, then.acts_at):
        return memory, None
    return replace(memory, reset_told_for=resets_at), then


def _is_far(rule: RuleVerdict) -> bool:
    """Whether the rule's own limit is reached in spite of a buffer, or passed by far."""
    spec, floor, value = rule.held.spec, rule.floor, rule.value
    if value is None:
        return False
    if floor.limit != floor.acts_at and is_past(spec, value, floor.limit):
        return True
    if spec.measure is not Measure.LOSS:
        return False
    return (floor.acts_at - value) * HUNDRED >= HURRY_PERCENT * floor.base


def _is_near(rule: RuleVerdict) -> bool:
    room = rule.room
    if room is None or rule.held.mode is not Mode.ENFORCE:
        return False
    return room * HUNDRED < NEAR_PERCENT * abs(rule.floor.amount)
