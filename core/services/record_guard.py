"""Record the drawdown guard's warnings and the sampled readings."""

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain.broker import ZERO, Position
from core.domain.cycle import Cycle
from core.domain.drawdown import floor_equity
from core.domain.money import percent_of
from core.domain.rates import to_gbp
from core.records import DrawdownAlertRow, PositionSnapshotRow
from core.services.recording import Recorder


async def warnings(pen: Recorder, cycle: Cycle, *, breached: bool) -> None:
    """Record the drawdown warning's beginning and end; a breach says more than its beginning."""
    verdict, state = cycle.verdict, cycle.state
    if verdict.warning_opened and not breached and not pen.memory.latched:
        await _warned(pen, cycle)
    elif verdict.warning_eased and not pen.memory.latched:
        await pen.say(
            a.DrawdownEased(
                **pen.who,
                drawdown_percent=verdict.drawdown_percent,
                warn_percent=cycle.limits.warn_drawdown_percent,
                equity=state.equity or ZERO,
                warned_at=pen.memory.state.warned_at or pen.now,
                at=pen.now,
            )
        )


async def _warned(pen: Recorder, cycle: Cycle) -> None:
    verdict, state, limits = cycle.verdict, cycle.state, cycle.limits
    equity, peak = state.equity or ZERO, state.peak_equity or ZERO
    await pen.tx.insert(
        DrawdownAlertRow(
            user_id=pen.memory.user.id,
            account_id=pen.memory.account.id,
            alert_type="warning",
            drawdown_percent=verdict.drawdown_percent,
            currency=pen.memory.account.currency,
            equity=equity,
            equity_gbp=to_gbp(equity, state.gbp_rate),
            threshold_percent=limits.warn_drawdown_percent,
            action_taken="warning_sent",
            status="warning",
            created_at=pen.now,
        )
    )
    await pen.log(
        matched=True,
        event_type="warning",
        status="warning",
        error_message=f"drawdown {verdict.drawdown_percent} %",
    )
    await pen.say(
        a.DrawdownWarning(
            **pen.who,
            drawdown_percent=verdict.drawdown_percent,
            warn_percent=limits.warn_drawdown_percent,
            limit_percent=limits.max_drawdown_percent,
            equity=equity,
            peak_equity=peak,
            headroom=equity - floor_equity(peak, limits, exempt=state.withdrawal_exempt),
            at=pen.now,
        )
    )
    await pen.audit(
        words.GUARD_WARNED,
        drawdown_percent=verdict.drawdown_percent,
        equity=equity,
        peak=peak,
        warn_percent=limits.warn_drawdown_percent,
    )


async def snapshot_row(pen: Recorder, cycle: Cycle, positions: tuple[Position, ...]) -> None:
    """Add the sampled reading."""
    state, rate = cycle.state, cycle.state.gbp_rate
    equity, margin = state.equity or ZERO, state.margin or ZERO
    await pen.tx.insert(
        PositionSnapshotRow(
            user_id=pen.memory.user.id,
            account_id=pen.memory.account.id,
            currency=pen.memory.account.currency,
            equity=state.equity,
            balance=state.balance,
            peak_equity=state.peak_equity,
            equity_gbp=to_gbp(state.equity, rate),
            balance_gbp=to_gbp(state.balance, rate),
            peak_equity_gbp=to_gbp(state.peak_equity, rate),
            gbp_rate=rate,
            gbp_rate_at=state.gbp_rate_at,
            drawdown_percent=state.drawdown_percent,
            open_positions_count=len(positions),
            total_volume_lots=sum((p.volume for p in positions), ZERO),
            open_pnl=state.profit,
            open_pnl_gbp=to_gbp(state.profit, rate),
            margin_used_percent=percent_of(margin, equity),
            last_sync_at=state.observed_at,
            created_at=pen.now,
        )
    )
