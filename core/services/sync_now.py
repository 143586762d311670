"""Read accounts by hand, at most once per account and interval."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from math import ceil

from core.domain.answers import SyncReport
from core.domain.people import Person
from core.ports import Clock, Store
from core.records import AccountRow
from core.services.desk import Desk
from core.services.errors import Refused
from core.services.policy import EnginePolicy

ACCOUNTS_MAX = 50
"""Accounts read by one command."""


class SyncNow:
    """The timer's own cycle, asked for by an admin."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        desk: Desk,
        policy: EnginePolicy,
        sync: Callable[[int], Awaitable[datetime]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk
        self._policy = policy
        self._sync = sync
        self._last: dict[int, datetime] = {}

    async def __call__(self, actor: Person, login: int | None) -> SyncReport:
        """Read one account, or all. Raises Refused: not_admin, not_found."""
        if not actor.is_admin:
            raise Refused("not_admin")
        where = {"enabled": True} if login is None else {"enabled": True, "login": login}
        async with self._store.reading() as tx:
            accounts = await tx.find(AccountRow, limit=ACCOUNTS_MAX, **where)
        if not accounts:
            raise Refused("not_found", login=login)
        synced: list[int] = []
        failed: list[tuple[int, str]] = []
        limited: list[tuple[int, int]] = []
        for account in accounts:
            wait_s = self._wait_s(account.id)
            if wait_s > 0:
                limited.append((account.login, wait_s))
                continue
            self._last[account.id] = self._clock.now()
            await self._sync(account.id)
            memory = self._desk.peek(account.id)
            if memory is None or memory.failures:
                reason = memory.failing_reason if memory else None
                failed.append((account.login, reason or "the terminal did not answer"))
            else:
                synced.append(account.login)
        return SyncReport(synced=tuple(synced), failed=tuple(failed), limited=tuple(limited))

    def _wait_s(self, account_id: int) -> int:
        last = self._last.get(account_id)
        if last is None:
            return 0
        since_s = (self._clock.now() - last).total_seconds()
        return ceil(self._policy.manual_sync_interval_s - since_s)
