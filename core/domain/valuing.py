"""What a position results in at a quote that its own reading did not have yet."""

from decimal import Decimal

from core.domain.broker import Position, Side, SymbolSpec, Tick


def valued(position: Position, spec: SymbolSpec | None, quote: Tick | None) -> Decimal | None:
    """What a position would result in at a quote, swap and all, in the account's currency.

    As the terminal values it where the quote is that one, or none is known; else moved by what a
    tick of the symbol is worth per lot (`SymbolSpec.tick_value`). None where its figures say too
    little.
    """
    as_read = position.profit + position.swap
    if quote is None:
        return as_read
    price = quote.bid if position.side is Side.BUY else quote.ask
    if price == position.price_current:
        return as_read
    if spec is None or spec.tick_size <= 0 or spec.tick_value <= 0 or price <= 0:
        return None
    ticks = (price - position.price_current) * position.side.sign / spec.tick_size
    return as_read + ticks * spec.tick_value * position.volume
