"""Watch a latched account: close again what re-appears, and finish a granted release (law 8)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain import cycle_rules
from core.domain.alert_parts import Appeared
from core.domain.broker import ZERO, AccountSnapshot, PendingOrder, Position
from core.domain.closing import ACCOUNT_SCOPE, FLAT_GAP_S
from core.domain.flat import apart
from core.domain.ledger import is_consistent
from core.domain.reappearing import closes_again
from core.domain.rule_guard import restarted
from core.ports import Clock, Metrics, Store
from core.records import CloseJobRow
from core.services import record_rules
from core.services.close_jobs import begin, reappeared_key
from core.services.desk import AccountMemory
from core.services.policy import EnginePolicy
from core.services.recording import Recorder

FLAT_GAP: Final = timedelta(seconds=FLAT_GAP_S)
ITEMS_TOLD_MAX = 10
"""Tickets named in a message about what re-appeared; it says how many more there are."""


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
            if closes_again(memory.state.latch_reason, self._policy.reappeared):
                await self._close_again(memory, snapshot)
            else:
                await self._report(memory, snapshot)
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
            memory.release_flat_s = snapshot.observed_s
        elif (apart(snapshot, first, memory.release_flat_s) or timedelta()) >= FLAT_GAP:
            await self._release(memory, snapshot)

    async def _close_again(self, memory: AccountMemory, snapshot: AccountSnapshot) -> None:
        now = self._clock.now()
        appeared = _appeared(memory, snapshot)
        job = CloseJobRow(
            account_id=memory.account.id,
            trigger_key=reappeared_key(memory.state.latched_at, (x.ticket for x in appeared)),
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
            job = await begin(pen, job)
            await _record(pen, appeared, job.id)
        self._metrics.guard_triggered("latched")

    async def _report(self, memory: AccountMemory, snapshot: AccountSnapshot) -> None:
        """Tell once of each ticket that is there; nothing is closed, as the setting is."""
        told = set(memory.state.reappeared or ())
        appeared = _appeared(memory, snapshot)
        held = {x.ticket for x in appeared}
        new = [x for x in appeared if x.ticket not in told]
        if not new and told <= held:
            return
        state = replace(memory.state, reappeared=sorted(held))
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            if new:
                await _record(pen, new, 0)
            await tx.save_state(state)
        memory.state = state

    async def _release(self, memory: AccountMemory, snapshot: AccountSnapshot) -> None:
        """Confirmed flat after the grant: the peak restarts at the trusted equity (law 8).

        Of that, at what deals explain (law 9): every reading is judged by it, and a peak with money
        in it whose deal is still to come would be broken at once.
        """
        now = self._clock.now()
        equity = snapshot.state.equity
        peak = equity - max(ZERO, memory.state.written_off)
        reading = cycle_rules.of_state(memory.state, snapshot)
        memories = {} if reading is None else restarted(memory.guard_rules, reading)
        state = replace(
            memory.state,
            latched_at=None,
            latch_reason=None,
            release_requested_at=None,
            release_granted_at=None,
            release_granted_by=None,
            reappeared=None,
            peak_equity=peak,
            peak_at=now,
            drawdown_percent=ZERO,
            warned_at=None,
            rule_memory=cycle_rules.kept(memories, memory.rule_memories, memory.state),
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
                    peak_equity=peak,
                    at=now,
                )
            )
            await pen.audit(
                words.LATCH_RELEASED,
                equity=equity,
                peak=peak,
                peak_before=memory.state.peak_equity,
                first_read_at=memory.release_flat_at,
                second_read_at=snapshot.observed_at,
                granted_by=memory.state.release_granted_by,
                rules_begun_anew=sorted(memories),
            )
            await record_rules.released(pen)
            await tx.save_state(state)
        memory.state = state
        memory.rule_memories = memories
        memory.release_flat_at = None


async def _record(pen: Recorder, appeared: Sequence[Appeared], job_id: int) -> None:
    """Audit, row and message of what re-appeared; `job_id` is 0 where it is not closed."""
    what = "placed" if all(x.is_order for x in appeared) else "opened"
    await pen.log(
        matched=False,
        symbol=appeared[0].symbol,
        event_type="guard_trigger",
        status="warning",
        error_message=f"{what} on a latched account",
    )
    await pen.say(
        a.LatchedReappeared(
            **pen.who,
            job_id=job_id,
            items=tuple(appeared[:ITEMS_TOLD_MAX]),
            more=max(0, len(appeared) - ITEMS_TOLD_MAX),
            at=pen.now,
        )
    )
    await pen.audit(
        words.LATCH_REAPPEARED,
        job=job_id or None,
        positions=[x.ticket for x in appeared if not x.is_order],
        orders=[x.ticket for x in appeared if x.is_order],
        items=appeared[:ITEMS_TOLD_MAX],
    )


def _appeared(memory: AccountMemory, snapshot: AccountSnapshot) -> list[Appeared]:
    """What is there and who made it: positions, then orders."""
    trades = {trade.magic: trade.id for trade in memory.trades.values()}
    held: list[Position | PendingOrder] = [*snapshot.positions, *snapshot.orders]
    return [
        Appeared(
            ticket=item.ticket,
            symbol=item.symbol,
            side=item.side.value,
            volume=item.volume,
            is_order=isinstance(item, PendingOrder),
            opened_by=item.reason,
            magic=item.magic,
            trade_id=trades.get(item.magic) if item.magic else None,
        )
        for item in held
    ]
