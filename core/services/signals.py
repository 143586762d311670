"""Post a signal: check it against the market, offer it to every account, once."""

from datetime import timedelta
from typing import Final

import structlog
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain.alerts_app import SignalByProgram
from core.domain.answers import SignalPosted
from core.domain.audit import SYSTEM
from core.domain.broker import Side, SymbolSpec, Tick
from core.domain.people import Person
from core.domain.permissions import standing
from core.domain.signals import SignalDraft, check_levels, volume_fits
from core.ports import (
    BrokerUnavailable,
    Clock,
    SnapshotRequest,
    Store,
    TerminalGateway,
    Transaction,
    WrongAccount,
)
from core.records import AccountRow, AccountStateRow, ApprovalRow, SignalRow, UserRow
from core.services import audit
from core.services.desk import Desk
from core.services.errors import Refused
from core.services.market_guard import MarketGuard
from core.services.pauses import Pauses
from core.services.policy import EnginePolicy
from core.services.quoting import bad_volume, quoted_symbol
from core.services.speaking import speak
from core.services.terminal_block import TerminalBlock

log = structlog.get_logger(__name__)

QUOTE_TRIES_MAX = 3
"""Accounts asked for the symbol's quote before the signal is refused for want of one."""

LOCKED: Final = "is locked and was not asked"
OBSTRUCTED: Final = "cannot be closed as it is: an approval would be refused"
"""Asked all the same: what is in the way may be gone while the signal is open."""
API_KEYS: Final = "api:"
"""How the keys of signals begin that a program posted."""


class PostSignal:
    """Offer a signal to every enabled account of an active client that is not locked."""

    def __init__(  # noqa: PLR0913, PLR0917 - the composition root names each dependency once
        self,
        store: Store,
        gateway: TerminalGateway,
        clock: Clock,
        desk: Desk,
        policy: EnginePolicy,
        block: TerminalBlock,
        market: MarketGuard,
        pauses: Pauses,
    ) -> None:
        self._pauses = pauses
        self._store = store
        self._desk = desk
        self._block = block
        self._market = market
        self._gateway = gateway
        self._clock = clock
        self._policy = policy

    async def __call__(self, actor: Person, draft: SignalDraft, source_key: str) -> SignalPosted:
        """Post the signal once per `source_key`.

        Raises Refused: not_admin, unknown_symbol, ambiguous_symbol, wrong_side_stop, bad_volume,
        no_price, market_warning, paused.
        """
        if not actor.is_admin:
            raise Refused("not_admin")
        self._pauses.refuse_signals()
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
        refusal: Refused | None = None
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
                if isinstance(error, WrongAccount):
                    async with self._desk.holding(account.id) as memory:
                        await self._block(memory, str(error), reading=False)
                continue
            try:
                tick, spec = quoted_symbol(snapshot, symbol)
                await self._market.look(snapshot)
                self._market.refuse_blocked(account.server, spec.name)
            except Refused as refused:
                refusal = refused
            else:
                return tick, spec
        if refusal is None:
            raise Refused("no_price", symbol=symbol)
        if refusal.code == "no_such_symbol":
            raise Refused("unknown_symbol", symbol=symbol)
        raise refusal

    def _check(self, draft: SignalDraft, tick: Tick, spec: SymbolSpec) -> None:
        price = tick.ask if draft.side is Side.BUY else tick.bid
        wrong = check_levels(draft, price)
        if wrong is not None:
            raise Refused("wrong_side_stop", level=wrong, price=price, side=draft.side.value)
        if not volume_fits(draft.volume, spec):
            raise bad_volume(draft.volume, spec)

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
            states = {state.id: state for state in await tx.find(AccountStateRow)}
            whys = {account.id: _why_not(states.get(account.id)) for account, _ in targets}
            asked = [each for each in targets if whys[each[0].id] != LOCKED]
            skipped = tuple(
                f"{account.login} {why}" for account, _ in targets if (why := whys[account.id])
            )
            new_id = await tx.insert_new(signal)
            if new_id is None:
                known = await tx.first(SignalRow, source_key=source_key)
                if known is None:
                    raise Refused("not_found")
                return await self._again(tx, known, draft)
            signal = replace(signal, id=new_id)
            for account, user in asked:
                await self._offer(tx, signal, account, user, spec.digits)
            await audit.append(
                tx,
                SYSTEM,
                actor.name,
                words.SIGNAL_POSTED,
                {"signal": signal.id, "symbol": draft.symbol, "accounts": len(asked)},
                now,
            )
            if source_key.startswith(API_KEYS):
                await self._tell(tx, actor, signal, len(asked), skipped)
        return SignalPosted(
            signal_id=signal.id,
            draft=draft,
            offered=len(asked),
            skipped=skipped,
            expires_at=expires_at,
        )

    async def _tell(
        self,
        tx: Transaction,
        actor: Person,
        signal: SignalRow,
        offered: int,
        skipped: tuple[str, ...],
    ) -> None:
        """Admins read what a program posted; their own signal's answer tells whoever writes one."""
        alert = SignalByProgram(
            signal_id=signal.id,
            author=actor.name,
            symbol=signal.symbol,
            side=signal.side,
            volume=signal.volume,
            offered=offered,
            skipped=skipped,
            expires_at=signal.expires_at,
            at=signal.created_at,
        )
        admin = self._policy.admin_chat_id
        await speak(tx, alert, client=None, admin=admin, now=signal.created_at)

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


def _why_not(state: AccountStateRow | None) -> str:
    if state is None:
        return ""
    if state.latched_at is not None:
        return LOCKED
    return OBSTRUCTED if standing(state) else ""
