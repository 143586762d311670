"""The scheduler over a clock that can make time pass: when it lets it, and when it must not."""

import asyncio
from datetime import UTC, datetime, timedelta

from scheduler import Due, Scheduler
from tests.fakes.clock import FixedClock

START = datetime(2014, 5, 2, tzinfo=UTC)
ACCOUNTS = [3, 1, 2]


class Counters:
    """Counts what the scheduler tells."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def synced(self, outcome: str, latency_s: float) -> None:
        """A cycle failed."""
        del latency_s
        self.told.append(("synced", outcome))

    def skipped(self, reason: str) -> None:
        """A tick was left out."""
        self.told.append(("skipped", reason))

    def job_event(self, job: str, event: str) -> None:
        """A job failed, was missed or overlapped."""
        self.told.append((job, event))


class Clockwork:
    """A scheduler whose cycles note when they ran; account 2 may be held up."""

    def __init__(self, end_s: float) -> None:
        self.clock = FixedClock(START)
        self.reads: list[tuple[float, int]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.over = asyncio.Event()
        self.counters = Counters()
        self._end_s = end_s
        self.scheduler = Scheduler(
            clock=self.clock,
            metrics=self.counters,
            sync=self._sync,
            housekeeping={},
            concurrency_max=8,
            spawn=asyncio.create_task,
            on_fatal=self._never,
            on_store_lost=self._lost,
        )

    def passed_s(self) -> float:
        """Market time since the start."""
        return (self.clock.now() - START).total_seconds()

    async def _sync(self, account_id: int) -> datetime:
        if account_id == 2:
            await self.free.wait()
        self.reads.append((self.passed_s(), account_id))
        if self.passed_s() >= self._end_s:
            self.over.set()
        return self.clock.now() + timedelta(seconds=3)

    def _never(self, error: BaseException) -> None:
        raise AssertionError(error)

    async def _lost(self, reason: str) -> None:
        raise AssertionError(reason)


async def test_accounts_are_read_together_and_time_leaps_from_read_to_read() -> None:
    """900 s of market time are 301 rounds: at a tick of 50 ms each they would take 15 s."""
    work = Clockwork(end_s=900)
    work.scheduler.start(ACCOUNTS)
    async with asyncio.timeout(10):
        await work.over.wait()
    await work.scheduler.drain()
    assert work.reads[:903] == [(3.0 * turn, one) for turn in range(301) for one in ACCOUNTS]
    # Ticks are the machine's time: where it stalls one is skipped, and counted. Nothing else is.
    assert set(work.counters.told) <= {("skipped", "tick_overlap")}


async def test_time_stands_until_every_account_has_been_read() -> None:
    work = Clockwork(end_s=30)
    work.free.clear()
    work.scheduler.start(ACCOUNTS)
    await asyncio.sleep(0.3)
    assert work.reads == [(0.0, 3), (0.0, 1)]
    assert work.passed_s() == 0
    work.free.set()
    async with asyncio.timeout(10):
        await work.over.wait()
    await work.scheduler.drain()
    assert work.reads[2] == (0.0, 2)


async def test_a_stop_ends_the_leaps() -> None:
    work = Clockwork(end_s=1e9)
    work.scheduler.start(ACCOUNTS)
    await asyncio.sleep(0.2)
    async with asyncio.timeout(5):
        await work.scheduler.drain()
    stood = work.passed_s()
    await asyncio.sleep(0.1)
    assert work.passed_s() == stood > 0


def test_who_is_due_at_the_same_instant_comes_in_the_order_it_was_put() -> None:
    due = Due()
    for account_id in ACCOUNTS:
        due.put(account_id, START)
    due.put(1, START)
    due.put(9, START - timedelta(milliseconds=1))
    assert [one for one, _ in due.pop(START, 3)] == [9, 3, 2]
    assert due.next() == START
    assert [one for one, _ in due.pop(START, 3)] == [1]
    assert due.next() is None
