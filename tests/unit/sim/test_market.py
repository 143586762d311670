"""Quotes walk within bounds, stand when told to, and stop when frozen."""

from decimal import Decimal
from pathlib import Path

from bot.sandbox.store import WorldStore
from core.sim.market import WALK_BOUND, Market
from core.sim.symbols import SYMBOLS
from tests.unit.sim.bench import START_MS, Bench

D = Decimal


def test_a_walk_moves_on_the_grid_within_its_bound_and_keeps_the_spread(tmp_path: Path) -> None:
    store = WorldStore(tmp_path / "w.db")
    market = Market(SYMBOLS, store, lambda: START_MS, mode="walk", seed=3)
    seen: dict[str, set[Decimal]] = {name: set() for name in SYMBOLS}
    for _ in range(3_000):
        market.walk()
        for name, quote in market.quotes.items():
            seen[name].add(quote.bid)
            assert quote.ask - quote.bid == SYMBOLS[name].ask - SYMBOLS[name].bid
    store.close()
    for name, bids in seen.items():
        start, point = SYMBOLS[name].bid, SYMBOLS[name].point
        assert len(bids) > 10
        assert all(bid % point == 0 for bid in bids)
        assert max(abs(bid - start) for bid in bids) <= start * WALK_BOUND


def test_the_same_seed_walks_the_same_way(tmp_path: Path) -> None:
    ends = []
    for name in ("a", "b"):
        store = WorldStore(tmp_path / name)
        market = Market(SYMBOLS, store, lambda: START_MS, mode="walk", seed=9)
        for _ in range(50):
            market.walk()
        ends.append(dict(market.quotes))
        store.close()
    assert ends[0] == ends[1]


def test_a_manual_market_stands_but_its_feed_is_alive(bench: Bench) -> None:
    before = bench.sim.market.quotes["XAUUSD"]
    bench.now += 60_000
    assert bench.sim.walk() == 0
    assert bench.sim.market.quotes["XAUUSD"] == before
    assert bench.sim.market.tick_ms("XAUUSD") == bench.now


def test_a_frozen_feed_stops_its_tick_time_until_told_a_price(bench: Bench) -> None:
    bench.sim.market.set_mode("XAUUSD", "frozen")
    frozen_at = bench.now
    bench.now += 60_000
    assert bench.sim.market.tick_ms("XAUUSD") == frozen_at
    bench.price("XAUUSD", "1971.00", "1971.30")
    assert bench.sim.market.tick_ms("XAUUSD") == bench.now


def test_a_walk_goes_on_around_the_price_told(bench: Bench) -> None:
    bench.sim.market.set_mode("XAUUSD", "walk")
    bench.price("XAUUSD", "1800.00", "1803.00")
    for _ in range(500):
        bench.sim.walk()
    quote = bench.sim.market.quotes["XAUUSD"]
    assert abs(quote.bid - 1800) <= 1800 * WALK_BOUND
    assert quote.ask - quote.bid == D("3.00")


def test_a_mode_told_outlives_a_restart_unless_another_is_given(tmp_path: Path) -> None:
    store = WorldStore(tmp_path / "w.db")
    market = Market(SYMBOLS, store, lambda: START_MS, mode="walk", seed=1)
    market.set_mode("XAUUSD", "manual")
    market.save("XAUUSD", "EURUSD")
    for given, modes in (("walk", ("manual", "walk")), ("manual", ("manual", "manual"))):
        again = Market(SYMBOLS, store, lambda: START_MS, mode=given, seed=1)
        assert (again.mode("XAUUSD"), again.mode("EURUSD")) == modes
    store.close()
