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
from core.ports import Store
from core.records import AccountRow, AccountStateRow, AuditRow
from core.services.audit_tables import TableCheck

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


class VerifyAudit:
    """Looks at one chain at a time. Every method raises StoreUnavailable."""

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
            while True:
                row = await tx.first(AuditRow, account_id__gt=after, order_by="account_id")
                if row is None:
                    break
                after = row.account_id
                found.add(after)
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
        last: AuditRow | None = None
        after, at_end = 0, False
        of_tables: tuple[TamperFinding, ...] = ()
        while not at_end:
            # One reading: what the tables say is of the same moment as the links.
            async with self._store.reading() as tx:
                rows = await tx.find(
                    AuditRow,
                    order_by="sequence",
                    limit=ROWS_AT_ONCE,
                    account_id=account_id,
                    sequence__gt=after,
                )
                at_end = len(rows) < ROWS_AT_ONCE
                sound: list[AuditRow] = []
                for row in rows:
                    if check.feed(row) and last is not None:
                        sound.append(last)
                    last, after = row, row.sequence
                if at_end and check.finish() and last is not None:
                    sound.append(last)
                await tables.feed(tx, sound)
                of_tables = await tables.finish(tx) if at_end else ()
            for row in sound:
                self._remember(row)
        more = (*await self._end(account_id, check.links), *of_tables)
        return Verified(
            account_id=account_id,
            links=check.links,
            head=check.head,
            findings=(*check.findings, *more),
            left_out=check.left_out + tables.left_out,
        )

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
