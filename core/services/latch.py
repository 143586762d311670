"""Watch a latched account: close again what re-appears, and finish a granted release (law 8)."""

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain.alert_parts import TicketResult
from core.domain.broker import ZERO, AccountSnapshot, PendingOrder, Position
from core.domain.closing import ACCOUNT_SCOPE, FLAT_GAP_S
from core.domain.ledger import is_consistent
from core.ports import Clock, Metrics, Store
from core.records import CloseJobRow
from core.services.desk import AccountMemory
from core.services.policy import EnginePolicy
from core.services.recording import Recorder


class LatchWatch:
    """What a complete reading of a latched account, without a job, calls for."""

    def __init__(
        self, *, store: Store, clock: Clock, metrics: Metrics, policy: EnginePolicy, epoch: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._policy = policy
        self._epoch = epoch

    async def __call__(self, memory: AccountMemory, snapshot: AccountSnapshot) -> None:
        """Close what re-appears on a latched account, or finish a granted release."""
        if snapshot.positions or snapshot.orders:
            memory.release_flat_at = None
            await self._close_again(memory, snapshot)
            return
        if memory.state.release_granted_at is None:
            return
        state = snapshot.state
        trusted = is_consistent(state) and memory.state.unexplained_since is None
        if state.profit != 0 or state.margin != 0 or not trusted:
            memory.release_flat_at = None
            return
        first = memory.release_flat_at
        if first is None:
            memory.release_flat_at = snapshot.observed_at
        elif (snapshot.began_at - first).total_seconds() >= FLAT_GAP_S:
            await self._release(memory, snapshot)

    async def _close_again(self, memory: AccountMemory, snapshot: AccountSnapshot) -> None:
        now = self._clock.now()
        appeared: list[Position | PendingOrder] = [*snapshot.positions, *snapshot.orders]
        first = appeared[0]
        job = CloseJobRow(
            account_id=memory.account.id,
            trigger_key=f"latched:{now.isoformat()}",
            reason="latched",
            scope=ACCOUNT_SCOPE,
            state="closing",
            deadline_at=now,
            epoch=self._epoch,
            equity_at_trigger=snapshot.state.equity,
            drawdown_percent=memory.state.drawdown_percent,
            limit_percent=memory.account.max_drawdown_percent,
            created_at=now,
            started_at=now,
        )
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, now, self._policy.admin_chat_id)
            job = replace(job, id=await tx.insert(job))
            await pen.log(
                matched=False,
                symbol=first.symbol,
                event_type="guard_trigger",
                status="warning",
                error_message="opened on a latched account",
            )
            await pen.say(
                a.LatchedReappeared(
                    **pen.who,
                    job_id=job.id,
                    results=_reappeared(snapshot),
                    opened_by=first.reason if isinstance(first, Position) else 0,
                    magic=first.magic,
                    at=now,
                )
            )
            await pen.audit(
                words.LATCH_REAPPEARED,
                job=job.id,
                positions=[p.ticket for p in snapshot.positions],
                orders=[o.ticket for o in snapshot.orders],
            )
        memory.jobs.append(job)
        self._metrics.guard_triggered("latched")

    async def _release(self, memory: AccountMemory, snapshot: AccountSnapshot) -> None:
        """Confirmed flat after the grant: the peak restarts at the trusted equity (law 8)."""
        now = self._clock.now()
        equity = snapshot.state.equity
        state = replace(
            memory.state,
            latched_at=None,
            latch_reason=None,
            release_requested_at=None,
            release_granted_at=None,
            release_granted_by=None,
            peak_equity=equity,
            peak_at=now,
            drawdown_percent=ZERO,
            warned_at=None,
        )
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, now, self._policy.admin_chat_id)
            await pen.say(
                a.ReleaseAnswered(
                    **pen.who,
                    state="released",
                    by="",
                    asked_at=memory.state.release_requested_at or now,
                    equity=equity,
                    peak_equity=equity,
                    at=now,
                )
            )
            await pen.audit(
                words.LATCH_RELEASED,
                equity=equity,
                peak_before=memory.state.peak_equity,
                first_read_at=memory.release_flat_at,
                second_read_at=snapshot.observed_at,
                granted_by=memory.state.release_granted_by,
            )
            await tx.save_state(state)
        memory.state = state
        memory.release_flat_at = None


def _reappeared(snapshot: AccountSnapshot) -> tuple[TicketResult, ...]:
    positions = (
        TicketResult(
            ticket=p.ticket, symbol=p.symbol, side=p.side.value, volume=p.volume, outcome="open"
        )
        for p in snapshot.positions
    )
    orders = (
        TicketResult(
            ticket=o.ticket,
            symbol=o.symbol,
            side=o.side.value,
            volume=o.volume,
            outcome="open",
        )
        for o in snapshot.orders
    )
    return (*positions, *orders)
