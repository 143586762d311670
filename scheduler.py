"""Which service runs when, how it is skipped and counted. It decides nothing.

One short-interval tick drains a heap of due accounts into a bounded pool: a job per account drops
runs silently under load (facts: scale, section 1). Everything periodic else is a cron-like job.
"""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog
from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobEvent,
)
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from core.ports import Clock, StaleEpoch, StoreUnavailable

log = structlog.get_logger(__name__)

TICK_INTERVAL_S = 0.05
RETRY_AFTER_ERROR_S = 2.0
ERRORS_TOLD = 3
"""Cycles of one account that fail in a row, for a fault of our own, before it is told."""
Failing = Callable[[int, str, datetime], Awaitable[None]]
"""Told the account, what went wrong, and since when."""
"""An account whose cycle raised is tried again after this long."""
HOUSEKEEPING_INTERVAL_S = 1
LIMITS_INTERVAL_S = 60
DIGEST_INTERVAL_S = 60
"""How often it is looked whose digest is due: the latest it leaves after its hour."""
CARDS_INTERVAL_S = 2
"""How often it is looked which clients' cards have changed."""
DRILL_INTERVAL_S = 60
"""How often it is looked whether a rehearsal of closing is due."""
DRAIN_S = 10.0
"""How long a stop waits for cycles in flight: a close on its way is not cut off."""
EVENT_NAMES = {
    EVENT_JOB_ERROR: "error",
    EVENT_JOB_MISSED: "missed",
    EVENT_JOB_MAX_INSTANCES: "overlap",
}


class SchedulerMetrics(Protocol):
    """What the scheduler counts."""

    def synced(self, outcome: str, latency_s: float) -> None:
        """One account cycle ended."""
        ...

    def skipped(self, reason: str) -> None:
        """A cycle was not run."""
        ...

    def job_event(self, job: str, event: str) -> None:
        """A job was missed, overlapped or failed."""
        ...


class Due:
    """A heap of (due instant, place, account); of each account only the last entry counts.

    Accounts due at the same instant come in the order in which they were put.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, int]] = []
        self._at: dict[int, int] = {}
        self._places = itertools.count()

    def put(self, account_id: int, due: datetime) -> None:
        """Set when the account is due, replacing what was set before."""
        place = next(self._places)
        self._at[account_id] = place
        heapq.heappush(self._heap, (due, place, account_id))

    def pop(self, now: datetime, most: int) -> list[tuple[int, datetime]]:
        """Take the accounts that are due, the longest due first."""
        taken: list[tuple[int, datetime]] = []
        while self._heap and self._heap[0][0] <= now and len(taken) < most:
            due, place, account_id = heapq.heappop(self._heap)
            if self._at.get(account_id) == place:
                del self._at[account_id]
                taken.append((account_id, due))
        return taken

    def next(self) -> datetime | None:
        """When the next account is due."""
        while self._heap and self._at.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def __len__(self) -> int:
        return len(self._at)


class Scheduler:
    """Owns the clockwork: start it, wake accounts, drain it."""

    def __init__(  # noqa: PLR0913 - the composition root names each dependency once
        self,
        *,
        clock: Clock,
        metrics: SchedulerMetrics,
        sync: Callable[[int], Awaitable[datetime]],
        housekeeping: dict[str, tuple[int, Callable[[], Awaitable[object]]]],
        concurrency_max: int,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        on_fatal: Callable[[BaseException], None],
        on_store_lost: Callable[[str], Awaitable[None]],
        on_failing: Failing | None = None,
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._sync = sync
        self._housekeeping = housekeeping
        self._most = concurrency_max
        self._spawn = spawn
        self._on_fatal = on_fatal
        self._on_store_lost = on_store_lost
        self._on_failing = on_failing
        self._errors: dict[int, tuple[int, datetime]] = {}
        self._due = Due()
        self._inflight: set[int] = set()
        self._woken: set[int] = set()
        self._stopping = False
        self._leaping = False
        self._running: set[asyncio.Task[None]] = set()
        self._aps = AsyncIOScheduler(timezone=UTC)
        self._aps.add_listener(
            self._count_event, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES
        )

    def start(self, account_ids: list[int]) -> None:
        """Put every account at its place, those first in the list first, and start ticking."""
        now = self._clock.now()
        for account_id in account_ids:
            self._due.put(account_id, now)
        self._aps.add_job(
            self._tick,
            "interval",
            seconds=TICK_INTERVAL_S,
            id="tick",
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        for name, (interval_s, job) in self._housekeeping.items():
            self._aps.add_job(
                self._job(name, job),
                "interval",
                seconds=interval_s,
                id=name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._aps.start()

    def wake(self, account_id: int) -> None:
        """Make an account due now; one that is being read is due again right after."""
        if account_id in self._inflight:
            self._woken.add(account_id)
        else:
            self._due.put(account_id, self._clock.now())

    async def drain(self) -> None:
        """Stop ticking and let what is under way finish, within a bound.

        APScheduler's own shutdown cancels running coroutines, so this comes first.
        """
        self._stopping = True
        if self._aps.running:
            self._aps.pause()
        if self._running:
            await asyncio.wait(self._running, timeout=DRAIN_S)
        if self._inflight:
            log.warning("drain_incomplete", accounts=sorted(self._inflight))
        if self._aps.running:
            self._aps.shutdown(wait=False)

    # --- the tick -------------------------------------------------------------------------------

    async def _tick(self) -> None:
        """Run everything that is due; where the clock can, let it leap to the next due instant.

        Leaps go on in a task of their own: one follows the other without waiting for a tick.
        """
        if self._leaping or not await self._step():
            return
        self._leaping = True
        leaps = self._spawn(self._leap())
        self._running.add(leaps)
        leaps.add_done_callback(self._running.discard)

    async def _leap(self) -> None:
        """Go on as long as the clock makes time pass; what it raises, the next tick meets again."""
        try:
            while await self._step():
                pass
        finally:
            self._leaping = False

    async def _step(self) -> bool:
        """Run what is due, then let time pass to what is due next; False where it did not.

        No time passes while an account is being read.
        """
        while not self._stopping:
            await self._run_due()
            following = self._due.next()
            if following is not None and following > self._clock.now():
                return not self._inflight and await self._clock.rest_until(following)
            if following is None or len(self._inflight) >= self._most:
                break
        return False

    async def _run_due(self) -> None:
        room = self._most - len(self._inflight)
        batch = self._due.pop(self._clock.now(), room)
        if not batch:
            return
        # Under way from here, not from the task's first step: whoever wakes it between would have
        # it read twice at a time.
        self._inflight.update(account_id for account_id, _ in batch)
        tasks = [self._spawn(self._cycle(*item)) for item in batch]
        for task in tasks:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        # A slow terminal must not hold up the others' next cycles: wait a tick at most.
        await asyncio.wait(tasks, timeout=TICK_INTERVAL_S)

    async def _cycle(self, account_id: int, due: datetime) -> None:
        following = due + timedelta(seconds=RETRY_AFTER_ERROR_S)
        try:
            following = await self._sync(account_id)
            self._errors.pop(account_id, None)
        except StaleEpoch as error:
            self._stopping = True
            self._on_fatal(error)
        except StoreUnavailable as error:
            self._metrics.synced("store_unavailable", 0.0)
            await self._on_store_lost(str(error))
            following = self._clock.now() + timedelta(seconds=RETRY_AFTER_ERROR_S)
        except Exception as error:
            # The job wrapper: one account's fault must not stop the others' guards.
            self._metrics.synced("error", 0.0)
            log.exception("cycle_failed", account_id=account_id)
            await self._failed(account_id, error)
            following = self._clock.now() + timedelta(seconds=RETRY_AFTER_ERROR_S)
        finally:
            self._inflight.discard(account_id)
            if account_id in self._woken:
                self._woken.discard(account_id)
                following = self._clock.now()
            self._due.put(account_id, following)

    async def _failed(self, account_id: int, error: Exception) -> None:
        """Tell of an account whose cycles fail again and again: nobody guards it."""
        count, since = self._errors.get(account_id, (0, self._clock.now()))
        self._errors[account_id] = (count + 1, since)
        if self._on_failing is None or count + 1 < ERRORS_TOLD:
            return
        try:
            await self._on_failing(account_id, type(error).__name__, since)
        except Exception:
            # The job wrapper again: what keeps the cycle from working may keep this from it too.
            log.exception("failing_untold", account_id=account_id)

    # --- other jobs -----------------------------------------------------------------------------

    def _job(
        self, name: str, job: Callable[[], Awaitable[object]]
    ) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            if self._stopping:
                return
            try:
                await job()
            except StaleEpoch as error:
                self._stopping = True
                self._on_fatal(error)
            except StoreUnavailable as error:
                await self._on_store_lost(str(error))
            except Exception:
                # The job wrapper: counted by name, and tried again at the next interval.
                self._metrics.job_event(name, "error")
                log.exception("job_failed", job=name)

        return run

    def _count_event(self, event: JobEvent) -> None:
        word = EVENT_NAMES.get(event.code, "other")
        if event.job_id == "tick" and word == "overlap":
            self._metrics.skipped("tick_overlap")
        else:
            self._metrics.job_event(event.job_id, word)
