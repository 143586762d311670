"""Conversion to pounds through the broker's own crosses, side-correct, never guessed."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from core.domain.broker import SymbolSpec, Tick

POUND = "GBP"
RATE_QUANTUM = Decimal("0.00000001")


class Rate(Struct, frozen=True, gc=False):
    """What one unit of a currency fetches in pounds, and when that was quoted."""

    gbp_per_unit: Decimal
    at: datetime


def gbp_rate(
    currency: str,
    ticks: Mapping[str, Tick],
    symbols: Mapping[str, SymbolSpec],
    now: datetime,
) -> Rate | None:
    """The rate at which an amount of `currency` could be turned into pounds, or None.

    Selling the currency: its bid where it is the base, the reciprocal ask where it is quoted.
    None is "not convertible" (law 11): no path through the broker's symbols.
    """
    if currency == POUND:
        return Rate(Decimal(1), now)
    for name, spec in symbols.items():
        tick = ticks.get(name)
        if tick is None or tick.bid <= 0 or tick.ask <= 0:
            continue
        if (spec.currency_base, spec.currency_profit) == (currency, POUND):
            return Rate(tick.bid.quantize(RATE_QUANTUM, ROUND_HALF_EVEN), tick.at)
        if (spec.currency_base, spec.currency_profit) == (POUND, currency):
            return Rate((1 / tick.ask).quantize(RATE_QUANTUM, ROUND_HALF_EVEN), tick.at)
    return None


def to_gbp(amount: Decimal | None, rate: Decimal | None) -> Decimal | None:
    """The amount in pounds and pence, or None where either is unknown."""
    if amount is None or rate is None:
        return None
    return (amount * rate).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
