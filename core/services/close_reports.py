"""Tell that a close job is proved flat, with the result of each ticket, late ones included."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain.alert_parts import Decision
from core.domain.broker import AccountSnapshot, Deal, DealEntry
from core.domain.closing import ACCOUNT_SCOPE, Plan
from core.domain.drawdown import drawdown_percent
from core.domain.market import Verb
from core.domain.rates import to_gbp
from core.domain.results import (
    DEAL_CLOCK_SLACK,
    READING_OLDEST,
    as_quoted,
    deals_seen,
    ended_otherwise,
    ticket_results,
    total_pnl,
)
from core.ports import Clock, Metrics, Store, Transaction
from core.records import (
    CloseJobRow,
    CloseOrderRow,
    DealRow,
    DrawdownAlertRow,
    MarketWarningRow,
    OverrideRow,
    UserRow,
)
from core.services.close_progress import settle
from core.services.desk import AccountMemory, deal_of, explained_by_deals
from core.services.policy import EnginePolicy
from core.services.recording import Recorder

DEALS_WAIT = timedelta(seconds=5)
"""How long a proved-flat job waits for its deals before it reports without their prices."""
DEALS_MISSING = "deals_missing"
"""What a finished job bears while deals of its closes have not been seen."""
LATE_DEALS_MAX = timedelta(days=1)
"""How long after a close its report is completed when late deals come."""
EXITS_MAX = 1_000
"""Deals looked at for what ended while a job stood."""


class CloseReports:
    """Ends jobs, and reports them."""

    def __init__(
        self, *, store: Store, clock: Clock, metrics: Metrics, policy: EnginePolicy
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._policy = policy

    def waits(
        self, memory: AccountMemory, job: CloseJobRow, orders: Sequence[CloseOrderRow]
    ) -> bool:
        """Whether the report still waits for the job's deals, as it does for a short while."""
        first = job.flat_read_at
        soon = first is not None and self._clock.now() - first < DEALS_WAIT
        return soon and not _all_seen(memory, orders)

    async def finish(
        self, memory: AccountMemory, job: CloseJobRow, plan: Plan, snapshot: AccountSnapshot
    ) -> None:
        """Report a proved-flat job; where deals are late, their results follow (law 14)."""
        orders = [o for o in memory.orders if o.job_id == job.id]
        trouble = None if _all_seen(memory, orders) else DEALS_MISSING
        async with self._store.writing() as tx:
            pen = self._pen(tx, memory)
            await settle(pen, plan)
            done = replace(job, state="flat", finished_at=pen.now, trouble=trouble)
            await tx.update(
                CloseJobRow, {"id": job.id}, state="flat", finished_at=pen.now, trouble=trouble
            )
            closed = await self._report(pen, done, snapshot)
        memory.jobs = [j for j in memory.jobs if j.id != job.id]
        if trouble is not None:
            memory.unreported.append(done)
        self._forget_orders(memory)
        self._metrics.autoclosed(job.reason, closed)

    async def complete_reports(self, memory: AccountMemory, snapshot: AccountSnapshot) -> None:
        """Report again, with its results, a finished job whose late deals have come."""
        for job in tuple(memory.unreported):
            orders = [o for o in memory.orders if o.job_id == job.id]
            given_up = self._clock.now() - (job.finished_at or job.created_at) > LATE_DEALS_MAX
            # Where nothing was sent for, what is missing is all that the balance lost unexplained.
            unexplained = not orders and memory.state.written_off != 0
            if not given_up and (unexplained or not _all_seen(memory, orders)):
                continue
            async with self._store.writing() as tx:
                pen = self._pen(tx, memory)
                await tx.update(CloseJobRow, {"id": job.id}, trouble=None)
                if not given_up:
                    await self._report(pen, job, snapshot, completed=True)
            memory.unreported.remove(job)
            self._forget_orders(memory)

    async def _report(
        self,
        pen: Recorder,
        job: CloseJobRow,
        snapshot: AccountSnapshot,
        *,
        completed: bool = False,
    ) -> int:
        """Row, audit and message of a proved-flat job; answers how many positions it closed."""
        orders = [o for o in pen.memory.orders if o.job_id == job.id]
        ours = ticket_results(orders, pen.memory.deals, job.created_at - DEAL_CLOCK_SLACK)
        others = ended_otherwise(await exits_of(pen.tx, job), pen.memory.closed_by_us)
        results = as_quoted((*others, *ours), snapshot.symbols)
        closed = sum(1 for r in results if r.outcome == "closed")
        pnl = total_pnl(results)
        await drawdown_row(
            pen,
            job,
            action_taken="positions_closed",
            status="success",
            positions_closed_count=closed,
            total_loss=pnl,
            total_loss_gbp=to_gbp(pnl, pen.memory.state.gbp_rate),
            executed_at=job.finished_at,
        )
        await pen.say(
            a.CloseConfirmed(
                **pen.who,
                job_id=job.id,
                reason=job.reason,
                scope=job.scope,
                results=results,
                total_pnl=pnl,
                equity=snapshot.state.equity,
                balance=snapshot.state.balance,
                triggered_at=job.created_at,
                equity_at_trigger=job.equity_at_trigger,
                drawdown_percent=job.drawdown_percent,
                limit_percent=job.limit_percent,
                started_at=job.started_at or job.created_at,
                flat_at=snapshot.observed_at if not completed else (job.finished_at or pen.now),
                latched=pen.memory.latched,
                results_missing=job.trouble == DEALS_MISSING and not completed,
                completed=completed,
                deadline_at=job.deadline_at,
                drawdown_after_percent=_drawdown_after(pen, job, snapshot),
                decision=await _decision(pen, job),
            )
        )
        await pen.audit(
            words.CLOSE_CONFIRMED,
            job=job.id,
            first_read_at=job.flat_read_at,
            second_read_at=snapshot.observed_at,
            equity=snapshot.state.equity,
            balance=snapshot.state.balance,
            tickets=results,
            completed=completed,
        )
        return closed

    def _forget_orders(self, memory: AccountMemory) -> None:
        """Keep the attempts and deals of jobs that are still to be worked on or reported."""
        active = {j.id for j in (*memory.jobs, *memory.unreported)}
        forgotten = {o.position_id for o in memory.orders}
        memory.orders = [o for o in memory.orders if o.job_id in active]
        for position_id in forgotten - explained_by_deals(memory):
            memory.deals.pop(position_id, None)

    def _pen(self, tx: Transaction, memory: AccountMemory) -> Recorder:
        return Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)


def _all_seen(memory: AccountMemory, orders: Sequence[CloseOrderRow]) -> bool:
    """Whether every deal that ended something is known.

    Of positions that the job sent for the deals tell; of those that somebody else closed before
    their turn only the balance does, which has moved without a deal.
    """
    return deals_seen(orders, memory.deals) and memory.state.unexplained_since is None


async def exits_of(tx: Transaction, job: CloseJobRow) -> list[Deal]:
    """The exits within the job's scope that were booked since it was decided, until its end.

    Whoever made them; the oldest EXITS_MAX. The reading that it was decided on may be a little
    older than the decision.
    """
    where: dict[str, Any] = {} if job.scope == ACCOUNT_SCOPE else {"symbol": job.scope}
    if job.finished_at is not None:
        where["executed_at__le"] = job.finished_at + DEAL_CLOCK_SLACK
    rows = await tx.find(
        DealRow,
        order_by="id",
        limit=EXITS_MAX,
        account_id=job.account_id,
        entry=tuple(DealEntry.EXITS),
        seen_at__gt=job.created_at,
        executed_at__ge=job.created_at - READING_OLDEST,
        **where,
    )
    return [deal_of(row) for row in rows]


async def drawdown_row(pen: Recorder, job: CloseJobRow, **changes: object) -> None:
    """Change the `drawdown_alerts` row of the job's execution, if it has one."""
    await pen.tx.update(DrawdownAlertRow, {"job_id": job.id}, **changes)


def _drawdown_after(pen: Recorder, job: CloseJobRow, snapshot: AccountSnapshot) -> Decimal | None:
    """What closing came to: the price went on while it was under way."""
    if job.reason != "drawdown":
        return None
    return drawdown_percent(pen.memory.state.peak_equity, snapshot.state.equity)


async def _decision(pen: Recorder, job: CloseJobRow) -> Decision | None:
    """Since when a market warning stood, and who decided to close; None for other jobs."""
    kind, _, number = job.trigger_key.partition(":")
    if job.reason != f"market_{kind}" or not number.isdigit():
        return None
    warning = await pen.tx.get(MarketWarningRow, int(number))
    if warning is None:
        return None
    pressed = await pen.tx.first(OverrideRow, warning_id=warning.id, verb=Verb.CLOSE.value)
    if pressed is None:
        return Decision(caused_at=warning.opened_at)
    user = await pen.tx.get(UserRow, pressed.user_id)
    by = "" if user is None else user.name
    return Decision(caused_at=warning.opened_at, by=by, why=pressed.reason)
