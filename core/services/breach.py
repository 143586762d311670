"""A confirmed breach: latch, intent to close, withdrawn trades, audit and alert, in one commit."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain.broker import ZERO, AccountSnapshot
from core.domain.closing import ACCOUNT_SCOPE
from core.domain.cycle import Breach, Cycle
from core.domain.permissions import standing
from core.domain.rates import to_gbp
from core.records import AccountStateRow, CloseJobRow, CloseOrderRow, DrawdownAlertRow
from core.services import record_rules
from core.services.close_jobs import begin, breach_key
from core.services.record_trades import not_placed
from core.services.recording import Recorder

WITHDRAWN = "guard"
"""Why a trade was not placed: the guard withdrew it."""


async def record_breach(
    pen: Recorder,
    cycle: Cycle,
    snapshot: AccountSnapshot,
    breach: Breach,
    *,
    countdown_s: int,
    epoch: int,
) -> AccountStateRow:
    """Latch the account and schedule its closing; answers the state row to save.

    A breach while flat latches without a job. The countdown runs from this commit, unless the
    verdict is in a hurry (law 8).
    """
    now, rule = pen.now, breach.rule
    flat = not snapshot.positions and not snapshot.orders
    state = replace(cycle.state, latched_at=now, latch_reason=rule, warned_at=None)
    job = None if flat else _job(pen, cycle, breach, countdown_s=countdown_s, epoch=epoch)
    if job is not None:
        job = await begin(pen, job)
        await _supersede_symbol_jobs(pen, job)
    await _withdraw_trades(pen)
    await _rows(pen, cycle, rule, job)
    await pen.say(_alert(pen, cycle, snapshot, breach, job))
    detail = _arithmetic(breach)
    await pen.audit(
        words.GUARD_BREACHED,
        rule=rule,
        equity=cycle.state.equity,
        balance=cycle.state.balance,
        peak=cycle.state.peak_equity,
        drawdown_percent=cycle.verdict.drawdown_percent,
        limit_percent=cycle.limits.max_drawdown_percent,
        minimum_equity=cycle.limits.minimum_equity,
        positions=[p.ticket for p in snapshot.positions],
        orders=[o.ticket for o in snapshot.orders],
        job=job.id if job else None,
        deadline_at=job.deadline_at if job else None,
        hurry=cycle.hurry,
        arithmetic=detail,
    )
    if breach.verdict is not None:
        await record_rules.enforced(pen, breach.verdict, cycle)
    return state


def _arithmetic(breach: Breach) -> dict[str, object] | None:
    """A rule's floor and how it came about, for the audit; the two others stand there already."""
    verdict = breach.verdict
    if verdict is None:
        return None
    return {
        "figure": verdict.value,
        "floor": verdict.floor.limit,
        "acts_at": verdict.floor.acts_at,
        "base": verdict.memory.base,
        "base_at": verdict.memory.base_at,
        "base_age_s": verdict.memory.base_age_s,
        "amount": verdict.floor.amount,
        "rule_data": verdict.held.spec,
    }


def _job(
    pen: Recorder, cycle: Cycle, breach: Breach, *, countdown_s: int, epoch: int
) -> CloseJobRow:
    """What closes everything; its key names the breach by what it is counted from."""
    now, rule, verdict = pen.now, breach.rule, breach.verdict
    since = cycle.state.peak_at if verdict is None else verdict.memory.base_at
    wait_s = 0 if cycle.hurry else countdown_s
    return CloseJobRow(
        account_id=pen.memory.account.id,
        trigger_key=breach_key(rule, since),
        reason=rule,
        scope=ACCOUNT_SCOPE,
        state="countdown" if wait_s else "closing",
        deadline_at=now + timedelta(seconds=wait_s),
        epoch=epoch,
        equity_at_trigger=cycle.state.equity,
        drawdown_percent=cycle.verdict.drawdown_percent,
        limit_percent=cycle.limits.max_drawdown_percent,
        created_at=now,
        started_at=None if wait_s else now,
    )


async def _supersede_symbol_jobs(pen: Recorder, job: CloseJobRow) -> None:
    """The whole account is closed: its job takes over the attempts of those for single symbols.

    An attempt of theirs whose outcome is open must be settled before its ticket is tried again.
    """
    for other in [j for j in pen.memory.jobs if j.scope != ACCOUNT_SCOPE]:
        await pen.tx.update(CloseOrderRow, {"job_id": other.id}, job_id=job.id)
        pen.memory.orders = [
            replace(o, job_id=job.id) if o.job_id == other.id else o for o in pen.memory.orders
        ]
        await pen.tx.update(CloseJobRow, {"id": other.id}, state="superseded", finished_at=pen.now)
        await pen.audit(words.CLOSE_SUPERSEDED, job=other.id, by=job.id)
        pen.memory.jobs.remove(other)


async def _withdraw_trades(pen: Recorder) -> None:
    for trade in [t for t in pen.memory.trades.values() if t.status == "pending"]:
        await not_placed(pen, trade, "cancelled", WITHDRAWN)
        await pen.audit(words.TRADE_CANCELLED, trade=trade.id, reason=WITHDRAWN)


async def _rows(pen: Recorder, cycle: Cycle, rule: str, job: CloseJobRow | None) -> None:
    equity = cycle.state.equity or ZERO
    await pen.tx.insert(
        DrawdownAlertRow(
            user_id=pen.memory.user.id,
            account_id=pen.memory.account.id,
            job_id=job.id if job else None,
            alert_type="execution",
            drawdown_percent=cycle.verdict.drawdown_percent,
            currency=pen.memory.account.currency,
            equity=equity,
            equity_gbp=to_gbp(equity, cycle.state.gbp_rate),
            threshold_percent=cycle.limits.max_drawdown_percent,
            action_taken="warning_sent" if job else "positions_closed",
            status="warning" if job else "success",
            created_at=pen.now,
            executed_at=None if job else pen.now,
        )
    )
    await pen.log(
        matched=True,
        event_type="guard_trigger",
        status="warning",
        divergence_reason=None,
        error_message=f"{rule}: drawdown {cycle.verdict.drawdown_percent} %",
    )


def _alert(
    pen: Recorder,
    cycle: Cycle,
    snapshot: AccountSnapshot,
    breach: Breach,
    job: CloseJobRow | None,
) -> a.GuardBreached:
    deadline: datetime | None = None
    if job is not None and job.state == "countdown":
        deadline = job.deadline_at
    return a.GuardBreached(
        **pen.who,
        job_id=job.id if job else 0,
        rule=breach.rule,
        drawdown_percent=cycle.verdict.drawdown_percent,
        limit_percent=cycle.limits.max_drawdown_percent,
        equity=cycle.state.equity or ZERO,
        peak_equity=cycle.state.peak_equity,
        minimum_equity=cycle.limits.minimum_equity,
        positions_count=len(snapshot.positions),
        orders_count=len(snapshot.orders),
        deadline_at=deadline,
        skip_reason=cycle.hurry,
        at=pen.now,
        obstacles=standing(cycle.state),
        title="" if breach.verdict is None else breach.verdict.held.spec.title,
        measure="" if breach.verdict is None else breach.verdict.held.spec.measure.value,
        figure=None if breach.verdict is None else breach.verdict.value,
        floor=None if breach.verdict is None else breach.verdict.floor.acts_at,
    )
