"""What is usual of a symbol: samples, medians, and their bounds."""

from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.broker import Tick
from core.domain.usual import (
    MOVES_MAX,
    MOVES_MIN,
    SPREADS_MAX,
    SPREADS_MIN,
    Usual,
    learned,
    of_samples,
    open_time,
    server_hour,
)
from tests.unit.domain.make import D, at

POINT = D("0.01")


def quote(bid: str, s: float, spread: str = "0.30") -> Tick:
    """A quote of gold so many seconds from the tests' present."""
    return Tick(symbol="XAUUSD", bid=D(bid), ask=D(bid) + D(spread), at=at(s))


def follow(*ticks: Tick, hour: int = 10) -> Usual:
    """What is learned of these quotes."""
    usual = Usual()
    for one in ticks:
        usual = learned(usual, one, POINT, hour)
    return usual


def test_one_sample_a_minute_is_taken_however_often_is_read() -> None:
    usual = follow(*(quote("2000", s) for s in range(0, 180, 3)))
    assert len(usual.moves) == 2
    assert usual.spreads == {10: (30, 30, 30)}


def test_a_move_is_of_one_minute_and_not_over_a_break() -> None:
    """2000.15 to 2002.15 is 0.09999 %; two minutes count still, a second more does not."""
    assert follow(quote("2000", 0), quote("2002", 60)).moves == (99_993,)
    assert len(follow(quote("2000", 0), quote("2002", 120)).moves) == 1
    assert follow(quote("2000", 0), quote("2002", 121)).moves == ()


@pytest.mark.parametrize(("samples", "known"), [(MOVES_MIN - 1, False), (MOVES_MIN, True)])
def test_the_typical_move_is_known_from_thirty_moves_on(*, samples: int, known: bool) -> None:
    usual = follow(*(quote(str(2000 + n % 2), n * 60) for n in range(samples + 1)))
    assert (usual.move_percent is not None) is known


@pytest.mark.parametrize(("samples", "known"), [(SPREADS_MIN - 1, False), (SPREADS_MIN, True)])
def test_an_hours_spread_is_known_from_twenty_samples_on(*, samples: int, known: bool) -> None:
    usual = follow(*(quote("2000", n * 60) for n in range(samples)))
    assert (usual.spread_points == {10: D(30)}) is known


def test_no_more_is_remembered_than_the_bounds_say() -> None:
    """The oldest is forgotten, of samples read and of samples kept alike."""
    count = max(MOVES_MAX, SPREADS_MAX) + 2
    usual = follow(*(quote("2000", n * 60, "0.30" if n else "9.99") for n in range(count)))
    assert (len(usual.moves), len(usual.spreads[10])) == (MOVES_MAX, SPREADS_MAX)
    assert 999 not in usual.spreads[10]
    kept = of_samples(range(MOVES_MAX + 1), {3: range(SPREADS_MAX + 1)})
    assert (len(kept.moves), kept.moves[0], len(kept.spreads[3])) == (MOVES_MAX, 1, SPREADS_MAX)


@given(st.lists(st.integers(0, 10_000), min_size=MOVES_MIN, max_size=MOVES_MAX))
def test_the_typical_move_is_the_median_of_all(samples: list[int]) -> None:
    expected = D(str(median(samples))) / 1_000_000
    assert of_samples(samples, {}).move_percent == expected


def test_the_hour_is_of_the_brokers_day() -> None:
    assert server_hour(datetime(2026, 3, 4, 22, 30, tzinfo=UTC), 2 * 3600) == 0


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 2, 1)),  # noqa: DTZ001 - made aware below
    st.integers(0, 20 * 24),
)
def test_open_time_is_the_hours_that_are_no_weekend(begin: datetime, hours: int) -> None:
    """Counted hour by hour, from a full hour on, at a broker two hours ahead."""
    since = begin.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
    there = [since + timedelta(hours=2 + n) for n in range(hours)]
    expected = sum(1 for one in there if one.weekday() < 5)
    assert open_time(since, since + timedelta(hours=hours), 7200) == timedelta(hours=expected)
