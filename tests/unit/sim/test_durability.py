"""What was committed is there after a crash, and only that."""

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from core.sim.fence import Stale
from tests.unit.sim.bench import HEDGING_USD, NETTING_EUR, START_MS, Bench

D = Decimal
Mutation = Callable[[Bench], object]

MUTATIONS: dict[str, Mutation] = {
    "open": lambda b: b.trade(HEDGING_USD, "buy", 0.1, "XAUUSD", sl=1950.0, magic=5, comment="c"),
    "partial close": lambda b: b.trade(HEDGING_USD, "sell", 0.04, position=900_001),
    "close": lambda b: b.trade(HEDGING_USD, "sell", 0.1, position=900_001),
    "modify": lambda b: b.send(HEDGING_USD, action=6, position=900_001, sl=1940.0, symbol="XAUUSD"),
    "pending": lambda b: b.send(
        HEDGING_USD, action=5, symbol="XAUUSD", volume=0.1, type=2, price=1960.0
    ),
    "remove": lambda b: b.send(HEDGING_USD, action=8, order=900_002),
    "net add": lambda b: b.trade(NETTING_EUR, "buy", 0.1, "EURUSD"),
    "net reversal": lambda b: b.trade(NETTING_EUR, "sell", 0.5, "EURUSD"),
    "cash": lambda b: b.sim.broker.cash(HEDGING_USD, D("12.34"), "balance"),
    "credit": lambda b: b.sim.broker.cash(HEDGING_USD, D("-3.00"), "credit"),
    "price": lambda b: b.price("XAUUSD", "1969.00", "1969.50"),
    "stop": lambda b: b.price("XAUUSD", "1940.00", "1940.30"),
    "stop out": lambda b: b.price("EURUSD", "0.50000", "0.50010"),
    "refused": lambda b: b.send(HEDGING_USD, "reckoner", action=1, symbol="XAUUSD"),
    "fault": lambda b: b.fault(HEDGING_USD, "requote", times=3),
    "disconnect": lambda b: b.fault(HEDGING_USD, "disconnected"),
    "walking": lambda b: b.sim.market.set_mode("EURUSD", "walk"),
    "frozen": lambda b: b.sim.market.set_mode("XAUUSD", "frozen"),
}


def whole(bench: Bench) -> dict[str, Any]:
    """Everything that can be seen of the broker."""
    return {
        "views": [bench.sim.view(login) for login in bench.sim.logins],
        "accounts": bench.sim.ledger.accounts,
        "deals": [bench.sim.ledger.deals(login) for login in bench.sim.logins],
        "positions": [bench.positions(login) for login in bench.sim.logins],
        "faults": [bench.sim.faults.active(login) for login in bench.sim.logins],
        "modes": [bench.sim.market.mode(name) for name in bench.sim.market.symbols],
        "sends": bench.store.log(f"sim.sends.{HEDGING_USD}"),
        "quotes": bench.sim.market.quotes,
    }


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_survives_a_reopen(bench: Bench, name: str) -> None:
    bench.trade(HEDGING_USD, "buy", 0.1, "XAUUSD", sl=1950.0)
    bench.send(HEDGING_USD, action=5, symbol="XAUUSD", volume=0.1, type=2, price=1930.0)
    bench.trade(NETTING_EUR, "buy", 0.3, "EURUSD")
    before = deepcopy(whole(bench))
    MUTATIONS[name](bench)
    after = whole(bench)
    assert after != before
    bench.reopen()
    assert whole(bench) == after


def test_what_was_not_committed_is_gone_whole(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 0.1)
    bench.store.commit()
    before = deepcopy(whole(bench))
    bench.trade(HEDGING_USD, "sell", 0.1, position=900_001)
    bench.crash()
    assert whole(bench) == before


def test_tickets_are_never_given_twice(bench: Bench) -> None:
    first = bench.trade(HEDGING_USD, "buy", 0.1)
    bench.trade(HEDGING_USD, "sell", 0.1, position=first)
    bench.reopen()
    assert bench.trade(HEDGING_USD, "buy", 0.1) > first + 1
    tickets = [deal.ticket for deal in bench.deals(HEDGING_USD)]
    assert len(set(tickets)) == 3


def test_a_fault_goes_on_counting_after_a_reopen(bench: Bench) -> None:
    bench.fault(HEDGING_USD, "requote", times=2)
    ask = {"action": 1, "symbol": "XAUUSD", "volume": 0.1, "type": 0, "type_filling": 1}
    assert bench.sim.submit(HEDGING_USD, "reckoner", ask).retcode == 10004
    bench.reopen()
    codes = [bench.sim.submit(HEDGING_USD, "reckoner", ask).retcode for _ in range(2)]
    assert codes == [10004, 10009]


def test_a_disconnected_cache_survives(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 0.1)
    bench.fault(HEDGING_USD, "disconnected")
    bench.now = START_MS + 5_000
    bench.price("XAUUSD", "1900.00", "1900.30")
    stale = bench.terminal.snapshot(HEDGING_USD, 0, [])
    bench.reopen()
    assert bench.terminal.snapshot(HEDGING_USD, 0, []) == stale
    assert stale["positions"][0]["price_current"] == 1970.0


def test_the_fence_is_durable_before_it_lets_act(bench: Bench) -> None:
    bench.sim.fence.admit(HEDGING_USD, 7)
    bench.sim.fence.admit(HEDGING_USD, 7)
    assert not bench.store.dirty
    bench.reopen()
    with pytest.raises(Stale) as caught:
        bench.sim.fence.admit(HEDGING_USD, 6)
    assert caught.value.epoch_max == 7
    bench.sim.fence.admit(NETTING_EUR, 1)


def test_two_owners_with_one_epoch_do_not_both_act(bench: Bench) -> None:
    """Each data directory counts its own epochs: two of them begin with 1."""
    bench.sim.fence.admit(HEDGING_USD, 1, "host:100")
    bench.crash()
    with pytest.raises(Stale) as caught:
        bench.sim.fence.admit(HEDGING_USD, 1, "host:200")
    assert caught.value.epoch_max == 1
    with pytest.raises(Stale):
        bench.sim.fence.admit(HEDGING_USD, 1)
    bench.sim.fence.admit(HEDGING_USD, 1, "host:100")
    bench.sim.fence.admit(HEDGING_USD, 2, "host:200")
    bench.sim.fence.admit(NETTING_EUR, 1, "host:200")
    with pytest.raises(Stale):
        bench.sim.fence.admit(HEDGING_USD, 1, "host:100")


def test_a_named_owner_takes_the_place_of_a_nameless_one(bench: Bench) -> None:
    """The fence of a world that kept no names lets its owner go on, then nobody else."""
    bench.store.put("sim.epoch", HEDGING_USD, {"epoch": 5})
    bench.reopen()
    bench.sim.fence.admit(HEDGING_USD, 5, "host:100")
    with pytest.raises(Stale):
        bench.sim.fence.admit(HEDGING_USD, 5, "host:200")
