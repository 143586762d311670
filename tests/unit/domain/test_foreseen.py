"""What goes on counting of a profit whose deal is late, case by case (ADR 12)."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import foreseen
from core.domain.broker import AccountSnapshot, Position, Side
from core.domain.foreseen import FORESEEN_MAX, Foreseen, ForeseenLots, foresee, unexplained_gain
from core.records import AccountStateRow
from tests.unit.domain.make import D, deal, position, snapshot

IN, OUT, INOUT, OUT_BY = 0, 1, 2, 3
FIRST, SECOND = 900001, 900002


def held(volume: str = "1.00", profit: str = "300", **changes: Any) -> Position:
    """One position with a profit."""
    return position(**{"volume": D(volume), "profit": D(profit), **changes})


def lots(volume: str, result: str) -> Foreseen:
    """What is expected of a position."""
    return Foreseen(volume=D(volume), result=D(result))


def read(*positions: Position, began: float = 2) -> AccountSnapshot:
    """The reading after `BEFORE`."""
    return snapshot(*positions, began=began)


def seen(*positions: Position) -> AccountSnapshot:
    """The reading before."""
    return snapshot(*positions, began=0)


def test_a_position_that_is_gone_goes_on_counting_with_what_it_showed() -> None:
    assert foresee({}, seen(held(swap=D("-2.50"))), read(), ()) == {FIRST: lots("1.00", "297.50")}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(held("1.00"), {}, id="nothing is gone"),
        pytest.param(held("2.00"), {}, id="more of it"),
        pytest.param(held("0.40", "120"), {FIRST: lots("0.60", "180")}, id="a part, by its share"),
        pytest.param(held("0.40", side=Side.SELL), {FIRST: lots("1.00", "300")}, id="turned"),
    ],
)
def test_only_what_is_gone_from_its_side(now: Position, expected: ForeseenLots) -> None:
    assert foresee({}, seen(held()), read(now), ()) == expected


@pytest.mark.parametrize(
    ("entry", "volume", "left"),
    [
        pytest.param(OUT, "1.00", {}, id="its whole exit"),
        pytest.param(OUT_BY, "1.00", {}, id="closed by another"),
        pytest.param(INOUT, "3.00", {}, id="turned by more than it held"),
        pytest.param(OUT, "0.25", {FIRST: lots("0.75", "225")}, id="a part of it"),
        pytest.param(IN, "1.00", {FIRST: lots("1.00", "300")}, id="its entry says nothing"),
    ],
)
def test_a_deal_takes_its_share_away(entry: int, volume: str, left: ForeseenLots) -> None:
    exit_deal = deal(7, entry=entry, volume=D(volume), profit=D(-5000))
    assert foresee({FIRST: lots("1.00", "300")}, read(), read(), [exit_deal]) == left
    assert foresee({}, seen(held()), read(), [exit_deal]) == left, "in the reading that misses it"
    stranger = deal(8, position_id=SECOND, volume=D("1.00"))
    known = {FIRST: lots("1.00", "300")}
    assert foresee(known, read(), read(), [stranger]) == known


def test_two_parts_of_one_position_add_up() -> None:
    known = {FIRST: lots("0.60", "180")}
    assert foresee(known, seen(held("0.40", "160")), read(), ()) == {FIRST: lots("1.00", "340")}
    two = [deal(7, volume=D("0.60")), deal(8, volume=D("0.40"))]
    assert foresee(known, seen(held("0.40", "160")), read(), two) == {}


def test_what_nobody_read_is_not_foreseen() -> None:
    """Neither after a start nor after more than a minute; what is waited for already stays."""
    known = {SECOND: lots("1.00", "50")}
    assert foresee(known, None, read(), ()) == known
    assert foresee(known, seen(held()), read(began=60), ()) == {**known, FIRST: lots("1.00", "300")}
    assert foresee(known, seen(held()), read(began=60.5), ()) == known


def test_no_more_positions_are_waited_for_than_the_bound() -> None:
    full = seen(*(held(ticket=i, identifier=i) for i in range(1, FORESEEN_MAX + 1)))
    assert len(foresee({}, full, read(), ())) == FORESEEN_MAX
    over = seen(*(held(ticket=i, identifier=i) for i in range(1, FORESEEN_MAX + 2)))
    kept = foresee({}, over, read(), ())
    assert (len(kept), FORESEEN_MAX + 1 in kept) == (FORESEEN_MAX, False)


@pytest.mark.parametrize(
    ("written_off", "results", "gain"),
    [
        pytest.param("300", [], "300", id="a deposit without a deal"),
        pytest.param("300", ["300"], "0", id="a profit without a deal"),
        pytest.param("300", ["320"], "0", id="closed for less than it showed"),
        pytest.param("300", ["280"], "20", id="closed for more: the rest waits for its deal"),
        pytest.param("800", ["300"], "500", id="a deposit beside it"),
        pytest.param("100", ["300", "-200"], "0", id="a gain and a loss"),
        pytest.param("500", ["-200"], "500", id="no loss makes a gain larger"),
        pytest.param("-300", ["300"], "0", id="a loss is none"),
        pytest.param("0", ["300"], "0", id="nothing is lacking"),
    ],
)
def test_what_is_no_gain_yet(written_off: str, results: list[str], gain: str) -> None:
    known = {n: lots("1.00", result) for n, result in enumerate(results)}
    assert unexplained_gain(D(written_off), known) == D(gain)


CENTS = st.integers(-200_000, 200_000).map(lambda n: D(n) / 100)


@given(CENTS, st.lists(CENTS, max_size=4))
def test_no_more_counts_than_was_seen_floating(written_off: Decimal, shown: list[Decimal]) -> None:
    """And never less than without what was seen: it takes nothing away from anybody."""
    known = {n: lots("1.00", f"{result}") for n, result in enumerate(shown)}
    counted = max(D(0), written_off) - unexplained_gain(written_off, known)
    assert 0 <= counted <= max(D(0), sum(shown, D(0)))


@given(st.dictionaries(st.integers(1, 2**53), CENTS, max_size=4))
def test_what_is_kept_is_what_is_known(shown: dict[int, Decimal]) -> None:
    known = {i: lots("0.10", f"{result}") for i, result in shown.items()}
    state = AccountStateRow(id=1, foreseen=foreseen.kept(known))
    assert foreseen.foreseen_of(state) == known
    assert (state.foreseen is None) == (not known)
