"""2,000 alerts due at once: the criticals within five seconds, the rest in order, none lost.

Over HTTP and a real database, against a Telegram that refuses whatever is too fast. Both sides go
by one clock, which moves only while nothing is under way. It stops after twenty seconds, with some
of the news sent; `python -m tests.benchmarks.delivery` sends them all, on a real clock.
"""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.notifier import POLL_S, SENDING_MAX, Notifier
from bot.sandbox.telegram.flood import FloodGate
from tests.fakes.clock import START
from tests.wire.rush import (
    ALERTS,
    CRITICALS,
    WARNINGS,
    Ledger,
    counted,
    fill,
    fresh_store,
    priorities,
    rush_notifier,
    rush_world,
    talking,
)

PER_S = 25
"""Of the 30 that Telegram allows."""
WATCHED_S = 20
BEGAN_S = 1_000.0
SENT = PER_S * WATCHED_S


class DrivenLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = BEGAN_S
        super().__init__()

    def time(self) -> float:
        """The moment it was moved to, seconds."""
        return self.now_s


class LoopClock:
    """The wall clock that goes with a driven loop."""

    def __init__(self, loop: DrivenLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        """The instant."""
        return START + timedelta(seconds=self._loop.now_s - BEGAN_S)

    def steady_s(self) -> float:
        """The same, in seconds."""
        return self._loop.now_s

    async def rest_until(self, due: datetime) -> bool:
        """Nobody rests by this clock here."""
        raise NotImplementedError


class Driving(Notifier):
    """Lets time pass where it would rest with nothing under way, up to the end of the watch."""

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self.over = asyncio.Event()

    async def _rest(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, DrivenLoop)
        if not self._busy and loop.now_s + POLL_S < BEGAN_S + WATCHED_S:
            loop.now_s += POLL_S
            return
        if not self._busy:
            self.over.set()
        await self._wake.wait()


async def rush(folder: Path) -> tuple[Ledger, list[int], dict[str, int]]:
    """Send for as long as is watched: what the world saw, how urgent it was, what is left."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, DrivenLoop)
    clock = LoopClock(loop)
    world = rush_world(folder / "world")
    world.telegram.state.flood = FloodGate(loop.time)
    world.telegram.state.now_s = lambda: clock.now().timestamp()
    await world.start()
    try:
        async with fresh_store(folder) as store, talking(world.base_url) as (bot, http):
            await fill(store, clock.now())
            notifier = rush_notifier(bot, store, clock, Driving)
            ledger = Ledger(world.base_url)
            sending = asyncio.create_task(notifier.run())
            await notifier.over.wait()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await ledger.read_on(http)
            return ledger, await priorities(store, ledger), await counted(store)
    finally:
        await world.stop()


def test_of_two_thousand_alerts_due_at_once_the_most_urgent_leave_first_and_none_is_refused(
    tmp_path: Path,
) -> None:
    with asyncio.Runner(loop_factory=DrivenLoop) as runner:
        ledger, order, states = runner.run(rush(tmp_path))
    assert [send for send in ledger.sends if send.status != 200] == []
    after_s = [(send.at - START).total_seconds() for send in ledger.accepted()]
    assert after_s[CRITICALS - 1] <= 5.0
    assert order[:CRITICALS] == [0] * CRITICALS
    # What is on its way at the same time may arrive in another order, nothing else.
    last_warning = max(index for index, each in enumerate(order) if each == 1)
    assert order.count(1) == WARNINGS
    assert last_warning - order.index(2) < SENDING_MAX
    # At the permitted rate: never more, and no second left unused while anything waits.
    seconds = [sum(1 for at in after_s if second <= at < second + 1) for second in range(WATCHED_S)]
    assert seconds == [PER_S] * WATCHED_S
    assert states == {"sent": SENT, "due": ALERTS - SENT}
