"""States of accounts share commits; every caller learns the fate of its own row."""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import event

from core.adapters.sql.group_commit import (
    BATCH_ROWS_MAX,
    WAITING_ROWS_MAX,
    GroupCommit,
    Take,
)
from core.adapters.sql.store import SqlStore
from core.ports import StoreUnavailable
from core.records import AccountRow, AccountStateRow, UserRow

Example = Callable[..., Any]


class Disk:
    """Commits batches when told to, and fails when told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None
        self.unsound: set[int] = set()

    @property
    def saved(self) -> list[int]:
        """The accounts committed, in order."""
        return list(chain.from_iterable(self.batches))

    async def save(self, take: Take) -> None:
        """Commit one batch."""
        await asyncio.sleep(0)  # The turn to write.
        batch = [row.id for row in take()]
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        if self.unsound & set(batch):
            raise ValueError("unsound")
        self.batches.append(batch)


def saving(group: GroupCommit, ids: Sequence[int]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(group.save(AccountStateRow(id=each))) for each in ids]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_whoever_waits_shares_one_commit() -> None:
    disk = Disk()
    group = GroupCommit(disk.save)

    await asyncio.gather(*saving(group, range(1, 101)))

    assert disk.batches == [list(range(1, 101))]


@pytest.mark.parametrize(
    ("callers", "batches"),
    [
        (BATCH_ROWS_MAX, [BATCH_ROWS_MAX]),
        (BATCH_ROWS_MAX + 1, [BATCH_ROWS_MAX, 1]),
        (2 * BATCH_ROWS_MAX + 3, [BATCH_ROWS_MAX, BATCH_ROWS_MAX, 3]),
    ],
)
async def test_a_batch_is_bounded(callers: int, batches: list[int]) -> None:
    disk = Disk()
    group = GroupCommit(disk.save)

    await asyncio.gather(*saving(group, range(1, callers + 1)))

    assert [len(batch) for batch in disk.batches] == batches
    assert disk.saved == list(range(1, callers + 1))


async def test_the_number_of_waiting_rows_is_bounded() -> None:
    disk = Disk()
    disk.open.clear()
    group = GroupCommit(disk.save, batch_rows_max=1, waiting_rows_max=3)

    # The first is being written; three wait; the fifth is refused.
    first = saving(group, [1])
    await settle()
    waiting = saving(group, [2, 3, 4])
    await settle()
    with pytest.raises(StoreUnavailable, match="3 rows wait"):
        async with asyncio.timeout(1):
            await group.save(AccountStateRow(id=5))

    disk.open.set()
    await asyncio.gather(*first, *waiting)
    await group.save(AccountStateRow(id=6))
    assert disk.batches == [[1], [2], [3], [4], [6]]
    assert WAITING_ROWS_MAX == 20_000


async def test_those_who_come_during_a_commit_share_the_next() -> None:
    disk = Disk()
    disk.open.clear()
    group = GroupCommit(disk.save)
    first = saving(group, [1])
    await settle()
    later = saving(group, [2, 3, 4])
    await settle()

    disk.open.set()
    await asyncio.gather(*first, *later)

    assert disk.batches == [[1], [2, 3, 4]]


async def test_nobody_returns_before_the_commit() -> None:
    disk = Disk()
    disk.open.clear()
    group = GroupCommit(disk.save)
    tasks = saving(group, [1, 2, 3])
    await settle()

    assert not any(task.done() for task in tasks)

    disk.open.set()
    await asyncio.gather(*tasks)


async def test_a_failed_commit_reaches_everyone_who_shared_it() -> None:
    disk = Disk()
    disk.failure = StoreUnavailable("disk full")
    group = GroupCommit(disk.save)

    results = await asyncio.gather(*saving(group, [1, 2, 3]), return_exceptions=True)

    assert [(type(each), str(each)) for each in results] == [(StoreUnavailable, "disk full")] * 3
    disk.failure = None
    await asyncio.gather(*saving(group, [4, 5]))
    assert disk.batches == [[4, 5]]


async def test_a_row_that_cannot_be_stored_spoils_nobody_elses() -> None:
    disk = Disk()
    disk.unsound = {2}
    group = GroupCommit(disk.save)

    results = await asyncio.gather(*saving(group, [1, 2, 3]), return_exceptions=True)

    assert [type(each) for each in results] == [type(None), ValueError, type(None)]
    assert disk.batches == [[1], [3]]


async def test_an_unforeseen_failure_of_the_leader_does_not_strand_the_others() -> None:
    disk = Disk()
    disk.failure = KeyError("a bug")
    group = GroupCommit(disk.save)

    async with asyncio.timeout(5):
        results = await asyncio.gather(*saving(group, [1, 2, 3]), return_exceptions=True)

    assert [type(each) for each in results] == [KeyError] * 3


@pytest.mark.parametrize("cancelled", [1, 2, 3], ids=["leader", "follower", "last"])
@pytest.mark.parametrize("when", range(6))
async def test_a_cancelled_caller_takes_nobody_along(cancelled: int, when: int) -> None:
    disk = Disk()
    group = GroupCommit(disk.save, batch_rows_max=2)
    tasks = saving(group, [1, 2, 3])
    for _ in range(when):
        await asyncio.sleep(0)

    tasks[cancelled - 1].cancel()

    async with asyncio.timeout(5):
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await group.save(AccountStateRow(id=4))
    others = {1, 2, 3} - {cancelled}
    assert [results[each - 1] for each in sorted(others)] == [None, None]
    saved = set(disk.saved)
    assert others | {4} <= saved
    if results[cancelled - 1] is None:
        assert cancelled in saved


async def test_two_who_are_cancelled_take_nobody_along() -> None:
    for when in range(8):
        disk = Disk()
        group = GroupCommit(disk.save, batch_rows_max=2)
        tasks = saving(group, [1, 2, 3, 4, 5])
        for _ in range(when):
            await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        tasks[2].cancel()

        async with asyncio.timeout(5):
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [results[each] for each in (1, 3, 4)] == [None] * 3
        assert {2, 4, 5} <= set(disk.saved)


async def test_a_thousand_states_cost_two_commits(filled: SqlStore, example: Example) -> None:
    callers = 2 * BATCH_ROWS_MAX
    async with filled.writing() as tx:
        await tx.insert_many(
            [example(AccountRow, id=number, login=number) for number in range(2, callers + 1)]
        )
    commits: list[object] = []
    event.listen(filled._writer.sync_engine, "commit", commits.append)  # noqa: SLF001 - its commits are counted

    await asyncio.gather(
        *(
            filled.save_state(AccountStateRow(id=number, equity=Decimal(number)))
            for number in range(1, callers + 1)
        )
    )

    assert len(commits) == 2
    async with filled.reading() as tx:
        states = await tx.find(AccountStateRow)
    assert [(state.id, state.equity) for state in states] == [
        (number, Decimal(number)) for number in range(1, callers + 1)
    ]


async def test_of_one_accounts_states_the_last_stays(filled: SqlStore) -> None:
    await asyncio.gather(
        *(filled.save_state(AccountStateRow(id=1, positions_count=each)) for each in range(10))
    )

    async with filled.reading() as tx:
        state = await tx.get(AccountStateRow, 1)
    assert state == AccountStateRow(id=1, positions_count=9)


async def test_a_state_without_an_account_or_inexact_is_refused_alone(filled: SqlStore) -> None:
    good, orphan, inexact = await asyncio.gather(
        filled.save_state(AccountStateRow(id=1, positions_count=3)),
        filled.save_state(AccountStateRow(id=999)),
        filled.save_state(AccountStateRow(id=1, equity=Decimal("0.000000001"))),
        return_exceptions=True,
    )

    assert good is None
    assert isinstance(orphan, ValueError)
    assert isinstance(inexact, ValueError)
    async with filled.reading() as tx:
        assert await tx.find(AccountStateRow) == [AccountStateRow(id=1, positions_count=3)]


async def test_states_and_transactions_take_turns(filled: SqlStore, example: Example) -> None:
    async def insert(telegram_id: int) -> None:
        async with filled.writing() as tx:
            await tx.insert(example(UserRow, telegram_id=telegram_id))

    await asyncio.gather(
        *(
            work
            for number in range(20)
            for work in (filled.save_state(AccountStateRow(id=1)), insert(number))
        )
    )

    async with filled.reading() as tx:
        assert await tx.count(UserRow) == 21
