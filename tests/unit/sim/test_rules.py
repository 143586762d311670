"""What a symbol's and an account's terms refuse, each at its bound and past it."""

from decimal import Decimal
from typing import Any

import pytest

from core.sim.codes import Execution, TradeMode
from core.sim.symbols import Session
from tests.unit.sim.bench import HEDGING_USD, NETTING_EUR, START_MS, Bench
from tests.unit.sim.surface import deal

D = Decimal
ALL_FLAGS = 1 | 2 | 4
PENDING_TYPES = {2: 1960.0, 3: 1980.0, 4: 1980.0, 5: 1960.0, 6: 1980.0, 7: 1960.0}
"""Prices at which each kind of pending order may rest; gold stands at 1970.00 and 1970.30."""


def code(bench: Bench, **request: Any) -> int | None:
    """What an expert's request on the hedging account is answered."""
    return bench.send(HEDGING_USD, "reckoner", **request).retcode


FILLINGS = [
    # execution, flags, modes taken at the market: 0 FOK, 1 IOC, 2 RETURN, 3 BOC
    (Execution.REQUEST, ALL_FLAGS, {0}),
    (Execution.INSTANT, ALL_FLAGS, {0}),
    (Execution.MARKET, 1, {0}),
    (Execution.MARKET, 2, {1}),
    (Execution.MARKET, 3, {0, 1}),
    (Execution.MARKET, ALL_FLAGS, {0, 1}),
    (Execution.EXCHANGE, ALL_FLAGS, {0, 1, 2}),
]


@pytest.mark.parametrize(("execution", "flags", "taken"), FILLINGS)
def test_filling_modes_by_execution(
    bench: Bench, execution: int, flags: int, taken: set[int]
) -> None:
    bench.sim.set_terms("XAUUSD", execution=execution, filling_mode=flags)
    answers = {
        mode: code(bench, **{**deal(), "type_filling": mode, "price": 1970.3}) for mode in range(4)
    }
    assert answers == {mode: 10009 if mode in taken else 10030 for mode in range(4)}


@pytest.mark.parametrize(
    ("kind", "rests"), [(2, True), (3, True), (6, True), (7, True), (4, False)]
)
def test_only_limit_orders_return_the_rest_or_book_it(
    bench: Bench, kind: int, *, rests: bool
) -> None:
    bench.sim.set_terms("XAUUSD", filling_mode=ALL_FLAGS)
    request = {
        "action": 5, "symbol": "XAUUSD", "volume": 0.1, "type": kind,
        "price": PENDING_TYPES[kind], "stoplimit": PENDING_TYPES[kind],
    }  # fmt: skip
    for filling in (2, 3):
        expected = 10009 if rests else 10030
        assert code(bench, **request, type_filling=filling) == expected
    bench.sim.set_terms("XAUUSD", filling_mode=3)
    assert code(bench, **request, type_filling=3) == 10030


PRICES = [
    # execution, price asked with 20 points of deviation, answer; the ask is 1970.30
    (Execution.MARKET, 0.0, 10009),
    (Execution.MARKET, 1.0, 10009),
    (Execution.EXCHANGE, 1.0, 10009),
    (Execution.INSTANT, 0.0, 10015),
    (Execution.REQUEST, 0.0, 10015),
    (Execution.INSTANT, 1970.3, 10009),
    (Execution.INSTANT, 1970.1, 10009),
    (Execution.INSTANT, 1970.5, 10009),
    (Execution.INSTANT, 1970.09, 10004),
    (Execution.INSTANT, 1970.51, 10004),
    (Execution.REQUEST, 1970.51, 10004),
]


@pytest.mark.parametrize(("execution", "price", "retcode"), PRICES)
def test_only_instant_and_request_look_at_the_price(
    bench: Bench, execution: int, price: float, retcode: int
) -> None:
    bench.sim.set_terms("XAUUSD", execution=execution, filling_mode=3)
    request = {**deal(), "type_filling": 0, "price": price, "deviation": 20}
    assert code(bench, **request) == retcode


MODES = [
    # trade mode, to buy, to sell, to close a buy
    (TradeMode.FULL, 10009, 10009, 10009),
    (TradeMode.LONG_ONLY, 10009, 10042, 10009),
    (TradeMode.SHORT_ONLY, 10043, 10009, 10009),
    (TradeMode.CLOSE_ONLY, 10044, 10044, 10009),
    (TradeMode.DISABLED, 10017, 10017, 10017),
]


@pytest.mark.parametrize("by", ["terms", "fault"])
@pytest.mark.parametrize(("mode", "buys", "sells", "closes"), MODES)
def test_trade_modes(bench: Bench, mode: int, buys: int, sells: int, closes: int, by: str) -> None:
    ticket = bench.trade(HEDGING_USD, "buy", 0.1)
    if by == "terms":
        bench.sim.set_terms("XAUUSD", trade_mode=mode)
    else:
        bench.fault(HEDGING_USD, "trade_mode", symbol="XAUUSD", mode=mode)
    read = bench.terminal.snapshot(HEDGING_USD, 0, [])
    assert read["symbols"]["XAUUSD"]["trade_mode"] == mode
    assert code(bench, **deal("buy")) == buys
    assert code(bench, **deal("sell")) == sells
    pending = {"action": 5, "symbol": "XAUUSD", "volume": 0.1, "type_filling": 2}
    assert code(bench, **pending, type=2, price=1960.0) == buys
    assert code(bench, **pending, type=3, price=1980.0) == sells
    assert code(bench, **deal("sell"), position=ticket) == closes
    assert code(bench, **deal("buy", symbol="EURUSD")) == 10009


def test_a_net_position_may_be_reduced_where_only_closing_is_allowed(bench: Bench) -> None:
    bench.trade(NETTING_EUR, "buy", 0.2)
    bench.sim.set_terms("XAUUSD", trade_mode=TradeMode.CLOSE_ONLY)
    assert bench.send(NETTING_EUR, "reckoner", **deal("sell", 0.3)).retcode == 10044
    assert bench.send(NETTING_EUR, "reckoner", **deal("sell", 0.2)).retcode == 10009


STOPS = [
    # a buy closes at 1970.00; 50 points are 0.50
    ({"sl": 1969.5}, 10009),
    ({"sl": 1969.51}, 10016),
    ({"tp": 1970.5}, 10009),
    ({"tp": 1970.49}, 10016),
]


@pytest.mark.parametrize(("levels", "retcode"), STOPS)
def test_the_stops_level_is_the_nearest_a_stop_may_be(
    bench: Bench, levels: dict[str, float], retcode: int
) -> None:
    bench.sim.set_terms("XAUUSD", stops_level=50)
    assert code(bench, **deal(), **levels) == retcode
    ticket = bench.trade(HEDGING_USD, "buy", 0.1)
    assert code(bench, action=6, position=ticket, **levels) == retcode


@pytest.mark.parametrize(("price", "retcode"), [(1969.8, 10009), (1969.81, 10015)])
def test_the_stops_level_keeps_pending_orders_away_too(
    bench: Bench, price: float, retcode: int
) -> None:
    """A buy limit rests under the ask of 1970.30."""
    bench.sim.set_terms("XAUUSD", stops_level=50)
    assert code(bench, **{**deal(), "action": 5, "type": 2, "price": price}) == retcode


@pytest.mark.parametrize(("bid", "retcode"), [("1950.50", 10029), ("1950.51", 10009)])
def test_near_its_stop_a_position_is_frozen(bench: Bench, bid: str, retcode: int) -> None:
    bench.sim.set_terms("XAUUSD", freeze_level=50)
    ticket = bench.trade(HEDGING_USD, "buy", 0.1, sl=1950.0)
    bench.price("XAUUSD", bid, "1960.00")
    assert code(bench, action=6, position=ticket, sl=1940.0) == retcode
    if retcode == 10009:
        bench.send(HEDGING_USD, action=6, position=ticket, sl=1950.0)
    assert code(bench, **deal("sell"), position=ticket) == retcode


def test_near_its_price_a_pending_order_is_frozen(bench: Bench) -> None:
    bench.sim.set_terms("XAUUSD", freeze_level=50)
    sent = bench.send(HEDGING_USD, **{**deal(), "action": 5, "type": 2, "price": 1960.0})
    assert sent.result is not None
    order = sent.result["order"]
    bench.price("XAUUSD", "1960.20", "1960.50")
    assert code(bench, action=8, order=order) == 10029
    assert code(bench, action=7, order=order, price=1950.0) == 10029
    bench.price("XAUUSD", "1960.21", "1960.51")
    assert code(bench, action=8, order=order) == 10009


def test_first_in_first_out_closes_the_oldest_of_a_symbol(bench: Bench) -> None:
    bench.sim.set_account(HEDGING_USD, fifo_close=True)
    first = bench.trade(HEDGING_USD, "buy", 0.1)
    bench.now += 1
    second = bench.trade(HEDGING_USD, "buy", 0.1)
    other = bench.trade(HEDGING_USD, "buy", 0.1, "EURUSD")
    assert bench.sim.view(HEDGING_USD)["account"]["fifo_close"] is True
    assert code(bench, **deal("sell"), position=second) == 10045
    assert code(bench, **deal("sell", symbol="EURUSD"), position=other) == 10009
    assert code(bench, **deal("sell", 0.05), position=first) == 10009
    assert code(bench, **deal("sell"), position=second) == 10045
    assert code(bench, **deal("sell", 0.05), position=first) == 10009
    assert code(bench, **deal("sell"), position=second) == 10009


# 22:13:20 UTC on Tuesday the 14th is 01:13:20 of Wednesday (day 3) for the server.
NOW_S = 3600 + 13 * 60 + 20
SESSIONS = [
    ((), True),
    ((Session(3, NOW_S, NOW_S + 1),), True),
    ((Session(3, NOW_S + 1, 86_400),), False),
    ((Session(3, 0, NOW_S),), False),
    ((Session(2, 0, 86_400),), False),
    ((Session(2, 0, 86_400), Session(3, 0, 86_400)), True),
]


@pytest.mark.parametrize(("sessions", "is_open"), SESSIONS)
def test_outside_of_its_sessions_a_symbol_is_closed(
    bench: Bench, sessions: tuple[Session, ...], *, is_open: bool
) -> None:
    ticket = bench.trade(HEDGING_USD, "buy", 0.1, sl=1960.0)
    other = bench.trade(HEDGING_USD, "sell", 0.1)
    sent = bench.send(HEDGING_USD, **{**deal(), "action": 5, "type": 2, "price": 1950.0})
    assert sent.result is not None
    order = sent.result["order"]
    bench.sim.set_terms("XAUUSD", sessions=sessions)
    expected = 10009 if is_open else 10018
    assert code(bench, **deal()) == expected
    assert code(bench, **{**deal(), "action": 5, "type": 2, "price": 1950.0}) == expected
    assert code(bench, action=6, position=ticket, sl=1961.0) == expected
    assert code(bench, action=7, order=order, price=1951.0, type_filling=1) == expected
    assert code(bench, action=8, order=order) == expected
    assert code(bench, action=10, position=ticket, position_by=other) == expected
    if not is_open:
        # Stops rest with it: the price may be told, and nothing is filled until it opens.
        assert bench.price("XAUUSD", "1940.00", "1940.30") == 0
        bench.sim.set_terms("XAUUSD", sessions=())
        assert bench.price("XAUUSD", "1940.00", "1940.30") == 2


def test_a_stop_out_waits_for_the_market(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 4.0)
    bench.sim.set_terms("XAUUSD", sessions=(Session(0, 0, 1),))
    bench.price("XAUUSD", "1900.00", "1900.30")
    assert len(bench.positions(HEDGING_USD)) == 1
    bench.sim.set_terms("XAUUSD", sessions=())
    bench.price("XAUUSD", "1900.00", "1900.30")
    assert bench.positions(HEDGING_USD) == []


@pytest.mark.parametrize(("percent", "bid", "out"), [(50, 1955, 1), (44, 1955, 0), (45, 1955, 1)])
def test_the_stop_out_level_is_the_accounts(bench: Bench, percent: int, bid: int, out: int) -> None:
    """5 lots: the level is 44.155 % at 1955.00 (test_triggers)."""
    bench.sim.set_account(HEDGING_USD, stop_out_percent=D(percent))
    bench.trade(HEDGING_USD, "buy", 5.0)
    assert bench.sim.view(HEDGING_USD)["account"]["margin_so_so"] == float(percent)
    assert bench.price("XAUUSD", f"{bid}.00", f"{bid}.30") == out


def test_volumes_are_the_symbols_own(bench: Bench) -> None:
    bench.sim.set_terms(
        "XAUUSD", volume_min=D("0.1"), volume_step=D("0.1"), volume_max=D(1), volume_limit=D("1.5")
    )
    answers = [code(bench, **deal(volume=lots)) for lots in (0.05, 0.15, 1.1, 1.0, 0.6, 0.5)]
    assert answers == [10014, 10014, 10014, 10009, 10034, 10009]
    # The other side has a limit of its own, and pending orders count.
    pending = {**deal(volume=1.0), "action": 5, "type": 3, "price": 1980.0}
    assert code(bench, **pending) == 10009
    assert code(bench, **deal("sell", 0.6)) == 10034
    assert code(bench, **deal("sell", 0.5)) == 10009


def test_accounts_limit_positions_orders_and_hedges(bench: Bench) -> None:
    bench.sim.set_account(HEDGING_USD, limit_positions=2, limit_orders=1, hedge_allowed=False)
    ticket = bench.trade(HEDGING_USD, "buy", 0.1)
    assert code(bench, **deal("sell")) == 10046
    assert code(bench, **deal("sell", symbol="EURUSD")) == 10009
    assert code(bench, **deal("buy")) == 10040
    pending = {**deal(), "action": 5, "type": 2, "price": 1960.0}
    assert [code(bench, **pending) for _ in range(2)] == [10009, 10033]
    assert code(bench, **deal("sell"), position=ticket) == 10009


@pytest.mark.parametrize(
    ("rights", "expert", "person"),
    [({"trade_allowed": False}, 10017, 10017), ({"trade_expert": False}, 10026, 10009)],
)
def test_accounts_that_may_not_trade(
    bench: Bench, rights: dict[str, bool], expert: int, person: int
) -> None:
    bench.sim.set_account(HEDGING_USD, **rights)
    account = bench.sim.view(HEDGING_USD)["account"]
    assert {name: account[name] for name in rights} == rights
    assert code(bench, **deal()) == expert
    assert bench.sim.submit(HEDGING_USD, "person", deal(), reason=1).retcode == person


@pytest.mark.parametrize(
    ("request_", "retcode"),
    [
        (deal(), 0),
        ({**deal(), "volume": 0.001}, 10014),
        ({**deal(), "type_filling": 0}, 10030),
        ({**deal(), "volume": 90.0}, 10019),
        ({**deal("sell"), "position": 900_001}, 0),
        ({**deal("sell"), "position": 5}, 10036),
        ({"action": 6, "position": 900_001, "sl": 1960.0}, 0),
        ({"action": 6, "position": 900_001}, 10025),
        ({**deal(), "action": 5, "type": 2, "price": 1960.0}, 0),
        ({"action": 7, "order": 900_002, "price": 1961.0, "type_filling": 1}, 0),
        ({"action": 8, "order": 900_002}, 0),
        ({"action": 10, "position": 900_001, "position_by": 900_003}, 0),
    ],
)
def test_a_check_answers_0_or_the_refusal_and_does_nothing(
    bench: Bench, request_: dict[str, Any], retcode: int
) -> None:
    bench.trade(HEDGING_USD, "buy", 0.1)
    bench.send(HEDGING_USD, **{**deal(), "action": 5, "type": 2, "price": 1960.0})
    bench.trade(HEDGING_USD, "sell", 0.1)
    before = bench.sim.view(HEDGING_USD)
    assert bench.sim.check(HEDGING_USD, request_).retcode == retcode
    assert bench.sim.view(HEDGING_USD) == before
    assert bench.now == START_MS
