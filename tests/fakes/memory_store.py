"""A store in memory that keeps the promises of `core.ports.Store`: filters, unique keys, rollback.

`down` makes it unavailable: every transaction then raises StoreUnavailable.
"""

import asyncio
import operator
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from msgspec.structs import asdict, replace

from core.ports import DuplicateRow, StoreUnavailable
from core.records import (
    AccountStateRow,
    ApprovalRow,
    ChatRow,
    CloseJobRow,
    DealRow,
    OutboxRow,
    PressRow,
    Record,
    SignalRow,
    UserRow,
)
from tests.fakes.audit_keys import AUDIT_KEYS

R = TypeVar("R", bound=Record)
Tables = dict[type[Record], dict[int, Record]]

UNIQUE: dict[type[Record], tuple[tuple[str, ...], ...]] = {
    UserRow: (("telegram_id",),),
    SignalRow: (("source_key",),),
    ApprovalRow: (("signal_id", "user_id", "account_id"),),
    CloseJobRow: (("account_id", "trigger_key"),),
    DealRow: (("account_id", "ticket"),),
    OutboxRow: (("dedupe_key",),),
    ChatRow: (("chat_id",),),
    PressRow: (("update_id",), ("callback_id",)),
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}


class MemoryTransaction:
    """One unit of work over copies of the tables."""

    def __init__(self, tables: Tables, *, writable: bool) -> None:
        self.tables = tables
        self.audit_keys = AUDIT_KEYS
        self._writable = writable

    async def get(self, kind: type[R], row_id: int, /) -> R | None:
        return await self.first(kind, id=row_id)

    async def find(
        self, kind: type[R], /, *, order_by: str = "id", limit: int | None = None, **where: Any
    ) -> list[R]:
        rows = [row for row in self._rows(kind) if _matches(row, where)]
        column, descending = order_by.lstrip("-"), order_by.startswith("-")
        rows.sort(key=lambda row: row.id)
        rows.sort(key=lambda row: getattr(row, column), reverse=descending)
        return rows if limit is None else rows[:limit]

    async def first(self, kind: type[R], /, *, order_by: str = "id", **where: Any) -> R | None:
        found = await self.find(kind, order_by=order_by, limit=1, **where)
        return found[0] if found else None

    async def count(self, kind: type[Record], /, **where: Any) -> int:
        return len(await self.find(kind, **where))

    async def insert(self, row: Record, /) -> int:
        assert self._writable, "a reading transaction does not write"
        table = self.tables.setdefault(type(row), {})
        for names in UNIQUE.get(type(row), ()):
            key = [getattr(row, name) for name in names]
            taken = [[getattr(other, name) for name in names] for other in table.values()]
            if None not in key and key in taken:
                raise DuplicateRow(f"{row.table}: {dict(zip(names, key, strict=True))}")
        row_id = row.id or max(table, default=0) + 1
        table[row_id] = replace(row, id=row_id)
        return row_id

    async def insert_many(self, rows: Sequence[Record], /) -> None:
        for row in rows:
            await self.insert(row)

    async def insert_new(self, row: Record, /) -> int | None:
        try:
            return await self.insert(row)
        except DuplicateRow:
            return None

    async def update(self, kind: type[Record], where: dict[str, Any], /, **changes: Any) -> int:
        assert self._writable, "a reading transaction does not write"
        rows = await self.find(kind, **where)
        for row in rows:
            self.tables[kind][row.id] = replace(row, **changes)
        return len(rows)

    async def delete(self, kind: type[Record], /, **where: Any) -> int:
        rows = await self.find(kind, **where)
        for row in rows:
            del self.tables[kind][row.id]
        return len(rows)

    async def save_state(self, row: AccountStateRow, /) -> None:
        self.tables.setdefault(AccountStateRow, {})[row.id] = row

    def _rows(self, kind: type[R]) -> list[R]:
        return [row for row in self.tables.get(kind, {}).values() if isinstance(row, kind)]


class MemoryStore:
    """Serialised writers, consistent readers, nothing kept of a transaction that raises."""

    def __init__(self) -> None:
        self.tables: Tables = {}
        self.down = False
        self.called_failed = 0
        """Which of the next commits is made and called failed all the same: 1 the next one."""
        self.commits = 0
        self._one_writer = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[MemoryTransaction]:
        self._check()
        await asyncio.sleep(0)
        yield MemoryTransaction(self._copy(), writable=False)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[MemoryTransaction]:
        self._check()
        async with self._one_writer:
            tx = MemoryTransaction(self._copy(), writable=True)
            yield tx
            await asyncio.sleep(0)
            self._check()
            self.tables = tx.tables
            self.commits += 1
            self.called_failed -= 1
            if self.called_failed == 0:
                raise StoreUnavailable("whether it was made is not known")

    async def save_state(self, row: AccountStateRow) -> None:
        async with self.writing() as tx:
            await tx.save_state(row)

    async def owner_epoch(self) -> int:
        self._check()
        return 1

    async def put(self, *rows: Record) -> list[int]:
        """Insert rows in one commit."""
        async with self.writing() as tx:
            return [await tx.insert(row) for row in rows]

    async def all(self, kind: type[R], **where: Any) -> list[R]:
        """The rows as they are now."""
        async with self.reading() as tx:
            return await tx.find(kind, **where)

    def _copy(self) -> Tables:
        return {kind: dict(rows) for kind, rows in self.tables.items()}

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("the test has taken the store away")


def _matches(row: Record, where: dict[str, Any]) -> bool:
    fields = asdict(row)
    return all(_fits(fields, name, wanted) for name, wanted in where.items())


def _fits(fields: dict[str, Any], name: str, wanted: object) -> bool:
    column, _, suffix = name.partition("__")
    if column not in fields:
        raise AttributeError(column)
    value = fields[column]
    if suffix == "ne":
        return bool(value != wanted)
    if suffix:
        return value is not None and COMPARE[suffix](value, wanted)
    if wanted is None:
        return value is None
    return value in wanted if isinstance(wanted, (tuple, list, set)) else bool(value == wanted)
