"""Pending orders: stop-limits, expiration, changes, and the history of what became of them."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.sim.bench import HEDGING_USD, START_MS, Bench
from tests.unit.sim.surface import Surface, deal

D = Decimal
SERVER_S = START_MS // 1000 + 10_800
DAY_END_S = (SERVER_S // 86_400 + 1) * 86_400
REST: dict[str, Any] = {**deal(), "action": 5, "type": 2, "price": 1960.0}


def place(bench: Bench, **request: Any) -> int:
    """Let an order rest; answers its ticket. Must be taken."""
    sent = bench.send(HEDGING_USD, "reckoner", **{**REST, **request})
    assert sent.result is not None
    assert sent.retcode == 10009, sent.result
    return int(sent.result["order"])


def state_of(mt5: Surface, ticket: int) -> tuple[int, float]:
    """The state of an order that is done, and what is left of it."""
    (order,) = mt5.history_orders_get(ticket=ticket)
    return order.state, order.volume_current


def test_an_order_that_rests_answers_no_deal_and_no_price(mt5: Surface) -> None:
    sent = mt5.send(**REST)
    assert (sent.retcode, sent.deal, sent.price) == (10009, 0, 0.0)
    (order,) = mt5.orders_get()
    assert (order.ticket, order.type, order.state) == (sent.order, 2, 1)
    assert (order.volume_initial, order.volume_current, order.time_done) == (0.1, 0.1, 0)
    assert mt5.history_orders_get(0, 2**31 - 1) == ()


STOP_LIMITS = [
    # type, trigger, limit, answer; the market is 1970.00 and 1970.30
    (6, 1980.0, 1975.0, 10009),
    (6, 1980.0, 1980.0, 10009),
    (6, 1980.0, 1980.01, 10015),
    (6, 1980.0, 0.0, 10015),
    (6, 1970.3, 1970.0, 10015),
    (6, 1980.0, 1975.001, 10015),
    (7, 1960.0, 1965.0, 10009),
    (7, 1960.0, 1959.99, 10015),
    (7, 1970.0, 1975.0, 10015),
]


@pytest.mark.parametrize(("kind", "trigger", "limit", "retcode"), STOP_LIMITS)
def test_where_a_stop_limit_may_rest(
    bench: Bench, kind: int, trigger: float, limit: float, retcode: int
) -> None:
    request = {**REST, "type": kind, "price": trigger, "stoplimit": limit}
    assert bench.send(HEDGING_USD, "reckoner", **request).retcode == retcode


def test_a_stop_limit_becomes_a_limit_and_fills_at_its_price_or_better(
    mt5: Surface, bench: Bench
) -> None:
    ticket = place(bench, type=6, price=1980.0, stoplimit=1975.0)
    assert mt5.orders_get()[0].price_stoplimit == 1975.0
    assert bench.price("XAUUSD", "1979.60", "1979.90") == 0
    assert mt5.orders_get()[0].type == 6
    assert bench.price("XAUUSD", "1979.80", "1980.10") == 0
    (order,) = mt5.orders_get()
    assert (order.ticket, order.type, order.price_open, order.price_stoplimit) == (
        ticket, 2, 1975.0, 0.0,
    )  # fmt: skip
    assert bench.price("XAUUSD", "1974.00", "1974.30") == 1
    assert bench.positions(HEDGING_USD)[0].price_open == D("1974.30")
    assert state_of(mt5, ticket) == (4, 0.0)


EXPIRATIONS = [
    # type_time, expiration (server seconds), answer, when it expires
    (0, 0, 10009, 0),
    (0, SERVER_S + 60, 10009, 0),
    (1, 0, 10009, DAY_END_S),
    (2, SERVER_S + 60, 10009, SERVER_S + 60),
    (2, SERVER_S + 1, 10009, SERVER_S + 1),
    (2, SERVER_S, 10022, None),
    (2, 0, 10022, None),
    (3, SERVER_S + 60, 10009, DAY_END_S),
    (3, SERVER_S - 60, 10022, None),
    (4, 0, 10022, None),
]


@pytest.mark.parametrize(("kind", "asked", "retcode", "ends"), EXPIRATIONS)
def test_when_an_order_expires(
    mt5: Surface, bench: Bench, kind: int, asked: int, retcode: int, ends: int | None
) -> None:
    sent = mt5.send(**REST, type_time=kind, expiration=asked)
    assert sent.retcode == retcode
    if not ends:
        return
    (order,) = mt5.orders_get()
    assert (order.type_time, order.time_expiration) == (kind, ends)
    bench.now = (ends - 10_800) * 1000 - 1
    assert len(mt5.orders_get()) == 1
    bench.now += 1
    assert mt5.orders_get() == ()
    assert state_of(mt5, sent.order) == (6, 0.1)


def test_a_symbol_may_not_know_a_kind_of_expiration(bench: Bench) -> None:
    """Bits: 1 until cancelled, 2 the day, 4 a time, 8 a day."""
    bench.sim.set_terms("XAUUSD", expiration_mode=1)
    answers = [
        bench.send(HEDGING_USD, **REST, type_time=kind, expiration=SERVER_S + 60).retcode
        for kind in range(4)
    ]
    assert answers == [10009, 10022, 10022, 10022]


def test_an_order_is_changed_whole(mt5: Surface, bench: Bench) -> None:
    ticket = place(bench, sl=1950.0)
    change = {"action": 7, "order": ticket, "price": 1961.0, "sl": 1951.0, "tp": 1990.0}
    sent = mt5.send(**change, type_time=2, expiration=SERVER_S + 60)
    assert (sent.retcode, sent.deal, sent.order) == (10009, 0, ticket)
    (order,) = mt5.orders_get()
    assert (order.price_open, order.sl, order.tp) == (1961.0, 1951.0, 1990.0)
    assert (order.volume_current, order.time_expiration) == (0.1, SERVER_S + 60)
    assert mt5.send(**change, type_time=2, expiration=SERVER_S + 60).retcode == 10025
    assert mt5.send(**{**change, "price": 1970.3}).retcode == 10015
    assert mt5.send(**{**change, "sl": 1961.0}).retcode == 10016
    assert mt5.send(**{**change, "order": 5}).retcode == 10013


def test_what_becomes_of_orders(mt5: Surface, bench: Bench) -> None:
    cancelled = place(bench)
    mt5.send(action=8, order=cancelled)
    filled = place(bench, price=1969.0)
    poor = place(bench, price=1968.0, volume=90.0)
    bench.price("XAUUSD", "1967.70", "1968.00")
    assert mt5.orders_get() == ()
    assert state_of(mt5, cancelled) == (2, 0.1)
    assert state_of(mt5, filled) == (4, 0.0)
    # The free margin does not carry 90 lots when it comes to it.
    assert state_of(mt5, poor) == (5, 90.0)
    (order,) = mt5.history_orders_get(position=filled)
    assert (order.position_id, order.time_done) == (filled, SERVER_S)
    assert [one.ticket for one in mt5.positions_get()] == [filled]


def test_the_history_of_orders_survives_the_world(mt5: Surface, bench: Bench) -> None:
    cancelled = place(bench)
    bench.now += 1_000
    ticket = mt5.open()
    bench.now += 1_000
    mt5.send(action=8, order=cancelled)
    before = mt5.history_orders_get(0, 2**31 - 1)
    bench.reopen()
    mt5.plug(HEDGING_USD)
    mt5.initialize(mt5.path(HEDGING_USD))
    assert mt5.history_orders_get(0, 2**31 - 1) == before
    assert [one.ticket for one in before] == [ticket, cancelled]
