"""Post a signal: check it against the market, offer it to every account, once."""

from datetime import timedelta

import structlog
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain.answers import SignalPosted
from core.domain.audit import SYSTEM
from core.domain.broker import Side, SymbolSpec, Tick
from core.domain.people import Person
from core.domain.signals import SignalDraft, check_levels
from core.ports import (
    BrokerUnavailable,
    Clock,
    SnapshotRequest,
    Store,
    TerminalGateway,
    Transaction,
)
from core.records import AccountRow, AccountStateRow, ApprovalRow, SignalRow, UserRow
from core.services import audit
from core.services.errors import Refused
from core.services.policy import EnginePolicy
from core.services.speaking import speak

log = structlog.get_logger(__name__)

QUOTE_TRIES_MAX = 3
"""Accounts asked for the symbol's quote before the signal is refused for want of one."""


class PostSignal:
    """Offer a signal to every enabled account of an active client."""

    def __init__(
        self,
        *,
        store: Store,
        gateway: TerminalGateway,
        clock: Clock,
        policy: EnginePolicy,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._policy = policy

    async def __call__(self, actor: Person, draft: SignalDraft, source_key: str) -> SignalPosted:
        """Post the signal once per `source_key`.

        Raises Refused: not_admin, unknown_symbol, wrong_side_stop, bad_volume, no_price.
        """
        if not actor.is_admin:
            raise Refused("not_admin")
        async with self._store.reading() as tx:
            known = await tx.first(SignalRow, source_key=source_key)
            if known is not None:
                return await self._again(tx, known, draft)
            targets = await self._targets(tx)
        tick, spec = await self._quote(draft.symbol, [account for account, _ in targets])
        self._check(draft, tick, spec)
        return await self._post(actor, draft, source_key, targets, spec)

    async def _targets(self, tx: Transaction) -> list[tuple[AccountRow, UserRow]]:
        users = {u.id: u for u in await tx.find(UserRow, role=("client", "admin", "owner"))}
        accounts = await tx.find(AccountRow, enabled=True)
        return [(a_, users[a_.user_id]) for a_ in accounts if a_.user_id in users]

    async def _again(self, tx: Transaction, known: SignalRow, draft: SignalDraft) -> SignalPosted:
        offered = await tx.count(ApprovalRow, signal_id=known.id)
        return SignalPosted(
            signal_id=known.id,
            draft=draft,
            offered=offered,
            skipped=(),
            expires_at=known.expires_at,
            repeated=True,
        )

    async def _quote(self, symbol: str, accounts: list[AccountRow]) -> tuple[Tick, SymbolSpec]:
        answered = False
        for account in accounts[:QUOTE_TRIES_MAX]:
            request = SnapshotRequest(
                account_id=account.id,
                login=account.login,
                server=account.server,
                deals_since=self._clock.now(),
                symbols=(symbol,),
            )
            try:
                snapshot = await self._gateway.snapshot(request)
            except BrokerUnavailable as error:
                log.info("quote_unavailable", login=account.login, error=str(error))
                continue
            answered = True
            if symbol in snapshot.ticks and symbol in snapshot.symbols:
                return snapshot.ticks[symbol], snapshot.symbols[symbol]
        raise Refused("unknown_symbol" if answered else "no_price", symbol=symbol)

    def _check(self, draft: SignalDraft, tick: Tick, spec: SymbolSpec) -> None:
        price = tick.ask if draft.side is Side.BUY else tick.bid
        wrong = check_levels(draft, price)
        if wrong is not None:
            raise Refused("wrong_side_stop", level=wrong, price=price, side=draft.side.value)
        steps = draft.volume / spec.volume_step
        if not spec.volume_min <= draft.volume <= spec.volume_max or steps != int(steps):
            raise Refused(
                "bad_volume",
                volume=draft.volume,
                minimum=spec.volume_min,
                maximum=spec.volume_max,
                step=spec.volume_step,
            )

    async def _post(
        self,
        actor: Person,
        draft: SignalDraft,
        source_key: str,
        targets: list[tuple[AccountRow, UserRow]],
        spec: SymbolSpec,
    ) -> SignalPosted:
        now = self._clock.now()
        expires_at = now + timedelta(seconds=self._policy.signal_expires_s)
        signal = SignalRow(
            author_user_id=actor.user_id,
            symbol=draft.symbol,
            side=draft.side.value,
            volume=draft.volume,
            stop_loss=draft.stop_loss,
            take_profit=draft.take_profit,
            source_key=source_key,
            created_at=now,
            expires_at=expires_at,
        )
        async with self._store.writing() as tx:
            new_id = await tx.insert_new(signal)
            if new_id is None:
                known = await tx.first(SignalRow, source_key=source_key)
                if known is None:
                    raise Refused("not_found")
                return await self._again(tx, known, draft)
            signal = replace(signal, id=new_id)
            for account, user in targets:
                await self._offer(tx, signal, account, user, spec.digits)
            await audit.append(
                tx,
                SYSTEM,
                actor.name,
                words.SIGNAL_POSTED,
                {"signal": signal.id, "symbol": draft.symbol, "accounts": len(targets)},
                now,
            )
        return SignalPosted(
            signal_id=signal.id,
            draft=draft,
            offered=len(targets),
            skipped=await self._locked(targets),
            expires_at=expires_at,
        )

    async def _locked(self, targets: list[tuple[AccountRow, UserRow]]) -> tuple[str, ...]:
        """Asked all the same: the lock may be released while the signal is open."""
        async with self._store.reading() as tx:
            latched = {s.id for s in await tx.find(AccountStateRow, latched_at__ne=None)}
        return tuple(
            f"{account.login} is locked: an approval would be refused"
            for account, _ in targets
            if account.id in latched
        )

    async def _offer(
        self, tx: Transaction, signal: SignalRow, account: AccountRow, user: UserRow, digits: int
    ) -> None:
        approval = ApprovalRow(
            signal_id=signal.id,
            user_id=user.id,
            account_id=account.id,
            created_at=signal.created_at,
        )
        approval_id = await tx.insert(approval)
        alert = a.SignalOffered(
            account_id=account.id,
            login=account.login,
            client=user.name,
            currency=account.currency,
            approval_id=approval_id,
            signal_id=signal.id,
            symbol=signal.symbol,
            side=signal.side,
            volume=signal.volume,
            stop_loss=signal.stop_loss,
            take_profit=signal.take_profit,
            expires_at=signal.expires_at,
            price_digits=digits,
        )
        await speak(
            tx,
            alert,
            client=user.telegram_id,
            admin=self._policy.admin_chat_id,
            now=signal.created_at,
        )
