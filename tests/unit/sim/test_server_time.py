"""Each broker's clock: its own offset, which changes without moving what is past."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.sim.server_time import OFFSET_S_MAX, STEPS_MAX
from core.sim.simulation import Simulation
from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, START_MS, Bench, opening

HOUR_S = 3600
NEW_YORK = "America/New_York"
ATHENS = "Europe/Athens"


def ms(text: str) -> int:
    """A UTC instant, milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_the_offset_is_three_hours_where_nothing_else_is_said(bench: Bench) -> None:
    clock = bench.sim.times.of("Sim")
    assert clock.offset_s(START_MS) == 3 * HOUR_S
    assert clock.ms(START_MS) == START_MS + 10_800_000
    assert clock.s(START_MS + 999) == START_MS // 1000 + 10_800


def test_an_offset_changes_from_an_instant_on(bench: Bench) -> None:
    bench.sim.times.change("Sim", 2 * HOUR_S, START_MS + 10)
    bench.sim.times.change("Sim", 5 * HOUR_S, START_MS + 20)
    clock = bench.sim.times.of("Sim")
    hours = [clock.offset_s(START_MS + plus) // HOUR_S for plus in (0, 9, 10, 19, 20, 10**9)]
    assert hours == [3, 3, 2, 2, 5, 5]
    assert bench.sim.times.of("Other").offset_s(START_MS + 20) == 3 * HOUR_S


def test_a_change_told_again_replaces_those_that_were_to_come(bench: Bench) -> None:
    bench.sim.times.change("Sim", 2 * HOUR_S, START_MS + 10)
    bench.sim.times.change("Sim", HOUR_S, START_MS + 5)
    assert bench.sim.times.of("Sim").offset_s(START_MS + 20) == HOUR_S


@pytest.mark.parametrize(
    ("zone", "plus_s", "instant", "offset"),
    [
        # New York's close at midnight: UTC+2 in its winter, UTC+3 in its summer.
        (NEW_YORK, 7 * HOUR_S, "2026-01-15T12:00", 2),
        (NEW_YORK, 7 * HOUR_S, "2026-07-15T12:00", 3),
        # In 2026 the US change on 8 March and 1 November, the EU on 29 March and 25 October.
        (NEW_YORK, 7 * HOUR_S, "2026-03-08T06:59", 2),
        (NEW_YORK, 7 * HOUR_S, "2026-03-08T07:00", 3),
        (ATHENS, 0, "2026-03-08T07:00", 2),
        (ATHENS, 0, "2026-03-29T00:59", 2),
        (ATHENS, 0, "2026-03-29T01:00", 3),
        (NEW_YORK, 7 * HOUR_S, "2026-10-28T12:00", 3),
        (ATHENS, 0, "2026-10-28T12:00", 2),
        (NEW_YORK, 7 * HOUR_S, "2026-11-01T06:00", 2),
    ],
)
def test_a_server_follows_the_summer_time_of_a_zone(
    bench: Bench, zone: str, plus_s: int, instant: str, offset: int
) -> None:
    bench.sim.times.always("Sim", plus_s, zone)
    assert bench.sim.times.of("Sim").offset_s(ms(instant)) == offset * HOUR_S


@pytest.mark.parametrize("instant", ["2026-03-08T06:59", "2026-03-08T07:00", "2026-07-01T00:00"])
def test_a_server_time_is_turned_back_into_its_instant(bench: Bench, instant: str) -> None:
    bench.sim.times.always("Sim", 7 * HOUR_S, NEW_YORK)
    clock = bench.sim.times.of("Sim")
    assert clock.utc_ms(clock.ms(ms(instant))) == ms(instant)


def test_of_an_hour_that_comes_twice_the_later_is_meant(bench: Bench) -> None:
    """New York's 1:30 of 1 November comes at 5:30 and 6:30 UTC; the server's is 8:30."""
    bench.sim.times.always("Sim", 7 * HOUR_S, NEW_YORK)
    clock = bench.sim.times.of("Sim")
    assert clock.ms(ms("2026-11-01T05:30")) == clock.ms(ms("2026-11-01T06:30"))
    assert clock.utc_ms(ms("2026-11-01T08:30")) == ms("2026-11-01T06:30")


@pytest.mark.parametrize("offset_s", [OFFSET_S_MAX, -OFFSET_S_MAX])
def test_an_offset_has_a_bound(bench: Bench, offset_s: int) -> None:
    bench.sim.times.change("Sim", offset_s, START_MS)
    past = offset_s + (1 if offset_s > 0 else -1)
    with pytest.raises(ValueError, match=r"^offset_s: expected at most"):
        bench.sim.times.change("Sim", past, START_MS)


def test_the_oldest_changes_are_forgotten_past_the_bound(bench: Bench) -> None:
    for step in range(STEPS_MAX + 1):
        bench.sim.times.change("Sim", step, START_MS + step)
    clock = bench.sim.times.of("Sim")
    assert len(clock.steps) == STEPS_MAX
    assert clock.offset_s(START_MS + STEPS_MAX) == STEPS_MAX
    assert clock.offset_s(START_MS + 1) == 1


def test_clocks_survive_the_world(bench: Bench) -> None:
    bench.sim.times.change("Sim", 2 * HOUR_S, START_MS)
    bench.reopen()
    read = bench.terminal.snapshot(HEDGING_USD, 0, [])
    assert read["server_offset_s"] == 7_200
    assert read["ticks"]["GBPUSD"]["time_msc"] == START_MS + 7_200_000


def test_servers_differ_within_one_world(tmp_path: Path) -> None:
    east = opening(HEDGING_USD, "USD", "hedging", "100")
    east.account.server = "East"
    bench = Bench(tmp_path, (opening(HEDGING_GBP, "GBP", "hedging", "100"), east))
    sim: Simulation = bench.sim
    sim.times.always("East", 9 * HOUR_S)
    offsets = [
        bench.terminal.snapshot(login, 0, [])["server_offset_s"]
        for login in (HEDGING_GBP, HEDGING_USD)
    ]
    assert offsets == [10_800, 32_400]
    bench.store.close()
