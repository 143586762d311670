"""Carry a close job one safe step further, from the latest reading (law 16).

An intent is committed before its request is sent; the answer is recorded and believed only when a
later reading agrees. One call makes at most one round of requests.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain import closing
from core.domain.broker import ZERO, AccountSnapshot, Side
from core.domain.close_request import Attempt
from core.domain.closing import Plan
from core.domain.matching import identifiers
from core.domain.rates import to_gbp
from core.domain.results import COMMENT_PREFIX, deals_seen, ticket_results, total_pnl
from core.domain.retcodes import RetcodeClass, classify
from core.ports import (
    AnsweredElsewhere,
    CancelRequest,
    Clock,
    CloseRequest,
    Metrics,
    NotSent,
    OutcomeUnknown,
    SendResult,
    Store,
    TerminalGateway,
    Transaction,
    WrongAccount,
)
from core.records import CloseJobRow, CloseOrderRow, DrawdownAlertRow
from core.services.desk import AccountMemory
from core.services.policy import EnginePolicy
from core.services.record_obstacles import is_told
from core.services.recording import Recorder
from core.services.terminal_block import TerminalBlock

DEALS_WAIT = timedelta(seconds=5)
"""How long a proved-flat job waits for its deals before it reports without their prices."""
DEALS_MISSING = "deals_missing"
"""What a finished job bears while deals of its closes have not been seen."""
LATE_DEALS_MAX = timedelta(days=1)
"""How long after a close its report is completed when late deals come."""
BLOCKED = "terminal_blocked"
"""What a job bears while its terminal waits for an admin; it goes on the moment it is cleared."""
BLOCKED_LOOK = timedelta(seconds=1)
"""How soon a job that a blocked terminal holds up is looked at again."""
HELD_UP = (closing.REFUSED, closing.UNKNOWN)
DEAL_CLOCK_SLACK = timedelta(seconds=1)
"""Deals carry milliseconds of the broker's clock; ours may be a little ahead."""


class Converge:
    """Take the next step of the account's close job."""

    def __init__(  # noqa: PLR0913 - the composition root names each dependency once
        self,
        *,
        gateway: TerminalGateway,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        policy: EnginePolicy,
        block: TerminalBlock,
        epoch: int,
    ) -> None:
        self._gateway = gateway
        self._block = block
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._policy = policy
        self._epoch = epoch

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

    async def _step(
        self, memory: AccountMemory, job: CloseJobRow, snapshot: AccountSnapshot, hurry: str
    ) -> datetime:
        now = self._clock.now()
        if job.state == "countdown":
            # Set back behind the job's own beginning, the clock would count for too long.
            if job.created_at <= now < job.deadline_at and not hurry:
                return job.deadline_at
            job = await self._start(memory, job, hurry)
        orders = [o for o in memory.orders if o.job_id == job.id or o.state in closing.OPEN_STATES]
        plan = closing.plan(job, orders, snapshot, now, self._policy.closing)
        if _blocked(memory) and _holds(snapshot, job.scope):
            # Only what was sent before is settled; nothing new leaves.
            due = now + BLOCKED_LOOK
            plan = replace(plan, attempts=(), trouble=BLOCKED, due_at=due)
        ours = [o for o in orders if o.job_id == job.id]
        if plan.finished and not deals_seen(ours, memory.deals) and self._deals_may_come(job):
            return now + timedelta(seconds=closing.FLAT_GAP_S)
        if plan.finished:
            await self._finish(memory, job, plan, snapshot)
            return now
        await self._remember(memory, job, plan, snapshot)
        for attempt in plan.attempts:
            answered = await self._request(memory, job, attempt, snapshot)
            if answered.state == closing.UNKNOWN or _blocked(memory):
                # Look before anything else: an unanswered send may have taken many seconds, and
                # what this reading showed is no longer what the broker holds.
                break
        return plan.due_at

    def _deals_may_come(self, job: CloseJobRow) -> bool:
        first = job.flat_read_at
        return first is not None and self._clock.now() - first < DEALS_WAIT

    async def _start(self, memory: AccountMemory, job: CloseJobRow, hurry: str) -> CloseJobRow:
        async with self._store.writing() as tx:
            pen = self._pen(tx, memory)
            started = replace(job, state="closing", started_at=pen.now)
            await tx.update(CloseJobRow, {"id": job.id}, state="closing", started_at=pen.now)
            await pen.audit(words.CLOSE_STARTED, job=job.id, hurry=hurry)
        _replace_job(memory, started)
        return started

    async def _remember(
        self, memory: AccountMemory, job: CloseJobRow, plan: Plan, snapshot: AccountSnapshot
    ) -> None:
        """Commit what this reading settled, proved or brought to light, if anything."""
        flat_at = snapshot.observed_at if plan.first_flat else job.flat_read_at
        if plan.reset_flat:
            flat_at = None
        new_trouble = plan.trouble or None
        told = new_trouble is not None and new_trouble != job.trouble
        changed = replace(job, flat_read_at=flat_at, trouble=new_trouble)
        if changed == job and not plan.settled and not plan.redated:
            return
        async with self._store.writing() as tx:
            pen = self._pen(tx, memory)
            await self._settle(pen, plan)
            await tx.update(CloseJobRow, {"id": job.id}, flat_read_at=flat_at, trouble=new_trouble)
            if told:
                if not is_told(memory.state, changed):
                    await pen.say(self._trouble(pen, changed, plan, snapshot))
                await self._drawdown_row(pen, changed, action_taken="failed", status="failed")
        _replace_job(memory, changed)

    async def _settle(self, pen: Recorder, plan: Plan) -> None:
        for order in plan.redated:
            await pen.tx.update(CloseOrderRow, {"id": order.id}, answered_at=pen.now)
            _replace_order(pen.memory, replace(order, answered_at=pen.now))
        for order in plan.settled:
            await pen.tx.update(
                CloseOrderRow, {"id": order.id}, state=closing.SETTLED, settled_at=pen.now
            )
            _replace_order(pen.memory, replace(order, state=closing.SETTLED, settled_at=pen.now))

    async def _request(
        self, memory: AccountMemory, job: CloseJobRow, attempt: Attempt, snapshot: AccountSnapshot
    ) -> CloseOrderRow:
        """Intent, commit, send, answer, commit."""
        order = await self._intend(memory, job, attempt)
        request = _to_request(attempt, order, snapshot)
        try:
            result = await self._gateway.send(request)
        except AnsweredElsewhere as error:
            await self._block(memory, str(error), reading=False)
            answered = replace(order, state=closing.UNKNOWN, error=str(error))
        except OutcomeUnknown as error:
            answered = replace(order, state=closing.UNKNOWN, retcode=error.code, error=str(error))
        except NotSent as error:
            answered = replace(order, state=closing.REFUSED, retcode=error.code, error=str(error))
        except WrongAccount as error:
            await self._block(memory, str(error), reading=False)
            answered = replace(order, state=closing.REFUSED, error=str(error))
        else:
            answered = _answered(order, result)
        return await self._record_answer(memory, answered)

    async def _intend(
        self, memory: AccountMemory, job: CloseJobRow, attempt: Attempt
    ) -> CloseOrderRow:
        async with self._store.writing() as tx:
            pen = self._pen(tx, memory)
            order = CloseOrderRow(
                job_id=job.id,
                account_id=memory.account.id,
                ticket=attempt.ticket,
                position_id=attempt.position_id,
                action=attempt.action,
                attempt=attempt.attempt,
                symbol=attempt.symbol,
                side=attempt.side,
                volume=attempt.volume,
                filling=attempt.filling,
                state=closing.INTENDED,
                epoch=self._epoch,
                created_at=pen.now,
            )
            order = replace(order, id=await tx.insert(order))
            await pen.audit(
                words.CLOSE_INTENDED,
                job=job.id,
                order=order.id,
                action=order.action,
                ticket=order.ticket,
                attempt=order.attempt,
                volume=order.volume,
            )
        memory.orders.append(order)
        memory.sent_for.add(order.position_id)
        return order

    async def _record_answer(self, memory: AccountMemory, order: CloseOrderRow) -> CloseOrderRow:
        async with self._store.writing() as tx:
            pen = self._pen(tx, memory)
            order = replace(order, answered_at=pen.now)
            await tx.update(
                CloseOrderRow,
                {"id": order.id},
                state=order.state,
                retcode=order.retcode,
                deal=order.deal,
                price=order.price,
                error=order.error,
                answered_at=order.answered_at,
            )
            await pen.audit(
                words.CLOSE_ANSWERED,
                order=order.id,
                ticket=order.ticket,
                state=order.state,
                retcode=order.retcode,
                error=order.error,
            )
        _replace_order(memory, order)
        return order

    async def _finish(
        self, memory: AccountMemory, job: CloseJobRow, plan: Plan, snapshot: AccountSnapshot
    ) -> None:
        """Report a proved-flat job; where deals are late, their results follow (law 14)."""
        orders = [o for o in memory.orders if o.job_id == job.id]
        trouble = None if deals_seen(orders, memory.deals) else DEALS_MISSING
        async with self._store.writing() as tx:
            pen = self._pen(tx, memory)
            await self._settle(pen, plan)
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
            if not deals_seen(orders, memory.deals) and not given_up:
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
        results = ticket_results(orders, pen.memory.deals, job.created_at - DEAL_CLOCK_SLACK)
        closed = sum(1 for r in results if r.outcome == "closed")
        pnl = total_pnl(results)
        await self._drawdown_row(
            pen,
            job,
            action_taken="positions_closed",
            status="success",
            positions_closed_count=closed,
            total_loss=pnl,
            total_loss_gbp=to_gbp(pnl, pen.memory.state.gbp_rate),
            executed_at=job.finished_at,
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
            )
        )
        return closed

    def _forget_orders(self, memory: AccountMemory) -> None:
        """Keep the attempts and deals of jobs that are still to be worked on or reported."""
        active = {j.id for j in (*memory.jobs, *memory.unreported)}
        traded = {i for t in memory.trades.values() for i in identifiers(t)}
        kept = [o for o in memory.orders if o.job_id in active]
        wanted = {o.position_id for o in kept} | traded
        for order in memory.orders:
            if order.position_id not in wanted:
                memory.deals.pop(order.position_id, None)
        memory.orders = kept

    async def _drawdown_row(self, pen: Recorder, job: CloseJobRow, **changes: object) -> None:
        await pen.tx.update(DrawdownAlertRow, {"job_id": job.id}, **changes)

    def _trouble(
        self, pen: Recorder, job: CloseJobRow, plan: Plan, snapshot: AccountSnapshot
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
            retcode=(
                None if last is None or job.trouble == BLOCKED else closing.telling_code(last)
            ),
            open_positions=len(snapshot.positions),
            open_orders=len(snapshot.orders),
            next_try_at=plan.due_at,
            at=pen.now,
        )

    def _pen(self, tx: Transaction, memory: AccountMemory) -> Recorder:
        return Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)


def _blocked(memory: AccountMemory) -> bool:
    return memory.state.terminal_blocked_at is not None


def _holds(snapshot: AccountSnapshot, scope: str) -> bool:
    held = {p.symbol for p in snapshot.positions} | {o.symbol for o in snapshot.orders}
    return bool(held) if scope == closing.ACCOUNT_SCOPE else scope in held


def _to_request(
    attempt: Attempt, order: CloseOrderRow, snapshot: AccountSnapshot
) -> CloseRequest | CancelRequest:
    login, server = snapshot.state.login, snapshot.state.server
    if attempt.action == "cancel":
        return CancelRequest(
            login=login, server=server, ticket=attempt.ticket, symbol=attempt.symbol
        )
    side = Side(attempt.side)
    return CloseRequest(
        login=login,
        server=server,
        ticket=attempt.ticket,
        symbol=attempt.symbol,
        position_side=side,
        volume=attempt.volume,
        price=_price(attempt, side, snapshot),
        deviation_points=attempt.deviation_points,
        filling=attempt.filling,
        comment=f"{COMMENT_PREFIX}{order.id}",
    )


def _price(attempt: Attempt, side: Side, snapshot: AccountSnapshot) -> Decimal:
    """The price to close at; without a quote, the one at which the terminal values the position.

    Only request and instant execution look at it (facts: mt5, section 2, close).
    """
    tick = snapshot.ticks.get(attempt.symbol)
    quoted = ZERO if tick is None else tick.bid if side is Side.BUY else tick.ask
    if quoted > 0:
        return quoted
    valued = (p.price_current for p in snapshot.positions if p.ticket == attempt.ticket)
    return next(valued, ZERO)


def _answered(order: CloseOrderRow, result: SendResult) -> CloseOrderRow:
    match classify(result.retcode):
        case RetcodeClass.ACCEPTED | RetcodeClass.GONE:
            state = closing.DONE
        case RetcodeClass.UNKNOWN:
            state = closing.UNKNOWN
        case _:
            state = closing.REFUSED
    price = result.price if result.price > 0 else None
    return replace(
        order,
        state=state,
        retcode=result.retcode,
        deal=result.deal or None,
        price=price,
        error=result.comment or None,
    )


def _replace_job(memory: AccountMemory, job: CloseJobRow) -> None:
    memory.jobs = [job if j.id == job.id else j for j in memory.jobs]


def _replace_order(memory: AccountMemory, order: CloseOrderRow) -> None:
    memory.orders = [order if o.id == order.id else o for o in memory.orders]
