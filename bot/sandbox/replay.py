"""Recorded ticks in lockstep: market time is the app's clock and passes when the app lets it.

`advance` feeds every tick up to an instant, stops and stop-outs included. After the last tick of
the file market time is real time from there on, at that tick's prices, so that what was begun can
end; the world goes on answering. Each read of an account is written to `reads.jsonl`, so that a
test can work out the figures from the file by itself.

The clock and the quote are committed with whatever the ticks caused, and else once a second of real
time: after a crash market time resumes there, and the app, whose time never goes back, moves on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Final, TextIO

import msgspec

from core.sim.arithmetic import floor_volume
from core.sim.codes import Action, OrderType
from core.sim.ledger import Journal
from core.sim.market import REPLAY
from core.sim.simulation import PERSON, Simulation, iso
from core.sim.symbols import SYMBOLS, VOLUME_MIN, VOLUME_STEP, SymbolTerms
from core.sim.ticks import FileTick, TickFile, TickFileError
from core.sim.watch import Bounds, draw_bounds

READS_FILE: Final = "reads.jsonl"
MARK_MS: Final = 30_000
"""Executors ask the app each time this much market time has passed."""
COMMIT_S: Final = 1.0
HOLD_S: Final = 5.0
"""The longest one answer of a paced advance is held; the caller asks again."""
SLICE_S: Final = 0.1
"""Real seconds between two steps of a paced advance."""
REASON_MOBILE: Final = 1

HOLDINGS: Final = ((1, 35), (-1, 5), (1, 16), (1, 2))
"""What each account holds of the replayed symbol from the first tick on: side, and the position's
value as a multiple of the deposit. On the gold payrolls day (bid down 1.22 % from its peak, ask up
2.38 % from its trough) the first passes 20 % of drawdown, the third 15 %, the others neither."""


class ReplayClock:
    """Market time, true UTC milliseconds: `ms`, running on in real time once released there.

    `released_ms` is the real instant of the release; it outlives a restart, so that market time
    goes on meanwhile, as the app's does.
    """

    def __init__(self, now_ms: int, released_ms: int | None = None) -> None:
        self.ms = now_ms
        self.released_ms = released_ms
        self._latest_ms = now_ms

    def release(self) -> None:
        """Follow real time from here on."""
        if self.released_ms is None:
            self.released_ms = _real_ms()

    def now_ms(self) -> int:
        """Market time now; it never goes back."""
        if self.released_ms is None:
            return self.ms
        self._latest_ms = max(self._latest_ms, self.ms + _real_ms() - self.released_ms)
        return self._latest_ms


def _real_ms() -> int:
    return time.time_ns() // 1_000_000


def replay_symbols(ticks: TickFile) -> dict[str, SymbolTerms]:
    """The broker's symbols, the replayed one with the file's digits and its first quote."""
    first = next(ticks.ticks())
    terms = msgspec.structs.replace(
        SYMBOLS[ticks.symbol],
        digits=max(SYMBOLS[ticks.symbol].digits, ticks.digits),
        bid=Decimal(first.bid),
        ask=Decimal(first.ask),
    )
    return {**SYMBOLS, ticks.symbol: terms}


def market_clock(ticks: TickFile, journal: Journal) -> ReplayClock:
    """Market time as it stands: at the first tick, or where this replay was left.

    Raises TickFileError when the data directory holds another story.
    """
    kept = journal.load("sim.replay").get("clock")
    if kept is None and not journal.load("sim.account"):
        return ReplayClock(ceil(ticks.first_ms))
    if kept is None or (kept["file"], kept["first_ms"]) != (ticks.path.name, ticks.first_ms):
        raise TickFileError(
            f"{ticks.path.name}: the data directory holds another world, expected a fresh one"
        )
    return ReplayClock(kept["now_ms"], kept["released_ms"])


class Replay:
    """Feeds one file to a simulation. `at_mark` runs the executors."""

    def __init__(
        self,
        ticks: TickFile,
        simulation: Simulation,
        clock: ReplayClock,
        data_dir: Path,
        *,
        speed: float | None = None,
    ) -> None:
        self._file = ticks
        self._sim = simulation
        self._clock = clock
        self._speed = speed or 0.0
        self._reads_path = data_dir / READS_FILE
        self._reads: TextIO | None = None
        self._source = ticks.ticks()
        self._next: FileTick | None = None
        self._last: FileTick | None = None
        self._bounds = Bounds()
        self._versions = (-1, -1)
        self._lock = asyncio.Lock()
        self._committed_at = 0.0
        self._committed_version = -1
        self._pace: tuple[float, int] | None = None
        self.over = asyncio.Event()
        """Set once the last tick was fed."""
        self.at_mark: Callable[[], Awaitable[None]] = _nothing

    @property
    def ended(self) -> bool:
        """Whether the file has no more ticks."""
        return self._next is None

    def state(self) -> dict[str, object]:
        """What `/clock` answers."""
        return {
            "now_ms": self._clock.now_ms(),
            "ended": self.ended,
            "replay": True,
            "symbol": self._file.symbol,
            "ticks": self._file.count,
            "crossed": self._file.crossed,
        }

    def told(self) -> dict[str, object]:
        """What `/sim/state` says of it."""
        return {
            "now": iso(self._clock.now_ms()),
            "ended": self.ended,
            "ticks": self._file.count,
            "skipped_crossed": self._file.crossed,
        }

    def start(self) -> None:
        """Stand at the present instant; in a new world, let the accounts buy what they hold."""
        self._reads = self._reads_path.open("a", encoding="utf-8", buffering=1 << 16)
        fresh = not self._sim.journal.load("sim.replay")
        market = self._sim.market
        market.set_mode(self._file.symbol, REPLAY)
        self._next = next(self._source)
        self._feed(self._clock.ms, quiet=not fresh)
        if fresh:
            for login, (sign, multiple) in zip(self._sim.logins, HOLDINGS, strict=False):
                self._hold(login, sign, multiple)
        self._commit()

    def _hold(self, login: int, sign: int, multiple: int) -> None:
        terms = self._sim.broker.terms(self._file.symbol)
        account = self._sim.ledger.accounts[login]
        quotes = self._sim.market.quotes
        funds = self._sim.broker.converter.convert(
            account.balance, account.currency, terms.profit, quotes
        )
        lot_value = terms.contract * quotes[terms.name].ask
        volume = max(floor_volume(funds * multiple / lot_value, VOLUME_STEP), VOLUME_MIN)
        request = {
            "action": Action.DEAL,
            "symbol": terms.name,
            "volume": float(volume),
            "type": OrderType.BUY if sign > 0 else OrderType.SELL,
        }
        self._sim.submit(login, PERSON, request, reason=REASON_MOBILE)

    async def advance(self, until_ms: int) -> dict[str, object]:
        """Let market time pass until an instant, or as far as the pace or the file allows."""
        async with self._lock:
            began = time.monotonic()
            while self._clock.ms < until_ms and not self.ended:
                await self._move(self._allowed(until_ms))
                if self._speed and self._clock.ms < until_ms:
                    if time.monotonic() - began > HOLD_S:
                        break
                    await asyncio.sleep(SLICE_S)
            self._settle()
            return self.state()

    def _allowed(self, until_ms: int) -> int:
        """How far a paced replay may go by now; everywhere without a pace."""
        if not self._speed:
            return until_ms
        if self._pace is None:
            self._pace = (time.monotonic(), self._clock.ms)
        since, from_ms = self._pace
        return min(until_ms, from_ms + int((time.monotonic() - since) * self._speed * 1000))

    async def _move(self, target_ms: int) -> None:
        """Feed up to the target, letting executors ask at every mark on the way."""
        while self._clock.ms < target_ms and not self.ended:
            mark = (self._clock.ms // MARK_MS + 1) * MARK_MS
            self._feed(min(mark, target_ms))
            if self._clock.ms == mark:
                await self.at_mark()

    def _feed(self, until_ms: int, *, quiet: bool = False) -> None:
        """Take every tick up to an instant; `quiet` ones were already acted upon before a crash.

        A tick within the bounds costs two comparisons; the market is told the last one.
        """
        self._watch()
        tick, bounds = self._next, self._bounds
        while tick is not None and tick.time_ms <= until_ms:
            self._last = tick
            if not quiet and not bounds.is_quiet(float(tick.bid), float(tick.ask)):
                self._show(tick)
                self._sim.broker.reprice(self._file.symbol)
                self._versions = (-1, -1)
                self._watch()
                bounds = self._bounds
            tick = next(self._source, None)
        self._next = tick
        if self._last is not None:
            # The bounds speak of absolute prices: showing a quote inside of them changes nothing.
            self._show(self._last)
            self._versions = (self._versions[0], self._sim.market.version)
        self._clock.ms = until_ms if tick is not None else max(self._clock.ms, self._end_ms())
        if tick is None:
            self._clock.release()
            self.over.set()

    def _end_ms(self) -> int:
        return ceil(self._file.last_ms)

    def _show(self, tick: FileTick) -> None:
        self._clock.ms = max(self._clock.ms, ceil(tick.time_ms))
        self._sim.market.set_quote(self._file.symbol, Decimal(tick.bid), Decimal(tick.ask))

    def _watch(self) -> None:
        """Draw new bounds where positions changed, or another symbol's price did."""
        versions = (self._sim.ledger.version, self._sim.market.version)
        if versions != self._versions:
            self._bounds = draw_bounds(self._sim.broker, self._file.symbol)
            self._versions = versions

    def read(self, login: int) -> None:
        """Note that an account was read now."""
        if self._reads is None:
            return
        quote = self._sim.market.quotes[self._file.symbol]
        at_ms = self._clock.now_ms()
        line = {
            "at_ms": at_ms,
            "at": iso(at_ms),
            "login": login,
            "bid": float(quote.bid),
            "ask": float(quote.ask),
        }
        self._reads.write(msgspec.json.encode(line).decode() + "\n")

    def _settle(self) -> None:
        """Make durable what the ticks caused, at once; the mere passing of time now and then."""
        if self._reads is not None:
            self._reads.flush()
        caused = self._sim.ledger.version != self._committed_version
        if caused or self.ended or time.monotonic() - self._committed_at > COMMIT_S:
            self._commit()

    def _commit(self) -> None:
        self._sim.market.save()
        self._sim.journal.put(
            "sim.replay",
            "clock",
            {
                "file": self._file.path.name,
                "first_ms": self._file.first_ms,
                "now_ms": self._clock.ms,
                "released_ms": self._clock.released_ms,
            },
        )
        self._sim.journal.commit()
        self._committed_at = time.monotonic()
        self._committed_version = self._sim.ledger.version

    def stop(self) -> None:
        """Close both files."""
        self._source.close()
        if self._reads is not None:
            self._reads.close()
            self._reads = None


async def _nothing() -> None:
    """Without executors there is nobody to ask."""
