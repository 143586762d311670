"""Many real agents, some of which hang: how free the event loop stays, and at what price.

    python -m tests.benchmarks.agents --json

Starts a supervisor and a child for each account, over a terminal that costs nothing, and reads each
account once a second. Some hang in MetaTrader's way, holding the interpreter lock, again after each
restart. Measured: how late the event loop is (asked every 5 ms), how long the readings of the sound
ones take, memory, and how long all take to start.
"""

import argparse
import asyncio
import json
import logging
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from core.adapters.clock import SystemClock
from core.adapters.mt5.channel import AgentProcess, Channel
from core.adapters.mt5.gateway import Mt5Gateway
from core.adapters.mt5.shared import Limits
from core.ports import BrokerUnavailable, SnapshotRequest, TerminalLink, TerminalState
from tests.fakes.agents import FakeDirectory
from tests.fakes.cheap_terminal import OFFSET_S, SERVER
from tests.fakes.metrics import CountingMetrics

ROOT: Final = Path(__file__).parents[2]
AGENT: Final = ROOT / "core" / "adapters" / "mt5" / "agent.py"
MODULE: Final = "tests.fakes.cheap_terminal"
START_S_MAX: Final = 180.0
LAG_INTERVAL_S: Final = 0.005
READ_INTERVAL_S: Final = 1.0
LIMITS: Final = Limits(read_s=3.0, send_s=20.0, start_s=60.0)
KIB_PER_MIB: Final = 1024


class Crowd:
    """The agents, the gateway over them, and what was measured."""

    def __init__(self, folder: Path, agents: int, hanging: int) -> None:
        self._folder = folder
        self.hanging = range(1, hanging + 1)
        self.sound = range(hanging + 1, agents + 1)
        self._processes: list[AgentProcess] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.metrics = CountingMetrics()
        self.latencies_s: list[float] = []
        self.failed: Counter[str] = Counter()
        links = [self._link(login) for login in (*self.hanging, *self.sound)]
        self.gateway = Mt5Gateway(
            directory=FakeDirectory(*links),
            open_channel=self._open,
            epoch=1,
            clock=SystemClock(),
            metrics=self.metrics,
            spawn=self._spawn,
            limits=LIMITS,
        )

    def _link(self, login: int) -> TerminalLink:
        fault = "/hang" if login in self.hanging else ""
        path = f"/cheap/{login}{fault}"
        return TerminalLink(login=login, server=SERVER, path=path, server_offset_s=OFFSET_S)

    async def _open(self, link: TerminalLink) -> Channel:
        words = [sys.executable, str(AGENT), "--module", MODULE]
        words += ["--state-dir", str(self._folder / "state")]
        process = await AgentProcess.start(words, self._folder / f"{link.login}.log")
        self._processes.append(process)
        return process

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def start(self) -> float:
        """Ask for everybody until all are up; answers how long that took, seconds."""
        began_s = time.perf_counter()
        async with asyncio.timeout(START_S_MAX):
            left = {*self.hanging, *self.sound}
            while left:
                for login in sorted(left):
                    await self._read(login)
                    if self.state(login) is TerminalState.UP:
                        left.discard(login)
                await asyncio.sleep(0.05)
        return time.perf_counter() - began_s

    def state(self, login: int) -> TerminalState | None:
        """Where the terminal stands."""
        health = self.gateway.health(login, SERVER)
        return health.state if health else None

    async def _read(self, login: int) -> bool:
        since = SystemClock().now() - timedelta(minutes=10)
        request = SnapshotRequest(account_id=login, login=login, server=SERVER, deals_since=since)
        try:
            await self.gateway.snapshot(request)
        except BrokerUnavailable as error:
            self.failed[type(error).__name__] += 1
            return False
        return True

    async def read_on(self, until_s: float) -> None:
        """Read everybody once a second, each at its own moment of the second."""
        logins = (*self.hanging, *self.sound)
        await asyncio.gather(
            *(
                self._keep_reading(login, READ_INTERVAL_S * index / len(logins), until_s)
                for index, login in enumerate(logins)
            )
        )

    async def _keep_reading(self, login: int, first_in_s: float, until_s: float) -> None:
        due_s = time.perf_counter() + first_in_s
        while due_s < until_s:
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            began_s = time.perf_counter()
            if await self._read(login) and login in self.sound:
                self.latencies_s.append(time.perf_counter() - began_s)
            due_s = max(due_s + READ_INTERVAL_S, time.perf_counter())

    def memory_mib(self) -> dict[str, float]:
        """What the living agents keep; pages that are shared are split among those who share."""
        pids = [process.pid for process in self._processes if process.usable]
        children = [child for pid in pids for child in _children(pid)]
        return {
            "agents_pss_mib": round(sum(map(_pss_kib, [*pids, *children])) / KIB_PER_MIB, 1),
            "agents_processes": len(pids) + len(children),
            "gateway_rss_max_mib": round(
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB, 1
            ),
        }

    async def close(self) -> None:
        """End everything."""
        await self.gateway.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _pss_kib(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(each.split()[1]) for each in rollup.splitlines() if "Pss:" in each), 0)


async def watch_loop(until_s: float) -> list[float]:
    """How late the loop comes back each time, seconds."""
    lags_s = []
    while (began_s := time.perf_counter()) < until_s:
        await asyncio.sleep(LAG_INTERVAL_S)
        lags_s.append(max(0.0, time.perf_counter() - began_s - LAG_INTERVAL_S))
    return lags_s


def spread_ms(values_s: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum, milliseconds."""
    if not values_s:
        return {}
    ordered = sorted(values_s)
    at = {"p50": len(ordered) // 2, "p99": len(ordered) * 99 // 100, "max": len(ordered) - 1}
    return {name: round(ordered[index] * 1000, 2) for name, index in at.items()}


async def measure(agents: int, hanging: int, seconds: float) -> dict[str, Any]:
    """Start, read, and tell."""
    idle_s = await watch_loop(time.perf_counter() + 2)
    with tempfile.TemporaryDirectory() as folder:
        crowd = Crowd(Path(folder), agents, hanging)
        try:
            start_s = await crowd.start()
            crowd.failed.clear()
            until_s = time.perf_counter() + seconds
            _, lags_s = await asyncio.gather(crowd.read_on(until_s), watch_loop(until_s))
            memory = crowd.memory_mib()
            up = sum(crowd.state(login) is TerminalState.UP for login in crowd.sound)
        finally:
            await crowd.close()
    return {
        "agents": agents,
        "hanging": hanging,
        "seconds": seconds,
        "start_all_s": round(start_s, 1),
        "loop_lag_idle_ms": spread_ms(idle_s),
        "loop_lag_ms": spread_ms(lags_s),
        "snapshot_ms": spread_ms(crowd.latencies_s),
        "snapshots": len(crowd.latencies_s),
        "failed": dict(crowd.failed),
        "sound_up_at_end": up,
        "restarts": {word: n for (name, word), n in crowd.metrics.counts.items() if name},
        **memory,
    }


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--hanging", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    found = asyncio.run(measure(asked.agents, asked.hanging, asked.seconds))
    if asked.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
