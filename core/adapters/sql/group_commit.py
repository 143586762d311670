"""One commit shared by whoever is waiting to save an account's state."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from functools import partial

from core.ports import StoreUnavailable
from core.records import AccountStateRow

BATCH_ROWS_MAX = 500
"""Rows of one shared commit."""

WAITING_ROWS_MAX = 20_000
"""Rows that may wait; the next caller is refused with StoreUnavailable."""

Take = Callable[[], Sequence[AccountStateRow]]
Save = Callable[[Take], Awaitable[None]]


class _Turn(Enum):
    SAVED = "saved"
    LEAD = "lead"


class _Waiting:
    """One caller's row, and how the caller learns of its end."""

    def __init__(self, row: AccountStateRow) -> None:
        self.row = row
        self.turn: asyncio.Future[_Turn] = asyncio.get_running_loop().create_future()


class GroupCommit:
    """Lets the first caller save for all who arrive while it waits for the writer.

    `save` obtains the writer, calls what it is given once to take the batch, and commits it. When
    the leader has its own row saved, the next in line leads; no task of its own is needed.
    """

    def __init__(
        self,
        save: Save,
        *,
        batch_rows_max: int = BATCH_ROWS_MAX,
        waiting_rows_max: int = WAITING_ROWS_MAX,
    ) -> None:
        self._save = save
        self._batch_rows_max = batch_rows_max
        self._waiting_rows_max = waiting_rows_max
        self._waiting: deque[_Waiting] = deque()
        self._led = False

    async def save(self, row: AccountStateRow) -> None:
        """Return once the row is committed.

        Raises StoreUnavailable, or ValueError where this row cannot be stored.
        """
        if len(self._waiting) >= self._waiting_rows_max:
            raise StoreUnavailable(f"{self._waiting_rows_max} rows wait for the database already")
        mine = _Waiting(row)
        self._waiting.append(mine)
        if self._led:
            await self._follow(mine)
        else:
            self._led = True
            await self._lead(mine)

    async def _follow(self, mine: _Waiting) -> None:
        try:
            turn = await mine.turn
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
            if _was_told_to_lead(mine):
                self._hand_over()
            raise
        if turn is _Turn.LEAD:
            mine.turn = asyncio.get_running_loop().create_future()
            await self._lead(mine)

    async def _lead(self, mine: _Waiting) -> None:
        """Save batches until the leader's own row is through, then hand over."""
        try:
            while not mine.turn.done():
                await self._save_batch()
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
            self._hand_over()
        mine.turn.result()

    async def _save_batch(self) -> None:
        batch: list[_Waiting] = []

        def take() -> Sequence[AccountStateRow]:
            while self._waiting and len(batch) < self._batch_rows_max:
                each = self._waiting.popleft()
                if not each.turn.done():  # Else its caller was cancelled.
                    batch.append(each)
            return [each.row for each in batch]

        try:
            await self._save(take)
        except StoreUnavailable as error:
            self._refuse(batch or self._take_all(), error)
        except ValueError as error:
            await self._save_apart(batch, error)
        else:
            _tell_saved(batch)
        finally:
            # Left over where the leader was cancelled. Whether their commit happened is unknown;
            # saving the same rows once more is harmless.
            untold = [each for each in batch if not each.turn.done()]
            self._waiting.extendleft(reversed(untold))

    async def _save_apart(self, batch: Sequence[_Waiting], error: ValueError) -> None:
        """Find the row that spoiled the batch: each is saved on its own."""
        if len(batch) == 1:
            _tell(batch[0], error)
            return
        for each in batch:
            try:
                await self._save(partial(_alone, each))
            except (StoreUnavailable, ValueError) as own:
                _tell(each, own)
            else:
                _tell_saved([each])

    def _refuse(self, batch: Sequence[_Waiting], error: StoreUnavailable) -> None:
        for each in batch:
            _tell(each, StoreUnavailable(str(error)))

    def _take_all(self) -> list[_Waiting]:
        # The writer itself could not be had, so nobody who waits now can be saved.
        everyone = list(self._waiting)
        self._waiting.clear()
        return everyone

    def _hand_over(self) -> None:
        while self._waiting:
            heir = self._waiting[0]
            if not heir.turn.done():
                heir.turn.set_result(_Turn.LEAD)
                return
            self._waiting.popleft()  # Its caller was cancelled.
        self._led = False


def _alone(waiting: _Waiting) -> Sequence[AccountStateRow]:
    return [waiting.row]


def _was_told_to_lead(waiting: _Waiting) -> bool:
    turn = waiting.turn
    if not turn.done() or turn.cancelled() or turn.exception() is not None:
        return False
    return turn.result() is _Turn.LEAD


def _tell_saved(batch: Sequence[_Waiting]) -> None:
    for each in batch:
        if not each.turn.done():
            each.turn.set_result(_Turn.SAVED)


def _tell(waiting: _Waiting, error: Exception) -> None:
    if not waiting.turn.done():
        waiting.turn.set_exception(error)
