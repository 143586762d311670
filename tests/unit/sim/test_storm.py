"""A storm of faults is the same for the same seed, brings every kind, and is over when it says."""

import pytest

from core.sim.faults import KINDS
from core.sim.storm import DRAWS, GUSTS_MAX, KINDS_DRAWN, WAITING, FaultStorm
from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, NETTING_EUR, START_MS, Bench
from tests.unit.sim.surface import deal

LOGINS = (HEDGING_GBP, HEDGING_USD, NETTING_EUR)
SPAN_MS = 600_000


def storm(seed: int, gusts: int = 100, kinds: tuple[str, ...] = KINDS_DRAWN) -> FaultStorm:
    """Ten minutes over all accounts."""
    return FaultStorm(seed, LOGINS, from_ms=START_MS, span_ms=SPAN_MS, gusts=gusts, kinds=kinds)


def test_every_kind_can_be_drawn() -> None:
    assert {*DRAWS, "trade_mode"} == KINDS
    assert {*KINDS_DRAWN, *WAITING} == KINDS
    drawn = {gust.fault.kind for gust in storm(1, 1_000).schedule}
    assert drawn == set(KINDS_DRAWN)
    waiting = storm(1, 20, kinds=WAITING)
    assert {gust.fault.kind for gust in waiting.schedule} == set(WAITING)


def test_a_seed_draws_the_same_schedule_and_another_another() -> None:
    assert storm(7).schedule == storm(7).schedule
    assert storm(7).schedule != storm(8).schedule


def test_gusts_are_in_order_and_within_the_storm() -> None:
    blown = storm(3, 500)
    starts = [gust.from_ms for gust in blown.schedule]
    assert starts == sorted(starts)
    assert blown.over_ms == START_MS + SPAN_MS
    for gust in blown.schedule:
        assert START_MS <= gust.from_ms < gust.to_ms <= blown.over_ms
        assert gust.login in LOGINS


@pytest.mark.parametrize("seed", range(5))
def test_when_it_is_over_nothing_is_in_force_and_the_terminals_show_the_truth(
    bench: Bench, seed: int
) -> None:
    blown = storm(seed)
    schedule = storm(seed).schedule
    began = []
    while bench.now <= blown.settled_ms:
        began += blown.blow(bench.sim)
        for login in LOGINS:
            bench.terminal.snapshot(login, 0, [])
            bench.terminal.send(login, deal(symbol="EURUSD"), 1)
        bench.now += 7_000
    assert began == blown.schedule == schedule
    for login in LOGINS:
        assert bench.sim.faults.active(login) == []
        bench.sim.links_lost.clear()
        read = bench.terminal.snapshot(login, 0, [])
        view = bench.sim.view(login)
        assert read["login"] == login
        assert {part: read[part] for part in ("account", "positions", "orders")} == {
            part: view[part] for part in ("account", "positions", "orders")
        }
        assert len(read["deals"]) == len(bench.sim.ledger.deals(login))
        assert read["server_offset_s"] == 10_800
        assert read["account"]["trade_allowed"] is read["account"]["trade_expert"] is True


def test_a_storm_has_a_bound() -> None:
    assert len(storm(1, GUSTS_MAX).schedule) == GUSTS_MAX
    with pytest.raises(ValueError, match=r"^gusts: expected 0 to 10000"):
        storm(1, GUSTS_MAX + 1)
    assert storm(1, 0).schedule == []
