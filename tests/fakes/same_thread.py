"""The SQLite store without aiosqlite's threads: each statement is carried out where it is asked.

A test whose clock it drives itself waits for one statement at a time. Handing each to a thread and
back then buys nothing and was a third of such tests' time (measured). The threads themselves are
held to in `tests/integration/sql`, and every wire test runs with them.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, ClassVar, Final

from aiosqlite import Connection
from sqlalchemy import URL, Engine, event

from core.adapters.sql.store import SqlStore

ROWS_A_FETCH: Final = 64
"""What aiosqlite fetches at a time."""


class _AtOnce:
    """In the place of the thread and of the queue to it: what is put is done."""

    daemon = True

    def start(self) -> None:
        """There is nothing to start."""

    def put_nowait(self, work: tuple["asyncio.Future[Any] | None", Callable[[], Any]], /) -> None:
        """Do it, and tell its future."""
        future, function = work
        try:
            result = function()
        except BaseException as error:
            if future is None:
                raise
            future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class _Connection(Connection):
    """aiosqlite's connection, its thread taken away."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, ROWS_A_FETCH)
        at_once: Any = _AtOnce()  # a queue and a thread to who only puts and starts
        self._tx = self._thread = at_once


def _connect(*words: Any, **more: Any) -> _Connection:
    return _Connection(lambda: sqlite3.connect(*words, **more))


def _in_this_thread(*given: Any) -> None:
    *_, options = given
    options["async_creator_fn"] = _connect


class SameThreadStore(SqlStore):
    """`SqlStore` on SQLite, every statement in the caller's thread and put into SQL once a process.

    SQLAlchemy keeps the SQL of a statement by engine and dialect, and every house has engines of
    its own: compiling was a quarter of a short test.
    """

    _first: ClassVar[dict[str, Engine]] = {}

    def __init__(self, url: URL, **options: Any) -> None:
        super().__init__(url, **options)
        for kind, each in (("writer", self._writer), ("readers", self._readers)):
            engine = each.sync_engine
            event.listen(engine, "do_connect", _in_this_thread)
            first = self._first.setdefault(kind, engine)
            engine.dialect = first.dialect
            engine._compiled_cache = first._compiled_cache  # noqa: SLF001 - no public way
