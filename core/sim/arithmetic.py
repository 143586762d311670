"""Profit, conversion, margin, equity and stop-out, exact, as a MetaTrader 5 server counts them.

Money is `Decimal` in the currency named, volume in lots, prices in the symbol's profit currency.
Rounding to the account's digits happens once per position or deal, half away from zero, as the
terminals print it (golden rows in the tests).
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Final

from msgspec import Struct

from core.sim.symbols import SymbolTerms

ZERO: Final = Decimal(0)
STOP_OUT_LEVEL_PERCENT: Final = Decimal(50)
PIVOT: Final = "USD"
"""Currencies without a symbol of their own between them are converted through this one."""
PRICE_STEP: Final = Decimal("0.00000001")
"""Average prices of netting positions are kept to this step."""


class NoRate(Exception):
    """No symbol of this broker converts the two currencies."""


class Quote(Struct, frozen=True):
    """A symbol's price. `time_ms` is true UTC, milliseconds."""

    bid: Decimal
    ask: Decimal
    time_ms: int


class Leg(Struct, frozen=True):
    """One conversion step: through `symbol`, multiplying (`direct`) or dividing by its price."""

    symbol: str
    direct: bool


def round_money(amount: Decimal, digits: int) -> Decimal:
    """Round to the currency's digits, half away from zero. Never answers minus zero."""
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP) + ZERO


def floor_volume(volume: Decimal, step: Decimal) -> Decimal:
    """Round a volume down to a multiple of `step`."""
    return (volume / step).to_integral_value(rounding=ROUND_DOWN) * step


def average_price(volume: Decimal, price: Decimal, added: Decimal, at: Decimal) -> Decimal:
    """Price of a netting position of `volume` at `price` after `added` lots `at` another price."""
    return ((volume * price + added * at) / (volume + added)).quantize(PRICE_STEP).normalize()


def raw_profit(
    terms: SymbolTerms, sign: int, volume: Decimal, opened: Decimal, closed: Decimal
) -> Decimal:
    """Profit in the symbol's profit currency. `sign` is +1 for a buy, -1 for a sell."""
    return (closed - opened) * sign * volume * terms.contract


class Converter:
    """Converts amounts between currencies at the broker's own quotes, on the correct side."""

    def __init__(self, symbols: Mapping[str, SymbolTerms]) -> None:
        pairs = (terms for terms in symbols.values() if terms.is_forex)
        self._pairs = {(terms.base, terms.profit): terms.name for terms in pairs}

    def legs(self, source: str, target: str) -> tuple[Leg, ...]:
        """The steps from one currency to another. Raises NoRate."""
        if source == target:
            return ()
        for path in ((source, target), (source, PIVOT, target)):
            found = [self._leg(*step) for step in pairwise(path)]
            steps = tuple(leg for leg in found if leg is not None)
            if len(steps) == len(found):
                return steps
        raise NoRate(f"no symbol converts {source} to {target}")

    def _leg(self, source: str, target: str) -> Leg | None:
        if (source, target) in self._pairs:
            return Leg(self._pairs[source, target], direct=True)
        if (target, source) in self._pairs:
            return Leg(self._pairs[target, source], direct=False)
        return None

    def convert(
        self, amount: Decimal, source: str, target: str, quotes: Mapping[str, Quote]
    ) -> Decimal:
        """What `amount` of `source` is worth in `target`, unrounded. Raises NoRate.

        A gain is sold: at the bid of a direct pair, or it buys the target at the ask of an inverse
        one. A loss must be bought: the other side.
        """
        gain = amount >= 0
        for leg in self.legs(source, target):
            quote = quotes[leg.symbol]
            if leg.direct:
                amount *= quote.bid if gain else quote.ask
            else:
                amount /= quote.ask if gain else quote.bid
        return amount


class Money(Struct, frozen=True):
    """An account's currency, its digits and its leverage."""

    currency: str
    digits: int
    leverage: int


def profit(
    terms: SymbolTerms,
    deal: tuple[int, Decimal, Decimal, Decimal],
    money: Money,
    converter: Converter,
    quotes: Mapping[str, Quote],
) -> Decimal:
    """Profit in the account's currency, rounded. `deal` is (sign, volume, opened, closed).

    A pair whose base is the account's currency converts at its own closing price; any other
    profit currency converts through the broker's crosses.
    """
    sign, volume, opened, closed = deal
    raw = raw_profit(terms, sign, volume, opened, closed)
    return in_account(terms, raw, closed, money, converter, quotes)


def in_account(
    terms: SymbolTerms,
    raw: Decimal,
    closed: Decimal,
    money: Money,
    converter: Converter,
    quotes: Mapping[str, Quote],
) -> Decimal:
    """An amount in the symbol's profit currency, made when it stood at `closed`, rounded."""
    if terms.profit == money.currency:
        amount = raw
    elif terms.is_forex and terms.base == money.currency:
        amount = raw / closed
    else:
        amount = converter.convert(raw, terms.profit, money.currency, quotes)
    return round_money(amount, money.digits)


class TickValue(Struct, frozen=True):
    """What one tick of one lot is worth in an account's currency, gained and lost."""

    gain: Decimal
    loss: Decimal


def tick_value(
    terms: SymbolTerms, money: Money, converter: Converter, quotes: Mapping[str, Quote]
) -> TickValue:
    """The two differ by the side on which each is converted; 0 where nothing converts them."""
    tick = terms.contract * terms.point
    try:
        gain = converter.convert(tick, terms.profit, money.currency, quotes)
        loss = converter.convert(-tick, terms.profit, money.currency, quotes)
    except NoRate:
        return TickValue(ZERO, ZERO)
    return TickValue(gain, -loss)


def margin(
    terms: SymbolTerms,
    volume: Decimal,
    opened: Decimal,
    money: Money,
    converter: Converter,
    quotes: Mapping[str, Quote],
) -> Decimal:
    """Margin of `volume` lots opened at a price, in the account's currency, unrounded."""
    lots_value = volume * terms.contract / money.leverage
    if not terms.is_forex:
        lots_value *= opened
    elif terms.profit == money.currency:
        return lots_value * opened
    source = terms.margin_currency
    return -converter.convert(-lots_value, source, money.currency, quotes)


def larger_leg(margins: Iterable[tuple[str, int, Decimal]]) -> Decimal:
    """Margin of hedged positions: per symbol, the larger of its buys and its sells.

    Takes (symbol, sign, margin) of every position.
    """
    legs: dict[tuple[str, int], Decimal] = {}
    for symbol, sign, amount in margins:
        legs[symbol, sign] = legs.get((symbol, sign), ZERO) + amount
    symbols = {symbol for symbol, _ in legs}
    return sum(
        (max(legs.get((name, 1), ZERO), legs.get((name, -1), ZERO)) for name in symbols), ZERO
    )


def is_stopped_out(
    equity: Decimal, used: Decimal, level_percent: Decimal = STOP_OUT_LEVEL_PERCENT
) -> bool:
    """Whether the margin level is at or under the stop-out level."""
    return used > 0 and equity * 100 <= used * level_percent


def margin_level(equity: Decimal, used: Decimal) -> Decimal:
    """Equity as a percentage of margin; 0 without margin, as the terminals print it."""
    return equity / used * 100 if used else ZERO
