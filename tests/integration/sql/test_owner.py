"""One process owns the database, and each ownership has a greater epoch."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.adapters.sql.owner import HOST_GROUP, SHARD, SessionLock
from core.adapters.sql.store import SqlStore
from core.ports import StaleEpoch, StoreLocked, StoreUnavailable
from core.records import AccountStateRow, LeaseRow

ROOT = Path(__file__).parents[3]

OWN = """
import asyncio, sys
from core.adapters.sql.store import SqlStore

async def main():
    store = await SqlStore.open(sys.argv[1])
    print(await store.owner_epoch(), flush=True)
    sys.stdin.read()

asyncio.run(main())
"""

ANSWER_S = 20


async def another_process(url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        OWN,
        url,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def epoch_of(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    async with asyncio.timeout(ANSWER_S):
        return int(await process.stdout.readline())


async def epoch_once_free(store: SqlStore) -> int:
    async with asyncio.timeout(ANSWER_S):
        while True:
            try:
                return await store.owner_epoch()
            except StoreLocked:
                # PostgreSQL notices the end of a session a moment later.
                await asyncio.sleep(0.05)


async def test_a_second_process_is_told_who_owns_the_database(
    store: SqlStore, url: str, engine_name: str
) -> None:
    other = await another_process(url)
    try:
        assert await epoch_of(other) == 1

        with pytest.raises(StoreLocked) as refused:
            await store.owner_epoch()

        if engine_name == "sqlite":
            assert refused.value.pid == other.pid
        assert str(refused.value.pid) in str(refused.value)
        assert isinstance(refused.value, StoreUnavailable)
        assert refused.value.since is not None
        assert timedelta(0) <= datetime.now(UTC) - refused.value.since < timedelta(minutes=1)
    finally:
        other.kill()
        await other.wait()

    # The lock died with its process; the epoch has been seen and is passed.
    assert await epoch_once_free(store) == 2


async def test_two_stores_of_one_process_do_not_both_own_it(store: SqlStore, url: str) -> None:
    other = await SqlStore.open(url)
    assert await store.owner_epoch() == 1

    with pytest.raises(StoreLocked) as refused:
        await other.owner_epoch()

    assert (refused.value.pid == os.getpid()) == url.startswith("sqlite")
    await store.close()
    assert await other.owner_epoch() == 2
    await other.close()


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_who_lost_the_lock_with_its_connection_writes_nothing_any_more(
    store: SqlStore, url: str
) -> None:
    """The process lives on and does not notice; another owns the database meanwhile."""
    await store.owner_epoch()
    async with store.writing() as tx:
        await tx.update(LeaseRow, {"shard": SHARD}, owner="still ours")
    lock = store._owner  # noqa: SLF001 - as when the connection breaks
    assert isinstance(lock, SessionLock)
    assert lock._connection is not None  # noqa: SLF001 - the same
    await lock._connection.invalidate()  # noqa: SLF001 - the same
    other = await SqlStore.open(url)
    assert await epoch_once_free(other) == 2

    with pytest.raises(StaleEpoch):
        async with store.writing() as tx:
            await tx.update(LeaseRow, {"shard": SHARD}, owner="not ours")
    with pytest.raises(StaleEpoch):
        await store.save_state(AccountStateRow(id=1))

    async with other.writing() as tx:
        (lease,) = await tx.find(LeaseRow)
    assert lease.epoch == 2
    assert lease.owner != "not ours"
    await other.close()


async def test_the_epoch_rises_with_each_ownership_and_is_kept(store: SqlStore) -> None:
    assert [await store.owner_epoch() for _ in range(3)] == [1, 2, 3]

    async with store.reading() as tx:
        (lease,) = await tx.find(LeaseRow)
    assert (lease.shard, lease.host_group, lease.epoch) == (SHARD, HOST_GROUP, 3)
    assert (SHARD, HOST_GROUP) == (0, "default")
    assert lease.owner.endswith(f":{os.getpid()}")


async def test_reading_and_writing_need_no_ownership(store: SqlStore, url: str) -> None:
    """The audit command looks while the app runs."""
    await store.owner_epoch()
    other = await SqlStore.open(url)

    async with other.reading() as tx:
        assert await tx.count(LeaseRow) == 1
    await other.close()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_an_old_lock_file_is_no_lock(store: SqlStore, tmp_path: Path) -> None:
    """A power cut leaves the file, with a pid that may be anyone's now."""
    (tmp_path / "reckoner.db.lock").write_text("1\n and more that was there before\n")

    assert await store.owner_epoch() == 1

    assert (tmp_path / "reckoner.db.lock").read_text() == f"{os.getpid()}\n"
