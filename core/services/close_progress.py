"""Keep a close job's state as a reading shows it, and tell what holds it up while it does.

A trouble is told when it begins; a job without progress is told as that at `core.domain.stall`'s
marks, whatever the reason, also where the account cannot be read at all. It goes on trying.
"""

from datetime import datetime

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import alerts_closing as c
from core.domain import audit_words as words
from core.domain import closing, stall
from core.domain.alert_parts import Blocked
from core.domain.broker import AccountSnapshot
from core.domain.close_blocks import blocks
from core.domain.closing import Plan
from core.ports import Clock, Store
from core.records import CloseJobRow, CloseOrderRow, DrawdownAlertRow
from core.services.close_requests import replace_order
from core.services.desk import AccountMemory
from core.services.policy import EnginePolicy
from core.services.record_obstacles import is_told
from core.services.recording import Recorder

BLOCKED = "terminal_blocked"
"""What a job bears while its terminal waits for an admin; it goes on the moment it is cleared."""
UNREADABLE = "unreadable"
BLOCKS_TOLD_MAX = 10
"""Tickets named in a message about a close without progress; it says how many more there are."""
HELD_UP = (closing.REFUSED, closing.UNKNOWN)


class CloseProgress:
    """Commits what readings say of unfinished jobs."""

    def __init__(self, *, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    async def start(self, memory: AccountMemory, job: CloseJobRow, hurry: str) -> CloseJobRow:
        """The countdown is over, or cut short: closing begins."""
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            started = replace(job, state="closing", started_at=pen.now)
            await tx.update(CloseJobRow, {"id": job.id}, state="closing", started_at=pen.now)
            await pen.audit(words.CLOSE_STARTED, job=job.id, hurry=hurry)
        _replace_job(memory, started)
        return started

    async def remember(
        self, memory: AccountMemory, job: CloseJobRow, plan: Plan, snapshot: AccountSnapshot
    ) -> None:
        """Commit what this reading settled, proved or brought to light, if anything."""
        now = self._clock.now()
        changed = _as_planned(job, plan, snapshot, now)
        told = changed.trouble is not None and changed.trouble != job.trouble
        stalled = stall.is_due(changed, now)
        if stalled:
            changed = replace(changed, stalled_told_at=now)
        if changed == job and not plan.settled and not plan.redated:
            return
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, now, self._policy.admin_chat_id)
            await settle(pen, plan)
            await _save(pen, changed)
            if told:
                if not is_told(memory.state, changed):
                    await pen.say(_trouble(pen, changed, plan, snapshot))
                await pen.tx.update(
                    DrawdownAlertRow, {"job_id": job.id}, action_taken="failed", status="failed"
                )
            if stalled:
                orders = [o for o in memory.orders if o.job_id == job.id]
                found = blocks(changed, orders, snapshot)
                if changed.trouble == BLOCKED:
                    reason = memory.state.terminal_blocked_reason or ""
                    found = (Blocked(word=BLOCKED, detail=reason), *found)
                await _tell_stalled(pen, changed, found, plan.due_at)
        _replace_job(memory, changed)

    async def unreadable(self, memory: AccountMemory, reason: str, due_at: datetime) -> None:
        """Tell of jobs that make no progress because their account cannot be read."""
        now = self._clock.now()
        for job in tuple(memory.jobs):
            begun = job.state == "closing" or now >= job.deadline_at
            if not begun or not stall.is_due(replace(job, trouble=None), now):
                continue
            changed = replace(job, stalled_told_at=now)
            async with self._store.writing() as tx:
                pen = Recorder(tx, memory, now, self._policy.admin_chat_id)
                await _save(pen, changed)
                found = (Blocked(word=UNREADABLE, detail=reason),)
                await _tell_stalled(pen, changed, found, due_at)
            _replace_job(memory, changed)


def _as_planned(
    job: CloseJobRow, plan: Plan, snapshot: AccountSnapshot, now: datetime
) -> CloseJobRow:
    """The job as this reading leaves it."""
    flat_at = snapshot.observed_at if plan.first_flat else job.flat_read_at
    trouble = plan.trouble or None
    opens_at = plan.opens_at
    if opens_at is None and trouble == job.trouble == "market_closed":
        opens_at = job.opens_at  # past by now: that it has not opened is what is to be told
    return replace(
        job,
        flat_read_at=None if plan.reset_flat else flat_at,
        trouble=trouble,
        opens_at=opens_at,
        progress_at=now if plan.settled or plan.first_flat else job.progress_at,
    )


async def settle(pen: Recorder, plan: Plan) -> None:
    """Commit which attempts a reading settled, and which bore a date still to come."""
    for order in plan.redated:
        await pen.tx.update(CloseOrderRow, {"id": order.id}, answered_at=pen.now)
        replace_order(pen.memory, replace(order, answered_at=pen.now))
    for order in plan.settled:
        await pen.tx.update(
            CloseOrderRow, {"id": order.id}, state=closing.SETTLED, settled_at=pen.now
        )
        replace_order(pen.memory, replace(order, state=closing.SETTLED, settled_at=pen.now))


async def _save(pen: Recorder, job: CloseJobRow) -> None:
    await pen.tx.update(
        CloseJobRow,
        {"id": job.id},
        flat_read_at=job.flat_read_at,
        trouble=job.trouble,
        opens_at=job.opens_at,
        progress_at=job.progress_at,
        stalled_told_at=job.stalled_told_at,
    )


async def _tell_stalled(
    pen: Recorder, job: CloseJobRow, found: tuple[Blocked, ...], due_at: datetime
) -> None:
    since = stall.stalled_since(job)
    await pen.say(
        c.CloseStalled(
            **pen.who,
            job_id=job.id,
            scope=job.scope,
            since=since,
            blocks=found[:BLOCKS_TOLD_MAX],
            more=max(0, len(found) - BLOCKS_TOLD_MAX),
            next_try_at=due_at,
            opens_at=job.opens_at,
            at=pen.now,
        )
    )
    await pen.audit(words.CLOSE_STALLED, job=job.id, since=since, blocks=found)


def _trouble(
    pen: Recorder, job: CloseJobRow, plan: Plan, snapshot: AccountSnapshot
) -> a.CloseTrouble:
    held_up = [o for o in pen.memory.orders if o.job_id == job.id and o.state in HELD_UP]
    last = max(held_up, key=lambda o: o.id, default=None)
    detail = "" if last is None else (last.error or f"retcode {last.retcode}")
    if job.trouble == BLOCKED:
        detail = pen.memory.state.terminal_blocked_reason or ""
    return a.CloseTrouble(
        **pen.who,
        job_id=job.id,
        scope=job.scope,
        trouble=job.trouble or "",
        detail=detail,
        retcode=(None if last is None or job.trouble == BLOCKED else closing.telling_code(last)),
        open_positions=len(snapshot.positions),
        open_orders=len(snapshot.orders),
        next_try_at=plan.due_at,
        at=pen.now,
        opens_at=job.opens_at,
    )


def _replace_job(memory: AccountMemory, job: CloseJobRow) -> None:
    memory.jobs = [job if j.id == job.id else j for j in memory.jobs]
