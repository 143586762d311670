"""Which positions are which trades: by what they say of themselves, never by resemblance alone.

Invariants:

1. Identity goes first: the position identifiers stored with a trade, then our own tag (the trade's
   magic number and comment, both or the one half that survived). Tolerances never match.
2. What has lost its tag is matched only once the trade's own can no longer come, and only where
   every best assignment of all candidates has the pair. All else is a question, with its
   candidates.
3. What a person has said to be no trade's is not matched to it without a tag.
4. A position belongs to one trade; on a netting account to each trade whose deals made it.
5. The order in which positions, trades or deals arrive is irrelevant.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from core.domain.assignment import forced
from core.domain.broker import ZERO, Deal, DealEntry, DealReason, Position, SymbolSpec
from core.domain.closures import mean
from core.domain.findings import Origin
from core.records import TradeRow

COMMENT_TAG = "rk-"
"""What the comments handed to executors begin with; the approval's number follows."""
LATE_FILL_GRACE = timedelta(seconds=5)
"""An executor may place at the last moment; its position shows up a little later."""
CLOCK_SKEW_MAX = timedelta(seconds=2)
"""How much before its approval a trade may seem to be filled: two clocks are compared."""
BY_HAND_WINDOW = timedelta(hours=1)
"""For this long after a trade's deadline a position opened by hand may be meant for it."""
PENDING, OPEN, EXPIRED = "pending", "open", "expired"
SERVER = frozenset(
    {DealReason.STOP_LOSS, DealReason.TAKE_PROFIT, DealReason.STOP_OUT, DealReason.ROLLOVER}
)
"""Deals that no order of anybody's made; they may carry its tag all the same."""
ENTRIES = frozenset({DealEntry.IN, DealEntry.INOUT})
BY_HAND = frozenset({DealReason.CLIENT, DealReason.MOBILE, DealReason.WEB})

Deals = Mapping[int, Sequence[Deal]]
Symbols = Mapping[str, SymbolSpec]


class World(Struct, frozen=True, kw_only=True, gc=False):
    """What one complete reading shows, as far as matching goes. `at` is when it was begun.

    `refused` are the trades, by position identifier, that a person said a position is none of.
    """

    positions: Sequence[Position]
    symbols: Symbols
    deals: Deals
    netting: bool
    at: datetime
    refused: Mapping[int, frozenset[int]] = {}


class Matching(Struct, frozen=True, kw_only=True, gc=False):
    """Who is who. Trades are named by their ids, positions by their identifiers.

    `parts` are each trade's positions that are there; `past` the position of a trade that came and
    went between two readings, known by its deals alone. `duplicates` repeat a trade that has its
    volume, `strays` carry a trade's tag on another symbol, and `questions` are positions that may
    be any of several trades, or that somebody opened by hand and may have meant for one. `loose`:
    there are positions that are no trade's.
    """

    parts: Mapping[int, tuple[Position, ...]]
    past: Mapping[int, int] = {}
    duplicates: Mapping[int, TradeRow] = {}
    strays: Mapping[int, TradeRow] = {}
    questions: Mapping[int, tuple[int, ...]] = {}
    loose: bool = False


def identifiers(trade: TradeRow) -> tuple[int, ...]:
    """Every position known to be this trade's, the first fill's first."""
    if trade.position_id is None:
        return ()
    return (trade.position_id, *(trade.other_position_ids or ()))


def match(trades: Sequence[TradeRow], world: World) -> Matching:
    """Say which position is which trade."""
    parts: dict[int, tuple[Position, ...]] = {}
    taken: set[int] = set()
    by_identifier = {p.identifier: p for p in world.positions}
    there = by_identifier.get
    unplaced: list[TradeRow] = []
    for trade in trades:
        if trade.position_id is None:
            unplaced.append(trade)
            continue
        position = there(trade.position_id)
        if trade.other_position_ids:
            held = tuple(p for p in map(there, identifiers(trade)) if p is not None)
            if held:
                parts[trade.id] = held
                taken.update(p.identifier for p in held)
        elif position is not None:
            parts[trade.id] = (position,)
            taken.add(trade.position_id)
    if not unplaced and len(taken) == len(by_identifier):
        return Matching(parts=parts)
    search = _Search(trades, world, parts, taken)
    if len(taken) != len(by_identifier):
        search.by_tag()
    if unplaced:
        unplaced.sort(key=lambda t: t.id)
        if world.netting:
            search.by_deals(unplaced)
        search.came_and_went(unplaced)
        search.by_candidates(unplaced)
    return Matching(
        parts=parts,
        past=search.past,
        duplicates=search.duplicates,
        strays=search.strays,
        questions=search.questions,
        loose=len(taken) != len(by_identifier),
    )


class _Search:
    """The search for what identifiers do not say; fills in what it was given."""

    def __init__(
        self,
        trades: Sequence[TradeRow],
        world: World,
        parts: dict[int, tuple[Position, ...]],
        taken: set[int],
    ) -> None:
        self._trades = trades
        self._world = world
        self._parts = parts
        self._taken = taken
        self.past: dict[int, int] = {}
        self.duplicates: dict[int, TradeRow] = {}
        self.strays: dict[int, TradeRow] = {}
        self.questions: dict[int, tuple[int, ...]] = {}

    def _loose(self) -> list[Position]:
        named = self._taken | self.duplicates.keys() | self.strays.keys() | self.questions.keys()
        loose = [p for p in self._world.positions if p.identifier not in named]
        return sorted(loose, key=lambda p: (p.ticket, p.identifier))

    def by_tag(self) -> None:
        """Give each position to the trade whose tag it carries, while that has room for it."""
        by_magic: dict[int, list[TradeRow]] = {}
        by_comment: dict[str, list[TradeRow]] = {}
        for trade in self._trades:
            by_magic.setdefault(trade.magic, []).append(trade)
            by_comment.setdefault(trade.comment, []).append(trade)
        for position in self._loose():
            magic, comment = position.magic, position.comment
            named = [t for t in by_magic.get(magic, ()) if t.comment == comment]
            owners = self._owners(position, by_magic, by_comment)
            if not owners and len(named) == 1:
                self.strays[position.identifier] = named[0]
            elif not owners:
                continue
            elif len(owners) > 1:
                self.questions[position.identifier] = tuple(sorted(t.id for t in owners))
            elif self._has_room(owners[0], position):
                self._give(owners[0], position)
            else:
                self.duplicates[position.identifier] = owners[0]

    def by_deals(self, unplaced: Iterable[TradeRow]) -> None:
        """On a netting account an order only adds to the position; its deal says whose it was."""
        for trade in unplaced:
            if trade.id in self._parts:
                continue
            for position in self._world.positions:
                own = own_deals(trade, self._world.deals.get(position.identifier, ()))
                if own and same_symbol(trade, position.symbol, self._world.symbols):
                    self._give(trade, position)
                    break

    def came_and_went(self, unplaced: Iterable[TradeRow]) -> None:
        """Find trades that were filled and closed between two readings."""
        there = {p.identifier for p in self._world.positions}
        owned = {i for t in self._trades for i in identifiers(t)}
        if self._world.netting:
            owned = set()  # there its position may be another trade's as well
        for trade in unplaced:
            if trade.id in self._parts:
                continue
            found = [
                position_id
                for position_id, deals in self._world.deals.items()
                if position_id not in there and position_id not in owned
                if own_deals(trade, deals)
            ]
            if found:
                self.past[trade.id] = min(found)

    def by_candidates(self, unplaced: Iterable[TradeRow]) -> None:
        """Pair what has lost its tag, where there is only one best way; ask about the rest."""
        waiting = {t.id: t for t in unplaced if t.id not in self._parts and t.id not in self.past}
        loose = {p.identifier: p for p in self._loose() if p.magic == 0 and not ours(p.comment)}
        if not waiting or not loose:
            return
        possible = {
            (position.identifier, trade.id)
            for position in loose.values()
            for trade in waiting.values()
            if self._may_be(trade, position)
        }
        costs = {
            (identifier, trade_id): int(loose[identifier].volume != waiting[trade_id].volume)
            for identifier, trade_id in possible
            if loose[identifier].reason not in BY_HAND and self._is_over(waiting[trade_id])
            if trade_id not in self._world.refused.get(identifier, ())
        }
        pairs = forced(costs)
        for identifier, trade_id in sorted(pairs.items()):
            self._give(waiting[trade_id], loose[identifier])
        for identifier in loose.keys() - pairs.keys():
            asked = {t for i, t in possible if i == identifier} - set(pairs.values())
            if asked:
                self.questions[identifier] = tuple(sorted(asked))

    def _may_be(self, trade: TradeRow, position: Position) -> bool:
        """Whether the position is within the bounds of the trade: symbol, side and time.

        What has an older deal, or began on the other side, was only turned round meanwhile
        (netting): it is not the trade's.
        """
        earliest = trade.expected_at - CLOCK_SKEW_MAX
        deals = self._world.deals.get(position.identifier, ())
        until = BY_HAND_WINDOW if position.reason in BY_HAND else LATE_FILL_GRACE
        return (
            trade.status in {PENDING, EXPIRED}
            and trade.side == position.side
            and same_symbol(trade, position.symbol, self._world.symbols)
            and earliest <= position.opened_at <= trade.deadline_at + until
            and all(deal.executed_at >= earliest for deal in deals)
            and all(deal.deal_type == _kind_of(trade) for deal in deals if deal.entry in ENTRIES)
        )

    def _is_over(self, trade: TradeRow) -> bool:
        """Whether the trade's own tag can no longer come."""
        return self._world.at > trade.deadline_at + LATE_FILL_GRACE

    def _owners(
        self,
        position: Position,
        by_magic: Mapping[int, list[TradeRow]],
        by_comment: Mapping[str, list[TradeRow]],
    ) -> list[TradeRow]:
        """The trades a tag names: by both halves, else by the one that survived."""
        symbol, symbols = position.symbol, self._world.symbols
        magic = [t for t in by_magic.get(position.magic, ()) if same_symbol(t, symbol, symbols)]
        named: Iterable[TradeRow] = () if position.magic else by_comment.get(position.comment, ())
        comment = [t for t in named if same_symbol(t, symbol, symbols)]
        both = [t for t in magic if t.comment == position.comment]
        several: list[TradeRow] = []
        for fits in (both, magic, comment):
            if len(fits) == 1:
                return fits
            several = several or fits
        return several

    def _has_room(self, trade: TradeRow, position: Position) -> bool:
        """Whether it is the trade's first fill, or fits into what is still to be filled."""
        parts = self._parts.get(trade.id, ())
        is_first = trade.position_id is None and not parts
        if self._world.netting:
            return is_first
        known = {*identifiers(trade), *(p.identifier for p in parts)}
        if trade.position_id is None:
            known |= self._gone_before(position)
        entered = self._entered(trade, known)
        if is_first and entered == 0:
            return True
        seen = max(sum((p.volume for p in parts), ZERO), trade.observed_volume or ZERO)
        return max(seen, entered) + position.volume <= trade.volume

    def _gone_before(self, position: Position) -> set[int]:
        """Positions that were filled before this one and are gone; maybe nobody saw them."""
        there = {p.identifier for p in self._world.positions}
        return {i for i in self._world.deals if i < position.identifier and i not in there}

    def _entered(self, trade: TradeRow, position_ids: Iterable[int]) -> Decimal:
        """Lots that deals say were filled of the trade, whatever was closed of them since."""
        return sum(
            (
                deal.volume
                for position_id in position_ids
                for deal in own_deals(trade, self._world.deals.get(position_id, ()))
                if deal.entry == DealEntry.IN
            ),
            ZERO,
        )

    def _give(self, trade: TradeRow, position: Position) -> None:
        self._parts[trade.id] = (*self._parts.get(trade.id, ()), position)
        self._taken.add(position.identifier)


def same_symbol(trade: TradeRow, symbol: str, symbols: Symbols) -> bool:
    """Whether it is the trade's, by the broker's name or by Reckoner's: GOLD.r is XAUUSD."""
    if trade.symbol == symbol:
        return True
    one, other = symbols.get(trade.symbol), symbols.get(symbol)
    return one is not None and other is not None and one.canonical == other.canonical


def own_deals(trade: TradeRow, deals: Iterable[Deal]) -> list[Deal]:
    """The deals that this trade's own order made: what carries its tag, but for server closes."""
    return [
        d
        for d in deals
        if d.entry in {DealEntry.IN, DealEntry.INOUT, DealEntry.OUT}
        and d.reason not in SERVER
        and d.deal_type == _kind_of(trade)
        and (d.magic == trade.magic or (d.magic == 0 and d.comment == trade.comment))
    ]


def _kind_of(trade: TradeRow) -> int:
    """MetaTrader's type of a deal on the trade's side."""
    return 0 if trade.side == "buy" else 1


def ours(comment: str) -> bool:
    """Whether a comment is a tag that Reckoner handed out, to whatever trade."""
    return comment.startswith(COMMENT_TAG) and comment[len(COMMENT_TAG) :].isdigit()


def origin(position: Position) -> Origin:
    """Where a position that is no trade's came from."""
    if ours(position.comment):
        return Origin.ORPHAN
    if position.magic or position.reason not in BY_HAND:
        return Origin.FOREIGN_EA
    return Origin.MANUAL


class NotAdoptable(ValueError):
    """The position cannot be this trade; `why` is a word for the person who asked.

    Words: other_symbol, other_side, taken (it is another trade's already), no_room (the trade has
    its volume), over (the trade is closed).
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def adopt(
    trade: TradeRow,
    position: Position,
    trades: Iterable[TradeRow],
    *,
    by: int,
    at: datetime,
    symbols: Symbols,
) -> TradeRow:
    """The trade with this position as its fill, on a person's word: who (a user's id) and when.

    `trades` are all of the account that are known. The position's own figures are judged from then
    on like any other's. Raises NotAdoptable.
    """
    if not same_symbol(trade, position.symbol, symbols):
        raise NotAdoptable("other_symbol")
    if trade.side != position.side:
        raise NotAdoptable("other_side")
    if any(position.identifier in identifiers(t) for t in trades):
        raise NotAdoptable("taken")
    if trade.status == "closed":
        raise NotAdoptable("over")
    adopted = replace(trade, status=OPEN, adopted_by=by, adopted_at=at)
    if trade.position_id is None:
        return replace(
            adopted,
            position_id=position.identifier,
            entry_price=position.price_open,
            observed_volume=position.volume,
            opened_at=position.opened_at,
            stop_seen=position.stop_loss is not None,
            target_seen=position.take_profit is not None,
            missing_since=None,
            missing_count=0,
        )
    filled = trade.observed_volume or ZERO
    if filled + position.volume > trade.volume:
        raise NotAdoptable("no_room")
    return replace(
        adopted,
        other_position_ids=[*(trade.other_position_ids or ()), position.identifier],
        observed_volume=filled + position.volume,
        entry_price=mean(
            [
                (trade.entry_price or position.price_open, filled),
                (position.price_open, position.volume),
            ]
        ),
    )
