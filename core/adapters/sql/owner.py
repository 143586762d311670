"""Who owns the database: one process, by a lock that ends with it."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.adapters.process import this_process
from core.adapters.sql.engine import OWNER_LOCK_KEY
from core.adapters.sql.errors import translated
from core.adapters.sql.statements import kind_of
from core.ports import StoreLocked, StoreUnavailable
from core.records import LeaseRow

SHARD = 0
"""Until there are several, all accounts are one shard ..."""

HOST_GROUP = "default"
"""... of one host group."""

_LOCKED_BYTE = 1 << 30
"""Windows locks bytes, and refuses to read them: lock one far behind the pid."""


class FileLock:
    """An operating-system lock on a file beside the database, held until released or the end.

    The file stays: removing it would let two processes lock two files of one name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> None:
        """Lock and write our pid. Raises StoreLocked, or StoreUnavailable without a file."""
        if self._handle is not None:
            return
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"{self._path}: {error.strerror}") from error
        try:
            _lock(handle)
        except OSError:
            pid = _read_pid(handle)
            written_at = datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC)
            os.close(handle)
            raise StoreLocked(str(self._path), pid, written_at) from None
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle

    def release(self) -> None:
        """Unlock, if locked."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class SessionLock:
    """A PostgreSQL advisory lock on a connection of its own; it ends with the session."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None

    async def acquire(self) -> None:
        """Lock. Raises StoreLocked or StoreUnavailable."""
        if self._connection is not None:
            return
        with translated():
            connection = await self._engine.connect()
        try:
            with translated():
                await self._lock(connection)
        except StoreUnavailable:
            await connection.close()
            raise
        self._connection = connection

    async def release(self) -> None:
        """Unlock, if locked, by ending the session."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
        await self._engine.dispose()

    async def _lock(self, connection: AsyncConnection) -> None:
        key = {"key": OWNER_LOCK_KEY}
        taken = await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key)
        if taken:
            return
        # The two halves of a 64-bit advisory key.
        holders = await connection.execute(
            text(
                "SELECT pid, backend_start FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)"
                " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                " AND (classid::bigint << 32) + objid::bigint = :key"
            ),
            key,
        )
        pid, since = holders.one_or_none() or (None, None)
        raise StoreLocked("the database", pid, since)


async def raise_epoch(connection: AsyncConnection) -> int:
    """Take the lease of the one shard and give its new epoch, greater than any before."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    table = kind_of(LeaseRow).table
    owner = this_process()
    statement = (
        insert(table)
        .values(shard=SHARD, host_group=HOST_GROUP, owner=owner, epoch=1, expires_at=None)
        .on_conflict_do_update(
            index_elements=["shard", "host_group"],
            set_={"owner": owner, "epoch": table.c.epoch + 1, "expires_at": None},
        )
        .returning(table.c.epoch)
    )
    with translated():
        return int((await connection.execute(statement)).scalar_one())


def _read_pid(handle: int) -> int | None:
    os.lseek(handle, 0, os.SEEK_SET)
    text_read = os.read(handle, 32).decode(errors="replace").strip()
    return int(text_read) if text_read.isdecimal() else None


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
