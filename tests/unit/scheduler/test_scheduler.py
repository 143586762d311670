"""The clockwork: one cycle at a time per account, a bounded pool, and nobody held up by another."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import datetime, timedelta
from typing import Any

import pytest

import scheduler as clockwork
from core.ports import StaleEpoch, StoreUnavailable
from scheduler import RETRY_AFTER_ERROR_S, Scheduler
from tests.fakes.clock import START


class StillClock:
    """Stands still: what is due now stays due."""

    def now(self) -> datetime:
        return START

    def steady_s(self) -> float:
        return 0.0

    async def rest_until(self, due: datetime) -> bool:
        return False


class Counts:
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def synced(self, outcome: str, latency_s: float) -> None:
        self.seen.append(("synced", outcome))

    def skipped(self, reason: str) -> None:
        self.seen.append(("skipped", reason))

    def job_event(self, job: str, event: str) -> None:
        self.seen.append((job, event))


class Works:
    """A scheduler whose cycles begin when it ticks and end when the test says."""

    def __init__(self, most: int = 3) -> None:
        self.begun: list[int] = []
        self.now: set[int] = set()
        self.gates: dict[int, asyncio.Event] = {}
        self.errors: dict[int, Exception] = {}
        self.fatal: list[BaseException] = []
        self.lost: list[str] = []
        self.metrics = Counts()
        self.tasks: set[asyncio.Task[None]] = set()
        self.after_spawn: list[int] = []
        self.scheduler = Scheduler(
            clock=StillClock(),
            metrics=self.metrics,
            sync=self.sync,
            housekeeping={},
            concurrency_max=most,
            spawn=self.spawn,
            on_fatal=self.fatal.append,
            on_store_lost=self.on_lost,
        )

    def spawn(self, cycle: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(cycle)
        self.tasks.add(task)
        for account_id in self.after_spawn:  # somebody presses a button right now
            self.scheduler.wake(account_id)
        return task

    async def on_lost(self, reason: str) -> None:
        self.lost.append(reason)

    async def sync(self, account_id: int) -> datetime:
        assert account_id not in self.now, "read twice at a time"
        self.begun.append(account_id)
        self.now.add(account_id)
        try:
            gate = self.gates.get(account_id)
            if gate is not None:
                await gate.wait()
            if account_id in self.errors:
                raise self.errors.pop(account_id)
        finally:
            self.now.discard(account_id)
        return START + timedelta(seconds=10)

    def put(self, *account_ids: int) -> None:
        for account_id in account_ids:
            self.scheduler.wake(account_id)

    def hold(self, *account_ids: int) -> None:
        for account_id in account_ids:
            self.gates[account_id] = asyncio.Event()

    async def tick(self) -> None:
        await self.scheduler._tick()  # noqa: SLF001 - the timer would call it

    def due_in_s(self, account_id: int) -> float:
        """When the account is due again; it must be the only one."""
        following = self.scheduler._due.next()  # noqa: SLF001 - looking only
        assert following is not None
        return (following - START).total_seconds()


@pytest.fixture
async def works(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Works]:
    """Room for three; a tick waits a hundredth of a second for its cycles."""
    monkeypatch.setattr(clockwork, "TICK_INTERVAL_S", 0.01)
    monkeypatch.setattr(clockwork, "DRAIN_S", 0.05)
    made = Works()
    yield made
    for gate in made.gates.values():
        gate.set()
    await asyncio.gather(*made.tasks, return_exceptions=True)


async def test_a_slow_account_does_not_hold_up_the_others(works: Works) -> None:
    works.hold(1)
    works.put(1, 2)
    await works.tick()
    works.put(2)
    await works.tick()
    assert works.begun == [1, 2, 2]
    assert works.now == {1}


@pytest.mark.parametrize(("due", "begun"), [(2, 2), (3, 3), (4, 3), (9, 3)])
async def test_no_more_are_under_way_than_there_is_room_for(
    works: Works, due: int, begun: int
) -> None:
    works.hold(*range(due))
    works.put(*range(due))
    await works.tick()
    await works.tick()
    assert len(works.now) == begun
    for gate in works.gates.values():
        gate.set()
    await asyncio.gather(*works.tasks)
    await works.tick()
    assert set(works.begun) == set(range(due))


async def test_an_account_woken_while_it_is_read_is_read_again_right_after(works: Works) -> None:
    works.hold(1)
    works.put(1)
    await works.tick()
    works.put(1)
    works.put(1)
    await works.tick()
    assert works.begun == [1]
    works.gates.pop(1).set()
    await asyncio.gather(*works.tasks)
    assert works.due_in_s(1) == 0
    await works.tick()
    assert works.begun == [1, 1]
    assert works.due_in_s(1) == 10


async def test_an_account_woken_before_its_cycle_takes_its_first_step_is_not_read_twice(
    works: Works,
) -> None:
    works.hold(1)
    works.after_spawn = [1]
    works.put(1)
    await works.tick()
    await works.tick()
    assert works.begun == [1]


async def test_what_fails_is_counted_and_tried_again(works: Works) -> None:
    works.errors[1] = RuntimeError("a fault of one account")
    works.put(1)
    await works.tick()
    assert works.metrics.seen == [("synced", "error")]
    assert works.due_in_s(1) == RETRY_AFTER_ERROR_S
    assert works.fatal == []


async def test_a_lost_store_is_told_and_tried_again(works: Works) -> None:
    works.errors[1] = StoreUnavailable("disk full")
    works.put(1)
    await works.tick()
    assert (works.lost, works.fatal) == (["disk full"], [])
    assert works.metrics.seen == [("synced", "store_unavailable")]
    assert works.due_in_s(1) == RETRY_AFTER_ERROR_S


async def test_a_newer_owner_stops_everything_at_once(works: Works) -> None:
    works.errors[1] = StaleEpoch("epoch 1")
    works.put(1)
    await works.tick()
    works.put(2)
    await works.tick()
    assert works.begun == [1]
    assert [type(error) for error in works.fatal] == [StaleEpoch]


@pytest.mark.parametrize(
    ("error", "fatal", "lost", "counted"),
    [
        (StaleEpoch("x"), 1, 0, []),
        (StoreUnavailable("x"), 0, 1, []),
        (RuntimeError("x"), 0, 0, [("prune", "error")]),
    ],
)
async def test_a_job_that_fails_stops_no_other(
    works: Works, error: Exception, fatal: int, lost: int, counted: list[tuple[str, str]]
) -> None:
    async def job() -> None:
        raise error

    await works.scheduler._job("prune", job)()  # noqa: SLF001 - the timer would call it
    assert (len(works.fatal), len(works.lost), works.metrics.seen) == (fatal, lost, counted)
    works.put(1)
    await works.tick()
    assert works.begun == ([] if fatal else [1])


async def test_a_stop_waits_for_what_is_under_way(works: Works) -> None:
    works.hold(1)
    works.put(1)
    await works.tick()
    asyncio.get_running_loop().call_later(0.02, works.gates[1].set)
    await works.scheduler.drain()
    assert works.now == set()
    works.put(2)
    await works.tick()
    assert works.begun == [1]


async def test_a_stop_does_not_wait_for_ever(works: Works) -> None:
    works.hold(1)
    works.put(1)
    await works.tick()
    async with asyncio.timeout(2):
        await works.scheduler.drain()
    assert works.now == {1}
