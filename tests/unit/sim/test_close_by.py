"""A position closed by an opposite one: two OUT_BY deals, the rest of the larger stays."""

from decimal import Decimal
from typing import Any

import pytest

from core.sim.codes import SwapMode
from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, NETTING_EUR, Bench
from tests.unit.sim.surface import Surface

D = Decimal


def test_the_rest_keeps_side_and_price_of_the_larger(mt5: Surface, bench: Bench) -> None:
    """Bought 0.3 at 1970.30, sold 0.1 at 1980.00: 10 oz * 9.70 = 97.00 USD, in one of the deals."""
    larger = mt5.open("buy", 0.3, magic=7, comment="mine")
    bench.price("XAUUSD", "1980.00", "1980.30")
    smaller = mt5.open("sell", 0.1)
    sent = mt5.send(action=10, position=larger, position_by=smaller)
    assert (sent.retcode, sent.volume) == (10009, 0.1)
    (rest,) = mt5.positions_get()
    assert (rest.ticket, rest.identifier, rest.type) == (larger, larger, 0)
    assert (rest.volume, rest.price_open, rest.magic, rest.comment) == (0.2, 1970.3, 7, "mine")
    deals = mt5.history_deals_get(0, 2**31 - 1)[-2:]
    assert [(one.entry, one.position_id, one.type, one.volume) for one in deals] == [
        (3, larger, 1, 0.1),
        (3, smaller, 0, 0.1),
    ]
    assert sorted(one.profit for one in deals) == [0.0, 97.0]
    assert {one.comment for one in deals} == {f"close #{larger} by #{smaller}"}
    assert {one.order for one in deals} == {sent.order}
    assert bench.balance(HEDGING_USD) == 12_097
    # One order made two deals; a look-up by ticket answers one at most.
    assert len(mt5.history_deals_get(ticket=sent.order)) == 1
    (order,) = mt5.history_orders_get(ticket=sent.order)
    assert (order.type, order.position_id, order.position_by_id) == (8, larger, smaller)


def test_the_smaller_may_be_named_first(mt5: Surface, bench: Bench) -> None:
    larger = mt5.open("buy", 0.3)
    smaller = mt5.open("sell", 0.1)
    mt5.send(action=10, position=smaller, position_by=larger)
    (rest,) = mt5.positions_get()
    assert (rest.ticket, rest.type, rest.volume) == (larger, 0, 0.2)
    # Sold at 1970.00, bought at 1970.30: 10 oz lose 0.30 each.
    assert bench.balance(HEDGING_USD) == 11_997


def test_equals_leave_nothing(mt5: Surface) -> None:
    one, other = mt5.open("buy", 0.2), mt5.open("sell", 0.2)
    mt5.send(action=10, position=one, position_by=other)
    assert mt5.positions_get() == ()


def test_the_result_is_converted_at_the_present_rate(bench: Bench) -> None:
    """10 oz * 0.30 = -3 USD; at 1.50 a pound: -2.00, not the -2.36 of 1.27."""
    long = bench.trade(HEDGING_GBP, "buy", 0.1)
    short = bench.trade(HEDGING_GBP, "sell", 0.1)
    bench.price("GBPUSD", "1.50000", "1.50012")
    bench.send(HEDGING_GBP, action=10, position=long, position_by=short)
    assert bench.balance(HEDGING_GBP) == D("9998.00")


def test_both_realise_their_swaps(bench: Bench) -> None:
    bench.sim.set_terms(
        "XAUUSD", swap_mode=SwapMode.CURRENCY_DEPOSIT, swap_long=D(-2), swap_short=D(1)
    )
    long = bench.trade(HEDGING_USD, "buy", 0.2)
    short = bench.trade(HEDGING_USD, "sell", 0.1)
    bench.now += 86_400_000
    bench.sim.walk()
    bench.send(HEDGING_USD, action=10, position=long, position_by=short)
    # Three nights: -1.20 on 0.2 lots, half of it realised; 0.30 on 0.1.
    assert [one.swap for one in bench.deals(HEDGING_USD)[-2:]] == [D("-0.60"), D("0.30")]
    assert bench.positions(HEDGING_USD)[0].swap == D("-0.60")


@pytest.mark.parametrize(
    ("request_", "retcode"),
    [
        ({"position": 900_001, "position_by": 900_002}, 10013),  # the same side
        ({"position": 900_001, "position_by": 900_004}, 10013),  # another symbol
        ({"position": 900_001, "position_by": 900_001}, 10013),
        ({"position": 900_001, "position_by": 5}, 10036),
        ({"position": 5, "position_by": 900_003}, 10036),
        ({"position": 900_001}, 10036),
    ],
)
def test_what_cannot_be_closed_by_another(
    bench: Bench, request_: dict[str, Any], retcode: int
) -> None:
    bench.trade(HEDGING_USD, "buy", 0.1)
    bench.trade(HEDGING_USD, "buy", 0.1)
    bench.trade(HEDGING_USD, "sell", 0.1)
    bench.trade(HEDGING_USD, "sell", 0.1, "EURUSD")
    assert bench.send(HEDGING_USD, action=10, **request_).retcode == retcode
    assert len(bench.positions(HEDGING_USD)) == 4


def test_a_netting_account_has_nothing_to_close_by(bench: Bench) -> None:
    gold = bench.trade(NETTING_EUR, "buy", 0.1)
    euro = bench.trade(NETTING_EUR, "sell", 0.1, "EURUSD")
    assert bench.send(NETTING_EUR, action=10, position=gold, position_by=euro).retcode == 10013
