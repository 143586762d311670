"""The market guard at work: quotes in, one warning per (server, symbol, kind) out, gaps closed.

Judges the quotes of the reading just taken. Only symbols that some account holds are watched.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain import market
from core.domain.alert_parts import Exposure
from core.domain.broker import ZERO, AccountSnapshot, Side, SymbolSpec, Tick
from core.domain.market import Alarm, Change, WarningKind, WarningState
from core.domain.people import Person
from core.ports import Clock, Metrics, Store, Transaction
from core.records import AccountRow, MarketWarningRow, OverrideRow, UserRow
from core.services import audit
from core.services.desk import AccountMemory, Desk
from core.services.errors import Refused
from core.services.policy import EnginePolicy
from core.services.speaking import speak

Key = tuple[str, str, str]


class MarketGuard:
    """Keeps the unresolved warnings, in memory and in the store."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        desk: Desk,
        policy: EnginePolicy,
        wake: Callable[[int], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._desk = desk
        self._policy = policy
        self._wake = wake
        self._lock = asyncio.Lock()
        self._ticks: dict[tuple[str, str], Tick] = {}
        self._specs: dict[tuple[str, str], SymbolSpec] = {}
        self._open: dict[Key, MarketWarningRow] = {}
        self._jumps: dict[Key, Alarm] = {}

    async def load(self) -> None:
        """Take up the warnings that were unresolved when the process ended."""
        async with self._store.reading() as tx:
            rows = await tx.find(MarketWarningRow, resolved_at=None)
            enabled = {row.id for row in await tx.find(AccountRow, enabled=True)}
        for row in rows:
            read = [account_id for account_id in row.account_ids if account_id in enabled]
            self._open[row.server, row.symbol, row.kind] = replace(row, account_ids=read)

    def closing(self, server: str) -> list[MarketWarningRow]:
        """The warnings of this server whose symbol is to be closed now."""
        return [
            w for w in self._open.values() if w.server == server and w.state == WarningState.CLOSING
        ]

    def unresolved(self) -> list[MarketWarningRow]:
        """The warnings that are not over, oldest first."""
        return sorted(self._open.values(), key=lambda w: w.opened_at)

    async def look(self, snapshot: AccountSnapshot) -> None:
        """Judge the quotes of one reading."""
        server = snapshot.state.server
        async with self._lock:
            for symbol, tick in snapshot.ticks.items():
                spec = snapshot.symbols.get(symbol)
                previous = self._ticks.get((server, symbol))
                if spec is None or (previous is not None and tick.at < previous.at):
                    continue
                self._ticks[(server, symbol)] = tick
                self._specs[(server, symbol)] = spec
                holders = self._holders(server, symbol)
                if not holders and not self._watched(server, symbol):
                    continue
                jump = market.gap(previous, tick, self._policy.market)
                wide = market.spread(tick, spec, self._policy.market)
                await self._judge(server, tick, WarningKind.GAP, jump, holders)
                await self._judge(server, tick, WarningKind.SPREAD, wide, holders)

    async def pass_time(self) -> None:
        """Let deadlines and holds run out even where no new reading comes."""
        now = self._clock.now()
        async with self._lock:
            for warning in self.unresolved():
                due = warning.hold_until if warning.state == "held" else warning.deadline_at
                holders = self._holders(warning.server, warning.symbol)
                if holders and (due is None or now < due):
                    continue
                tick = self._ticks.get((warning.server, warning.symbol))
                spec = self._specs.get((warning.server, warning.symbol))
                if tick is None or spec is None:
                    continue  # nothing read since the start: the first reading judges
                alarm = None
                if warning.kind == WarningKind.SPREAD:
                    alarm = market.spread(tick, spec, self._policy.market)
                await self._advance(warning, alarm, holders)

    async def answer(
        self, actor: Person, warning_id: int, version: int, verb: str
    ) -> MarketWarningRow:
        """Do what an admin pressed. Raises Refused for a stale button or an unknown warning."""
        async with self._lock:
            warning = next((w for w in self._open.values() if w.id == warning_id), None)
            if warning is None or warning.version != version:
                raise await self._stale(warning_id)
            if warning.state == WarningState.CLOSING:
                raise await self._stale(warning_id)
            now = self._clock.now()
            change = market.answer(warning, verb, actor.user_id, now, self._policy.market)
            if change is None:
                raise Refused("not_found")
            override = OverrideRow(
                warning_id=warning.id,
                user_id=actor.user_id,
                verb=verb,
                reason=f"button by {actor.name}",
                created_at=now,
                expires_at=change.warning.hold_until,
            )
            await self._commit(change, override=override, by=actor.name)
            return change.warning

    async def _stale(self, warning_id: int) -> Refused:
        async with self._store.reading() as tx:
            row = await tx.get(MarketWarningRow, warning_id)
            if row is None:
                return Refused("not_found")
            user = await tx.get(UserRow, row.answered_by) if row.answered_by else None
        by = user.name if user else ""
        return Refused("stale_button", state=row.state, by=by, at=row.answered_at)

    # --- judging --------------------------------------------------------------------------------

    async def _judge(
        self, server: str, tick: Tick, kind: WarningKind, alarm: Alarm | None, holders: list[int]
    ) -> None:
        key = (server, tick.symbol, kind.value)
        warning = self._open.get(key)
        if alarm is not None and kind is WarningKind.GAP:
            self._jumps[key] = alarm
        if warning is not None:
            await self._advance(warning, alarm, holders)
        elif alarm is not None and holders:
            now = self._clock.now()
            opened = market.open_warning(alarm, tick, server, holders, now, self._policy.market)
            await self._commit(Change(warning=opened))
            self._metrics.guard_triggered(f"market_{kind.value}")

    async def _advance(
        self, warning: MarketWarningRow, alarm: Alarm | None, holders: list[int]
    ) -> None:
        # An account of the warning that was not read since the start may hold it still.
        unread = [i for i in warning.account_ids if not self._was_read(i)]
        holders = sorted({*holders, *unread})
        now = self._clock.now()
        change = market.advance(warning, alarm, holders, now, self._policy.market)
        if change is not None:
            await self._commit(change)
        elif alarm is not None and alarm.figure > warning.worst:
            key = (warning.server, warning.symbol, warning.kind)
            self._open[key] = replace(warning, worst=alarm.figure)

    def _holders(self, server: str, symbol: str) -> list[int]:
        return sorted(
            m.account.id
            for m in self._desk.all()
            if m.account.server == server and m.snapshot is not None and _holds(m, symbol)
        )

    def _was_read(self, account_id: int) -> bool:
        memory = self._desk.peek(account_id)
        return memory is not None and memory.snapshot is not None

    def _watched(self, server: str, symbol: str) -> bool:
        return any((server, symbol, kind.value) in self._open for kind in WarningKind)

    # --- writing --------------------------------------------------------------------------------

    async def _commit(
        self, change: Change, *, override: OverrideRow | None = None, by: str = ""
    ) -> None:
        """Warning, override, audit and alert in one commit.

        No account is locked here: one with a slow terminal would hold up everybody's market guard.
        Each account's own cycle finds that its symbol is to be closed, and is woken for it.
        """
        now = self._clock.now()
        async with self._store.writing() as tx:
            warning = await self._save(tx, change.warning)
            if override is not None:
                await tx.insert(override)
            await audit.append(
                tx,
                0,
                by or "engine",
                _word(warning, by),
                {
                    "warning": warning.id,
                    "symbol": warning.symbol,
                    "kind": warning.kind,
                    "state": warning.state,
                    "figure": warning.figure,
                    "accounts": warning.account_ids,
                },
                now,
            )
            if change.told:
                await self._say(tx, change, warning, by, now)
        key = (warning.server, warning.symbol, warning.kind)
        if warning.resolved_at is None:
            self._open[key] = warning
        else:
            self._open.pop(key, None)
            self._jumps.pop(key, None)
        for account_id in warning.account_ids if change.close else ():
            self._wake(account_id)

    async def _save(self, tx: Transaction, warning: MarketWarningRow) -> MarketWarningRow:
        if warning.id == 0:
            return replace(warning, id=await tx.insert(warning))
        changes = {
            name: getattr(warning, name)
            for name in warning.__struct_fields__
            if name not in ("id", "server", "symbol", "kind", "opened_at")
        }
        await tx.update(MarketWarningRow, {"id": warning.id}, **changes)
        return warning

    async def _say(
        self, tx: Transaction, change: Change, warning: MarketWarningRow, by: str, now: datetime
    ) -> None:
        key = (warning.server, warning.symbol, warning.kind)
        known, jump = self._open.get(key), self._jumps.get(key)
        ids = warning.account_ids or (known.account_ids if known else [])
        ended = "" if warning.resolved_at is None else "calm" if warning.account_ids else "not_held"
        if not by and ended and warning.answered_by:
            user = await tx.get(UserRow, warning.answered_by)
            by = user.name if user else ""
        alert = a.MarketWarning(
            warning_id=warning.id,
            version=warning.version,
            warning=warning.kind,
            symbol=warning.symbol,
            server=warning.server,
            state=warning.state,
            figure=warning.figure,
            limit=warning.limit,
            worst=warning.worst,
            accounts=tuple(self.names(ids)),
            opened_at=warning.opened_at,
            deadline_at=warning.deadline_at,
            hold_until=warning.hold_until,
            answered_by=by,
            at=now,
            again=change.again,
            price_before=jump.before if jump else None,
            price_after=jump.after if jump else None,
            exposures=self._exposures(ids, warning.symbol),
            ended=ended,
        )
        await speak(tx, alert, client=None, admin=self._policy.admin_chat_id, now=now)

    def names(self, account_ids: Iterable[int]) -> list[str]:
        """Account ids as people know them: client and login."""
        known = (self._desk.peek(account_id) for account_id in account_ids)
        return [_name(m) for m in known if m is not None]

    def _exposures(self, account_ids: Iterable[int], symbol: str) -> tuple[Exposure, ...]:
        found = (self._desk.peek(account_id) for account_id in account_ids)
        return tuple(e for memory in found if memory is not None for e in _held(memory, symbol))


def _name(memory: AccountMemory) -> str:
    return f"{memory.user.name} {memory.account.login}"


def _held(memory: AccountMemory, symbol: str) -> list[Exposure]:
    """What an account holds of a symbol, a line per side, as last read."""
    snapshot = memory.snapshot
    positions = [p for p in snapshot.positions if p.symbol == symbol] if snapshot else []
    return [
        Exposure(
            account=_name(memory),
            side=side.value,
            volume=sum((p.volume for p in positions if p.side is side), ZERO),
            profit=sum((p.profit + p.swap for p in positions if p.side is side), ZERO),
            currency=memory.account.currency,
        )
        for side in Side
        if any(p.side is side for p in positions)
    ]


def _holds(memory: AccountMemory, symbol: str) -> bool:
    snapshot = memory.snapshot
    return snapshot is not None and any(p.symbol == symbol for p in snapshot.positions)


def _word(warning: MarketWarningRow, by: str) -> str:
    if by:
        return words.MARKET_ANSWERED
    return words.MARKET_WARNED if warning.resolved_at is None else words.MARKET_RESOLVED
