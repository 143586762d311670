"""The store: SQLite or PostgreSQL behind `core.ports.Store`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.adapters.sql.engine import (
    SQLITE,
    parse_url,
    probe,
    reader_engine,
    session_engine,
    writer_engine,
)
from core.adapters.sql.errors import translated
from core.adapters.sql.group_commit import GroupCommit, Take
from core.adapters.sql.owner import FileLock, SessionLock, raise_epoch
from core.adapters.sql.transaction import SqlTransaction
from core.domain.audit import AuditKeys
from core.ports import StaleEpoch, StoreUnavailable
from core.records import AccountStateRow, LeaseRow

WRITER_WAIT_S = 30.0
"""How long a caller waits for its turn to write before the store counts as unavailable."""


class SqlStore:
    """`core.ports.Store` over one writing and a few reading connections.

    Writers take turns, so what a writing transaction has read stays true until it commits. Open
    with `open`, on a migrated database; end with `close`.
    """

    def __init__(
        self,
        url: URL,
        *,
        writer_wait_s: float = WRITER_WAIT_S,
        audit_keys: AuditKeys | None = None,
    ) -> None:
        self._url = url
        self._audit_keys = audit_keys
        self._writer_wait_s = writer_wait_s
        self._writer: AsyncEngine = writer_engine(url)
        self._readers: AsyncEngine = reader_engine(url)
        self._turn = asyncio.Lock()
        self._states = GroupCommit(self._save_batch)
        self._owner: FileLock | SessionLock | None = None
        self._fenced_by: int | None = None
        """Our epoch where a lock may be lost while this process lives on; None where it cannot."""

    @classmethod
    async def open(cls, url: str, *, audit_keys: AuditKeys | None = None) -> Self:
        """Open `sqlite+aiosqlite:///path` or `postgresql+asyncpg://...`.

        Without audit keys nothing that is audited can be written.
        Raises ValueError for another address and StoreUnavailable where the database does not
        answer.
        """
        parsed = parse_url(url)
        with translated():
            probe(parsed)
        store = cls(parsed, audit_keys=audit_keys)
        try:
            async with store._begin(store._readers) as connection:
                with translated():
                    await connection.execute(text("SELECT count(*) FROM alembic_version"))
        except StoreUnavailable:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Close every connection and give up ownership."""
        await self._writer.dispose()
        await self._readers.dispose()
        if isinstance(self._owner, FileLock):
            self._owner.release()
        elif self._owner is not None:
            await self._owner.release()
        self._owner = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlTransaction]:
        """Read as of one moment. Raises StoreUnavailable."""
        async with self._begin(self._readers) as connection:
            yield SqlTransaction(connection, writable=False, audit_keys=self._audit_keys)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[SqlTransaction]:
        """Write alone; commit on leaving, roll back on an exception or a cancellation.

        Raises StoreUnavailable, and StaleEpoch where the database has a newer owner by now. A
        cancellation during the commit itself leaves open whether it happened. Do not open another
        writing transaction, or `save_state` of the store, inside.
        """
        async with self._my_turn(), self._begin(self._writer) as connection:
            transaction = SqlTransaction(connection, writable=True, audit_keys=self._audit_keys)
            if self._fenced_by is not None:
                await _check_owner(transaction, self._fenced_by)
            yield transaction
            await transaction.commit()

    async def save_state(self, row: AccountStateRow) -> None:
        """Upsert one `account_state` row in a commit shared with whoever else is waiting.

        Raises StoreUnavailable, and ValueError for a row that cannot be stored, which spoils
        nobody else's.
        """
        await self._states.save(row)

    async def owner_epoch(self) -> int:
        """Take ownership until `close` or the end of the process, and give the new epoch.

        Raises StoreLocked, which names the process that owns the database, or StoreUnavailable.
        """
        if self._url.drivername == SQLITE:
            file_lock = self._owner if isinstance(self._owner, FileLock) else self._file_lock()
            file_lock.acquire()
            self._owner = file_lock
        else:
            session = self._owner if isinstance(self._owner, SessionLock) else self._session_lock()
            await session.acquire()
            self._owner = session
        async with self._my_turn(), self._begin(self._writer) as connection:
            epoch = await raise_epoch(connection)
            await SqlTransaction(connection, writable=True).commit()
        if isinstance(self._owner, SessionLock):
            self._fenced_by = epoch
        return epoch

    def _file_lock(self) -> FileLock:
        return FileLock(Path(f"{self._url.database}.lock"))

    def _session_lock(self) -> SessionLock:
        return SessionLock(session_engine(self._url))

    async def _save_batch(self, take: Take) -> None:
        async with self.writing() as transaction:
            await transaction.save_states(take())

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._writer_wait_s):
                await self._turn.acquire()
        except TimeoutError:
            raise StoreUnavailable(f"no turn to write in {self._writer_wait_s} s") from None
        try:
            yield
        finally:
            self._turn.release()

    @asynccontextmanager
    async def _begin(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction; leaving rolls back whatever was not committed."""
        async with AsyncExitStack() as stack:
            with translated():
                # Its own exit, which finishes even when cancelled once more.
                connection = await stack.enter_async_context(engine.connect())
                await connection.begin()
            yield connection


async def _check_owner(transaction: SqlTransaction, epoch: int) -> None:
    """Raise StaleEpoch where somebody came after us: a session's lock ends with its connection.

    The terminals refuse an old owner's requests; its rows are to be refused, too.
    """
    lease = await transaction.first(LeaseRow)
    if lease is not None and lease.epoch != epoch:
        raise StaleEpoch(f"the database has a newer owner: epoch {lease.epoch}, ours is {epoch}")
