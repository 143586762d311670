"""Expected trades for an account's executor, by its token (law 15)."""

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any

from core.ports import Clock, Store
from core.records import AccountRow, AccountStateRow, CloseJobRow, TradeRow
from core.services.desk import ACTIVE_JOB_STATES, Desk

TOKEN_BYTES = 32
TRADES_MAX = 100


def token_digest(token: str) -> str:
    """What is kept of a token: its SHA-256. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


class Tokens:
    """Mint and check the accounts' executor tokens."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep_or_mint(self, known: dict[str, str]) -> dict[str, str]:
        """Tokens by login: those in `known` that are still good, new ones for all others."""
        tokens: dict[str, str] = {}
        async with self._store.writing() as tx:
            for account in await tx.find(AccountRow, enabled=True):
                login = str(account.login)
                token = known.get(login, "")
                if not token or not _same(token_digest(token), account.token_hash):
                    token = secrets.token_urlsafe(TOKEN_BYTES)
                    await tx.update(AccountRow, {"id": account.id}, token_hash=token_digest(token))
                tokens[login] = token
        return tokens


class ExpectedTrades:
    """What one account's executor should place now."""

    def __init__(self, store: Store, clock: Clock, desk: Desk) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk
        self._known: dict[str, int] = {}

    async def __call__(self, token: str) -> list[dict[str, Any]] | None:
        """The trades for this token, None where nobody has it.

        From a breach on nothing is handed out (law 8), nor past a trade's deadline.
        """
        digest = token_digest(token)
        if self._nothing_pending(digest):
            return []
        async with self._store.reading() as tx:
            account = await tx.first(AccountRow, token_hash=digest)
            if account is None or not _same(digest, account.token_hash) or not account.enabled:
                return None
            self._known[digest] = account.id
            trades = await tx.find(
                TradeRow, account_id=account.id, status="pending", limit=TRADES_MAX
            )
            if not trades:
                return []
            state = await tx.get(AccountStateRow, account.id)
            if state is None or state.latched_at is not None:
                return []
            if await tx.count(CloseJobRow, account_id=account.id, state=ACTIVE_JOB_STATES):
                return []
        now = self._clock.now()
        return [_handed(t) for t in trades if t.deadline_at > now]

    def _nothing_pending(self, digest: str) -> bool:
        """Whether memory alone can say so: the usual answer, and executors ask every second.

        What is in memory and not committed yet can only make it look into the store.
        """
        memory = self._desk.peek(self._known.get(digest, 0))
        if memory is None or not memory.account.enabled:
            return False
        return all(t.status != "pending" for t in memory.trades.values())


def _handed(trade: TradeRow) -> dict[str, Any]:
    return {
        "trade_id": trade.id,
        "symbol": trade.symbol,
        "side": trade.side,
        "volume": f"{trade.volume:f}",
        "stop_loss": None if trade.stop_loss is None else f"{trade.stop_loss:f}",
        "take_profit": None if trade.take_profit is None else f"{trade.take_profit:f}",
        "expected_entry": f"{trade.expected_entry:f}",
        "magic": trade.magic,
        "comment": trade.comment,
        "deadline_at": _iso(trade.deadline_at),
    }


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _same(one: str, other: str | None) -> bool:
    return other is not None and hmac.compare_digest(one, other)
