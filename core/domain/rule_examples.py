"""Golden examples of rules: readings one after another, and the floor that must come of each."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from core.domain.broker import ZERO
from core.domain.rule_floor import (
    RuleMemory,
    RuleReading,
    Trusted,
    begin,
    floor_of,
    flowed,
    is_past,
    ratcheted,
    rolled,
    value_of,
)
from core.domain.rules import Profile, RuleSpec


class ExampleReading(Struct, frozen=True, kw_only=True):
    """One reading of an example, with the limit to come of it and whether it breaks the rule."""

    at: datetime
    balance: Decimal
    equity: Decimal
    flow: Decimal = ZERO
    margin_level_percent: Decimal | None = None
    positions: int = 0
    exposure: Decimal = ZERO
    floor: Decimal
    broken: bool = False


class Example(Struct, frozen=True, kw_only=True):
    """A rule's example. `initial`: the nominal balance; None: that of the first reading."""

    rule: str
    says: str
    initial: Decimal | None
    readings: tuple[ExampleReading, ...]


def contradictions(profile: Profile, examples: Sequence[Example]) -> list[str]:
    """Where the rules come to something else than their examples say: a line each."""
    specs = {spec.name: spec for spec in profile.rules}
    return [
        f"example of {example.rule}: {line}"
        for example in examples
        if example.rule in specs
        for line in _worked(specs[example.rule], example)
    ]


def _worked(spec: RuleSpec, example: Example) -> list[str]:
    told: list[str] = []
    memory: RuleMemory | None = None
    last: Trusted | None = None
    for number, given in enumerate(example.readings, 1):
        reading = RuleReading(
            at=given.at,
            equity=given.equity,
            balance=given.balance,
            flow=given.flow,
            margin_level_percent=given.margin_level_percent,
            positions=given.positions,
            exposure=given.exposure,
        )
        if memory is None:
            memory = begin(spec, reading, example.initial)
        else:
            memory = flowed(spec, rolled(spec, memory, last, reading.at), reading)
        memory = ratcheted(spec, memory, reading)
        last = Trusted(reading.at, reading.equity, reading.balance)
        floor = floor_of(spec, memory, reading)
        broken = is_past(spec, value_of(spec, reading), floor.limit)
        if floor.limit != given.floor:
            told.append(f"reading {number}: floor: expected {given.floor}, got {floor.limit}")
        if broken != given.broken:
            told.append(f"reading {number}: broken: expected {given.broken}, got {broken}".lower())
    return told
