"""How much may still be lost before a rule acts, until when, and what each position has in it."""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct
from msgspec.structs import replace

from core.domain import drawdown
from core.domain.broker import ZERO, AccountSnapshot, Position, SymbolSpec
from core.domain.money import percent_of
from core.domain.rule_floor import (
    Floor,
    RuleMemory,
    RuleReading,
    after_reset,
    floor_of,
    shape_of,
    value_of,
)
from core.domain.rule_guard import Memories
from core.domain.rules import (
    Amount,
    AmountKind,
    Base,
    HeldRule,
    Measure,
    Mode,
    RuleSet,
    RuleSpec,
    Severity,
    Trail,
)

PEAK, WARN, MINIMUM = "peak_drawdown", "drawdown_warning", "minimum_equity"
ALWAYS = frozenset({PEAK, WARN, MINIMUM})
"""Names of the rules that the drawdown guard judges itself, with the account's limits."""


class PositionShare(Struct, frozen=True, kw_only=True):
    """What one position has in the risk: percent of the exposure of all, and where it ends.

    `ends_at` is the price at which this position alone, all others standing still, would use up
    the room; None where that is not known, or would take a price below zero.
    """

    ticket: int
    symbol: str
    side: str
    volume: Decimal
    percent: Decimal
    ends_at: Decimal | None


class RuleLine(Struct, frozen=True, kw_only=True):
    """One rule as it stands. `room` is None where its figure is not known.

    `then` is the floor as the next reset would make it of these figures, `then_room` the room above
    it. `figure` is what is compared.
    """

    held: HeldRule
    memory: RuleMemory
    floor: Floor
    figure: Decimal | None
    room: Decimal | None
    initial_given: bool
    then: Floor | None = None
    then_room: Decimal | None = None
    shares: tuple[PositionShare, ...] = ()


def nearest(lines: Iterable[RuleLine]) -> RuleLine | None:
    """The rule that closes everything first as equity falls; None where none does.

    Also where one is broken already: then no figure says what may still be lost.
    """
    closing = [
        (line.room, line)
        for line in lines
        if line.held.spec.severity is Severity.CLOSE_ALL
        and line.held.mode is Mode.ENFORCE
        and line.held.spec.measure is Measure.LOSS
        and line.room is not None
    ]
    first = min(closing, key=lambda each: each[0], default=None)
    return None if first is None or first[0] < 0 else first[1]


def position_value(position: Position, spec: SymbolSpec | None) -> Decimal | None:
    """What a position is worth in account currency: its lots at their price."""
    per_price = _per_price(position, spec)
    return None if per_price is None else per_price * position.price_current


def exposure_of(snapshot: AccountSnapshot) -> Decimal | None:
    """The value of all positions, both sides added; None where one is not known."""
    total = ZERO
    for position in snapshot.positions:
        value = position_value(position, snapshot.symbols.get(position.symbol))
        if value is None:
            return None
        total += value
    return total


def shares_of(snapshot: AccountSnapshot, room: Decimal | None) -> tuple[PositionShare, ...]:
    """Each position's share of the exposure, the largest first."""
    symbols = snapshot.symbols
    values = {p.ticket: position_value(p, symbols.get(p.symbol)) for p in snapshot.positions}
    total = sum((v for v in values.values() if v is not None), ZERO)
    shares = [
        PositionShare(
            ticket=p.ticket,
            symbol=p.symbol,
            side=p.side.value,
            volume=p.volume,
            percent=percent_of(values[p.ticket] or ZERO, total),
            ends_at=_ends_at(p, symbols.get(p.symbol), room, snapshot.state.currency),
        )
        for p in snapshot.positions
    ]
    return tuple(sorted(shares, key=lambda share: share.percent, reverse=True))


def lines(
    rules: RuleSet, memories: Memories, reading: RuleReading, snapshot: AccountSnapshot | None
) -> tuple[RuleLine, ...]:
    """Every rule that was begun, as this reading has it."""
    told: list[RuleLine] = []
    for held in rules.rules:
        memory = memories.get(held.spec.name)
        if held.spec.always or memory is None:
            continue
        if memory.shape != shape_of(held.spec, rules.initial):
            continue
        told.append(line(held, memory, reading, snapshot, given=rules.initial is not None))
    return tuple(told)


def line(
    held: HeldRule,
    memory: RuleMemory,
    reading: RuleReading,
    snapshot: AccountSnapshot | None,
    *,
    given: bool = False,
) -> RuleLine:
    """One rule as a reading has it."""
    spec = held.spec
    floor, figure = floor_of(spec, memory, reading), value_of(spec, reading)
    then = after_reset(spec, memory, reading)
    told = RuleLine(
        held=held,
        memory=memory,
        floor=floor,
        figure=figure,
        room=_room(spec, figure, floor),
        initial_given=given,
        then=then,
        then_room=None if then is None else _room(spec, figure, then),
    )
    if snapshot is None or spec.measure is not Measure.LOSS:
        return told
    return replace(told, shares=shares_of(snapshot, told.room))


def always_rules(
    limits: drawdown.Limits, peak: Decimal | None, reading: RuleReading
) -> tuple[tuple[HeldRule, RuleMemory], ...]:
    """The two rules that always enforce, as rules like the others, with their memories.

    Between them the drawdown's warning, where it comes before the limit. They are shown so;
    `core.domain.drawdown` judges them.
    """
    held: list[tuple[HeldRule, RuleMemory]] = []
    if peak is not None:
        spec = peak_rule(PEAK, limits.max_drawdown_percent)
        held.append((HeldRule(spec, Mode.ENFORCE), _memory(spec, peak, reading.at)))
        if 0 < limits.warn_drawdown_percent < limits.max_drawdown_percent:
            spec = peak_rule(WARN, limits.warn_drawdown_percent)
            held.append((HeldRule(spec, Mode.ENFORCE), _memory(spec, peak, reading.at)))
    if limits.minimum_equity is not None:
        spec = minimum_rule(limits.minimum_equity)
        base = max(reading.equity, limits.minimum_equity)
        held.append((HeldRule(spec, Mode.ENFORCE), _memory(spec, base, reading.at)))
    return tuple(held)


def peak_rule(name: str, percent: Decimal) -> RuleSpec:
    """Drawdown from the peak, as a rule."""
    return RuleSpec(
        name=name,
        title="Drawdown warning" if name == WARN else "Peak drawdown",
        base=Base.EQUITY,
        amount=Amount(AmountKind.PERCENT_OF_BASE, percent),
        touch=True,
        trail=Trail.INTRADAY_EQUITY,
        severity=Severity.WARN if name == WARN else Severity.CLOSE_ALL,
        always=True,
    )


def minimum_rule(minimum: Decimal) -> RuleSpec:
    """The minimum equity, as a rule."""
    return RuleSpec(
        name=MINIMUM,
        title="Minimum equity",
        base=Base.EQUITY,
        amount=Amount(AmountKind.REMAIN, minimum),
        always=True,
    )


def _memory(spec: RuleSpec, base: Decimal, at: datetime) -> RuleMemory:
    return RuleMemory(shape=shape_of(spec, None), initial=base, base=base, base_at=at)


def _room(spec: RuleSpec, figure: Decimal | None, floor: Floor) -> Decimal | None:
    if figure is None:
        return None
    return floor.acts_at - figure if spec.is_ceiling else figure - floor.acts_at


def _per_price(position: Position, spec: SymbolSpec | None) -> Decimal | None:
    """What a price higher by 1 makes, in account currency."""
    if spec is None or spec.tick_size <= 0 or spec.tick_value <= 0:
        return None
    return position.volume * spec.tick_value / spec.tick_size


def _ends_at(
    position: Position, spec: SymbolSpec | None, room: Decimal | None, currency: str
) -> Decimal | None:
    """The price that uses up the room.

    Where the account's currency is what the symbol buys (EURUSD in euros), each price also changes
    what its result is worth: units x (1 - open / price) instead of a straight line, which would
    end far too late.
    """
    per_price = _per_price(position, spec)
    if per_price is None or room is None or spec is None or room < 0:
        return None
    sign, now = position.side.sign, position.price_current
    price = now - sign * room / per_price
    if currency == spec.currency_base != spec.currency_profit:
        units = per_price * now
        share = position.price_open / now + sign * room / units
        price = position.price_open / share if share > 0 else ZERO
    quantum = Decimal(1).scaleb(-spec.digits)
    return price.quantize(quantum, ROUND_HALF_EVEN) if price > 0 else None
