"""Whatever is done, in whatever order: money adds up, and bounds never miss a trigger."""

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.sim.watch import draw_bounds
from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, NETTING_EUR, Bench

D = Decimal
LOGINS = (HEDGING_GBP, HEDGING_USD, NETTING_EUR)
SYMBOLS = ("XAUUSD", "EURUSD", "USDJPY", "USDCHF")

TRADES = st.tuples(
    st.just("trade"),
    st.sampled_from(LOGINS),
    st.sampled_from(SYMBOLS),
    st.sampled_from((0, 1)),
    st.integers(1, 300),
    st.integers(0, 5),
)
PRICES = st.tuples(
    st.just("price"), st.sampled_from(SYMBOLS), st.integers(-300, 300), st.integers(0, 40)
)
CASH = st.tuples(
    st.just("cash"),
    st.sampled_from(LOGINS),
    st.integers(-300_000, 300_000).filter(bool),
    st.sampled_from(("balance", "credit", "commission")),
)
CLOSE_BY = st.tuples(
    st.just("close_by"), st.sampled_from(LOGINS), st.integers(0, 5), st.integers(0, 5)
)
NIGHTS = st.tuples(st.just("nights"), st.integers(1, 4))
COSTLY = {
    "XAUUSD": {"swap_mode": 1, "swap_long": D("-7.5"), "swap_short": D("2.5")},
    "EURUSD": {"swap_mode": 4, "swap_long": D("-3.33"), "commission": D("3.5")},
    "USDJPY": {"swap_mode": 7, "swap_long": D(-5), "swap_short": D(-5)},
    "USDCHF": {"swap_mode": 5, "swap_short": D("-3.6"), "commission": D("0.1")},
}
"""Costs of every kind: in points, in money, by re-opening, as interest."""


def act(bench: Bench, step: tuple[object, ...]) -> None:
    """Do one step; trades may be refused."""
    match step:
        case ("trade", int(login), str(symbol), int(kind), int(lots), int(which)):
            held = bench.positions(login)
            position = held[which].ticket if which < len(held) else 0
            bench.send(
                login,
                action=1,
                symbol=held[which].symbol if position else symbol,
                volume=lots / 100,
                type=(0 if held[which].sign < 0 else 1) if position else kind,
                position=position,
            )
        case ("price", str(symbol), int(permille), int(spread)):
            terms = bench.sim.market.symbols[symbol]
            bid = (terms.bid * (1000 + permille) / 1000).quantize(terms.point)
            bench.sim.set_price(symbol, bid, bid + spread * terms.point)
        case ("close_by", int(login), int(one), int(other)):
            held = bench.positions(login)
            if max(one, other) < len(held):
                tickets: dict[str, Any] = {
                    "position": held[one].ticket,
                    "position_by": held[other].ticket,
                }
                bench.send(login, "person", action=10, **tickets)
        case ("nights", int(count)):
            bench.now += count * 86_400_000
            bench.sim.walk()
        case ("cash", int(login), int(cents), str(kind)):
            bench.sim.broker.cash(login, D(cents) / 100, kind)
        case _:
            raise AssertionError(step)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.one_of(TRADES, TRADES, PRICES, CASH, CLOSE_BY, NIGHTS), max_size=25))
def test_money_adds_up_after_any_sequence(steps: list[tuple[object, ...]]) -> None:
    """Equity is balance, credit and open profit; the deals are the balance; nets stay single."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for symbol, costs in COSTLY.items():
            bench.sim.set_terms(symbol, **costs)
        for step in steps:
            act(bench, step)
        for login in LOGINS:
            account, value = bench.sim.ledger.accounts[login], bench.sim.broker.value(login)
            held = bench.positions(login)
            floating = sum((value.profits[one.ticket] + one.swap for one in held), D(0))
            assert value.equity == account.balance + account.credit + floating
            deals = bench.sim.ledger.deals(login)
            booked = sum((d.profit + d.commission + d.swap + d.fee for d in deals), D(0))
            credit = sum((d.profit for d in deals if d.kind == 3), D(0))
            assert booked - credit == account.balance
            assert credit == account.credit
            assert all(one.volume > 0 for one in held)
            assert not held or value.equity * 2 > value.margin
        nets = [one.symbol for one in bench.positions(NETTING_EUR)]
        assert len(nets) == len(set(nets))
        bench.store.close()


@settings(max_examples=60, deadline=None)
@given(
    trades=st.lists(TRADES, max_size=6),
    levels=st.lists(st.integers(-90, 90), min_size=6, max_size=6),
    path=st.lists(st.tuples(st.integers(-250, 250), st.integers(0, 30)), max_size=30),
)
def test_within_the_bounds_nothing_can_happen(
    trades: list[tuple[object, ...]], levels: list[int], path: list[tuple[int, int]]
) -> None:
    """A quote that the bounds call quiet causes no fill when it is counted exactly."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for step in trades:
            act(bench, step)
        for index, login in enumerate(LOGINS):
            for one in bench.positions(login):
                start = bench.sim.market.symbols[one.symbol].bid
                offset = start * levels[index] / 1000 * -one.sign
                sl = round(float(start - abs(offset) * one.sign), 2)
                bench.send(login, action=6, symbol=one.symbol, position=one.ticket, sl=sl, tp=0.0)
        for permille, spread in path:
            bid = D(1970) * (1000 + permille) / 1000
            ask = bid + D(spread) / 100
            quiet = draw_bounds(bench.sim.broker, "XAUUSD").is_quiet(float(bid), float(ask))
            fills = bench.sim.set_price("XAUUSD", bid, ask)
            assert not (quiet and fills)
        bench.store.close()
