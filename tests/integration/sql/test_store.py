"""Transactions: nothing is lost, nothing is half done, and a failure leaves the store usable."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from core.adapters.sql.engine import READERS_MAX, one_connection, parse_url
from core.adapters.sql.store import SqlStore
from core.ports import Store, StoreUnavailable
from core.records import AccountStateRow, Record, UserRow

Example = Callable[..., Any]
SQLITE_ONLY = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
POSTGRES_ONLY = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)

TASKS = 8
TURNS = 100


def is_a_store(store: SqlStore) -> Store:
    """Hold mypy to it: this is what the services are given."""
    return store


async def user_ids(store: SqlStore) -> list[int]:
    async with store.reading() as tx:
        return [user.telegram_id for user in await tx.find(UserRow, order_by="telegram_id")]


def filled_file_of(store: SqlStore) -> str:
    return str(store._url.database)  # noqa: SLF001 - the file another program would open


async def test_no_update_is_lost_between_readers_who_write(
    filled: SqlStore, engine_name: str
) -> None:
    """The driver's own transactions lost 613 of these 800 without an error."""
    turns = TURNS if engine_name == "sqlite" else TURNS // 10

    async def count_up() -> None:
        for _ in range(turns):
            async with filled.writing() as tx:
                state = await tx.get(AccountStateRow, 1)
                assert state is not None
                await tx.update(AccountStateRow, {"id": 1}, equity=(state.equity or 0) + Decimal(1))

    async with filled.writing() as tx:
        await tx.save_state(AccountStateRow(id=1, equity=Decimal(0)))
    await asyncio.gather(*(count_up() for _ in range(TASKS)))

    async with filled.reading() as tx:
        state = await tx.get(AccountStateRow, 1)
    assert state is not None
    assert state.equity == TASKS * turns


async def test_no_update_is_lost_between_two_stores(filled: SqlStore, filled_url: str) -> None:
    """A second process (an audit command, say) writes to the same database."""
    other = await SqlStore.open(filled_url)
    async with filled.writing() as tx:
        await tx.save_state(AccountStateRow(id=1))

    async def count_up(store: SqlStore) -> None:
        for _ in range(20):
            async with store.writing() as tx:
                state = await tx.get(AccountStateRow, 1)
                assert state is not None
                count = state.positions_count + 1
                await tx.update(AccountStateRow, {"id": 1}, positions_count=count)

    await asyncio.gather(count_up(filled), count_up(other), count_up(filled), count_up(other))
    await other.close()

    async with filled.reading() as tx:
        state = await tx.get(AccountStateRow, 1)
    assert state is not None
    assert state.positions_count == 80


async def test_an_exception_rolls_everything_back(filled: SqlStore, example: Example) -> None:
    with pytest.raises(KeyError, match="unlucky"):  # noqa: PT012 - raised inside the block
        async with filled.writing() as tx:
            await tx.insert(example(UserRow, telegram_id=2))
            raise KeyError("unlucky")

    assert await user_ids(filled) == [7001]


async def test_a_reader_sees_one_moment(filled: SqlStore, example: Example) -> None:
    async with filled.reading() as reading:
        assert await reading.count(UserRow) == 1
        async with filled.writing() as tx:
            await tx.insert(example(UserRow, telegram_id=2))

        assert await reading.count(UserRow) == 1
    assert await user_ids(filled) == [2, 7001]


async def test_readers_are_bounded_and_take_turns(filled: SqlStore) -> None:
    inside = 0
    most = 0
    full = asyncio.Event()

    async def read() -> None:
        nonlocal inside, most
        async with filled.reading() as tx:
            inside += 1
            most = max(most, inside)
            if inside == READERS_MAX:
                full.set()
            await full.wait()  # however long a busy machine takes to open a connection
            await tx.count(UserRow)
            inside -= 1

    async with asyncio.timeout(30):
        await asyncio.gather(*(read() for _ in range(3 * READERS_MAX)))

    assert most == READERS_MAX


async def test_a_cancelled_writer_leaves_nothing_and_blocks_nobody(
    filled: SqlStore, example: Example
) -> None:
    inserted = asyncio.Event()

    async def write() -> None:
        async with filled.writing() as tx:
            await tx.insert(example(UserRow, telegram_id=2))
            inserted.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await inserted.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with filled.writing() as tx:
        await tx.insert(example(UserRow, telegram_id=3))
    assert await user_ids(filled) == [3, 7001]


async def test_a_writer_cancelled_at_any_await_leaves_all_or_nothing(
    filled: SqlStore, example: Example
) -> None:
    """Cancelled after each number of loop turns, until it gets through untouched."""
    steps = 0
    got_through = False

    async def write(telegram_id: int) -> None:
        async with filled.writing() as tx:
            await tx.insert(example(UserRow, telegram_id=telegram_id))
            await tx.insert(example(UserRow, telegram_id=telegram_id + 1))

    while not got_through and steps < 400:
        first = 10_000 + 10 * steps
        task = asyncio.create_task(write(first))
        for _ in range(steps):
            # A turn of the loop, with time for the driver's thread to answer.
            await asyncio.sleep(0.0005)
        got_through = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with filled.reading() as tx:
            written = await tx.count(UserRow, telegram_id=[first, first + 1])
        assert written in ({2} if got_through else {0, 2}), steps
        steps += 1

    assert got_through
    assert steps > 2
    async with filled.writing() as tx:
        await tx.insert(example(UserRow, telegram_id=3))


async def test_a_caller_waits_a_bounded_time_for_its_turn(url: str, example: Example) -> None:
    store = SqlStore(parse_url(url), writer_wait_s=0.05)
    async with store.writing():
        with pytest.raises(StoreUnavailable, match=r"no turn to write in 0\.05 s"):
            async with store.writing():
                pytest.fail("two writers at once")

    async with store.writing() as tx:
        await tx.insert(example(UserRow, telegram_id=2))
    await store.close()


@SQLITE_ONLY
async def test_a_failed_commit_leaves_the_store_usable(filled: SqlStore, example: Example) -> None:
    def refuse_commit(action: int, verb: str | None, *_: object) -> int:
        commits = action == sqlite3.SQLITE_TRANSACTION and verb == "COMMIT"
        return sqlite3.SQLITE_DENY if commits else sqlite3.SQLITE_OK

    with pytest.raises(StoreUnavailable, match="not authorized"):  # noqa: PT012 - leaving commits
        async with filled.writing() as tx:
            await tx.insert(example(UserRow, telegram_id=2))
            raw = (await tx._connection.get_raw_connection()).driver_connection  # noqa: SLF001 - the driver's own failure
            assert raw is not None
            await raw.set_authorizer(refuse_commit)

    assert await user_ids(filled) == [7001]
    async with filled.writing() as tx:
        await tx.insert(example(UserRow, telegram_id=3))
    assert await user_ids(filled) == [3, 7001]


@POSTGRES_ONLY
async def test_a_broken_connection_leaves_the_store_usable(
    filled: SqlStore, filled_url: str, example: Example
) -> None:
    with pytest.raises(StoreUnavailable):  # noqa: PT012 - leaving commits
        async with filled.writing() as tx:
            await tx.insert(example(UserRow, telegram_id=2))
            async with one_connection(filled_url) as killer:
                # Not through `begin`, which would wait for the writer.
                raw = (await killer.get_raw_connection()).driver_connection
                assert raw is not None
                await raw.execute(
                    "SELECT pg_terminate_backend(l.pid) FROM pg_locks l"
                    " JOIN pg_database d ON d.oid = l.database"
                    " WHERE l.locktype = 'advisory' AND d.datname = current_database()"
                )

    assert await user_ids(filled) == [7001]
    async with filled.writing() as tx:
        await tx.insert(example(UserRow, telegram_id=3))
    assert await user_ids(filled) == [3, 7001]


@SQLITE_ONLY
async def test_every_connection_is_set_for_safety(filled: SqlStore) -> None:
    for transaction in (filled.reading, filled.writing):
        async with transaction() as tx:
            settings = {
                pragma: await tx._connection.scalar(text(f"PRAGMA {pragma}"))  # noqa: SLF001 - its settings are tested
                for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        # synchronous: 2 is FULL.
        assert settings == {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "busy_timeout": 5000,
        }


@SQLITE_ONLY
async def test_a_write_begins_with_the_lock_and_a_read_does_not(filled: SqlStore) -> None:
    sent: list[str] = []
    for engine in (filled._writer, filled._readers):  # noqa: SLF001 - what they send is tested
        event.listen(
            engine.sync_engine, "before_cursor_execute", lambda *cursor: sent.append(cursor[2])
        )

    async with filled.writing():
        pass
    async with filled.reading():
        pass

    assert sent == ["BEGIN IMMEDIATE", "BEGIN"]


@pytest.mark.parametrize(
    "content", [b"This is not a database. " * 100, b""], ids=["broken", "not migrated"]
)
async def test_a_broken_file_is_unavailable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(content)

    with pytest.raises(StoreUnavailable):
        await SqlStore.open(f"sqlite+aiosqlite:///{path}")


async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await SqlStore.open(f"sqlite+aiosqlite:///{tmp_path / 'no' / 'such' / 'dir.db'}")


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await SqlStore.open(f"postgresql+asyncpg://postgres@/reckoner?host={tmp_path}")


@SQLITE_ONLY
async def test_a_lock_held_too_long_by_another_program_is_unavailable(
    filled: SqlStore, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.adapters.sql.engine.BUSY_WAIT_MS", 20)
    holder = sqlite3.connect(filled_file_of(filled), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"):
        async with filled.writing():
            pytest.fail("two writers at once")
    assert await user_ids(filled) == [7001]  # Readers are not held up.

    holder.execute("ROLLBACK")
    holder.close()
    async with filled.writing() as tx:
        await tx.insert(example(UserRow, telegram_id=2))


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///reckoner.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "mysql://localhost/reckoner",
    ],
)
async def test_an_address_it_cannot_use_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"SQLite needs a file|a database address begins with"):
        await SqlStore.open(address)


async def test_a_closed_and_reopened_store_has_kept_everything(
    filled: SqlStore, filled_url: str, examples: tuple[Record, ...], now: datetime
) -> None:
    async with filled.writing() as tx:
        await tx.save_state(AccountStateRow(id=1, latched_at=now))
    await filled.close()

    again = await SqlStore.open(filled_url)
    async with again.reading() as tx:
        assert await tx.find(AccountStateRow) == [AccountStateRow(id=1, latched_at=now)]
        for row in examples:
            assert await tx.count(type(row)) == 1
    await again.close()
