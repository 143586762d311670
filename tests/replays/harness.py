"""Recorded quotes, fed to a whole house with a driven clock.

Before every call of a terminal the market is told the file's last quote at that instant, with the
file's own time. Of the engine a test takes the instants at which it read, and nothing else.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

from msgspec import Struct
from msgspec.structs import replace

from core.domain.broker import AccountSnapshot
from core.ports import TerminalGateway
from core.sim.ledger import Deal
from core.sim.symbols import SYMBOLS
from tests.engine.house import House

DATA = Path(__file__).parents[2].parent / "shared/market-data"
D = Decimal


class Quoted(Struct, frozen=True):
    """A quote of the file."""

    at: datetime
    bid: Decimal
    ask: Decimal

    @property
    def mid(self) -> Decimal:
        """Half way between both."""
        return (self.bid + self.ask) / 2


class Recording:
    """The usable quotes of a file, oldest first."""

    def __init__(self, quotes: Sequence[Quoted]) -> None:
        self.quotes = [q for q in quotes if 0 < q.bid <= q.ask]
        self._at = [q.at for q in self.quotes]

    def last(self, at: datetime) -> Quoted | None:
        """The last quote at or before an instant."""
        place = bisect_right(self._at, at)
        return self.quotes[place - 1] if place else None

    def known(self, at: datetime) -> Quoted:
        """The same, where there is one."""
        found = self.last(at)
        assert found is not None
        return found


def zipped(name: str, midnight: datetime, begin: datetime, end: datetime) -> list[Quoted]:
    """Rows of `milliseconds since midnight, bid, ask`, to the millisecond the broker keeps.

    Only those of a part of the day: the last before it, too.
    """
    first_s, last_s = ((at - midnight).total_seconds() - 60 * (at == begin) for at in (begin, end))
    with ZipFile(DATA / name) as archive:
        rows = archive.read(archive.namelist()[0]).decode().split()
    cells = (row.split(",") for row in rows)
    cells = (row for row in cells if first_s <= float(row[0]) / 1000 <= last_s)
    return [
        Quoted(midnight + timedelta(milliseconds=-(-int(D(at) * 10_000) // 10_000)), D(bid), D(ask))
        for at, bid, ask in cells
    ]


def exits(house: House, login: int) -> list[Deal]:
    """What closed an account's positions, as the broker booked it."""
    return [deal for deal in house.sim.ledger.deals(login) if deal.entry == 1]


def made_at(deal: Deal) -> datetime:
    """When the broker made a deal."""
    return datetime.fromtimestamp(deal.time_ms / 1000, UTC)


class ReplayHouse(House):
    """A house whose market is a recording."""

    def __init__(
        self, folder: Path, symbol: str, digits: int, file: Recording, start: datetime, **more: str
    ) -> None:
        first = file.known(start)
        terms = replace(SYMBOLS[symbol], digits=digits, bid=first.bid, ask=first.ask)
        self.begins, self.terms = start, {**SYMBOLS, symbol: terms}
        super().__init__(folder, **more)
        self.file = file
        self.symbol = symbol
        self.reads: defaultdict[int, list[datetime]] = defaultdict(list)
        self._shown: Quoted | None = None
        self.sim.market.set_mode(symbol, "frozen")
        self.feed()

    def _open_gateway(self) -> TerminalGateway:
        gateway = super()._open_gateway()
        self.gateway.before_call = lambda _verb: self.feed()
        self.gateway.as_read = self._noted
        return gateway

    def _noted(self, snapshot: AccountSnapshot) -> AccountSnapshot:
        self.reads[snapshot.state.login].append(snapshot.observed_at)
        return snapshot

    def feed(self) -> None:
        """Tell the market the quote of this instant."""
        now, quote = self.clock.instant, self.file.known(self.clock.instant)
        if quote is self._shown:
            return
        self._shown = quote
        self.clock.instant = quote.at
        self.sim.set_price(self.symbol, quote.bid, quote.ask)
        self.clock.instant = now

    async def run_until(self, end: datetime) -> None:
        """Run every cycle due until an instant."""
        await self.run((end - self.clock.instant).total_seconds())

    async def rest_until(self, end: datetime) -> None:
        """Let time pass without a reading, then read every account once."""
        self.clock.instant = end
        self.due = dict.fromkeys(self.due, end)
        await self.run(1)
