"""Carry a close job one safe step further, from the latest reading (law 16).

An intent is committed before its request is sent; the answer is recorded and believed only when a
later reading agrees. One call makes at most one round of requests.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from core.domain import closing
from core.domain.broker import AccountSnapshot
from core.ports import Clock
from core.records import CloseJobRow
from core.services.close_progress import BLOCKED, CloseProgress
from core.services.close_reports import CloseReports
from core.services.close_requests import SendClose
from core.services.desk import AccountMemory
from core.services.policy import EnginePolicy

BLOCKED_LOOK = timedelta(seconds=1)
"""How soon a job that a blocked terminal holds up is looked at again."""


class Converge:
    """Take the next step of the account's close job."""

    def __init__(
        self,
        *,
        clock: Clock,
        policy: EnginePolicy,
        send: SendClose,
        progress: CloseProgress,
        reports: CloseReports,
    ) -> None:
        self._clock = clock
        self._policy = policy
        self._send = send
        self._progress = progress
        self._reports = reports

    async def __call__(
        self, memory: AccountMemory, snapshot: AccountSnapshot, *, hurry: str
    ) -> datetime | None:
        """Take one step of each job; answers when the next is due, None where there is no job.

        The whole account's job does the work of all; jobs for single symbols do not wait for one
        another, because one market may be closed while another is open.
        """
        job = memory.job
        jobs = memory.jobs if job is None or job.scope != closing.ACCOUNT_SCOPE else [job]
        dues = [await self._step(memory, job, snapshot, hurry) for job in tuple(jobs)]
        return min(dues, default=None)

    async def unreadable(self, memory: AccountMemory, reason: str, due_at: datetime) -> None:
        """Nothing can be taken further without a reading; that may be worth telling."""
        await self._progress.unreadable(memory, reason, due_at)

    async def complete_reports(self, memory: AccountMemory, snapshot: AccountSnapshot) -> None:
        """Report again, with its results, a finished job whose late deals have come."""
        await self._reports.complete_reports(memory, snapshot)

    async def _step(
        self, memory: AccountMemory, job: CloseJobRow, snapshot: AccountSnapshot, hurry: str
    ) -> datetime:
        now = self._clock.now()
        if job.state == "countdown":
            # Set back behind the job's own beginning, the clock would count for too long.
            if job.created_at <= now < job.deadline_at and not hurry:
                return job.deadline_at
            job = await self._progress.start(memory, job, hurry)
        orders = [o for o in memory.orders if o.job_id == job.id or o.state in closing.OPEN_STATES]
        plan = closing.plan(
            job, orders, snapshot, now, self._policy.closing, memory.flat_s.get(job.id)
        )
        if _blocked(memory) and _holds(snapshot, job.scope):
            # Only what was sent before is settled; nothing new leaves.
            due = now + BLOCKED_LOOK
            plan = replace(plan, attempts=(), trouble=BLOCKED, due_at=due, opens_at=None)
        ours = [o for o in orders if o.job_id == job.id]
        if plan.finished and self._reports.waits(memory, job, ours):
            return now + timedelta(seconds=closing.FLAT_GAP_S)
        if plan.finished:
            await self._reports.finish(memory, job, plan, snapshot)
            memory.flat_s.pop(job.id, None)
            return now
        if plan.first_flat and snapshot.observed_s is not None:
            memory.flat_s[job.id] = snapshot.observed_s
        await self._progress.remember(memory, job, plan, snapshot)
        for attempt in plan.attempts:
            answered = await self._send(memory, job, attempt, snapshot)
            if answered.state == closing.UNKNOWN or _blocked(memory):
                # Look before anything else: an unanswered send may have taken many seconds, and
                # what this reading showed is no longer what the broker holds.
                break
        return plan.due_at


def _blocked(memory: AccountMemory) -> bool:
    return memory.state.terminal_blocked_at is not None


def _holds(snapshot: AccountSnapshot, scope: str) -> bool:
    held = {p.symbol for p in snapshot.positions} | {o.symbol for o in snapshot.orders}
    return bool(held) if scope == closing.ACCOUNT_SCOPE else scope in held
