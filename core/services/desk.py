"""What the engine remembers of each account between readings, and who may touch it now.

The store is the truth; a memory is loaded from it, kept while the process owns the account, and
forgotten whenever a write fails. All work on an account happens under its lock.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.adoption import ASKED, DECLINED
from core.domain.broker import AccountSnapshot, Deal, DealEntry
from core.domain.closing import OPEN_STATES
from core.domain.cycle_rules import memories_of, rules_of
from core.domain.deal_window import LATE_DEALS_MAX, OVERLAP, asked_from, within
from core.domain.divergences import BY_REASON
from core.domain.episodes import Key
from core.domain.matching import identifiers
from core.domain.reconciliation import Reconciliation
from core.domain.rule_guard import Memories
from core.domain.rules import NO_RULES, RuleSet
from core.ports import Clock, Store, Transaction
from core.records import (
    AccountRow,
    AccountStateRow,
    CloseJobRow,
    CloseOrderRow,
    DealRow,
    EpisodeRow,
    QuestionRow,
    ReconciliationLogRow,
    TradeRow,
    UserRow,
)
from core.services.errors import Refused

LATE_FILL_DAYS = 1
"""For this long after its deadline a trade is still recognised by its tag."""
TICKETS_A_QUERY = 500
"""Tickets looked up in one statement; more are asked for in several."""
ACTIVE_JOB_STATES = ("countdown", "closing")
ENDS_KNOWN = 2 * LATE_DEALS_MAX
"""For so long it is remembered of which positions of closed trades the end was told."""
OWN_ACTIVITY_GRACE = timedelta(seconds=5)
"""After a close of ours this long nothing that differs is an alarm: its deals may be late."""
MUTED = "not told: the account is being closed, or locked"
"""The remark in the history by which a restart knows what it has kept quiet about."""
MUTED_MAX = 1_000
"""Differences kept quiet that a restart remembers; any beyond are written down once more."""


@dataclass(slots=True)
class AccountMemory:
    """One account as of its last committed cycle.

    `failures` count the cycles in a row that ended without a reading, `failed_reads` those of them
    in which the terminal was not merely on its way up. `deal_tickets` are when deals booked
    not long ago were executed, by their ticket; the store has all. `doubt`: by how much the last
    equity contradicted the rest. `questions` are those that wait or were declined, by position
    identifier.
    `ended` are positions in `deals` whose end was told: a deal of theirs that is late ends nothing.
    `own_activity_at`: when, on our own clock, a close of ours was last at work, on `own_scopes`.
    `rules` names the settings in force. `flat_s` is when each job's first flat reading ended, on
    the clock that nobody sets; `release_flat_s` the same of a granted release.
    """

    account: AccountRow
    user: UserRow
    state: AccountStateRow
    trades: dict[int, TradeRow] = field(default_factory=dict)
    episodes: dict[Key, EpisodeRow] = field(default_factory=dict)
    questions: dict[int, QuestionRow] = field(default_factory=dict)
    deals: dict[int, list[Deal]] = field(default_factory=dict)
    deal_tickets: dict[int, datetime] = field(default_factory=dict)
    doubt: Decimal | None = None
    jobs: list[CloseJobRow] = field(default_factory=list)
    orders: list[CloseOrderRow] = field(default_factory=list)
    unreported: list[CloseJobRow] = field(default_factory=list)
    sent_for: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)
    absent: dict[str, int] = field(default_factory=dict)
    opinion: Reconciliation | None = None
    snapshot: AccountSnapshot | None = None
    failures: int = 0
    failing_since: datetime | None = None
    failing_reason: str | None = None
    failed_reads: int = 0
    release_flat_at: datetime | None = None
    release_flat_s: float | None = None
    flat_s: dict[int, float] = field(default_factory=dict)
    suspected: bool = False
    observed: Mapping[Key, datetime] = field(default_factory=dict)
    muted: frozenset[Key] = frozenset()
    own_activity_at: datetime | None = None
    own_scopes: frozenset[str] = frozenset()
    rules: str = ""
    guard_rules: RuleSet = NO_RULES
    rule_memories: Memories = field(default_factory=dict)

    @property
    def job(self) -> CloseJobRow | None:
        """The job to work on: the whole account's before any symbol's."""
        whole = [j for j in self.jobs if j.scope == "account"]
        return next(iter(whole or self.jobs), None)

    @property
    def latched(self) -> bool:
        """Whether nothing may be opened before a release."""
        return self.state.latched_at is not None

    @property
    def symbols(self) -> set[str]:
        """Symbols to ask for besides those that are held now.

        A close is reported when nothing is held any more, with prices of as many digits as their
        symbols have: until then what was known of symbols is asked for again.
        """
        wanted = {t.symbol for t in self.trades.values() if t.status in {"pending", "open"}}
        if self.jobs or self.unreported:
            wanted.update(order.symbol for order in self.orders)
            wanted.update(() if self.snapshot is None else self.snapshot.symbols)
        return wanted

    @property
    def refused(self) -> dict[int, frozenset[int]]:
        """The trades, by position identifier, that a person said a position is none of."""
        return {
            position_id: frozenset(question.declined_candidates)
            for position_id, question in self.questions.items()
            if question.declined_candidates
        }

    @property
    def closed_by_us(self) -> frozenset[int]:
        """Position identifiers a close job has sent for."""
        return frozenset(self.sent_for)

    def deals_since(self, now: datetime) -> datetime:
        """From when deals must be read so that none is missed, late ones included."""
        state = self.state
        # A trade whose position never comes back must not make every reading ask for more.
        oldest = now - LATE_DEALS_MAX
        marks = [max(t.missing_since, oldest) for t in self.trades.values() if t.missing_since]
        marks.extend(m for m in (state.unexplained_since,) if m)
        marks.extend(j.created_at for j in (*self.jobs, *self.unreported))
        explained = state.unexplained_since is None and state.written_off == 0
        return asked_from(state.deals_cursor_at, marks, now, explained=explained)

    def forget_deals(self, now: datetime, held: Collection[int]) -> None:
        """Drop deals that cannot be shown again and that nothing open is explained by.

        `held` are the identifiers of the positions there now.
        """
        self.deal_tickets = within(self.deal_tickets, self.deals_since(now) - OVERLAP)
        wanted = {*held, *explained_by_deals(self)}
        self.deals = {
            position_id: deals
            for position_id, deals in self.deals.items()
            if position_id in wanted or deals[-1].ticket in self.deal_tickets
        }
        self.ended &= self.deals.keys()


class Desk:
    """The memories and locks of all accounts this process owns."""

    def __init__(self, store: Store, clock: Clock, rules: str = "") -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._memories: dict[int, AccountMemory] = {}
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._forgotten: dict[int, AccountMemory] = {}

    @asynccontextmanager
    async def holding(self, account_id: int) -> AsyncIterator[AccountMemory]:
        """The account's memory, exclusively. Any exception inside makes it be loaded anew."""
        async with self._locks[account_id]:
            memory = self._memories.get(account_id)
            if memory is None:
                memory = await self._load(account_id)
                self._memories[account_id] = memory
            try:
                yield memory
            except Refused:
                raise  # nothing was changed
            except BaseException:
                self._forget(account_id, memory)
                raise

    async def recall(self, memory: AccountMemory, deals: Sequence[Deal]) -> None:
        """Learn from the store which of these deals were booked before. Raises StoreUnavailable.

        Of most the ticket is at hand. A question that goes further back than usual shows older
        ones, and one that was dated wrongly comes again under its right time. Also what else was
        booked of the positions that the new ones are of, and whether Reckoner sent for them: the
        last deals of one may come when nothing open is explained by them any more.
        """
        if memory.state.ledger_balance is None:
            return  # nothing was booked yet
        tickets = [d.ticket for d in deals if d.ticket not in memory.deal_tickets]
        if not tickets:
            return
        async with self._store.reading() as tx:
            for start in range(0, len(tickets), TICKETS_A_QUERY):
                asked = tuple(tickets[start : start + TICKETS_A_QUERY])
                rows = await tx.find(DealRow, account_id=memory.account.id, ticket=asked)
                memory.deal_tickets.update((row.ticket, row.executed_at) for row in rows)
            new = {d.position_id for d in deals if d.ticket not in memory.deal_tickets}
            unknown = sorted(new - {0, *memory.deals})
            await _load_deals_of(tx, memory, unknown)
            now, booked = self._clock.now(), [i for i in unknown if i in memory.deals]
            await _load_ends(tx, memory, booked, now)

    def drop(self, account_id: int) -> None:
        """Make the account be loaded anew before its next cycle."""
        memory = self._memories.get(account_id)
        if memory is not None:
            self._forget(account_id, memory)

    def peek(self, account_id: int) -> AccountMemory | None:
        """The memory as it stands, for looking only."""
        return self._memories.get(account_id)

    def all(self) -> list[AccountMemory]:
        """Every memory loaded, for looking only."""
        return list(self._memories.values())

    def _forget(self, account_id: int, memory: AccountMemory) -> None:
        self._memories.pop(account_id, None)
        self._forgotten[account_id] = memory

    async def _load(self, account_id: int) -> AccountMemory:
        async with self._store.reading() as tx:
            memory = await load_memory(tx, account_id, self._clock.now())
        memory.rules = self._rules
        before = self._forgotten.pop(account_id, None)
        if before is not None:
            # The last snapshot and the failures describe the world, not the store: they survive.
            memory.snapshot = before.snapshot
            memory.failures = before.failures
            memory.failing_since = before.failing_since
            memory.failing_reason = before.failing_reason
            memory.failed_reads = before.failed_reads
            memory.suspected = before.suspected
        return memory


async def load_memory(tx: Transaction, account_id: int, now: datetime) -> AccountMemory:
    """Read everything a cycle needs to know of the account."""
    account = await tx.get(AccountRow, account_id)
    if account is None:
        raise LookupError(f"account {account_id} does not exist")
    user = await tx.get(UserRow, account.user_id)
    if user is None:
        raise LookupError(f"user {account.user_id} of account {account_id} does not exist")
    state = await tx.get(AccountStateRow, account_id)
    memory = AccountMemory(
        account=account, user=user, state=state or AccountStateRow(id=account_id)
    )
    memory.guard_rules = rules_of(account)
    memory.rule_memories = memories_of(memory.state)
    await _load_trades(tx, memory, now)
    open_episodes = await tx.find(EpisodeRow, account_id=account_id, resolved_at=None)
    memory.episodes = {(row.kind, row.subject): row for row in open_episodes}
    asked = await tx.find(QuestionRow, account_id=account_id, state=(ASKED, DECLINED))
    memory.questions = {row.position_id: row for row in asked}
    memory.jobs = await tx.find(CloseJobRow, account_id=account_id, state=ACTIVE_JOB_STATES)
    memory.unreported = await tx.find(
        CloseJobRow, account_id=account_id, state="flat", trouble="deals_missing"
    )
    for job in (*memory.jobs, *memory.unreported):
        memory.orders.extend(await tx.find(CloseOrderRow, job_id=job.id))
    active = {job.id for job in (*memory.jobs, *memory.unreported)}
    # A superseded job's last requests: what they did is still to be looked at (law 6).
    unsettled = await tx.find(CloseOrderRow, account_id=account_id, state=OPEN_STATES)
    memory.orders.extend(o for o in unsettled if o.job_id not in active)
    await _load_deals(tx, memory, now)
    await _load_quiet(tx, memory, now)
    return memory


async def _load_trades(tx: Transaction, memory: AccountMemory, now: datetime) -> None:
    account_id = memory.account.id
    active = await tx.find(TradeRow, account_id=account_id, status=("pending", "open"))
    late = await tx.find(
        TradeRow,
        account_id=account_id,
        status=("expired", "cancelled"),
        created_at__ge=now - timedelta(days=LATE_FILL_DAYS),
    )
    memory.trades = {t.id: t for t in (*active, *late)}


async def _load_deals(tx: Transaction, memory: AccountMemory, now: datetime) -> None:
    account_id = memory.account.id
    cursor = memory.state.deals_cursor_at
    if cursor is not None:
        since = min(cursor, memory.deals_since(cursor)) - OVERLAP
        recent = await tx.find(DealRow, account_id=account_id, executed_at__ge=since)
        memory.deal_tickets = {d.ticket: d.executed_at for d in recent}
    wanted = explained_by_deals(memory)
    await _load_deals_of(tx, memory, sorted(wanted))
    left = [
        i for i, deals in memory.deals.items() if any(d.entry in DealEntry.EXITS for d in deals)
    ]
    await _load_ends(tx, memory, left, now)


async def _load_deals_of(
    tx: Transaction, memory: AccountMemory, position_ids: Sequence[int]
) -> None:
    """Remember every deal that was booked of these positions, and which Reckoner sent for."""
    for start in range(0, len(position_ids), TICKETS_A_QUERY):
        mine: dict[str, Any] = {"account_id": memory.account.id}
        mine["position_id"] = tuple(position_ids[start : start + TICKETS_A_QUERY])
        memory.sent_for.update(o.position_id for o in await tx.find(CloseOrderRow, **mine))
        for row in await tx.find(DealRow, **mine):
            memory.deals.setdefault(row.position_id, []).append(deal_of(row))
            memory.deal_tickets[row.ticket] = row.executed_at


async def _load_ends(
    tx: Transaction, memory: AccountMemory, position_ids: Sequence[int], now: datetime
) -> None:
    """Remember which of these positions' ends were told, as a trade's or their own.

    Of what ended before ENDS_KNOWN no deal can be shown for the first time any more.
    """
    if not position_ids:
        return
    account_id = memory.account.id
    for start in range(0, len(position_ids), TICKETS_A_QUERY):
        asked = tuple(position_ids[start : start + TICKETS_A_QUERY])
        told = await tx.find(
            ReconciliationLogRow,
            account_id=account_id,
            event_type="close",
            mt5_position_id=asked,
        )
        memory.ended.update(row.mt5_position_id for row in told if row.mt5_position_id)
    split = await tx.find(
        TradeRow, account_id=account_id, status="closed", closed_at__ge=now - ENDS_KNOWN
    )
    memory.ended.update(i for trade in split for i in identifiers(trade))


async def _load_quiet(tx: Transaction, memory: AccountMemory, now: datetime) -> None:
    """When a close of ours was last at work, and which differences were kept quiet since."""
    account_id = memory.account.id
    ended = await tx.find(
        CloseJobRow, account_id=account_id, finished_at__gt=now - OWN_ACTIVITY_GRACE
    )
    memory.own_scopes = frozenset(job.scope for job in ended)
    memory.own_activity_at = max((j.finished_at for j in ended if j.finished_at), default=None)
    since = [job.created_at for job in (*memory.jobs, *ended)]
    since += [at for at in (memory.state.latched_at,) if at is not None]
    if not since:
        return
    rows = await tx.find(
        ReconciliationLogRow,
        user_id=memory.user.id,
        account_id=account_id,
        created_at__ge=min(since),
        error_message=MUTED,
        order_by="-id",
        limit=MUTED_MAX,
    )
    known = [(BY_REASON.get(r.divergence_reason or ""), r.mt5_position_id) for r in rows]
    memory.muted = frozenset((what.code.value, str(ticket)) for what, ticket in known if what)


def explained_by_deals(memory: AccountMemory) -> set[int]:
    """The identifiers of positions whose deals something open is or will be explained by."""
    wanted = {i for t in memory.trades.values() for i in identifiers(t)}
    wanted |= {int(s) for (_, s) in memory.episodes if s.isdigit()}
    return wanted | {o.position_id for o in memory.orders if o.position_id}


def deal_of(row: DealRow) -> Deal:
    """The stored deal as the domain's value."""
    return Deal(
        ticket=row.ticket,
        order=0,
        position_id=row.position_id,
        deal_type=row.deal_type,
        entry=row.entry,
        reason=row.reason,
        symbol=row.symbol,
        volume=row.volume,
        price=row.price,
        profit=row.profit,
        commission=row.commission,
        swap=row.swap,
        fee=row.fee,
        magic=row.magic,
        comment=row.comment,
        executed_at=row.executed_at,
    )


def row_of(deal: Deal, account_id: int, seen_at: datetime) -> DealRow:
    """The domain's deal as a row."""
    return DealRow(
        account_id=account_id,
        ticket=deal.ticket,
        position_id=deal.position_id,
        deal_type=deal.deal_type,
        entry=deal.entry,
        reason=deal.reason,
        symbol=deal.symbol,
        volume=deal.volume,
        price=deal.price,
        profit=deal.profit,
        commission=deal.commission,
        swap=deal.swap,
        fee=deal.fee,
        magic=deal.magic,
        comment=deal.comment,
        executed_at=deal.executed_at,
        seen_at=seen_at,
    )
