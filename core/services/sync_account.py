"""Read one account, think, write, act: the one use case everything periodic goes through."""

from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from core.domain import audit_words as words
from core.domain import cadence
from core.domain.broker import AccountSnapshot
from core.domain.closing import ACCOUNT_SCOPE
from core.domain.cycle import Breach, Cycle, Known, think
from core.domain.matching import LATE_FILL_GRACE
from core.domain.permissions import News, news
from core.domain.rates import to_gbp
from core.domain.reconciliation import Match
from core.ports import (
    BrokerUnavailable,
    Clock,
    Metrics,
    SnapshotRequest,
    StaleEpoch,
    Store,
    TerminalGateway,
    WrongAccount,
)
from core.records import AccountStateRow
from core.services import (
    record_absence,
    record_conditions,
    record_episodes,
    record_guard,
    record_ledger,
    record_obstacles,
    record_questions,
    record_rules,
    record_trades,
)
from core.services.breach import record_breach
from core.services.converge import Converge
from core.services.desk import OWN_ACTIVITY_GRACE, AccountMemory, Desk
from core.services.gap_close import GapClose
from core.services.latch import LatchWatch
from core.services.market_guard import MarketGuard
from core.services.outage import FAILURES_TOLD, Outage
from core.services.policy import EnginePolicy
from core.services.recording import Recorder
from core.services.terminal_block import TerminalBlock, recovered

log = structlog.get_logger(__name__)


class SyncAccount:
    """One cycle of one account; answers when the next is due."""

    def __init__(  # noqa: PLR0913 - the composition root names each dependency once
        self,
        *,
        gateway: TerminalGateway,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        desk: Desk,
        converge: Converge,
        latch: LatchWatch,
        gap_close: GapClose,
        outage: Outage,
        block: TerminalBlock,
        market: MarketGuard,
        policy: EnginePolicy,
        epoch: int,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._desk = desk
        self._converge = converge
        self._latch = latch
        self._gap_close = gap_close
        self._outage = outage
        self._block = block
        self._market = market
        self._policy = policy
        self._epoch = epoch
        self._missing_min = policy.reconciliation.missing_observations_min

    async def __call__(self, account_id: int) -> datetime:
        """Run one cycle. Raises StaleEpoch and StoreUnavailable; a failed read is an outcome."""
        async with self._desk.holding(account_id) as memory:
            try:
                due = await self._cycle(memory)
            except StaleEpoch as error:
                raise StaleEpoch(f"{memory.account.login}: {error}") from error
        snapshot = memory.snapshot
        if snapshot is not None and memory.failures == 0:
            await self._market.look(snapshot)
        return due

    async def failing(self, account_id: int, what: str, since: datetime) -> None:
        """Cycles fail again and again for a fault of our own: tell it as the outage it is.

        An account that nobody guards must not be known to the log alone.
        """
        async with self._desk.holding(account_id) as memory:
            memory.failing_since = memory.failing_since or since
            memory.failed_reads = max(memory.failed_reads, FAILURES_TOLD)
            await self._outage(memory, BrokerUnavailable(f"a fault of Reckoner's own ({what})"))

    async def _cycle(self, memory: AccountMemory) -> datetime:
        began = self._clock.now()
        try:
            snapshot = await self._read(memory)
        except StaleEpoch:
            raise
        except BrokerUnavailable as error:
            self._metrics.synced(
                "wrong_account" if isinstance(error, WrongAccount) else "unavailable", 0.0
            )
            due = await self._outage(memory, error)
            await self._converge.unreadable(memory, str(error), due)
            return due
        cycle, breach = self._think(memory, snapshot), None
        if self._suspects(memory, cycle):
            snapshot, cycle, breach = await self._confirm(memory, snapshot, cycle)
        elif cycle.ledger.trusted:
            memory.suspected = False
        await self._write(memory, snapshot, cycle, breach)
        memory.snapshot = snapshot
        due = await self._act(memory, snapshot, cycle)
        self._metrics.synced("ok", (self._clock.now() - began).total_seconds())
        self._metrics.account(
            memory.account.login,
            len(snapshot.positions),
            to_gbp(snapshot.state.equity, memory.state.gbp_rate),
            cycle.verdict.drawdown_percent,
        )
        return due

    # --- read and think -------------------------------------------------------------------------

    async def _read(self, memory: AccountMemory) -> AccountSnapshot:
        now = self._clock.now()
        began_s = self._clock.steady_s()
        snapshot = await self._gateway.snapshot(
            SnapshotRequest(
                account_id=memory.account.id,
                login=memory.account.login,
                server=memory.account.server,
                deals_since=memory.deals_since(now),
                symbols=tuple(sorted(memory.symbols)),
            )
        )
        snapshot = replace(snapshot, began_s=began_s, observed_s=self._clock.steady_s())
        await self._desk.recall(memory, snapshot.deals)
        return snapshot

    def _think(self, memory: AccountMemory, snapshot: AccountSnapshot) -> Cycle:
        known = Known(
            account=memory.account,
            state=memory.state,
            trades=tuple(memory.trades.values()),
            episodes=memory.episodes,
            deals=memory.deals,
            deal_tickets=memory.deal_tickets,
            closed_by_us=memory.closed_by_us,
            absent=memory.absent,
            inhibited=_is_ours(memory, self._clock.now()),
            quiet_symbols=_closing_symbols(memory, self._clock.now()),
            opinion=memory.opinion,
            doubt=memory.doubt,
            deals_awaited=bool(memory.jobs or memory.unreported),
            refused=memory.refused,
            observed=memory.observed,
            muted=memory.muted,
            rules=memory.guard_rules,
            rule_memories=memory.rule_memories,
            ended=memory.ended,
        )
        return think(
            known,
            snapshot,
            self._clock.now(),
            self._policy.reconciliation,
            explanation_wait_s=self._policy.explanation_wait_s,
        )

    def _suspects(self, memory: AccountMemory, cycle: Cycle) -> bool:
        return cycle.breach is not None and not memory.latched

    async def _confirm(
        self, memory: AccountMemory, snapshot: AccountSnapshot, cycle: Cycle
    ) -> tuple[AccountSnapshot, Cycle, Breach | None]:
        """Confirm a breach by an immediate second trusted reading (law 8).

        Where the second cannot be had, the suspicion stays: the next trusted reading that is broken
        confirms it, the next one that is not clears it.
        """
        if memory.suspected:
            return snapshot, cycle, cycle.breach
        memory.suspected = True
        try:
            again = await self._read(memory)
        except StaleEpoch:
            raise
        except BrokerUnavailable as error:
            log.warning("breach_unconfirmed", login=memory.account.login, error=str(error))
            if isinstance(error, WrongAccount):
                await self._block(memory, str(error), reading=False)
                cycle = self._think(memory, snapshot)
            return snapshot, cycle, None
        # Thought through from the same memory: it includes whatever the first reading brought.
        second = self._think(memory, again)
        log.info(
            "breach_second_reading",
            login=memory.account.login,
            first=str(cycle.verdict.drawdown_percent),
            second=str(second.verdict.drawdown_percent),
        )
        if second.ledger.trusted:
            memory.suspected = second.breach is not None
        return again, second, second.breach

    # --- write ----------------------------------------------------------------------------------

    async def _write(
        self, memory: AccountMemory, snapshot: AccountSnapshot, cycle: Cycle, breach: Breach | None
    ) -> None:
        now, state = self._clock.now(), cycle.state
        was_out = memory.state.unavailable_since is not None
        obstacles = news(memory.state, state, now)
        sampled = self._sample_due(memory, cycle, now)
        overdue = self._overdue(memory, snapshot, cycle)
        away = record_absence.absence(memory, snapshot, cycle)
        asks = record_questions.due(memory, snapshot, cycle)
        blind = record_rules.is_news_of_blindness(memory.state, state, now)
        special = breach or was_out or obstacles or sampled or overdue or away or asks or blind
        if not special and not self._eventful(cycle):
            await self._store.save_state(state)
            self._accept(memory, snapshot, cycle, state)
            return
        if sampled:
            state = replace(state, snapshot_row_at=now)
        if obstacles is not None:
            state = record_obstacles.told(state, obstacles, now)
        cycle = replace(cycle, state=state)
        async with self._store.writing() as tx:
            now = self._clock.now()  # a countdown runs from the commit, not from the wait for it
            pen = Recorder(tx, memory, now, self._policy.admin_chat_id)
            pen.reading, pen.cycle = snapshot, cycle
            if cycle.first:
                await pen.audit(words.GUARD_ARMED, equity=state.equity, peak=state.peak_equity)
            if away is not None:
                pen.muted = record_absence.TOLD_TOGETHER
                await record_absence.told(pen, away)
            closes = breach is not None and bool(snapshot.positions or snapshot.orders)
            await _terminal(pen, state, obstacles, breached=closes)
            await record_ledger.deals(pen, cycle)
            opened = await record_conditions.conditions(pen, cycle)
            await record_trades.matches(pen, cycle)
            await record_trades.missing(pen, cycle, self._missing_min)
            opened += await record_episodes.episodes(pen, cycle)
            await record_questions.questions(pen, snapshot, self._policy.reconciliation, asks)
            await record_trades.gone(pen, cycle)
            for trade in overdue:
                await record_trades.not_placed(pen, memory.trades[trade], "expired", "deadline")
            await record_guard.warnings(pen, cycle, breached=breach is not None)
            state = await record_rules.rules(pen, cycle)
            cycle = replace(cycle, state=state)
            if breach is not None:
                state = await record_breach(
                    pen,
                    cycle,
                    snapshot,
                    breach,
                    countdown_s=min(self._policy.countdown_s, memory.account.countdown_s),
                    epoch=self._epoch,
                )
                self._metrics.guard_triggered("rule" if breach.verdict else breach.rule)
            if sampled:
                await record_guard.snapshot_row(pen, cycle, snapshot.positions)
            await tx.save_state(state)
        for kind in opened:
            self._metrics.divergence(kind)
        self._accept(memory, snapshot, cycle, state)

    def _accept(
        self, memory: AccountMemory, snapshot: AccountSnapshot, cycle: Cycle, state: AccountStateRow
    ) -> None:
        memory.state = state
        memory.doubt = cycle.doubt
        memory.observed = cycle.observed
        memory.muted = frozenset(f.key for f in cycle.muted)
        if memory.jobs:
            memory.own_activity_at = self._clock.now()
            memory.own_scopes = frozenset(j.scope for j in memory.jobs)
        memory.rule_memories = cycle.rules.memories
        if cycle.new_deals:
            memory.forget_deals(self._clock.now(), {p.identifier for p in snapshot.positions})
        memory.absent = dict(cycle.absent)
        memory.opinion = cycle.reconciliation
        memory.failures = 0
        memory.failing_since = None
        memory.failing_reason = None
        memory.failed_reads = 0

    def _eventful(self, cycle: Cycle) -> bool:
        opinion, verdict = cycle.reconciliation, cycle.verdict
        return bool(
            cycle.first
            or cycle.new_deals
            or cycle.events
            or cycle.conditions
            or cycle.newly_muted
            or cycle.closures
            or cycle.ledger.lost is not None
            or opinion.gone
            or any(m.trade.missing_count < self._missing_min for m in opinion.missing)
            or any(_match_changes(m) for m in opinion.matches)
            or verdict.warning_opened
            or verdict.warning_eased
            or cycle.rules.eventful
        )

    def _sample_due(self, memory: AccountMemory, cycle: Cycle, now: datetime) -> bool:
        last = memory.state.snapshot_row_at
        if last is None or cycle.verdict.warning_opened or cycle.verdict.warning_eased:
            return True
        if self._suspects(memory, cycle):
            return True
        return now - last >= timedelta(seconds=self._policy.snapshot_row_interval_s)

    def _overdue(self, memory: AccountMemory, snapshot: AccountSnapshot, cycle: Cycle) -> list[int]:
        placed = {o.magic for o in snapshot.orders} | {p.magic for p in snapshot.positions}
        opinion = cycle.reconciliation
        found = {m.trade.id for m in opinion.matches} | {g.trade.id for g in opinion.gone}
        return [
            t.id
            for t in memory.trades.values()
            if t.status == "pending"
            and snapshot.began_at > t.deadline_at + LATE_FILL_GRACE
            and t.magic not in placed
            and t.id not in found
        ]

    # --- act ------------------------------------------------------------------------------------

    async def _act(
        self, memory: AccountMemory, snapshot: AccountSnapshot, cycle: Cycle
    ) -> datetime:
        now = self._clock.now()
        if memory.unreported and cycle.new_deals:
            await self._converge.complete_reports(memory, snapshot)
        if memory.latched and not memory.jobs:
            await self._latch(memory, snapshot)
        await self._gap_close(memory, snapshot)
        hurry = cycle.hurry if memory.job and memory.job.scope == ACCOUNT_SCOPE else ""
        step_due = await self._converge(memory, snapshot, hurry=hurry)
        regular = now + timedelta(seconds=self._interval(memory, cycle, snapshot))
        return regular if step_due is None else min(regular, step_due)

    def _interval(self, memory: AccountMemory, cycle: Cycle, snapshot: AccountSnapshot) -> float:
        situation = cadence.Situation(
            holds_anything=bool(snapshot.positions or snapshot.orders),
            awaits_trade=any(t.status == "pending" for t in memory.trades.values())
            or memory.latched,
            unsettled=cycle.unsettled
            or bool(memory.jobs)
            or self._release_waits(memory)
            or (cycle.rules.near and bool(snapshot.positions)),
            drawdown_percent=cycle.verdict.drawdown_percent,
            warn_percent=cycle.limits.warn_drawdown_percent,
            margin_level_percent=snapshot.state.margin_level_percent,
        )
        return cadence.interval_s(self._policy.cadence, situation)

    def _release_waits(self, memory: AccountMemory) -> bool:
        return memory.latched and memory.state.release_granted_at is not None


def _is_ours(memory: AccountMemory, now: datetime) -> bool:
    """Whether what differs now is our own doing: a close at work, just over, or a latched account.

    Judged by our own clock: a broker's may be off, and a deal of ours be stamped ahead.
    """
    if memory.latched or any(j.scope == ACCOUNT_SCOPE for j in memory.jobs):
        return True
    return ACCOUNT_SCOPE in memory.own_scopes and _is_recent(memory.own_activity_at, now)


def _closing_symbols(memory: AccountMemory, now: datetime) -> frozenset[str]:
    """Symbols that are being closed, or just were: those of the others are told as ever."""
    recent = memory.own_scopes if _is_recent(memory.own_activity_at, now) else frozenset()
    return recent.union(j.scope for j in memory.jobs) - {ACCOUNT_SCOPE}


def _is_recent(at: datetime | None, now: datetime) -> bool:
    return at is not None and abs(now - at) < OWN_ACTIVITY_GRACE


async def _terminal(
    pen: Recorder, state: AccountStateRow, obstacles: News | None, *, breached: bool
) -> None:
    """What this reading says of the way to the broker: it is back, or it could (not) close."""
    if pen.memory.state.unavailable_since is not None:
        await pen.say(recovered(pen))
    if obstacles is not None:
        await record_obstacles.obstacles(pen, state, obstacles, breached=breached)


def _match_changes(match: Match) -> bool:
    """Whether a match changes its trade's row: found first, grown, or back from absence."""
    return match.first or bool(record_trades.seen(match))
