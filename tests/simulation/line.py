"""One process' only way to the outside: everything it asks of disk, broker and chat passes here.

Here it can be killed (what was not committed is gone, and nothing of it acts any more) or frozen
(everything it asks waits, while the others' time goes on), at any await that leaves the process.
"""

import asyncio
import random
import traceback
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Final, Protocol

SLOW_SHARE: Final = 0.02
"""Of the calls, how many take long."""


class Closable(Protocol):
    """Something that ends with its process."""

    def drop(self) -> None:
        """End at once; nothing uncommitted stays."""
        ...


class Line:
    """A process: alive until it is killed, its tasks, and what it holds open."""

    def __init__(
        self,
        name: str,
        database: str,
        draws: random.Random,
        tell: Callable[[str], None],
        fail: Callable[[str], None],
    ) -> None:
        self.name = name
        self.database = database
        self.draws = draws
        self.alive = True
        self.steps = 0
        self.dies_at: int | None = None
        """The step at which it is killed, None where it lives on."""
        self.frozen_until_s = 0.0
        self.freezes_at: tuple[str, float] | None = None
        """Before what kind of step it freezes, and for how many seconds."""
        self.ended = asyncio.Event()
        self._tell = tell
        self._fail = fail
        self._tasks: set[asyncio.Task[Any]] = set()
        self._open: dict[Closable, None] = {}

    # --- what it asks of the world ------------------------------------------------------------

    async def step(self, what: str, least_s: float = 0.0, most_s: float = 0.0) -> None:
        """One await that leaves the process, taking so long at the outside."""
        self._count(what)
        if most_s:
            await asyncio.sleep(self.draws.uniform(least_s, most_s))
        loop = asyncio.get_running_loop()
        while loop.time() < self.frozen_until_s:
            await asyncio.sleep(self.frozen_until_s - loop.time())
        if not self.alive:
            raise asyncio.CancelledError

    def _count(self, what: str) -> None:
        if not self.alive:
            raise asyncio.CancelledError
        self.steps += 1
        if self.freezes_at is not None and self.freezes_at[0] == what:
            self.freeze(self.freezes_at[1])
            self.freezes_at = None
        if self.dies_at is not None and self.steps >= self.dies_at:
            self._tell(f"{self.name} is killed at step {self.steps} ({what})")
            self.kill()
            raise asyncio.CancelledError

    def freeze(self, seconds: float) -> None:
        """Whatever it asks from now on waits; its clock does not."""
        loop = asyncio.get_running_loop()
        self.frozen_until_s = max(self.frozen_until_s, loop.time() + seconds)
        self._tell(f"{self.name} freezes for {seconds:.1f} s")

    # --- its life -----------------------------------------------------------------------------

    def hold(self, each: Closable) -> None:
        """It ends with this process."""
        self._open[each] = None

    def let_go(self, each: Closable) -> None:
        """It ended before."""
        self._open.pop(each, None)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str = "") -> asyncio.Task[Any]:
        """Start a task of this process."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self.name}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        """A task that ends by an exception is a fault of the product's, or of this simulation's."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and self.alive:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._fail(f"{task.get_name()}: {error!r} at {where.filename}:{where.lineno}")

    def kill(self) -> None:
        """End it at this very point."""
        if not self.alive:
            return
        self.alive = False
        for each in list(self._open):
            each.drop()
        self._open.clear()
        for task in list(self._tasks):
            task.cancel()
        self.ended.set()

    async def buried(self) -> None:
        """Wait until nothing of a killed process is left."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))


LINE: ContextVar[Line | None] = ContextVar("LINE", default=None)
"""The process that the running task belongs to."""
