"""SQLite driven on the event loop's own thread: the same statements, in an order that a seed fixes.

`aiosqlite` hands every statement to a thread, and when its answer comes depends on the machine.
Here the statement runs at once; what waits is the process' line (`tests.simulation.line`), by the
simulated clock. The disk can be busy, full, slow, or fail a commit.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Sequence
from copy import copy
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import URL, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine

from core.adapters.sql.engine import (
    BUSY_WAIT_MS,
    SQLITE,
    parse_url,
    reader_engine,
    writer_engine,
)
from tests.simulation.line import LINE, Line

BUSY_LOOK_S: Final = 0.02
"""How often a busy database is tried again, as SQLite's own busy handler does."""
COMMIT_S: Final = (0.0005, 0.004)
"""What a commit takes: an fsync of an ordinary disk."""
BUSY, FULL, FAILS, FAILS_AFTER, SLOW = "busy", "full", "fails", "fails_after", "slow"
FAULTS: Final = (BUSY, FULL, FAILS, FAILS_AFTER, SLOW)
WRITES: Final = ("INSERT", "UPDATE", "DELETE")
LEFT_OUT: Final = ("PRAGMA busy_timeout", "PRAGMA synchronous", "PRAGMA journal_mode")
"""What would only wait for the real clock and disk; the file is in WAL mode as it was copied."""


class Disk:
    """The database's disk and what is wrong with it. `on_commit` hears of every commit that held.

    Faults: `busy` another program holds the write lock, `full` nothing can be written, `fails` a
    commit that fails and is not made, `fails_after` one that is made and called failed, `slow` one
    that takes seconds.
    """

    def __init__(self, path: Path, draws: random.Random) -> None:
        self.path = path
        self._draws = draws
        self._faults: dict[str, tuple[float, float]] = {}
        self.on_commit: Callable[[], None] = lambda: None

    def fault(self, kind: str, until_s: float, share: float) -> None:
        """Let something go wrong until then, with that share of what it concerns."""
        self._faults[kind] = (until_s, share)

    def heal(self) -> None:
        """All is well."""
        self._faults.clear()

    def meets(self, kind: str, now_s: float) -> bool:
        """Whether it goes wrong this time."""
        found = self._faults.get(kind)
        return found is not None and now_s < found[0] and self._draws.random() < found[1]


DISKS: dict[str, Disk] = {}
"""By the path of the database."""


class InlineCursor:
    """A cursor that answers at once."""

    def __init__(self, connection: "InlineConnection") -> None:
        self._connection = connection
        self._cursor = connection.raw.cursor()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def description(self) -> Any:  # noqa: ANN401 - as sqlite3 has it
        """The columns."""
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        """Rows changed."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The id given last."""
        return self._cursor.lastrowid

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> Self:
        """Run a statement."""
        if statement == "BEGIN IMMEDIATE":
            await self._connection.take_turn(self._cursor)
        elif not statement.startswith(LEFT_OUT):
            await self._connection.before(statement)
            self._cursor.execute(statement, values)
        return self

    async def executemany(self, statement: str, values: Sequence[Sequence[Any]]) -> Self:
        """Run it for each."""
        await self._connection.before(statement)
        self._cursor.executemany(statement, values)
        return self

    async def fetchall(self) -> list[Any]:
        """All rows."""
        return self._cursor.fetchall()

    async def close(self) -> None:
        """End it."""
        self._cursor.close()


class _Queue:
    """Stands where aiosqlite's queue to its thread is: what is put there is done at once."""

    @staticmethod
    def put_nowait(work: tuple[asyncio.Future[Any], Callable[[], Any]]) -> None:
        """Do it."""
        future, function = work
        future.set_result(function())


class InlineConnection:
    """aiosqlite's connection as SQLAlchemy uses it, without its thread."""

    def __init__(self, raw: sqlite3.Connection, disk: Disk, line: Line) -> None:
        self.raw = raw
        self._conn = self._connection = raw
        self._tx = _Queue
        self._disk = disk
        self._line = line
        line.hold(self)

    @property
    def isolation_level(self) -> str | None:
        """As sqlite3 has it."""
        return self.raw.isolation_level

    async def create_function(self, *given: Any, **more: Any) -> None:
        """As sqlite3 has it."""
        self.raw.create_function(*given, **more)

    def cursor(self) -> InlineCursor:
        """A new cursor."""
        return InlineCursor(self)

    async def before(self, statement: str) -> None:
        """What may happen at a statement, before it runs."""
        if statement.startswith(WRITES):
            if self._disk.meets(FULL, self._now_s()):
                raise _refused("database or disk is full", sqlite3.SQLITE_FULL)
        elif statement.startswith("BEGIN"):
            await self._line.step("read")

    async def take_turn(self, cursor: sqlite3.Cursor) -> None:
        """Wait for the write lock, as long as SQLite's own busy handler would."""
        await self._line.step("write")
        until_s = self._now_s() + BUSY_WAIT_MS / 1000
        if self._disk.meets(BUSY, self._now_s()):
            await self._line.step("busy", BUSY_WAIT_MS / 1000, BUSY_WAIT_MS / 1000 + 0.001)
            raise _refused("database is locked", sqlite3.SQLITE_BUSY)
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                if self._now_s() >= until_s:
                    raise
                await self._line.step("busy", BUSY_LOOK_S, BUSY_LOOK_S * 1.5)
            else:
                return

    async def commit(self) -> None:
        """Commit, if the disk lets it; a kill before it undoes all, a kill after it nothing."""
        if not self.raw.in_transaction:
            return
        now_s = self._now_s()
        slow = self._disk.meets(SLOW, now_s)
        await self._line.step("commit", *((1.0, 4.0) if slow else COMMIT_S))
        if self._disk.meets(FAILS, now_s):
            raise _refused("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC)
        self.raw.commit()
        self._disk.on_commit()
        if self._disk.meets(FAILS_AFTER, now_s):
            raise _refused("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC)
        await self._line.step("committed")

    async def rollback(self) -> None:
        """Undo."""
        if self._line.alive and self.raw.in_transaction:
            self.raw.rollback()

    async def close(self) -> None:
        """End it."""
        self.stop()

    def stop(self) -> None:
        """End it without waiting."""
        self._line.let_go(self)
        self.raw.close()

    def drop(self) -> None:
        """The process is gone: so is what it did not commit."""
        self.raw.close()

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


def _refused(text: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@event.listens_for(Engine, "do_connect")
def _inline(_dialect: object, _record: object, _args: object, options: dict[str, Any]) -> None:
    """Of a simulated process every connection is inline; nobody else's is touched."""
    line = LINE.get()
    if line is not None:

        async def opened(_path: str, **_more: Any) -> InlineConnection:
            raw = sqlite3.connect(line.database, timeout=0, isolation_level=None)
            raw.execute("PRAGMA synchronous = OFF")
            return InlineConnection(raw, DISKS[line.database], line)

        options["async_creator_fn"] = opened


@cache
def _engines(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    return writer_engine(url), reader_engine(url)


def engines() -> tuple[AsyncEngine, AsyncEngine]:
    """The store's writer and readers, with pools of their own and one memory of statements.

    A process of its own would compile each statement once; a thousand simulated ones need not do it
    a thousand times. Which file is opened is the running process' (`Line.database`).
    """
    writer, reader = (copy(each.sync_engine) for each in _engines(parse_url(f"{SQLITE}:///-")))
    for each in (writer, reader):
        each.pool = each.pool.recreate()
    return AsyncEngine(writer), AsyncEngine(reader)
