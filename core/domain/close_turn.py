"""In which turn a close job takes what is held: orders, positions, the oldest where it must."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

from core.domain.broker import ZERO, PendingOrder, Position, SymbolSpec


class CloseFirst(StrEnum):
    """Which position is closed first (setting CLOSE_FIRST)."""

    LARGEST_LOSS = "largest_loss"
    LARGEST_PROFIT = "largest_profit"
    LARGEST_EXPOSURE = "largest_exposure"
    OLDEST = "oldest"
    NEWEST = "newest"


Rank = tuple[Decimal, int]
"""What positions are sorted by, the smallest first."""


def in_turn(
    pending: Sequence[PendingOrder],
    positions: Sequence[Position],
    fifo: frozenset[str],
    first: CloseFirst,
    symbols: Mapping[str, SymbolSpec],
) -> list[PendingOrder | Position]:
    """Orders, then positions as asked for; those of a FIFO symbol together, oldest first.

    A FIFO symbol's turn is that of whichever of its positions would go first.
    """
    ranks = {p.ticket: _rank(p, first, symbols.get(p.symbol)) for p in positions}
    best: dict[str, Rank] = {}
    for position in positions:
        rank = ranks[position.ticket]
        best[position.symbol] = min(rank, best.get(position.symbol, rank))

    def turn(position: Position) -> tuple[Rank, str, Rank]:
        age = (_seconds(position), position.ticket)
        if position.symbol in fifo:
            return (best[position.symbol], position.symbol, age)
        return (ranks[position.ticket], "", age)

    return [*pending, *sorted(positions, key=turn)]


def _rank(position: Position, first: CloseFirst, spec: SymbolSpec | None) -> Rank:
    match first:
        case CloseFirst.LARGEST_LOSS:
            return (position.profit + position.swap, 0)
        case CloseFirst.LARGEST_PROFIT:
            return (-position.profit - position.swap, 0)
        case CloseFirst.LARGEST_EXPOSURE:
            return (-exposure(position, spec), 0)
        case CloseFirst.OLDEST:
            return (_seconds(position), position.ticket)
        case CloseFirst.NEWEST:
            return (-_seconds(position), -position.ticket)


def _seconds(position: Position) -> Decimal:
    return Decimal(repr(position.opened_at.timestamp()))


def exposure(position: Position, spec: SymbolSpec | None) -> Decimal:
    """What the position is worth at its price, in the account's currency; 0 where nobody can say.

    Price in ticks, times what a tick makes per lot.
    """
    if spec is None or spec.tick_size <= 0:
        return ZERO
    return position.volume * position.price_current / spec.tick_size * spec.tick_value
