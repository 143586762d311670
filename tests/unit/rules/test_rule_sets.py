"""Which of two rules is the stricter, and when a looser one holds (law 8)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain.rules import (
    NO_RULES,
    Amount,
    AmountKind,
    Compare,
    HeldRule,
    Measure,
    Mode,
    RuleSet,
    RuleSpec,
    RulesState,
    Severity,
    align,
    tightest,
)
from core.rule_files import shipped
from tests.unit.domain.make import NOW

D = Decimal
DAILY = shipped()["two-step"].rules[0]
WAIT = timedelta(hours=24)


def held(spec: RuleSpec = DAILY, mode: Mode = Mode.ENFORCE, **changes: Any) -> RuleSet:
    return RuleSet(profile="x", rules=(HeldRule(replace(spec, **changes), mode),))


def five(value: str) -> Amount:
    return Amount(AmountKind.PERCENT_OF_INITIAL, D(value))


@pytest.mark.parametrize(
    "tighter",
    [
        held(amount=five("4.99")),
        held(buffer_percent=D(1)),
        held(touch=True),
        held(compare=Compare.BOTH),
        RuleSet(profile="x", rules=(*held().rules, *held(name="more").rules)),
    ],
)
def test_a_tighter_set_holds_at_once_and_a_looser_one_after_24_hours(tighter: RuleSet) -> None:
    now = RulesState(in_force=held())
    assert align(now, tighter, NOW, may_loosen=False) == RulesState(in_force=tighter)

    state = align(RulesState(in_force=tighter), held(), NOW, may_loosen=False)
    assert state == RulesState(in_force=tighter)
    state = align(state, held(), NOW, may_loosen=True)
    assert state == RulesState(in_force=tighter, pending=held(), effective_at=NOW + WAIT)
    early = NOW + WAIT - timedelta(microseconds=1)
    assert align(state, held(), early, may_loosen=True) == state
    assert align(state, held(), NOW + WAIT, may_loosen=False) == state
    assert align(state, held(), NOW + WAIT, may_loosen=True) == RulesState(in_force=held())


@pytest.mark.parametrize(
    ("looser", "stricter"),
    [(Mode.OBSERVE, Mode.ADVISE), (Mode.ADVISE, Mode.ENFORCE), (Mode.OBSERVE, Mode.ENFORCE)],
)
def test_a_mode_is_tightened_at_once_and_not_loosened(looser: Mode, stricter: Mode) -> None:
    assert tightest(held(mode=looser), held(mode=stricter)) == held(mode=stricter)
    assert tightest(held(mode=stricter), held(mode=looser)) == held(mode=stricter)


def test_each_figure_is_tightened_by_itself() -> None:
    one = held(amount=five("4"), severity=Severity.WARN)
    other = held(amount=five("5"), severity=Severity.CLOSE_ALL)
    assert tightest(one, other) == held(amount=five("4"), severity=Severity.CLOSE_ALL)


def test_a_margin_level_is_the_stricter_the_higher_it_is() -> None:
    level = RuleSpec(
        name="level",
        title="Level",
        measure=Measure.MARGIN_LEVEL,
        amount=Amount(AmountKind.FIXED, D(200)),
    )
    higher = replace(level, amount=Amount(AmountKind.FIXED, D(300)))
    assert tightest(held(level), held(higher)) == held(higher)
    assert tightest(held(higher), held(level)) == held(higher)


def test_a_rule_of_another_shape_stays_as_it_was() -> None:
    """Nobody can say which of 5 % of the initial balance and 5 % of the base is the stricter."""
    other = held(amount=Amount(AmountKind.PERCENT_OF_BASE, D(5)))
    assert tightest(held(), other).rules == held().rules
    assert tightest(other, held()).rules == other.rules


def test_another_initial_balance_waits_too() -> None:
    other = replace(held(), initial=D(200_000))
    assert tightest(held(), other) == held()


def test_a_rule_that_is_gone_from_the_file_stays() -> None:
    assert tightest(held(), NO_RULES).rules == held().rules
    assert tightest(NO_RULES, held()) == held()


def test_a_change_of_mind_withdraws_what_waits() -> None:
    waiting = RulesState(in_force=held(), pending=NO_RULES, effective_at=NOW)
    assert align(waiting, held(), NOW, may_loosen=True) == RulesState(in_force=held())
