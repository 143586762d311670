"""One unit of work over the records, on a connection whose transaction has begun."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection

from core.adapters.sql.errors import InvalidRow, ReadOnly, TransactionFailed, translated
from core.adapters.sql.statements import Kind, Values, kind_of
from core.domain.audit import AuditKeys
from core.ports import DuplicateRow, KeysUnusable, R, StoreUnavailable, UnreadableRow
from core.records import AccountStateRow, Record

_STATE = kind_of(AccountStateRow)


def _upsert_state(dialect: str) -> Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(_STATE.table)
    changed = {name: statement.excluded[name] for name in _STATE.fields if name != "id"}
    return statement.on_conflict_do_update(index_elements=["id"], set_=changed)


@cache
def _insert_new(of: Kind[Any], dialect: str) -> Executable:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(of.table).on_conflict_do_nothing().returning(of.column("id"))


_UPSERT_STATE = {dialect: _upsert_state(dialect) for dialect in ("postgresql", "sqlite")}


def _read(of: Kind[R], result: CursorResult[Any]) -> list[R]:
    try:
        return [of.read(row) for row in result]
    except (ValueError, TypeError, ArithmeticError) as error:
        raise UnreadableRow(f"a row of {of.table.name} cannot be read: {error}") from error


class SqlTransaction:
    """`core.ports.Transaction` over SQLAlchemy Core.

    `insert` and `insert_new` leave the transaction usable when a unique key already holds the
    value. After any other failed statement the transaction is lost, on both databases alike:
    whatever follows, the commit included, raises TransactionFailed.
    """

    def __init__(
        self, connection: AsyncConnection, *, writable: bool, audit_keys: AuditKeys | None = None
    ) -> None:
        self._connection = connection
        self._writable = writable
        self._audit_keys = audit_keys
        self._failure: Exception | None = None

    @property
    def audit_keys(self) -> AuditKeys:
        """What audit links are signed with. Raises KeysUnusable where the store has none."""
        if self._audit_keys is None:
            raise KeysUnusable("the database was opened without the key to its audit")
        return self._audit_keys

    async def get(self, kind: type[R], row_id: int, /) -> R | None:
        """Give the row with this primary key."""
        return await self.first(kind, id=row_id)

    async def find(
        self, kind: type[R], /, *, order_by: str = "id", limit: int | None = None, **where: Any
    ) -> list[R]:
        """Give the rows that match, in order; equals are ordered by id, None is lowest."""
        of = kind_of(kind)
        statement, values = of.find(where, order_by, limit=limit)
        async with self._statement():
            result = await self._connection.execute(statement, values)
            return _read(of, result)

    async def first(self, kind: type[R], /, *, order_by: str = "id", **where: Any) -> R | None:
        """Give the first of `find`."""
        rows = await self.find(kind, order_by=order_by, limit=1, **where)
        return rows[0] if rows else None

    async def count(self, kind: type[Record], /, **where: Any) -> int:
        """Count the rows that match."""
        statement, values = kind_of(kind).count(where)
        async with self._statement():
            return int((await self._connection.execute(statement, values)).scalar_one())

    async def insert(self, row: Record) -> int:
        """Insert and give the id. Raises DuplicateRow, InvalidRow or ValueError."""
        row_id = await self.insert_new(row)
        if row_id is None:
            raise DuplicateRow(f"{row.table}: a unique key already holds this value")
        return row_id

    async def insert_many(self, rows: Sequence[Record]) -> None:
        """Insert rows of one kind in one statement; all carry an id, or none does."""
        if not rows:
            return
        of = self._one_kind(rows)
        values = [of.values(row) for row in rows]
        if len({"id" in row for row in values}) > 1:
            raise ValueError("either all rows carry an id, or none")
        async with self._statement(writes=True):
            await self._connection.execute(of.table.insert(), values)

    async def insert_new(self, row: Record) -> int | None:
        """Insert and give the id, or None where a unique key already holds the value."""
        of = kind_of(type(row))
        statement = _insert_new(of, self._connection.dialect.name)
        async with self._statement(writes=True):
            result = await self._connection.execute(statement, of.values(row))
            row_id: int | None = result.scalar_one_or_none()
            return row_id

    async def update(self, kind: type[Record], where: dict[str, Any], /, **changes: Any) -> int:
        """Change the rows that match and say how many there were."""
        return await self._changed(*kind_of(kind).update(where, changes))

    async def delete(self, kind: type[Record], /, **where: Any) -> int:
        """Remove the rows that match and say how many there were."""
        return await self._changed(*kind_of(kind).delete(where))

    async def save_state(self, row: AccountStateRow) -> None:
        """Upsert the account's one `account_state` row."""
        await self.save_states([row])

    async def save_states(self, rows: Sequence[AccountStateRow]) -> None:
        """Upsert several `account_state` rows in one statement; of one account the last stays."""
        if not rows:
            return
        values = [_STATE.values(row) for row in rows]
        async with self._statement(writes=True):
            await self._connection.execute(_UPSERT_STATE[self._connection.dialect.name], values)

    async def commit(self) -> None:
        """Commit. Raises TransactionFailed where a statement had failed, or StoreUnavailable."""
        self._still_good()
        try:
            with translated():
                await self._connection.commit()
        except (DuplicateRow, InvalidRow, StoreUnavailable):
            # SQLAlchemy does not roll back what it could not commit, and SQLite keeps such a
            # transaction open: the next one could not begin, or would commit this one's rows.
            await self._connection.invalidate()
            raise

    async def _changed(self, statement: Executable, values: Values) -> int:
        async with self._statement(writes=True):
            result = await self._connection.execute(statement, values)
            return result.rowcount if isinstance(result, CursorResult) else 0

    @asynccontextmanager
    async def _statement(self, *, writes: bool = False) -> AsyncIterator[None]:
        if writes and not self._writable:
            raise ReadOnly("open a writing transaction to change rows")
        self._still_good()
        try:
            with translated():
                yield
        except (DuplicateRow, InvalidRow, StoreUnavailable, ValueError) as error:
            self._failure = error
            raise

    def _still_good(self) -> None:
        if self._failure is not None:
            raise TransactionFailed(f"a statement before failed: {self._failure}")

    def _one_kind(self, rows: Sequence[Record]) -> Kind[Any]:
        kinds = {type(row) for row in rows}
        if len(kinds) > 1:
            raise ValueError("rows of one kind are inserted in one statement")
        return kind_of(kinds.pop())
