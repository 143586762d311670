"""Quotes of every symbol, and how each moves: by itself, when told, or not at all.

`walk` takes small seeded steps around the price last told, `manual` moves only when told, `frozen`
is a feed that stopped: its tick times stand still too. `replay` follows a file.
"""

import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import Struct

from core.sim.arithmetic import Quote
from core.sim.ledger import Journal
from core.sim.symbols import SymbolTerms

MODES: Final = ("walk", "manual", "frozen")
REPLAY: Final = "replay"
WALK_BOUND: Final = Decimal("0.0015")
"""How far a walk strays from the price last told, as a fraction of it: no accidental drawdown."""
WALK_STEP: Final = Decimal("0.00002")
"""The unit of a walk's step, as a fraction of the price; never less than a point."""
WALK_UNITS: Final = (-2, -1, -1, 0, 0, 1, 1, 2)


class _Line(Struct):
    """One symbol's state as journalled. `anchor` is the bid last told.

    `given` is the mode the world was started with: another one given later wins over what was told.
    """

    bid: Decimal
    ask: Decimal
    time_ms: int
    mode: str
    anchor: Decimal
    given: str


class Market:
    """The quotes. `clock_ms` answers true UTC milliseconds (market time in a replay)."""

    def __init__(
        self,
        symbols: Mapping[str, SymbolTerms],
        journal: Journal,
        clock_ms: Callable[[], int],
        *,
        mode: str,
        seed: int,
    ) -> None:
        self.symbols = dict(symbols)
        self.quotes: dict[str, Quote] = {}
        self.version = 0
        self._journal = journal
        self._clock_ms = clock_ms
        self._random = random.Random(seed)  # noqa: S311 - a simulated market, not a secret
        self._lines: dict[str, _Line] = {}
        self._unsaved: set[str] = set()
        kept = journal.load("sim.quote")
        for name, terms in self.symbols.items():
            self._start(terms, kept.get(name), mode)

    def _start(self, terms: SymbolTerms, kept: dict[str, object] | None, mode: str) -> None:
        if kept is None:
            line = _Line(terms.bid, terms.ask, self._clock_ms(), mode, terms.bid, mode)
        else:
            line = msgspec.convert(kept, _Line)
            if line.given != mode:
                line.mode = line.given = mode
        self._lines[terms.name] = line
        self.quotes[terms.name] = Quote(line.bid, line.ask, line.time_ms)

    def mode(self, symbol: str) -> str:
        """How the symbol moves now."""
        return self._lines[symbol].mode

    def set_mode(self, symbol: str, mode: str) -> None:
        """Change how the symbol moves; a walk goes on around the present price."""
        line = self._lines[symbol]
        line.mode, line.anchor = mode, line.bid
        line.time_ms = self._clock_ms()
        self._show(symbol, line)
        self.save(symbol)

    def set_quote(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        """Tell a price. The caller lets the broker run its stops afterwards."""
        line = self._lines[symbol]
        line.bid, line.ask, line.anchor, line.time_ms = bid, ask, bid, self._clock_ms()
        self._show(symbol, line)

    def walk(self) -> list[str]:
        """Take one step with every walking symbol; answers those whose price moved."""
        moved = []
        for symbol, line in self._lines.items():
            if line.mode == "walk" and self._step(symbol, line):
                moved.append(symbol)
        return moved

    def _step(self, symbol: str, line: _Line) -> bool:
        point = self.symbols[symbol].point
        unit = max(point, (line.anchor * WALK_STEP).quantize(point))
        step = self._random.choice(WALK_UNITS) * unit
        strayed = line.bid + step - line.anchor
        if abs(strayed) > line.anchor * WALK_BOUND:
            step = -abs(step) if strayed > 0 else abs(step)
        line.time_ms = self._clock_ms()
        line.bid, line.ask = line.bid + step, line.ask + step
        self._show(symbol, line)
        return bool(step)

    def _show(self, symbol: str, line: _Line) -> None:
        self.quotes[symbol] = Quote(line.bid, line.ask, line.time_ms)
        self.version += 1
        self._unsaved.add(symbol)

    def save(self, *symbols: str) -> None:
        """Journal the lines of these symbols, or of all that changed since the last time."""
        for symbol in symbols or tuple(self._unsaved):
            self._journal.put("sim.quote", symbol, msgspec.to_builtins(self._lines[symbol]))
            self._unsaved.discard(symbol)

    def tick_ms(self, symbol: str) -> int:
        """The instant of the latest tick: a live feed repeats its price, a frozen one does not."""
        line = self._lines[symbol]
        return line.time_ms if line.mode in ("frozen", REPLAY) else self._clock_ms()
