"""Conversion to pounds through the broker's own crosses, side-correct, never guessed."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from core.domain.broker import SymbolSpec, Tick
from core.domain.symbols import BRIDGES, POUND

RATE_QUANTUM = Decimal("0.00000001")


class Rate(Struct, frozen=True, gc=False):
    """What one unit of a currency fetches in pounds, and when that was quoted."""

    gbp_per_unit: Decimal
    at: datetime


class _Leg(Struct, frozen=True, gc=False):
    """What one unit of a currency fetches in another, not rounded, and when that was quoted."""

    factor: Decimal
    at: datetime


def gbp_rate(
    currency: str,
    ticks: Mapping[str, Tick],
    symbols: Mapping[str, SymbolSpec],
    now: datetime,
) -> Rate | None:
    """The rate at which an amount of `currency` could be turned into pounds, or None.

    Selling the currency: at the bid where it is the base, at the reciprocal ask where it is quoted.
    Directly, else in two such steps through dollars or else euros; then it is as old as the older
    quote. None is "not convertible" (law 11): no path through what the broker quotes.
    """
    if currency == POUND:
        return Rate(Decimal(1), now)
    direct = _sold(currency, POUND, ticks, symbols)
    if direct is not None:
        return _rounded(direct.factor, direct.at)
    for bridge in BRIDGES:
        first = _sold(currency, bridge, ticks, symbols)
        second = _sold(bridge, POUND, ticks, symbols)
        if first is not None and second is not None:
            return _rounded(first.factor * second.factor, min(first.at, second.at))
    return None


def to_gbp(amount: Decimal | None, rate: Decimal | None) -> Decimal | None:
    """The amount in pounds and pence, or None where either is unknown."""
    if amount is None or rate is None:
        return None
    return (amount * rate).quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def _sold(
    currency: str, wanted: str, ticks: Mapping[str, Tick], symbols: Mapping[str, SymbolSpec]
) -> _Leg | None:
    """What selling one currency for another fetches by the freshest quote of that pair."""
    best: _Leg | None = None
    for name in sorted(symbols):
        tick = ticks.get(name)
        # A quote of zero, or with the ask under the bid, is none.
        if tick is None or not 0 < tick.bid <= tick.ask:
            continue
        match symbols[name].canonical:
            case pair if pair == currency + wanted:
                leg = _Leg(tick.bid, tick.at)
            case pair if pair == wanted + currency:
                leg = _Leg(1 / tick.ask, tick.at)
            case _:
                continue
        if best is None or leg.at > best.at:
            best = leg
    return best


def _rounded(factor: Decimal, at: datetime) -> Rate | None:
    """The rate as it is stored; one too small to be stored converts nothing."""
    rate = factor.quantize(RATE_QUANTUM, ROUND_HALF_EVEN)
    return Rate(rate, at) if rate > 0 else None
