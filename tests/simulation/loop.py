"""An event loop whose time stands still while anything can run, and then leaps to the next timer.

Nothing outside is waited for, so a world runs as fast as it can be computed and the same seed runs
the same way each time. Tasks woken at the same moment run in an order drawn by that seed: asyncio
promises none, and a fault that needs a certain order is met sooner.
"""

import asyncio
import random
from typing import Any, Final

SHUFFLED: Final = "__wakeup"
"""The callbacks that may change places: tasks that go on because what they waited for is there."""


class NothingLeft(RuntimeError):
    """Everybody waits for something that no timer brings: the world would stand still for ever."""


class _Leap:
    """Stands where the loop's selector is: to wait for I/O is to let time pass."""

    def __init__(self, loop: "DrivenLoop") -> None:
        self._loop = loop

    def select(self, timeout_s: float | None) -> list[Any]:
        """Let that much time pass."""
        self._loop.leap(timeout_s)
        return []

    def close(self) -> None:
        """Nothing is open."""


class DrivenLoop(asyncio.BaseEventLoop):
    """The loop; `random` decides the order of what could run at once."""

    _ready: Any
    _scheduled: Any

    def __init__(self, draws: random.Random) -> None:
        super().__init__()
        self._now_s = 0.0
        self._draws = draws
        self._selector = _Leap(self)

    def time(self) -> float:
        """Seconds since the loop was made, as it counts them."""
        return self._now_s

    def leap(self, timeout_s: float | None) -> None:
        """Where nothing can run, go to the next timer; else draw who runs first."""
        if timeout_s is None:
            raise NothingLeft("nobody can go on, and no timer is set")
        if timeout_s > 0:
            self._now_s = max(self._now_s, self._scheduled[0].when())
        elif len(self._ready) > 1:
            self._shuffle()

    def _shuffle(self) -> None:
        places = [n for n, each in enumerate(self._ready) if _is_wakeup(each)]
        if len(places) < 2:
            return
        woken = [self._ready[n] for n in places]
        self._draws.shuffle(woken)
        for place, each in zip(places, woken, strict=True):
            self._ready[place] = each

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody else's thread wakes this loop."""


def _is_wakeup(handle: Any) -> bool:  # noqa: ANN401 - asyncio's own handle
    return getattr(handle._callback, "__name__", "") == SHUFFLED  # noqa: SLF001 - no public way
