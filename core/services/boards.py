"""Answers to questions: accounts, drawdown, warnings, and Reckoner itself, as values."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.alert_parts import Exposure
from core.domain.alerts_market import MarketWarning
from core.domain.board import (
    AccountBoard,
    DrawdownBoard,
    EquityPoint,
    OverrideLine,
    PendingLine,
    PositionLine,
    SystemBoard,
    TerminalLine,
)
from core.domain.cycle import limits_in_force
from core.domain.drawdown import floor_equity
from core.domain.exposure import by_symbol
from core.domain.market import WarningState
from core.domain.matching import identifiers
from core.domain.people import Person
from core.domain.permissions import standing
from core.domain.pips import quoted
from core.domain.rates import to_gbp
from core.ports import Clock, Store, TerminalGateway, TerminalHealth
from core.records import (
    AccountRow,
    AccountStateRow,
    CloseJobRow,
    MarketWarningRow,
    OutboxRow,
    OverrideRow,
    PositionSnapshotRow,
    UserRow,
)
from core.services.desk import ACTIVE_JOB_STATES, AccountMemory, Desk, load_memory
from core.services.market_telling import held, warning_of
from core.services.owning import visible_from
from core.services.rule_boards import rule_lines

HISTORY_SPAN = timedelta(hours=24)
HISTORY_POINTS_MAX = 1440
ACCOUNTS_MAX = 500
OVERRIDES_MAX = 30


class Boards:
    """Read-only views of what is known."""

    def __init__(
        self,
        *,
        store: Store,
        gateway: TerminalGateway,
        clock: Clock,
        desk: Desk,
        epoch: int,
        version: str,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._desk = desk
        self._epoch = epoch
        self._version = version
        self._started_at = clock.now()

    async def accounts_of(self, person: Person) -> list[AccountBoard]:
        """The person's own accounts."""
        return [await self._board(account_id) for account_id in person.account_ids]

    async def all_accounts(self) -> list[AccountBoard]:
        """Every enabled account, least headroom first; those without figures before all."""
        async with self._store.reading() as tx:
            accounts = await tx.find(AccountRow, enabled=True, limit=ACCOUNTS_MAX)
        boards = [await self._board(a.id) for a in accounts]
        return sorted(boards, key=_urgency)

    async def drawdown(self, person: Person) -> list[DrawdownBoard]:
        """The person's accounts with a day of history, the latest reading at its end."""
        return [
            DrawdownBoard(
                account=board,
                history=_up_to_now(await self._history(person, board.account_id), board),
                rules=rule_lines(await self._memory(board.account_id)),
            )
            for board in await self.accounts_of(person)
        ]

    async def warnings(self) -> list[MarketWarning]:
        """Unresolved market warnings, oldest first."""
        async with self._store.reading() as tx:
            rows = await tx.find(MarketWarningRow, resolved_at=None, order_by="opened_at")
            users = {u.id: u.name for u in await tx.find(UserRow)} if rows else {}
            overrides = await tx.find(OverrideRow, warning_id=tuple(row.id for row in rows))
        reasons = {each.warning_id: each.reason for each in overrides}
        return [self._warning(row, users, reasons.get(row.id, "")) for row in rows]

    async def overrides(self) -> list[OverrideLine]:
        """Admins' decisions of a day, and older ones that still last; the newest first."""
        async with self._store.reading() as tx:
            open_now = await tx.find(MarketWarningRow, resolved_at=None)
            recent = await tx.find(
                OverrideRow,
                created_at__ge=self._clock.now() - HISTORY_SPAN,
                order_by="-id",
                limit=OVERRIDES_MAX,
            )
            lasting = await tx.find(OverrideRow, warning_id=tuple(w.id for w in open_now))
            rows = {row.id: row for row in (*recent, *lasting)}
            ids = tuple({row.warning_id for row in rows.values()})
            warnings = {w.id: w for w in await tx.find(MarketWarningRow, id=ids)}
            users = {u.id: u.name for u in await tx.find(UserRow)} if rows else {}
        newest: dict[int, int] = {}
        for row in rows.values():
            newest[row.warning_id] = max(row.id, newest.get(row.warning_id, 0))
        return [
            OverrideLine(
                verb=row.verb,
                by=users.get(row.user_id, ""),
                reason=row.reason,
                decided_at=row.created_at,
                expires_at=row.expires_at,
                lasts=newest[row.warning_id] == row.id
                and warnings[row.warning_id].resolved_at is None
                and warnings[row.warning_id].state != WarningState.OPEN,
                warning=self._warning(warnings[row.warning_id], users),
            )
            for row in sorted(rows.values(), key=lambda row: row.id, reverse=True)
        ]

    async def warning(self, warning_id: int) -> MarketWarning | None:
        """One market warning as it stands, resolved ones too; None where there is none."""
        async with self._store.reading() as tx:
            row = await tx.get(MarketWarningRow, warning_id)
            user = await tx.get(UserRow, row.answered_by) if row and row.answered_by else None
            last = await tx.first(OverrideRow, warning_id=warning_id, order_by="-id")
        if row is None:
            return None
        users = {user.id: user.name} if user else {}
        return self._warning(row, users, last.reason if last else "")

    async def system(self) -> SystemBoard:
        """How Reckoner is."""
        async with self._store.reading() as tx:
            accounts = await tx.find(AccountRow, enabled=True)
            enabled = {account.id for account in accounts}
            states = await tx.find(AccountStateRow)
            unavailable = await tx.count(AccountStateRow, unavailable_since__ne=None)
            latched = await tx.count(AccountStateRow, latched_at__ne=None)
            jobs = await tx.count(CloseJobRow, state=ACTIVE_JOB_STATES)
            warnings = await tx.count(MarketWarningRow, resolved_at=None)
            due = await tx.count(OutboxRow, state=("due", "sending"))
            oldest = await tx.first(OutboxRow, state=("due", "sending"), order_by="created_at")
        return SystemBoard(
            version=self._version,
            started_at=self._started_at,
            now=self._clock.now(),
            accounts=len(accounts),
            unavailable=unavailable,
            latched=latched,
            unfinished_closes=jobs,
            open_warnings=warnings,
            outbox_due=due,
            oldest_due_at=oldest.created_at if oldest else None,
            epoch=self._epoch,
            terminals=self._terminals(accounts),
            cannot_close=sum(1 for s in states if s.id in enabled and standing(s)),
        )

    def _terminals(self, accounts: list[AccountRow]) -> tuple[tuple[str, int], ...]:
        known = (self._gateway.health(a.login, a.server) for a in accounts)
        return tuple(sorted(Counter(h.state.value for h in known if h is not None).items()))

    async def _memory(self, account_id: int) -> AccountMemory:
        memory = self._desk.peek(account_id)
        if memory is not None:
            return memory
        async with self._store.reading() as tx:
            return await load_memory(tx, account_id, self._clock.now())

    async def _board(self, account_id: int) -> AccountBoard:
        memory = await self._memory(account_id)
        health = self._gateway.health(memory.account.login, memory.account.server)
        return board_of(memory, self._started_at, health)

    async def _history(self, person: Person, account_id: int) -> tuple[EquityPoint, ...]:
        account = (await self._memory(account_id)).account
        since = max(self._clock.now() - HISTORY_SPAN, visible_from(account, person))
        async with self._store.reading() as tx:
            rows = await tx.find(
                PositionSnapshotRow,
                account_id=account_id,
                created_at__ge=since,
                order_by="-created_at",
                limit=HISTORY_POINTS_MAX,
            )
        return tuple(
            EquityPoint(row.created_at, row.equity, row.peak_equity)
            for row in reversed(rows)
            if row.equity is not None and row.peak_equity is not None
        )

    def _warning(
        self, row: MarketWarningRow, users: dict[int, str], reason: str = ""
    ) -> MarketWarning:
        names: list[str] = []
        exposures: list[Exposure] = []
        for account_id in row.account_ids:
            memory = self._desk.peek(account_id)
            name = f"{memory.user.name} {memory.account.login}" if memory else str(account_id)
            names.append(name)
            if memory is not None and memory.snapshot is not None:
                quote = memory.snapshot.ticks.get(row.symbol)
                exposures += held(memory, row.symbol, quote)
        return warning_of(
            row,
            accounts=names,
            exposures=exposures,
            by=users.get(row.answered_by, "") if row.answered_by else "",
            reason=reason,
            at=row.opened_at,
        )


def _up_to_now(history: tuple[EquityPoint, ...], board: AccountBoard) -> tuple[EquityPoint, ...]:
    """Samples are a minute apart; the curve must not end before the figures beside it."""
    at, equity, peak = board.observed_at, board.equity, board.peak_equity
    if at is None or equity is None or peak is None or (history and history[-1].at >= at):
        return history
    return (*history, EquityPoint(at, equity, peak))


def board_of(
    memory: AccountMemory, watched_since: datetime, health: TerminalHealth | None
) -> AccountBoard:
    """One account as its memory has it; nothing was watched before `watched_since`."""
    state, account, snapshot = memory.state, memory.account, memory.snapshot
    limits = limits_in_force(account, state.gbp_rate)
    floor = None
    if state.peak_equity is not None:
        floor = floor_equity(state.peak_equity, limits, exempt=state.withdrawal_exempt)
    guard, since = _guard(memory, watched_since)
    job = memory.job
    failing = memory.failing_since if memory.failures else state.unavailable_since
    return AccountBoard(
        account_id=account.id,
        login=account.login,
        server=account.server,
        name=account.name,
        client=memory.user.name,
        currency=account.currency,
        currency_digits=snapshot.state.currency_digits if snapshot else 2,
        observed_at=state.observed_at,
        unavailable_since=failing,
        unavailable_reason=memory.failing_reason or state.unavailable_reason if failing else None,
        balance=state.balance,
        credit=state.credit,
        equity=state.equity,
        profit=state.profit,
        margin_level_percent=state.margin_level_percent,
        equity_gbp=to_gbp(state.equity, state.gbp_rate),
        gbp_rate_at=state.gbp_rate_at,
        peak_equity=state.peak_equity,
        drawdown_percent=state.drawdown_percent,
        warn_percent=limits.warn_drawdown_percent,
        limit_percent=limits.max_drawdown_percent,
        minimum_equity=limits.minimum_equity,
        min_equity_gbp=account.min_equity_gbp,
        floor=floor,
        headroom=state.equity - floor if state.equity is not None and floor is not None else None,
        guard=guard,
        guard_since=since,
        guard_reason=state.latch_reason,
        deadline_at=job.deadline_at if job and job.state == "countdown" else None,
        release_requested_at=state.release_requested_at,
        obstacles=standing(state),
        obstacles_since=_obstacles_since(state),
        positions_count=len(snapshot.positions) if snapshot else state.known_positions,
        terminal=None if health is None else _terminal(health),
        open_divergences=len(memory.episodes),
        positions=_positions(memory),
        pending=_pending(memory),
        exposure=by_symbol(snapshot.positions, snapshot.symbols) if snapshot else (),
    )


def _guard(memory: AccountMemory, watched_since: datetime) -> tuple[str, datetime | None]:
    job, state = memory.job, memory.state
    if job is not None:
        return ("countdown" if job.state == "countdown" else "closing"), job.created_at
    if state.latched_at is not None:
        return "latched", state.latched_at
    if state.armed_at is None:
        return "unarmed", None
    if state.warned_at is not None:
        return "warned", state.warned_at
    return "clear", max(state.armed_at, watched_since)


def _obstacles_since(state: AccountStateRow) -> datetime | None:
    """Since when there is any: a block and what the flags say may have begun apart."""
    known = (state.terminal_blocked_at, state.obstacles_since if state.obstacles else None)
    return min((at for at in known if at is not None), default=None)


def _terminal(health: TerminalHealth) -> TerminalLine:
    return TerminalLine(
        state=health.state.value,
        since=health.since,
        attempts=health.failures,
        next_try_at=health.next_try_at,
        reason=health.reason,
    )


def _positions(memory: AccountMemory) -> tuple[PositionLine, ...]:
    if memory.snapshot is None:
        return ()
    symbols = memory.snapshot.symbols
    signals = {i: t.signal_id for t in memory.trades.values() for i in identifiers(t)}
    return tuple(
        PositionLine(
            ticket=p.ticket,
            symbol=p.symbol,
            side=p.side.value,
            volume=p.volume,
            price_open=quoted(p.price_open, symbols.get(p.symbol)),
            price_current=p.price_current,
            stop_loss=p.stop_loss,
            take_profit=p.take_profit,
            profit=p.profit + p.swap,
            signal_id=signals.get(p.identifier),
            opened_at=p.opened_at,
        )
        for p in memory.snapshot.positions
    )


def _pending(memory: AccountMemory) -> tuple[PendingLine, ...]:
    symbols = memory.snapshot.symbols if memory.snapshot else {}
    expected = [
        PendingLine(
            symbol=t.symbol,
            side=t.side,
            volume=t.volume,
            price=quoted(t.expected_entry, symbols.get(t.symbol)),
            expected=True,
            deadline_at=t.deadline_at,
        )
        for t in memory.trades.values()
        if t.status == "pending"
    ]
    resting = [
        PendingLine(
            symbol=o.symbol,
            side=o.side.value,
            volume=o.volume,
            price=quoted(o.price_open, symbols.get(o.symbol)),
            expected=False,
            deadline_at=None,
        )
        for o in (memory.snapshot.orders if memory.snapshot else ())
    ]
    return (*expected, *resting)


def _urgency(board: AccountBoard) -> tuple[int, Decimal]:
    if board.headroom is None or board.equity is None or board.equity <= 0:
        return (0, Decimal(0))
    return (1, board.headroom / board.equity)
