"""Two thousand alerts due at once: how soon Telegram accepts them, on a real clock.

    python -m tests.benchmarks.delivery --json

The local Telegram runs in a process of its own and refuses whatever is faster than Telegram allows;
the outbox is a real SQLite file. 125 alerts are critical, 300 warnings, the rest news, written in
the worst order, to a thousand chats.
"""

import argparse
import asyncio
import itertools
import json
import logging
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import structlog

from bot.notifier import Notifier
from core.adapters.clock import SystemClock
from tests.wire.rush import (
    ALERTS,
    CRITICALS,
    Ledger,
    counted,
    fill,
    fresh_store,
    priorities,
    rush_notifier,
    rush_world,
    talking,
)

PATIENCE_S: Final = 300.0
LOOK_S: Final = 1.0
LOOKS: Final = 5
"""Looks between two questions whether all is sent: asking costs the store something, too."""


async def serve(folder: Path) -> None:
    """Be the world until told to end; its address is the one line said."""
    world = rush_world(folder)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await world.start()
    print(world.base_url, flush=True)
    await world.wait(stop)
    await world.stop()


async def measure(folder: Path) -> dict[str, Any]:
    """Send all of them, and tell."""
    words = [sys.executable, "-m", "tests.benchmarks.delivery", "--world", str(folder / "world")]
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    base_url = (await process.stdout.readline()).decode().strip()
    try:
        async with fresh_store(folder) as store, talking(base_url) as (bot, http):
            await bot.get_me()
            clock = SystemClock()
            ledger = Ledger(base_url)
            notifier = rush_notifier(bot, store, clock, Notifier)
            await fill(store, clock.now())
            began, cpu_s = clock.now(), time.process_time()
            running = asyncio.create_task(notifier.run())
            async with asyncio.timeout(PATIENCE_S):
                while await counted(store) != {"sent": ALERTS}:
                    for _ in range(LOOKS):
                        await asyncio.sleep(LOOK_S)
                        await ledger.read_on(http)
            cpu_s = time.process_time() - cpu_s
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            order = await priorities(store, ledger)
        return _told(ledger, order, began.timestamp()) | {"cpu_s": round(cpu_s, 1)}
    finally:
        process.terminate()
        await process.wait()


def _told(ledger: Ledger, order: list[int], began_s: float) -> dict[str, Any]:
    after_s = [round(send.at.timestamp() - began_s, 2) for send in ledger.accepted()]
    last = {p: max(i for i, each in enumerate(order) if each == p) for p in (0, 1, 2)}
    return {
        "alerts": ALERTS,
        "accepted": len(after_s),
        "refused": Counter(send.status for send in ledger.sends if send.message_id is None),
        "first_criticals_s": after_s[CRITICALS - 1],
        "criticals_s": after_s[last[0]],
        "warnings_s": after_s[last[1]],
        "all_s": after_s[-1],
        "inversions": sum(a > b for a, b in itertools.pairwise(order)),
        "busiest_second": _busiest(after_s),
    }


def _busiest(after_s: list[float]) -> int:
    """The most acceptances in any span of one second."""
    return max(sum(1 for other in after_s if at <= other < at + 1) for at in after_s)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--world", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if asked.world is not None:
        asyncio.run(serve(asked.world))
        return
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder)))
    if asked.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
