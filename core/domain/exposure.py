"""What an account holds, symbol by symbol: long, short, and what is left of both together."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from core.domain.broker import ZERO, Position, Side, SymbolSpec
from core.domain.headroom import position_value


class SymbolExposure(Struct, frozen=True, kw_only=True):
    """What is held of one symbol: lots, and their value in the account's currency, on each side.

    A value is None where the symbol's figures say too little to know it.
    """

    symbol: str
    long_lots: Decimal
    short_lots: Decimal
    long_value: Decimal | None
    short_value: Decimal | None

    @property
    def net_lots(self) -> Decimal:
        """Long less short; below zero it is short on the whole."""
        return self.long_lots - self.short_lots

    @property
    def net_value(self) -> Decimal | None:
        """The same in money."""
        if self.long_value is None or self.short_value is None:
            return None
        return self.long_value - self.short_value

    @property
    def gross_value(self) -> Decimal | None:
        """Both sides added."""
        if self.long_value is None or self.short_value is None:
            return None
        return self.long_value + self.short_value


def by_symbol(
    positions: Sequence[Position], symbols: Mapping[str, SymbolSpec]
) -> tuple[SymbolExposure, ...]:
    """The positions together by symbol, the largest first, those of unknown value at the end."""
    names = dict.fromkeys(p.symbol for p in positions)
    found = [_of([p for p in positions if p.symbol == name], symbols.get(name)) for name in names]
    return tuple(sorted(found, key=_order))


def together(rows: Sequence[SymbolExposure]) -> Decimal | None:
    """The value of everything, both sides added; None where any of it is not known."""
    known = [row.gross_value for row in rows]
    values = [value for value in known if value is not None]
    return sum(values, ZERO) if len(values) == len(known) else None


def _of(positions: Sequence[Position], spec: SymbolSpec | None) -> SymbolExposure:
    long = [p for p in positions if p.side is Side.BUY]
    short = [p for p in positions if p.side is not Side.BUY]
    return SymbolExposure(
        symbol=positions[0].symbol,
        long_lots=sum((p.volume for p in long), ZERO),
        short_lots=sum((p.volume for p in short), ZERO),
        long_value=_value(long, spec),
        short_value=_value(short, spec),
    )


def _value(positions: Sequence[Position], spec: SymbolSpec | None) -> Decimal | None:
    values = [position_value(p, spec) for p in positions]
    known = [value for value in values if value is not None]
    return sum(known, ZERO) if len(known) == len(values) else None


def _order(row: SymbolExposure) -> tuple[bool, Decimal, Decimal, str]:
    gross = row.gross_value
    return (gross is None, -(gross or ZERO), -(row.long_lots + row.short_lots), row.symbol)
