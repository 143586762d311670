"""A client's answer to an offered signal, and the end of offers nobody answered."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain.answers import ApprovalDecided
from core.domain.broker import AccountSnapshot, Side
from core.domain.cycle import limits_in_force
from core.domain.matching import COMMENT_TAG
from core.domain.people import Person
from core.domain.permissions import standing
from core.domain.rule_guard import paused
from core.ports import (
    BrokerUnavailable,
    Clock,
    SnapshotRequest,
    Store,
    TerminalGateway,
    Transaction,
    WrongAccount,
)
from core.records import AccountRow, ApprovalRow, SignalRow, TradeRow, UserRow
from core.services.desk import AccountMemory, Desk
from core.services.errors import Refused
from core.services.market_guard import MarketGuard
from core.services.pauses import Pauses
from core.services.policy import EnginePolicy
from core.services.quoting import tradable_symbol
from core.services.recording import Recorder
from core.services.speaking import speak
from core.services.terminal_block import TerminalBlock

EXPIRED_PER_ROUND_MAX = 200


class DecideApproval:
    """Approve or reject one offer, by the client whose account it is for."""

    def __init__(  # noqa: PLR0913, PLR0917 - the composition root names each dependency once
        self,
        store: Store,
        gateway: TerminalGateway,
        clock: Clock,
        desk: Desk,
        policy: EnginePolicy,
        block: TerminalBlock,
        market: MarketGuard,
        wake: Callable[[int], None],
        pauses: Pauses,
    ) -> None:
        self._pauses = pauses
        self._block = block
        self._market = market
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._desk = desk
        self._policy = policy
        self._wake = wake

    async def __call__(self, actor: Person, approval_id: int, approve: bool) -> ApprovalDecided:  # noqa: FBT001 - the verdict is the argument
        """Decide.

        Raises Refused: not_yours, not_found, already_decided, signal_expired, and for approvals
        whatever keeps the account from trading.
        """
        async with self._store.reading() as tx:
            approval = await tx.get(ApprovalRow, approval_id)
        if approval is None:
            raise Refused("not_found")
        if approval.user_id != actor.user_id or approval.account_id not in actor.account_ids:
            raise Refused("not_yours")  # an account may have another owner than when it was offered
        if approve:
            self._pauses.refuse_signals()
        seen = self._desk.peek(approval.account_id)
        if approve and seen is not None and seen.jobs:
            # A close may hold the account for a while; nobody has to wait to be refused.
            raise Refused("account_closing")
        async with self._desk.holding(approval.account_id) as memory:
            try:
                decided = await self._decide(memory, actor, approval_id, approve=approve)
            except Refused as refusal:
                await self._audit_refusal(memory, actor, approval_id, refusal)
                raise
        self._wake(approval.account_id)
        return decided

    async def _decide(
        self, memory: AccountMemory, actor: Person, approval_id: int, *, approve: bool
    ) -> ApprovalDecided:
        async with self._store.reading() as tx:
            approval = await tx.get(ApprovalRow, approval_id)
            signal = await tx.get(SignalRow, approval.signal_id) if approval else None
        if approval is None or signal is None:
            raise Refused("not_found")
        now = self._clock.now()
        _check_open(approval, signal, now)
        if not approve:
            return await self._reject(memory, actor, approval, signal)
        _check_account(memory, now)
        snapshot = await self._read(memory, signal)
        return await self._approve(memory, actor, approval, signal, snapshot)

    async def _read(self, memory: AccountMemory, signal: SignalRow) -> AccountSnapshot:
        """A fresh reading with the signal's symbol: what the account could do with it now."""
        request = SnapshotRequest(
            account_id=memory.account.id,
            login=memory.account.login,
            server=memory.account.server,
            deals_since=self._clock.now(),
            symbols=(signal.symbol,),
        )
        try:
            snapshot = await self._gateway.snapshot(request)
        except BrokerUnavailable as error:
            if isinstance(error, WrongAccount):
                await self._block(memory, str(error), reading=False)
                raise Refused("cannot_close", obstacles=standing(memory.state)) from error
            raise Refused(
                "account_unavailable", reason=str(error), since=memory.failing_since
            ) from error
        if snapshot.obstacles:
            raise Refused("cannot_close", obstacles=snapshot.obstacles)
        return snapshot

    async def _approve(
        self,
        memory: AccountMemory,
        actor: Person,
        approval: ApprovalRow,
        signal: SignalRow,
        snapshot: AccountSnapshot,
    ) -> ApprovalDecided:
        side = Side(signal.side)
        tick, spec = tradable_symbol(snapshot, signal.symbol, side, signal.volume)
        # This quote may be the first that is wrong, and its warning is open when this returns.
        await self._market.look(snapshot)
        self._market.refuse_blocked(memory.account.server, spec.name)
        price = tick.ask if side is Side.BUY else tick.bid
        now = self._clock.now()
        _check_open(approval, signal, now)
        deadline = now + timedelta(seconds=self._policy.trade_deadline_s)
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, now, self._policy.admin_chat_id)
            await _close_offer(tx, approval, "approved", now)
            trade = TradeRow(
                approval_id=approval.id,
                signal_id=signal.id,
                user_id=approval.user_id,
                account_id=approval.account_id,
                symbol=spec.name,
                side=signal.side,
                volume=signal.volume,
                stop_loss=signal.stop_loss,
                take_profit=signal.take_profit,
                expected_entry=price,
                expected_at=now,
                magic=self._policy.magic_base + approval.id,
                comment=f"{COMMENT_TAG}{approval.id}",
                deadline_at=deadline,
                created_at=now,
            )
            trade = replace(trade, id=await tx.insert(trade))
            await pen.audit(
                words.APPROVAL_DECIDED,
                actor=actor.name,
                approval=approval.id,
                decision="approved",
                expected_entry=price,
                symbol=spec.name,
                magic=trade.magic,
            )
            answered = _answered(pen, approval, signal, "approved", price, deadline)
            told = "" if spec.name == signal.symbol else spec.name
            await pen.say(replace(answered, broker_symbol=told))
            memory.trades[trade.id] = trade
        return ApprovalDecided(
            approval_id=approval.id,
            approved=True,
            symbol=signal.symbol,
            side=signal.side,
            volume=signal.volume,
            expected_entry=price,
            deadline_at=deadline,
        )

    async def _reject(
        self, memory: AccountMemory, actor: Person, approval: ApprovalRow, signal: SignalRow
    ) -> ApprovalDecided:
        now = self._clock.now()
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, now, self._policy.admin_chat_id)
            await _close_offer(tx, approval, "rejected", now)
            await pen.audit(
                words.APPROVAL_DECIDED,
                actor=actor.name,
                approval=approval.id,
                decision="rejected",
            )
            await pen.say(_answered(pen, approval, signal, "rejected", None, None))
        return ApprovalDecided(
            approval_id=approval.id,
            approved=False,
            symbol=signal.symbol,
            side=signal.side,
            volume=signal.volume,
            expected_entry=None,
            deadline_at=None,
        )

    async def _audit_refusal(
        self, memory: AccountMemory, actor: Person, approval_id: int, refusal: Refused
    ) -> None:
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            await pen.audit(
                words.APPROVAL_REFUSED, actor=actor.name, approval=approval_id, code=refusal.code
            )


class ExpireOffers:
    """Close offers whose signal has expired, and show it in their place."""

    def __init__(self, *, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    async def __call__(self) -> int:
        """Expire what is over; answers how many signals."""
        now = self._clock.now()
        async with self._store.reading() as tx:
            due = await tx.find(
                SignalRow, status="open", expires_at__le=now, limit=EXPIRED_PER_ROUND_MAX
            )
        for signal in due:
            async with self._store.writing() as tx:
                await self._expire(tx, signal, now)
        return len(due)

    async def _expire(self, tx: Transaction, signal: SignalRow, now: datetime) -> None:
        changed = await tx.update(SignalRow, {"id": signal.id, "status": "open"}, status="expired")
        if not changed:
            return
        for approval in await tx.find(ApprovalRow, signal_id=signal.id, status="offered"):
            await _close_offer(tx, approval, "expired", now)
            account = await tx.get(AccountRow, approval.account_id)
            user = await tx.get(UserRow, approval.user_id)
            if account is None or user is None:
                continue
            alert = a.OfferAnswered(
                account_id=account.id,
                login=account.login,
                client=user.name,
                currency=account.currency,
                approval_id=approval.id,
                signal_id=signal.id,
                symbol=signal.symbol,
                side=signal.side,
                volume=signal.volume,
                outcome="expired",
                answered_at=now,
            )
            admin = self._policy.admin_chat_id
            await speak(tx, alert, client=user.telegram_id, admin=admin, now=now)


def _check_open(approval: ApprovalRow, signal: SignalRow, now: datetime) -> None:
    if approval.status == "expired" or now >= signal.expires_at:
        raise Refused("signal_expired", at=signal.expires_at)
    if approval.status != "offered":
        raise Refused("already_decided", decision=approval.status, at=approval.decided_at)


def _check_account(memory: AccountMemory, now: datetime) -> None:
    """Whatever keeps this account from taking a new trade, the gravest first."""
    state = memory.state
    if memory.jobs:
        raise Refused("account_closing")
    if state.latched_at is not None:
        raise Refused("account_latched", reason=state.latch_reason, since=state.latched_at)
    pause = paused(memory.rule_memories, now)
    if pause is not None:
        titles = {held.spec.name: held.spec.title for held in memory.guard_rules.rules}
        raise Refused("rule_paused", rule=titles.get(pause[0], pause[0]), until=pause[1])
    if state.terminal_blocked_at is not None:
        raise Refused("cannot_close", obstacles=standing(state))
    if memory.snapshot is None or memory.failures:
        reason = memory.failing_reason or state.unavailable_reason or "not read yet"
        raise Refused("account_unavailable", reason=reason, since=memory.failing_since)
    if state.armed_at is None:
        raise Refused("account_not_armed", why="no rate to pounds")
    minimum = limits_in_force(memory.account, state.gbp_rate).minimum_equity
    equity = state.equity
    if equity is not None and minimum is not None and equity < minimum:
        raise Refused(
            "below_minimum", equity=equity, minimum=minimum, currency=memory.account.currency
        )


async def _close_offer(tx: Transaction, approval: ApprovalRow, status: str, now: datetime) -> None:
    changed = await tx.update(
        ApprovalRow, {"id": approval.id, "status": "offered"}, status=status, decided_at=now
    )
    if not changed:
        raise Refused("already_decided", decision=approval.status, at=approval.decided_at)


def _answered(
    pen: Recorder,
    approval: ApprovalRow,
    signal: SignalRow,
    outcome: str,
    price: Decimal | None,
    deadline: datetime | None,
) -> a.OfferAnswered:
    return a.OfferAnswered(
        **pen.who,
        approval_id=approval.id,
        signal_id=signal.id,
        symbol=signal.symbol,
        side=signal.side,
        volume=signal.volume,
        outcome=outcome,
        answered_at=pen.now,
        expected_entry=price,
        deadline_at=deadline,
    )
