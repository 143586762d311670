"""The cheap bounds of a replay end exactly where something would happen, and never later."""

from decimal import Decimal

import pytest

from core.sim.watch import Bounds, draw_bounds
from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, Bench

D = Decimal


def bounds_of(bench: Bench, symbol: str = "XAUUSD") -> Bounds:
    """Bounds at the present quotes."""
    return draw_bounds(bench.sim.broker, symbol)


def test_without_positions_nothing_can_happen(bench: Bench) -> None:
    assert bounds_of(bench).is_quiet(0.01, 1e9)


@pytest.mark.parametrize(
    ("side", "levels", "name", "level"),
    [
        ("buy", {"sl": 1960.0}, "bid_low", 1960.0),
        ("buy", {"tp": 1980.0}, "bid_high", 1980.0),
        ("sell", {"sl": 1980.0}, "ask_high", 1980.0),
        ("sell", {"tp": 1960.0}, "ask_low", 1960.0),
    ],
)
def test_a_level_is_a_bound_of_the_side_that_closes(
    bench: Bench, side: str, levels: dict[str, float], name: str, level: float
) -> None:
    bench.trade(HEDGING_USD, side, 0.01, "XAUUSD", **levels)
    bounds = bounds_of(bench)
    assert getattr(bounds, name) == level
    assert bounds.is_quiet(1970.0, 1970.3)


@pytest.mark.parametrize(
    ("kind", "price", "name"),
    [
        (2, 1960.0, "ask_low"),
        (3, 1980.0, "bid_high"),
        (4, 1980.0, "ask_high"),
        (5, 1960.0, "bid_low"),
    ],
)
def test_a_resting_order_is_a_bound_of_the_side_that_fills(
    bench: Bench, kind: int, price: float, name: str
) -> None:
    bench.send(HEDGING_USD, action=5, symbol="XAUUSD", volume=0.1, type=kind, price=price)
    assert getattr(bounds_of(bench), name) == price


def test_the_level_itself_is_not_quiet() -> None:
    bounds = Bounds()
    bounds.cut("bid", D("1960.00"), below=True)
    bounds.cut("ask", D("1980.00"), below=False)
    assert bounds.is_quiet(1960.01, 1979.99)
    assert not bounds.is_quiet(1960.0, 1970.0)
    assert not bounds.is_quiet(1970.0, 1980.0)


def test_half_the_way_to_a_stop_out_is_the_most_that_goes_unchecked(bench: Bench) -> None:
    """4 lots: equity 12000 - 0.30 * 400 = 11880; margin 7881.20, half of it 3940.60.

    The headroom of 7939.40 USD is 19.8485 in the price at 400 USD a dollar; half is 9.92425.
    """
    bench.trade(HEDGING_USD, "buy", 4.0)
    bounds = bounds_of(bench)
    assert bounds.bid_low == pytest.approx(1970.0 - 9.92425)
    assert bounds.bid_high == pytest.approx(1970.0 + 9.92425)


def test_a_symbol_that_converts_other_positions_is_always_counted(bench: Bench) -> None:
    bench.trade(HEDGING_GBP, "buy", 0.01)
    assert not bounds_of(bench, "GBPUSD").is_quiet(1.27, 1.27012)
    assert bounds_of(bench, "USDJPY").is_quiet(150.0, 150.012)


def test_other_symbols_levels_do_not_matter(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 0.01, "XAUUSD", sl=1960.0)
    assert bounds_of(bench, "EURUSD").bid_low == pytest.approx(1.0850 * 0.9)
