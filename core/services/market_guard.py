"""The market guard at work: quotes in, one warning per (server, symbol, kind) out, closes begun.

Judges the quotes of the reading just taken. Every quote is remembered; warned is only of symbols
that some account holds.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from core.domain import audit_words as words
from core.domain import market
from core.domain.broker import AccountSnapshot, Tick
from core.domain.market import REASON_UNITS_MAX, Change, WarningState
from core.domain.pauses import Pausable, Pause
from core.domain.people import Person
from core.domain.quotes import Action, Alarm, Seen, WarningKind, includes
from core.ports import Clock, Metrics, Store, Transaction
from core.records import AccountRow, CloseJobRow, MarketWarningRow, OverrideRow, UserRow
from core.services import audit
from core.services.desk import Desk
from core.services.errors import Refused
from core.services.gap_close import close_key
from core.services.market_jumps import UnclaimedJumps
from core.services.market_telling import MarketTelling
from core.services.market_watch import MarketWatch
from core.services.pauses import Pauses
from core.services.policy import EnginePolicy

Key = tuple[str, str, str]


class MarketGuard:
    """Keeps the unresolved warnings, in memory and in the store."""

    def __init__(  # noqa: PLR0913, PLR0917 - the ports, one line where they are joined
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        desk: Desk,
        policy: EnginePolicy,
        wake: Callable[[int], None],
        pauses: Pauses,
    ) -> None:
        self._pauses = pauses
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._desk = desk
        self._policy = policy
        self._wake = wake
        self._lock = asyncio.Lock()
        self._watch = MarketWatch(store, policy.market)
        self._telling = MarketTelling(desk, policy.admin_chat_id)
        self._jumps = UnclaimedJumps()
        self._open: dict[Key, MarketWarningRow] = {}
        self._ending: Pause | None = None

    async def load(self) -> None:
        """Take up the quotes, and the warnings that were unresolved when the process ended."""
        await self._watch.load(self._clock.now())
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

    def refuse_blocked(self, server: str, symbol: str) -> None:
        """Raise Refused: market_warning, where new trades of the symbol are not to be opened now.

        By a warning that blocks, or, where nobody holds the symbol and so nobody was warned, by
        what its last quote says. While the guard's actions are paused nothing is refused.
        """
        if self._pauses.of(Pausable.MARKET) is not None:
            return
        for kind in WarningKind:
            warning = self._open.get((server, symbol, kind.value))
            if warning is not None and market.blocks(warning):
                raise _blocked(symbol, kind, warning.figure, warning.limit)
        seen = self._watch.seen(server, symbol)
        for alarm in (seen.wide, seen.still) if seen is not None else ():
            known = alarm and self._open.get((server, symbol, alarm.kind.value))
            if alarm is not None and known is None and includes(alarm.action, Action.BLOCK):
                raise _blocked(symbol, alarm.kind, alarm.figure, alarm.limit)

    async def look(self, snapshot: AccountSnapshot) -> None:
        """Judge the quotes of one reading."""
        server = snapshot.state.server
        async with self._lock:
            self._watch.holds(snapshot)
            before = self._watch.remembered(snapshot)
            try:
                for symbol, seen in self._watch.look(snapshot):
                    jump = self._jumps.of(snapshot, symbol, seen)
                    holders = self._watch.holders(server, symbol)
                    for kind in WarningKind:
                        await self._judge(server, symbol, kind, replace(seen, jump=jump), holders)
            except BaseException:
                self._watch.forget_reading(before)
                raise

    async def pass_time(self) -> None:
        """Let deadlines and holds run out even where no new reading comes; write quotes down."""
        now = self._clock.now()
        async with self._lock:
            for warning in self.unresolved():
                holders = self._watch.holders(warning.server, warning.symbol)
                if holders and now < market.expires(warning):
                    continue
                seen = self._watch.seen(warning.server, warning.symbol)
                if seen is None:
                    continue  # nothing read since the start: the first reading judges
                await self._advance(warning, replace(seen, jump=None), holders)
            await self._watch.save(now)

    async def keep(self) -> None:
        """Write down every quote and sample, at the end."""
        async with self._lock:
            await self._watch.save(self._clock.now(), force=True)

    async def answer(
        self, actor: Person, warning_id: int, version: int | None, verb: str, reason: str
    ) -> MarketWarningRow:
        """Do what an admin pressed or wrote, of the version they saw (None: as it stands now).

        Raises Refused: not_found, stale_button, not_offered; then reason_missing or reason_long.
        """
        async with self._lock:
            warning = next((w for w in self._open.values() if w.id == warning_id), None)
            if warning is None or version not in {None, warning.version}:
                raise await self._stale(warning_id)
            if warning.state == WarningState.CLOSING:
                raise await self._stale(warning_id)
            now = self._clock.now()
            offset_s = self._watch.offset_s(warning.server)
            if verb == market.Verb.HOLD_SESSION and offset_s is None:
                raise Refused("not_offered")  # its clock is not known before the first reading
            policy = self._policy.market
            change = market.answer(warning, verb, actor.user_id, now, policy, offset_s or 0)
            if change is None:
                raise Refused("not_offered")
            if not reason.strip():
                raise Refused("reason_missing")
            if len(reason) > REASON_UNITS_MAX:
                raise Refused("reason_long", most=REASON_UNITS_MAX)
            override = OverrideRow(
                warning_id=warning.id,
                user_id=actor.user_id,
                verb=verb,
                reason=reason.strip(),
                created_at=now,
                expires_at=change.warning.hold_until,
            )
            await self._commit(change, override=override, by=actor.name)
            return change.warning

    async def pause(self, pause: Pause, before: Pause | None) -> None:
        """Put on hold what would close before it ends; `before`: what it takes the place of."""
        now, until = self._clock.now(), None if before is None else before.until
        async with self._lock:
            for warning in self.unresolved():
                held = market.paused(warning, pause.user_id, pause.until, now, instead_of=until)
                if held is None:
                    continue
                override = OverrideRow(
                    warning_id=warning.id,
                    user_id=pause.user_id,
                    verb=market.Verb.HOLD.value,
                    reason=pause.reason,
                    created_at=now,
                    expires_at=pause.until,
                )
                await self._commit(Change(warning=held), override=override, by=pause.by)

    async def resume(self, pause: Pause) -> None:
        """Let the holds of a pause run out now: each is warned of again, with a new deadline.

        Before the pause is over: where the process ends in between, it holds them once more.
        """
        now = self._clock.now()
        self._ending = pause
        try:
            async with self._lock:
                for key, warning in list(self._open.items()):
                    over = market.resumed(warning, pause.until, now)
                    if over is not None:
                        self._open[key] = over
            await self.pass_time()
        finally:
            self._ending = None

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
        self, server: str, symbol: str, kind: WarningKind, seen: Seen, holders: list[int]
    ) -> None:
        warning = self._open.get((server, symbol, kind.value))
        alarm = market.alarm_of(seen, kind)
        if warning is not None:
            await self._advance(warning, seen, holders)
        elif alarm is not None and not holders and kind is WarningKind.GAP:
            self._jumps.keep(server, symbol, alarm, self._clock.now())
        elif alarm is not None and holders:
            now = self._clock.now()
            policy = self._policy.market
            opened = market.open_warning(alarm, symbol, server, holders, now, policy)
            pause = self._pauses.of(Pausable.MARKET)
            if pause is not None:
                opened = market.paused(opened, pause.user_id, pause.until, now) or opened
            await self._commit(Change(warning=opened))
            self._metrics.guard_triggered(f"market_{kind.value}")

    async def _advance(self, warning: MarketWarningRow, seen: Seen, holders: list[int]) -> None:
        # An account of the warning that was not read since the start may hold it still.
        unread = [i for i in warning.account_ids if not self._was_read(i)]
        concerned = {*holders, *unread}
        holders = sorted(concerned - await self._closed_for(warning, concerned))
        now = self._clock.now()
        change = market.advance(warning, seen, holders, now, self._policy.market)
        change = None if change is None else self._unless_paused(warning, change, now)
        if change is not None:
            await self._commit(change)
            return
        alarm: Alarm | None = market.alarm_of(seen, warning.kind)
        key = (warning.server, warning.symbol, warning.kind)
        self._open[key] = market.worsened(warning, alarm)

    def _unless_paused(self, warning: MarketWarningRow, change: Change, now: datetime) -> Change:
        """While actions are paused nothing begins to close, nor to count down to it, by itself."""
        pause = self._pauses.of(Pausable.MARKET)
        begins = change.close or change.warning.state == WarningState.OPEN
        if pause is None or pause is self._ending or not begins:
            return change
        as_it_was = warning if change.close else change.warning
        held = market.paused(as_it_was, pause.user_id, pause.until, now)
        return change if held is None else Change(warning=held)

    async def _closed_for(self, warning: MarketWarningRow, account_ids: set[int]) -> set[int]:
        """Those of them whose close for this warning is done: what they hold now is newer than it.

        A warning that waited for them would keep the symbol's next gap from being told.
        """
        if warning.state != WarningState.CLOSING:
            return set()
        async with self._store.reading() as tx:
            jobs = await tx.find(
                CloseJobRow,
                account_id=tuple(account_ids),
                trigger_key=close_key(warning),
                finished_at__ne=None,
            )
        return {job.account_id for job in jobs}

    def _was_read(self, account_id: int) -> bool:
        memory = self._desk.peek(account_id)
        return memory is not None and memory.snapshot is not None

    # --- writing --------------------------------------------------------------------------------

    async def _commit(
        self, change: Change, *, override: OverrideRow | None = None, by: str = ""
    ) -> None:
        """Warning, override, audit and alerts in one commit.

        No account is locked here: one with a slow terminal would hold up everybody's market guard.
        Each account's own cycle finds that its symbol is to be closed, and is woken for it.
        """
        now = self._clock.now()
        key = (change.warning.server, change.warning.symbol, change.warning.kind)
        known = self._open.get(key)
        seen = self._watch.seen(*key[:2])
        track = self._watch.track(*key[:2])
        quote = None if track is None else track.tick
        async with self._store.writing() as tx:
            warning = await self._save(tx, change.warning)
            if override is not None:
                await tx.insert(override)
            if change.told:
                ids = warning.account_ids or (known.account_ids if known else [])
                reason = override.reason if override is not None else ""
                await self._audit(tx, warning, override, by, now)
                await self._telling.admins(
                    tx, change, warning, ids, seen, now, quote=quote, by=by, reason=reason
                )
            await self._telling.clients(tx, change, warning, known, now, quote)
        if warning.resolved_at is None:
            self._open[key] = warning
        else:
            self._open.pop(key, None)
        for account_id in warning.account_ids if change.close else ():
            self._wake(account_id)

    async def _audit(
        self,
        tx: Transaction,
        warning: MarketWarningRow,
        override: OverrideRow | None,
        by: str,
        now: datetime,
    ) -> None:
        """What was decided, and by which figures."""
        quote = self._watch.track(warning.server, warning.symbol)
        detail = {
            "warning": warning.id,
            "symbol": warning.symbol,
            "kind": warning.kind,
            "rule": warning.rule,
            "action": warning.action,
            "state": warning.state,
            "figure": warning.figure,
            "limit": warning.limit,
            "accounts": warning.account_ids,
            "rules": self._policy.version(),
        }
        if quote is not None:
            detail |= _quote(quote.tick)
        if override is not None:
            detail |= {
                "verb": override.verb,
                "user": override.user_id,
                "reason": override.reason,
                "expires_at": override.expires_at,
            }
        await audit.append(tx, 0, by or "engine", _word(warning, by), detail, now)

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


def _quote(tick: Tick) -> dict[str, object]:
    return {"bid": tick.bid, "ask": tick.ask, "quoted_at": tick.at}


def _blocked(symbol: str, kind: WarningKind, figure: object, limit: object) -> Refused:
    return Refused("market_warning", symbol=symbol, kind=kind.value, figure=figure, limit=limit)


def _word(warning: MarketWarningRow, by: str) -> str:
    if by:
        return words.MARKET_ANSWERED
    return words.MARKET_WARNED if warning.resolved_at is None else words.MARKET_RESOLVED
