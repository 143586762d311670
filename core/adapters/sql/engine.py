"""Engines: how a connection is opened and how its transactions begin."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL, Connection, NullPool, event, make_url
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

READERS_MAX = 4
"""Connections that read at the same time."""

POOL_WAIT_S = 10.0
"""How long a reader waits for a free connection before the store counts as unavailable."""

BUSY_WAIT_MS = 5_000
"""How long SQLite waits for another process's lock."""

CONNECT_WAIT_S = 5.0
"""How long opening a PostgreSQL connection may take."""

COMMAND_WAIT_S = 30.0
"""How long one PostgreSQL statement may take."""

WRITE_LOCK_KEY = 0x5245434B0001
"""PostgreSQL advisory lock of whoever writes, until the end of the transaction."""

OWNER_LOCK_KEY = 0x5245434B0002
"""PostgreSQL advisory lock of the owner, until its session ends."""

SQLITE = "sqlite+aiosqlite"
POSTGRES = "postgresql+asyncpg"


def parse_url(url: str) -> URL:
    """Read a database address.

    Raises ValueError for another driver, and for SQLite without a file: readers and the writer are
    different connections, which memory databases do not share.
    """
    parsed = make_url(url)
    if parsed.drivername not in {SQLITE, POSTGRES}:
        raise ValueError(f"a database address begins with {SQLITE}:/// or {POSTGRES}://")
    if parsed.drivername == SQLITE and parsed.database in {None, "", ":memory:"}:
        raise ValueError("SQLite needs a file")
    return parsed


def probe(url: URL) -> None:
    """Open and close the SQLite file. Raises sqlite3.OperationalError where that is impossible.

    The asynchronous driver leaves a thread behind when it cannot open a file, which complains if
    the event loop ends before it does; so ask first.
    """
    if url.drivername == SQLITE:
        sqlite3.connect(str(url.database)).close()


def writer_engine(url: URL) -> AsyncEngine:
    """Make the engine of the one connection that writes.

    A transaction takes the database's write lock when it begins: with the driver's own deferred
    transactions two writers read the same row and one update is lost, silently.
    """
    engine = _engine(url, pool_size=1)
    if url.drivername == SQLITE:
        event.listen(engine.sync_engine, "begin", _begin_immediate)
    else:
        event.listen(engine.sync_engine, "begin", _lock_writers)
    return engine


def reader_engine(url: URL) -> AsyncEngine:
    """Make the engine of the connections that read: each transaction sees one moment."""
    if url.drivername == SQLITE:
        engine = _engine(url, pool_size=READERS_MAX)
        event.listen(engine.sync_engine, "begin", _begin_deferred)
        event.listen(engine.sync_engine, "connect", _refuse_writes)
        return engine
    engine = _engine(url, pool_size=READERS_MAX, isolation_level="REPEATABLE READ")
    return engine.execution_options(postgresql_readonly=True)


def session_engine(url: URL) -> AsyncEngine:
    """Make an engine whose connection is a session of its own, closed when given back."""
    return _engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")


@asynccontextmanager
async def one_connection(url: str) -> AsyncIterator[AsyncConnection]:
    """Open a writing connection for a single piece of work, and close it."""
    parsed = parse_url(url)
    probe(parsed)
    engine = writer_engine(parsed)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _engine(url: URL, *, pool_size: int | None = None, **options: Any) -> AsyncEngine:
    if pool_size is not None:
        options |= {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": POOL_WAIT_S}
    if url.drivername == SQLITE:
        engine = create_async_engine(url, **options)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        return engine
    arguments = {"timeout": CONNECT_WAIT_S, "command_timeout": COMMAND_WAIT_S}
    return create_async_engine(url, connect_args=arguments, **options)


def _prepare_sqlite(connection: AsyncAdapt_aiosqlite_connection, _record: object) -> None:
    # Without an isolation level the driver leaves BEGIN to us; SQLAlchemy still commits.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_WAIT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _refuse_writes(connection: AsyncAdapt_aiosqlite_connection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _lock_writers(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK_KEY})")
