"""What is known of each symbol's market at each server: quotes, what is usual, and who holds it.

Kept in memory for every account's reading, and compactly in the store, so that a gap over a
restart, and one before anybody held the symbol, has an earlier quote to be compared with.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from core.domain.broker import AccountSnapshot, Position, Tick
from core.domain.quotes import MarketPolicy, Reading, Seen, Track, look
from core.domain.usual import of_samples
from core.ports import Store, Transaction
from core.records import MarketQuoteRow

TRACKS_MAX = 2000
"""Symbols remembered over all servers; past it the one seen longest ago is forgotten."""
QUOTES_SAVED_EVERY = timedelta(minutes=1)
SAMPLES_SAVED_EVERY = timedelta(minutes=15)
QUOTES_KEPT = timedelta(days=30)
"""A symbol not seen for so long is forgotten at a start."""

Place = tuple[str, str]
"""A server and a symbol there."""


class MarketWatch:
    """Remembers quotes and holders; decides nothing."""

    def __init__(self, store: Store, policy: MarketPolicy) -> None:
        self._store = store
        self._policy = policy
        self._tracks: dict[Place, Track] = {}
        self._seen: dict[Place, Seen] = {}
        self._holders: defaultdict[Place, set[int]] = defaultdict(set)
        self._held: dict[int, frozenset[Place]] = {}
        self._unsaved: set[Place] = set()
        self._stored: set[Place] = set()
        self._quotes_saved_at: datetime | None = None
        self._samples_saved_at: datetime | None = None

    async def load(self, now: datetime) -> None:
        """Take up what was remembered when the process ended; forget what is long out of use."""
        async with self._store.writing() as tx:
            await tx.delete(MarketQuoteRow, seen_at__lt=now - QUOTES_KEPT)
            rows = await tx.find(MarketQuoteRow, order_by="-seen_at", limit=TRACKS_MAX)
        self._tracks = {(row.server, row.symbol): _track(row) for row in reversed(rows)}
        self._stored = set(self._tracks)
        self._quotes_saved_at = self._samples_saved_at = now

    # --- looking --------------------------------------------------------------------------------

    def holds(self, snapshot: AccountSnapshot) -> None:
        """Note what an account holds now."""
        server, account_id = snapshot.state.server, snapshot.account_id
        now_held = frozenset((server, p.symbol) for p in snapshot.positions)
        before = self._held.get(account_id, frozenset())
        if now_held == before:
            return
        for place in before - now_held:
            self._holders[place].discard(account_id)
            if not self._holders[place]:
                del self._holders[place]
        for place in now_held - before:
            self._holders[place].add(account_id)
        self._held[account_id] = now_held

    def look(self, snapshot: AccountSnapshot) -> list[tuple[str, Seen]]:
        """Judge every quote of a reading that is not older than the one known; remember them."""
        server, found = snapshot.state.server, []
        for symbol, tick in snapshot.ticks.items():
            place, spec = (server, symbol), snapshot.symbols.get(symbol)
            known = self._tracks.get(place)
            if spec is None or (known is not None and tick.at < known.tick.at):
                continue
            reading = Reading(
                tick=tick,
                spec=spec,
                now=snapshot.observed_at,
                server_offset_s=snapshot.server_offset_s,
                opened=_last_opened(snapshot.positions, symbol),
                newest_at=self._newest(server, symbol, tick, snapshot),
            )
            track, seen = look(known, reading, self._policy)
            self._tracks.pop(place, None)
            self._tracks[place] = track  # the newest at the end: the oldest is forgotten first
            self._seen[place] = seen
            self._unsaved.add(place)
            found.append((symbol, seen))
        self._forget()
        return found

    def remembered(self, snapshot: AccountSnapshot) -> dict[Place, Track | None]:
        """The tracks that a reading may move, for `forget_reading`."""
        server = snapshot.state.server
        return {(server, name): self._tracks.get((server, name)) for name in snapshot.ticks}

    def forget_reading(self, before: Mapping[Place, Track | None]) -> None:
        """Take a reading back that could not be acted on: its jumps are judged the next time."""
        for place, track in before.items():
            self._tracks.pop(place, None)
            if track is not None:
                self._tracks[place] = track

    def seen(self, server: str, symbol: str) -> Seen | None:
        """What the last reading of this start said of a symbol; None before the first."""
        return self._seen.get((server, symbol))

    def track(self, server: str, symbol: str) -> Track | None:
        """What is remembered of a symbol."""
        return self._tracks.get((server, symbol))

    def offset_s(self, server: str) -> int | None:
        """A server's clock minus UTC, as last read; None where it was never read."""
        known = (t.server_offset_s for (at, _), t in reversed(self._tracks.items()) if at == server)
        return next(known, None)

    def holders(self, server: str, symbol: str) -> list[int]:
        """The accounts that hold the symbol, by their last readings."""
        return sorted(self._holders.get((server, symbol), ()))

    def _newest(
        self, server: str, symbol: str, tick: Tick, snapshot: AccountSnapshot
    ) -> datetime | None:
        """The newest quote of any other symbol there, where this one's age is in question."""
        if snapshot.observed_at - tick.at < timedelta(seconds=self._policy.quote_age_s):
            return None
        here = [t.at for name, t in snapshot.ticks.items() if name != symbol]
        known = (
            t.tick.at for (at, name), t in self._tracks.items() if at == server and name != symbol
        )
        return max((*here, *known), default=None)

    def _forget(self) -> None:
        while len(self._tracks) > TRACKS_MAX:
            place = next(iter(self._tracks))
            self._tracks.pop(place)
            self._seen.pop(place, None)
            self._unsaved.discard(place)
            self._stored.discard(place)

    # --- keeping --------------------------------------------------------------------------------

    async def save(self, now: datetime, *, force: bool = False) -> None:
        """Write down what changed: quotes each minute, samples each quarter of an hour."""
        due = self._quotes_saved_at is None or now - self._quotes_saved_at >= QUOTES_SAVED_EVERY
        if not self._unsaved or not (due or force):
            return
        whole = (
            force
            or self._samples_saved_at is None
            or now - self._samples_saved_at >= SAMPLES_SAVED_EVERY
        )
        places = [p for p in (self._tracks if whole else self._unsaved) if p in self._tracks]
        self._unsaved.clear()  # what is read while this is written is due the next time
        async with self._store.writing() as tx:
            for place in places:
                await self._save(tx, place, whole=whole)
        self._stored.update(places)
        self._quotes_saved_at = now
        if whole:
            self._samples_saved_at = now

    async def _save(self, tx: Transaction, place: Place, *, whole: bool) -> None:
        row = _row(place, self._tracks[place])
        if place not in self._stored:
            await tx.delete(MarketQuoteRow, server=row.server, symbol=row.symbol)
            await tx.insert(row)
            return
        changes = {
            name: getattr(row, name)
            for name in ("bid", "ask", "quoted_at", "seen_at", "server_offset_s")
        }
        if whole:
            changes |= {"moves": row.moves, "spreads": row.spreads}
        await tx.update(MarketQuoteRow, {"server": row.server, "symbol": row.symbol}, **changes)


def _track(row: MarketQuoteRow) -> Track:
    return Track(
        tick=Tick(symbol=row.symbol, bid=row.bid, ask=row.ask, at=row.quoted_at),
        spec=None,
        seen_at=row.seen_at,
        server_offset_s=row.server_offset_s,
        usual=of_samples(row.moves, {int(hour): each for hour, each in row.spreads.items()}),
    )


def _row(place: Place, track: Track) -> MarketQuoteRow:
    server, symbol = place
    quote = track.lasting
    return MarketQuoteRow(
        server=server,
        symbol=symbol,
        bid=quote.bid,
        ask=quote.ask,
        quoted_at=quote.at,
        seen_at=track.seen_at,
        server_offset_s=track.server_offset_s,
        moves=list(track.usual.moves),
        spreads={str(hour): list(points) for hour, points in track.usual.spreads.items()},
    )


def _last_opened(positions: Iterable[Position], symbol: str) -> Position | None:
    ours = (p for p in positions if p.symbol == symbol)
    return max(ours, key=lambda p: p.opened_at, default=None)
