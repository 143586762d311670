"""What must hold of guard rules whatever the equity, the flows and the times are."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from core.domain import drawdown
from core.domain.headroom import always_rules
from core.domain.rule_clock import RuleClock
from core.domain.rule_floor import RuleMemory, RuleReading, Trusted, floor_of, is_past, value_of
from core.domain.rule_guard import Memories, RulesVerdict, judge
from core.domain.rules import (
    Amount,
    AmountKind,
    Base,
    Compare,
    HeldRule,
    Mode,
    RuleSet,
    RuleSpec,
    Severity,
    Trail,
)

START = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)  # Europe's clocks change two days later
D = Decimal
money = st.decimals(D(1000), D(200_000), places=2)
clocks = st.sampled_from(
    [
        RuleClock("Europe/Prague", 0, 0),
        RuleClock("America/New_York", 17, 0),
        RuleClock("UTC", 0, 30),
    ]
)


@st.composite
def specs(draw: st.DrawFn, trails: Sequence[Trail] = tuple(Trail)) -> RuleSpec:
    """A rule of losses that a file could have."""
    trail = draw(st.sampled_from(trails))
    kind = draw(st.sampled_from([k for k in AmountKind if k is not AmountKind.REMAIN]))
    value = draw(st.decimals(D("0.5"), D(40), places=2))
    base = draw(st.sampled_from(tuple(Base)))
    clocked = trail in {Trail.EOD_BALANCE, Trail.EOD_EQUITY}
    clocked |= trail is Trail.NONE and base is not Base.INITIAL
    lock = draw(st.none() | st.decimals(D(0), D(500), places=0))
    return RuleSpec(
        name="rule",
        title="Rule",
        clock=draw(clocks) if clocked else None,
        base=base,
        amount=Amount(kind, value * 100 if kind is AmountKind.FIXED else value),
        compare=draw(st.sampled_from(tuple(Compare))),
        touch=draw(st.booleans()),
        trail=trail,
        lock_offset=None if trail is Trail.NONE else lock,
        severity=draw(st.sampled_from([Severity.WARN, Severity.CLOSE_ALL])),
        buffer_percent=draw(st.decimals(D(0), D(50), places=0)),
    )


@st.composite
def series(draw: st.DrawFn) -> list[RuleReading]:
    """Readings minutes to days apart, some of them in doubt."""
    at, told = START, []
    for _ in range(draw(st.integers(2, 12))):
        at += timedelta(minutes=draw(st.integers(1, 3000)))
        doubtful = draw(st.integers(0, 4)) == 0
        told.append(RuleReading(at=at, equity=draw(money), balance=draw(money), doubtful=doubtful))
    return told


def held(spec: RuleSpec) -> RuleSet:
    return RuleSet(profile="x", rules=(HeldRule(spec, Mode.ENFORCE),))


def run(
    spec: RuleSpec, readings: Sequence[RuleReading], *, restarts: bool = False
) -> list[RulesVerdict]:
    """Judge a series; with restarts, only what is kept in the database goes on."""
    memories: Memories = {}
    last: Trusted | None = None
    verdicts: list[RulesVerdict] = []
    for reading in readings:
        verdicts.append(judge(held(spec), memories, last, reading))
        memories = verdicts[-1].memories
        if restarts:
            kept = msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(dict(memories))))
            memories = msgspec.convert(kept, dict[str, RuleMemory], strict=False)
        if not reading.doubtful:
            last = Trusted(reading.at, reading.equity, reading.balance)
    return verdicts


def floors(verdicts: Sequence[RulesVerdict]) -> list[Decimal]:
    return [rule.floor.limit for verdict in verdicts for rule in verdict.rules]


@given(specs(), series(), st.decimals(D("0.01"), D(5000), places=2))
def test_no_verdict_improves_as_equity_falls(
    spec: RuleSpec, readings: list[RuleReading], less: Decimal
) -> None:
    *before, last = readings
    lower = replace(last, equity=last.equity - less, balance=last.balance - less)
    as_is, worse = run(spec, readings)[-1], run(spec, [*before, lower])[-1]
    if len(before) and as_is.rules and worse.rules and as_is.rules[0].before is not None:
        assert as_is.rules[0].past <= worse.rules[0].past
        assert as_is.rules[0].stands <= worse.rules[0].stands
        assert (as_is.rules[0].room or D(0)) >= (worse.rules[0].room or D(0))


@given(specs(), series())
def test_a_restart_is_no_different_from_none(spec: RuleSpec, readings: list[RuleReading]) -> None:
    assert run(spec, readings) == run(spec, readings, restarts=True)


@given(specs(trails=[t for t in Trail if t is not Trail.NONE]), series())
def test_the_floor_of_a_trail_only_rises_and_stops_at_its_lock(
    spec: RuleSpec, readings: list[RuleReading]
) -> None:
    verdicts = run(spec, readings)
    told = floors(verdicts)
    assert told == sorted(told)
    if spec.lock_offset is not None:
        for verdict in verdicts:
            for rule in verdict.rules:
                assert rule.floor.limit <= rule.memory.initial + spec.lock_offset


@given(specs(), series(), st.decimals(D("0.2"), D(4), places=2))
def test_a_cash_flow_changes_no_verdict(
    spec: RuleSpec, readings: list[RuleReading], share: Decimal
) -> None:
    """A deposit or withdrawal alone, with nothing won or lost, at the same moment.

    Percent rules keep the ratio of equity and floor, money rules their difference (law 9). Equity
    and balance are the same here: what floats is no part of a flow's share.
    """
    readings = [replace(r, balance=r.equity, doubtful=False) for r in readings]
    spec = replace(spec, buffer_percent=D(0))
    last = readings[-1]
    flow = (last.equity * (share - 1)).quantize(D("0.01"))
    moved = last.equity + flow
    after = replace(last, equity=moved, balance=moved, flow=flow)
    one, other = run(spec, readings)[-1].rules[0], run(spec, [*readings[:-1], after])[-1].rules[0]
    if spec.counts_percent:
        grown = one.floor.limit * moved / last.equity
        assert abs(other.floor.limit - grown) <= abs(grown) * D("0.0000001") + D("0.000001")
    elif one.before is not None:
        assert other.floor.limit == one.floor.limit + flow
    if abs(one.floor.limit - last.equity) > D("0.01"):
        assert one.past == other.past


@given(
    st.decimals(D(1), D(90), places=1),
    money,
    st.decimals(D(1), D(250_000), places=2),
    st.decimals(D(0), D(5000), places=2),
)
@settings(max_examples=200)
def test_the_two_that_always_enforce_are_instances_of_the_same_rules(
    percent: Decimal, peak: Decimal, equity: Decimal, minimum: Decimal
) -> None:
    """Shown as rules, they break exactly where the drawdown guard says so."""
    limits = drawdown.Limits(
        max_drawdown_percent=percent, warn_drawdown_percent=percent, minimum_equity=minimum
    )
    reading = RuleReading(at=START, equity=equity, balance=equity)
    judged = drawdown.judge(
        drawdown.GuardMemory(peak_equity=peak, warned=False, withdrawal_exempt=False),
        drawdown.Reading(
            equity=equity,
            flow=D(0),
            trusted=True,
            consistent=True,
            margin_level_percent=None,
            stop_out_level_percent=None,
        ),
        limits,
    )
    told = [
        is_past(rule.spec, value_of(rule.spec, reading), floor_of(rule.spec, memory).limit)
        for rule, memory in always_rules(limits, max(peak, equity), reading)
    ]
    assert any(told) == (judged.broken is not None)
