"""Limits: tighter at once, looser after 24 h and only while flat and unlatched (law 8)."""

from datetime import timedelta

import pytest

from core.domain.limits import GuardLimits, LimitState, align
from tests.unit.domain.make import D, at

HOUR = 3600.0
DAY = 24 * HOUR


def limits(most: int, warn: int = 15, least: int = 100) -> GuardLimits:
    """Three figures."""
    return GuardLimits(
        max_drawdown_percent=D(most), warn_drawdown_percent=D(warn), min_equity_gbp=D(least)
    )


IN_FORCE = LimitState(in_force=limits(20))


def waiting() -> LimitState:
    """25 % asked for at the tests' present."""
    return LimitState(in_force=limits(20), pending=limits(25), effective_at=at(DAY))


@pytest.mark.parametrize("may_loosen", [True, False])
@pytest.mark.parametrize("wanted", [limits(19), limits(20, 14), limits(20, 15, 101)])
def test_tighter_is_at_once(*, wanted: GuardLimits, may_loosen: bool) -> None:
    assert align(IN_FORCE, wanted, at(0), may_loosen=may_loosen) == LimitState(in_force=wanted)
    tightened = align(waiting(), wanted, at(0), may_loosen=may_loosen)
    assert tightened == LimitState(in_force=wanted)  # and what waited is withdrawn


@pytest.mark.parametrize("wanted", [limits(21), limits(20, 16), limits(20, 15, 99)])
def test_looser_waits_for_a_flat_account_and_then_a_day(wanted: GuardLimits) -> None:
    assert align(IN_FORCE, wanted, at(0), may_loosen=False) == IN_FORCE
    asked = align(IN_FORCE, wanted, at(0), may_loosen=True)
    assert asked == LimitState(in_force=limits(20), pending=wanted, effective_at=at(DAY))


@pytest.mark.parametrize(
    ("s", "may_loosen", "loosened"),
    [(DAY - 0.001, True, False), (DAY, True, True), (DAY, False, False), (9 * DAY, False, False)],
)
def test_a_day_later_it_ripens_on_a_flat_account(
    *, s: float, may_loosen: bool, loosened: bool
) -> None:
    after = align(waiting(), limits(25), at(s), may_loosen=may_loosen)
    assert after == (LimitState(in_force=limits(25)) if loosened else waiting())


def test_another_wish_withdraws_what_waited_and_waits_anew() -> None:
    assert align(waiting(), limits(20), at(HOUR), may_loosen=True) == IN_FORCE
    assert align(waiting(), limits(24), at(HOUR), may_loosen=False) == IN_FORCE
    anew = align(waiting(), limits(24), at(HOUR), may_loosen=True)
    assert anew.effective_at == at(HOUR) + timedelta(hours=24)


def test_a_wish_that_tightens_one_and_loosens_another_does_each_in_its_time() -> None:
    after = align(IN_FORCE, limits(25, 10), at(0), may_loosen=True)
    assert (after.in_force, after.pending) == (limits(20, 10), limits(25, 10))
