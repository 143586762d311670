"""The clients' executors: they place what the app expects, once, whatever goes wrong."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.sandbox.executor import BACKOFF_FIRST_MS, BACKOFF_MAX_MS, Executor, ExpectedList
from bot.sandbox.store import WorldStore
from core.sim.faults import parse_fault
from core.sim.simulation import Simulation
from tests.unit.sim.bench import HEDGING_USD, NETTING_EUR, OPENINGS, START_MS, Bench
from tests.wire.broker.desk import ALICE, CARLA, App, Desk, eventually, expected


def trades(*bodies: dict[str, Any]) -> list[Any]:
    """Expected trades as the executor decodes them."""
    found: ExpectedList = msgspec.convert({"trades": list(bodies)}, ExpectedList)
    return found.trades


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A simulation without HTTP."""
    made = Bench(tmp_path)
    yield made
    made.store.close()


async def test_an_approved_trade_is_placed_once_over_the_wire(tmp_path: Path, app: App) -> None:
    app.trades[ALICE] = [expected(77)]
    async with Desk(tmp_path, loops=True) as desk:

        async def polled_on() -> bool:
            body = await desk.get(f"/broker/{ALICE}")
            return bool(body["positions"]) and app.asked.count(ALICE) >= 3

        await eventually(polled_on)
        body = await desk.get(f"/broker/{ALICE}")
        (position,) = body["positions"]
        assert (position["magic"], position["comment"]) == (77, "rk:77")
        assert (position["sl"], position["tp"], position["volume"]) == (1950.0, 1990.0, 0.1)
        assert position["reason"] == 3
        # At most a few points of slippage on the ask of 1970.30.
        assert -0.011 <= position["price_open"] - 1970.30 <= 0.031
        (send,) = body["order_sends"]
        assert (send["source"], send["retcode"]) == ("executor", 10009)
        assert send["deal"] == body["deals"][-1]["ticket"]
        assert set(app.asked) == {50001, 50002, 50003, 50004}


async def test_no_app_and_a_broken_app_are_met_quietly(tmp_path: Path) -> None:
    async with Desk(tmp_path) as desk:
        await desk.part.executors.poll_all()
        (tmp_path / "app.json").write_text("{half", encoding="utf-8")
        await desk.part.executors.poll_all()
        (tmp_path / "app.json").write_text(
            '{"pid": 1, "base_url": "http://127.0.0.1:1", "tokens": {"50001": "x"}}',
            encoding="utf-8",
        )
        await desk.part.executors.poll_all()
        async with App(tmp_path) as app:
            app.trades[ALICE] = [{"trade_id": "?"}]
            await desk.part.executors.poll_all()
            app.status, app.trades[ALICE] = 503, [expected(1)]
            await desk.part.executors.poll_all()
            assert (await desk.get(f"/broker/{ALICE}"))["order_sends"] == []
            app.status = 200
            await desk.part.executors.poll_all()
            assert len((await desk.get(f"/broker/{ALICE}"))["positions"]) == 1


async def test_a_trade_that_was_closed_again_is_not_placed_again(tmp_path: Path, app: App) -> None:
    app.trades[ALICE] = [expected(5)]
    async with Desk(tmp_path) as desk:
        await desk.part.executors.poll_all()
        (position,) = (await desk.get(f"/broker/{ALICE}"))["positions"]
        await desk.post(f"/broker/{ALICE}/close", ticket=position["ticket"], by="mobile")
    async with Desk(tmp_path) as desk:
        await desk.part.executors.poll_all()
        body = await desk.get(f"/broker/{ALICE}")
        assert body["positions"] == []
        assert [one["source"] for one in body["order_sends"]] == ["executor", "person"]


async def test_a_netting_account_is_known_by_its_deals(tmp_path: Path, app: App) -> None:
    """The one position keeps the first trade's magic; the second's stands on its deal only."""
    app.trades[CARLA] = [
        expected(8, symbol="EURUSD", stop_loss=None, take_profit=None),
        expected(9, symbol="EURUSD", stop_loss=None, take_profit=None),
    ]
    async with Desk(tmp_path) as desk:
        for _ in range(3):
            await desk.part.executors.poll_all()
        body = await desk.get(f"/broker/{CARLA}")
        (position,) = body["positions"]
        assert (position["volume"], position["magic"]) == (0.2, 8)
        assert len(body["order_sends"]) == 2


async def test_a_lost_answer_is_settled_by_looking(bench: Bench) -> None:
    executor = Executor(bench.sim, HEDGING_USD)
    bench.fault(HEDGING_USD, "timeout_after_execution", to="executor")
    for _ in range(3):
        await executor.work(trades(expected(3)))
    assert len(bench.positions(HEDGING_USD)) == 1


async def test_a_hidden_deal_still_counts_as_placed(bench: Bench) -> None:
    executor = Executor(bench.sim, NETTING_EUR)
    bench.fault(NETTING_EUR, "deal_delayed", ms=60_000, to="executor")
    body = expected(3, symbol="EURUSD", stop_loss=None, take_profit=None)
    await executor.work(trades(body))
    bench.trade(NETTING_EUR, "sell", 0.1, "EURUSD")
    await executor.work(trades(body))
    assert bench.positions(NETTING_EUR) == []


async def test_a_partial_fill_is_not_topped_up(bench: Bench) -> None:
    executor = Executor(bench.sim, HEDGING_USD)
    bench.fault(HEDGING_USD, "partial_fill", times=1, to="executor")
    for _ in range(3):
        await executor.work(trades(expected(3)))
    assert [float(one.volume) for one in bench.positions(HEDGING_USD)] == [0.05]


@pytest.mark.parametrize("kind", ["requote", "reject", "market_closed", "timeout_not_executed"])
async def test_a_refusal_is_tried_again_with_growing_pauses(bench: Bench, kind: str) -> None:
    """Pauses 1, 2, 4, 8, 8 s: sends at 0, 1, 3, 7, 15 and 23 s."""
    executor = Executor(bench.sim, HEDGING_USD)
    bench.fault(HEDGING_USD, kind, to="executor")
    sent_at = []
    for second in range(24):
        bench.now = START_MS + second * 1000
        before = bench.store.head(f"sim.sends.{HEDGING_USD}")
        await executor.work(trades(expected(3)))
        if bench.store.head(f"sim.sends.{HEDGING_USD}") > before:
            sent_at.append(second)
    assert sent_at == [0, 1, 3, 7, 15, 23]
    assert (BACKOFF_FIRST_MS, BACKOFF_MAX_MS) == (1_000, 8_000)
    bench.sim.clear_faults(HEDGING_USD)
    bench.now += BACKOFF_MAX_MS
    await executor.work(trades(expected(3)))
    assert len(bench.positions(HEDGING_USD)) == 1


async def test_nothing_is_placed_at_or_past_the_deadline(bench: Bench) -> None:
    """The bench stands at 2023-11-14 22:13:20 UTC."""
    executor = Executor(bench.sim, HEDGING_USD)
    await executor.work(trades(expected(1, deadline_at="2023-11-14T22:13:20Z")))
    assert bench.positions(HEDGING_USD) == []
    await executor.work(trades(expected(2, deadline_at="2023-11-14T22:13:20.001Z")))
    assert [one.magic for one in bench.positions(HEDGING_USD)] == [2]


async def test_an_invalid_fill_is_tried_with_the_other_mode(bench: Bench) -> None:
    executor = Executor(bench.sim, HEDGING_USD)
    bench.fault(HEDGING_USD, "invalid_fill", times=1, to="executor")
    body = expected(3, symbol="EURUSD", stop_loss=None, take_profit=None)
    await executor.work(trades(body))
    entries = [entry for _, entry in bench.store.log(f"sim.sends.{HEDGING_USD}")]
    assert [(one["request"]["type_filling"], one["retcode"]) for one in entries] == [
        (0, 10030),
        (1, 10009),
    ]


async def test_every_crash_leaves_the_trade_placed_once_or_not_at_all(tmp_path: Path) -> None:
    """A world that dies before the commit has placed nothing; after it, it knows."""
    for commits in (False, True):
        folder = tmp_path / str(commits)
        bench = Bench(folder)
        executor = Executor(bench.sim, HEDGING_USD)
        if commits:
            executor.place(trades(expected(3))[0])
        else:
            bench.store.commit()
            bench.sim.submit(
                HEDGING_USD,
                "executor",
                {"action": 1, "symbol": "XAUUSD", "volume": 0.1, "type_filling": 1, "magic": 3},
            )
        bench.store.close()
        store = WorldStore(folder / "world.db")
        again = Simulation(store, lambda: START_MS, OPENINGS, mode="manual", seed=1)
        assert Executor(again, HEDGING_USD).is_placed(3) is commits
        await Executor(again, HEDGING_USD).work(trades(expected(3)))
        assert len(again.ledger.positions(HEDGING_USD)) == 1
        store.close()


async def test_a_slow_executor_waits_as_told(bench: Bench) -> None:
    bench.sim.set_fault(
        HEDGING_USD,
        parse_fault({"kind": "slow", "ms": 30, "when": "before", "to": "executor", "times": 1}, 0),
    )
    await Executor(bench.sim, HEDGING_USD).work(trades(expected(3)))
    assert bench.sim.faults.active(HEDGING_USD) == []
    assert len(bench.positions(HEDGING_USD)) == 1


@pytest.mark.parametrize(("spare", "placed"), [(0, 1), (-1, 0)])
async def test_an_answer_past_its_bound_is_no_answer(
    tmp_path: Path, app: App, monkeypatch: pytest.MonkeyPatch, spare: int, placed: int
) -> None:
    app.trades[ALICE] = [expected(4)]
    size = len(json.dumps({"trades": app.trades[ALICE]}))
    monkeypatch.setattr("bot.sandbox.executor.ANSWER_BYTES_MAX", size + spare)
    async with Desk(tmp_path) as desk:
        await desk.part.executors.poll_all()
        assert len((await desk.get(f"/broker/{ALICE}"))["positions"]) == placed
