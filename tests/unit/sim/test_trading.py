"""The trade server refuses with MetaTrader's numbers, and a refusal changes nothing."""

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.sim.bench import HEDGING_USD, NETTING_EUR, Bench

D = Decimal
OPEN: dict[str, Any] = {
    "action": 1,
    "symbol": "XAUUSD",
    "volume": 0.1,
    "type": 0,
    "type_filling": 1,
}
CLOSE: dict[str, Any] = {**OPEN, "type": 1, "position": 900_001}
REST: dict[str, Any] = {**OPEN, "action": 5, "type": 2, "price": 1960.0}

REFUSED = [
    ({"action": 0}, OPEN, 10013),
    ({"action": 99}, OPEN, 10013),
    ({"symbol": "NOPE"}, OPEN, 10013),
    ({"type": 2}, OPEN, 10013),
    ({"volume": 0.0}, OPEN, 10014),
    ({"volume": 0.005}, OPEN, 10014),
    ({"volume": 0.015}, OPEN, 10014),
    ({"volume": 100.01}, OPEN, 10014),
    ({"volume": -0.1}, OPEN, 10014),
    ({"price": -1.0}, OPEN, 10015),
    ({"sl": 1970.0}, OPEN, 10016),
    ({"tp": 1970.0}, OPEN, 10016),
    ({"sl": 1950.001}, OPEN, 10016),
    ({"type": 1, "sl": 1970.3}, OPEN, 10016),
    ({"type": 1, "tp": 1970.3}, OPEN, 10016),
    ({"volume": 50.0}, OPEN, 10019),
    ({"type_filling": 0}, OPEN, 10030),
    ({"type_filling": 2}, OPEN, 10030),
    ({"symbol": "EURUSD", "type_filling": 2}, OPEN, 10030),
    ({"position": 12345}, CLOSE, 10036),
    ({"type": 0}, CLOSE, 10013),
    ({"symbol": "EURUSD"}, CLOSE, 10013),
    ({"volume": 0.11}, CLOSE, 10038),
    ({"volume": 0.0}, CLOSE, 10014),
    ({"type_filling": 0}, CLOSE, 10030),
    ({"type": 0}, REST, 10035),
    ({"type": 8}, REST, 10035),
    ({"type": 6}, REST, 10015),
    ({"price": 0.0}, REST, 10015),
    ({"price": 1970.3}, REST, 10015),
    ({"price": 1960.001}, REST, 10015),
    ({"type": 4}, REST, 10015),
    ({"type": 3}, REST, 10015),
    ({"sl": 1960.0}, REST, 10016),
    ({"action": 6, "position": 12345}, OPEN, 10036),
    ({"action": 6, "position": 900_001}, OPEN, 10025),
    ({"action": 6, "position": 900_001, "sl": 1971.0}, OPEN, 10016),
    ({"action": 8, "order": 12345}, OPEN, 10013),
]


@pytest.mark.parametrize(("change", "base", "retcode"), REFUSED)
def test_refusals(bench: Bench, change: dict[str, Any], base: dict[str, Any], retcode: int) -> None:
    bench.trade(HEDGING_USD, "buy", 0.10)
    before = bench.sim.view(HEDGING_USD)
    sent = bench.send(HEDGING_USD, "reckoner", **{**base, **change})
    assert sent.result is not None
    assert sent.retcode == retcode
    zeros = ("deal", "order", "volume", "price", "bid", "ask")
    assert [sent.result[name] for name in zeros] == [0] * 6
    assert bench.sim.view(HEDGING_USD) == before


def test_a_close_answers_what_was_done(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 0.10)
    sent = bench.send(HEDGING_USD, "reckoner", **CLOSE, comment="rc:1")
    assert sent.result is not None
    deal = bench.deals(HEDGING_USD)[-1]
    assert (sent.retcode, sent.result["deal"], sent.result["order"]) == (
        10009,
        deal.ticket,
        deal.order,
    )
    assert (sent.result["volume"], sent.result["price"]) == (0.1, 1970.0)
    assert sent.result["request"]["position"] == 900_001
    assert (deal.reason, deal.comment) == (3, "rc:1")


def test_closing_what_is_gone_is_told_so(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 0.10)
    assert bench.send(HEDGING_USD, "reckoner", **CLOSE).retcode == 10009
    assert bench.send(HEDGING_USD, "reckoner", **CLOSE).retcode == 10036
    assert len(bench.deals(HEDGING_USD)) == 2


def test_closing_a_net_position_needs_no_free_margin(bench: Bench) -> None:
    bench.trade(NETTING_EUR, "buy", 5.0, "EURUSD")
    bench.price("EURUSD", "1.07500", "1.07510")
    assert bench.sim.broker.value(NETTING_EUR).margin_free < 0
    bench.trade(NETTING_EUR, "sell", 5.0, "EURUSD")
    assert bench.positions(NETTING_EUR) == []


def test_levels_are_set_moved_and_removed(bench: Bench) -> None:
    ticket = bench.trade(HEDGING_USD, "buy", 0.10)
    for sl, tp in ((1950.0, 1990.0), (1955.0, 0.0), (0.0, 0.0)):
        sent = bench.send(HEDGING_USD, action=6, symbol="XAUUSD", position=ticket, sl=sl, tp=tp)
        assert sent.result is not None
        assert (sent.retcode, sent.result["deal"], sent.result["order"]) == (10009, 0, 0)
        (held,) = bench.positions(HEDGING_USD)
        assert (held.sl, held.tp) == (D(str(sl)), D(str(tp)))


def test_a_resting_order_is_removed(bench: Bench) -> None:
    sent = bench.send(HEDGING_USD, **REST)
    assert sent.result is not None
    gone = bench.send(HEDGING_USD, action=8, order=sent.result["order"])
    assert gone.retcode == 10009
    assert bench.sim.ledger.orders(HEDGING_USD) == {}


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"volume": "0.1"}, "volume"),
        ({"position": 1.5}, "position"),
        ({"comment": "x" * 30}, "comment"),
        ({"comment": "\U0001f600" * 15}, "comment"),
        ({"symbol": 5}, "symbol"),
        ({"price": True}, "price"),
        ({"sl": float("nan")}, "sl"),
    ],
)
def test_the_wheel_refuses_wrong_types_itself(
    bench: Bench, change: dict[str, Any], argument: str
) -> None:
    sent = bench.send(HEDGING_USD, "reckoner", **{**OPEN, **change})
    assert sent.result is None
    assert sent.error == (-2, f'Invalid "{argument}" argument')
    assert bench.positions(HEDGING_USD) == []


def test_a_comment_of_29_units_passes(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 0.10, comment="x" * 29)
    assert bench.positions(HEDGING_USD)[0].comment == "x" * 29


def test_every_request_is_logged_with_its_truth(bench: Bench) -> None:
    bench.send(HEDGING_USD, "reckoner", **{**OPEN, "volume": 0.0})
    bench.send(HEDGING_USD, "executor", **OPEN)
    bench.fault(HEDGING_USD, "timeout_after_execution", times=1)
    bench.send(HEDGING_USD, "reckoner", **CLOSE)
    entries = [entry for _, entry in bench.store.log(f"sim.sends.{HEDGING_USD}")]
    deals = bench.deals(HEDGING_USD)
    assert [(one["source"], one["retcode"], one["deal"]) for one in entries] == [
        ("reckoner", 10014, 0),
        ("executor", 10009, deals[0].ticket),
        ("reckoner", None, deals[1].ticket),
    ]
    assert entries[0]["request"] == {**OPEN, "volume": 0.0}
    assert entries[0]["at"] == "2023-11-14T22:13:20.000Z"
