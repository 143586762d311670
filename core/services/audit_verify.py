"""Verify the chains from the database: page by page, while others write, changing nothing.

The system's chain comes first: it keeps the heads of the others, so that what was removed from
their ends is told up to the last time that heads were recorded.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from core.domain import audit_words as words
from core.domain.audit import SYSTEM, AuditKeys
from core.domain.audit_check import ChainCheck, Head, TamperFinding, Tampering
from core.ports import Store, Transaction, UnreadableRow
from core.records import AccountRow, AccountStateRow, AuditRow
from core.services.audit_tables import TableCheck
from core.services.counting import following

ROWS_AT_ONCE: Final = 500
"""Links of one query; each is a reading of its own, so that nobody's log has to be kept for us."""

Heads = Mapping[int, Mapping[int, str]]
"""By account: numbers of links, and the beginnings of the hashes they should have."""


class Verified(Struct, frozen=True, kw_only=True):
    """What became of one chain. `left_out` findings are more than are listed."""

    account_id: int
    links: int
    head: Head
    findings: tuple[TamperFinding, ...]
    left_out: int


class _Walk:
    """Where the look at one chain stands."""

    def __init__(self, check: ChainCheck, tables: TableCheck) -> None:
        self._check = check
        self._tables = tables
        self._last: AuditRow | None = None
        self.after = 0
        self.at_end = False
        self.is_fed = False
        """Whether the page's links were taken, and only other tables were left to look at."""
        self.of_tables: tuple[TamperFinding, ...] = ()

    async def page(self, tx: Transaction, limit: int) -> list[AuditRow]:
        """Look at the next links; answers those that hold. Raises UnreadableRow."""
        rows = await tx.find(
            AuditRow,
            order_by="sequence",
            limit=limit,
            account_id=self._check.account_id,
            sequence__gt=self.after,
        )
        for row in rows:
            if type(row.sequence) is not int:  # SQLite keeps words in columns of numbers.
                raise UnreadableRow(f"its number is {row.sequence!r}")
        self.at_end = len(rows) < limit
        sound: list[AuditRow] = []
        for row in rows:
            if self._check.feed(row) and self._last is not None:
                sound.append(self._last)
            self._last, self.after = row, row.sequence
        if self.at_end and self._check.finish() and self._last is not None:
            sound.append(self._last)
        self.is_fed = True
        await self._tables.feed(tx, sound)
        self.of_tables = await self._tables.finish(tx) if self.at_end else ()
        self.is_fed = False
        return sound

    async def over(self, tx: Transaction, text: str) -> list[AuditRow]:
        """Step over the next link, which cannot be read; answers the one before if it holds."""
        found = await following(
            tx, AuditRow, "sequence", self.after, account_id=self._check.account_id
        )
        if found is None:  # Its number is none.
            found, self.at_end = self.after + 1, True
        sound = [self._last] if self._check.unreadable(found, text) and self._last else []
        if self.at_end:
            self._check.finish()
        self._last, self.after, self.is_fed = None, found, True
        await self._tables.feed(tx, sound)
        self.is_fed = False
        return sound


class VerifyAudit:
    """Looks at one chain at a time. Every method raises StoreUnavailable.

    `account_ids` raises UnreadableRow too, where an account's own row is damaged.
    """

    def __init__(self, store: Store, keys: AuditKeys) -> None:
        self._store = store
        self._keys = keys
        self._recorded: dict[int, Head] = {}

    async def account_ids(self) -> list[int]:
        """Every chain there is or should be, the system's first."""
        found = {SYSTEM}
        async with self._store.reading() as tx:
            found |= {account.id for account in await tx.find(AccountRow)}
            after = -1
            while (number := await following(tx, AuditRow, "account_id", after)) is not None:
                found.add(number)
                after = number
        return sorted(found)

    async def all(
        self, account_ids: Iterable[int] | None = None, heads: Heads | None = None
    ) -> list[Verified]:
        """Verify these chains, all without any; the system's always, for the heads it keeps."""
        wanted = set(await self.account_ids() if account_ids is None else account_ids)
        heads = heads or {}
        return [
            await self.chain(account_id, heads.get(account_id, {}))
            for account_id in sorted({SYSTEM, *wanted})
        ]

    async def chain(self, account_id: int, heads: Mapping[int, str]) -> Verified:
        """Verify one chain against its keys, these heads and what other tables say."""
        recorded = self._recorded.get(account_id)
        known = dict(heads)
        if recorded is not None and recorded.sequence not in known:
            known[recorded.sequence] = recorded.hash
        check = ChainCheck(account_id, self._keys, known)
        tables = TableCheck(account_id)
        walk = _Walk(check, tables)
        limit = ROWS_AT_ONCE
        while not walk.at_end:
            try:
                # One reading: what the tables say is of the same moment as the links.
                async with self._store.reading() as tx:
                    sound = await walk.page(tx, limit)
                limit = min(ROWS_AT_ONCE, limit * 2)
            except UnreadableRow as error:
                sound = []
                if walk.is_fed:  # The links were read; what they speak of was not.
                    walk.of_tables = tables.unreadable(walk.after, str(error))
                    walk.is_fed = False
                elif limit > 1:
                    limit //= 2
                else:
                    sound = await self._over(walk, str(error))
            for row in sound:
                self._remember(row)
        more = (*await self._end(account_id, check.links), *walk.of_tables)
        return Verified(
            account_id=account_id,
            links=check.links,
            head=check.head,
            findings=(*check.findings, *more),
            left_out=check.left_out + tables.left_out,
        )

    async def _over(self, walk: _Walk, text: str) -> list[AuditRow]:
        async with self._store.reading() as tx:
            return await walk.over(tx, text)

    def _remember(self, row: AuditRow) -> None:
        """Take the heads that a link of the system's chain keeps; the newest of each stays."""
        if row.account_id != SYSTEM or row.action != words.HEADS_RECORDED:
            return
        for name, (sequence, digest) in row.detail["heads"].items():
            self._recorded[int(name)] = Head(sequence, digest)

    async def _end(self, account_id: int, links: int) -> list[TamperFinding]:
        """An account that was ever guarded has a chain."""
        if links or account_id == SYSTEM:
            return []
        async with self._store.reading() as tx:
            state = await tx.get(AccountStateRow, account_id)
        if state is None or state.ledger_balance is None:
            return []
        return [TamperFinding(account_id=account_id, sequence=1, kind=Tampering.TRUNCATED, other=0)]
