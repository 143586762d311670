"""Pips: the unit traders quote slippage and spread in.

A pip is 10 points on symbols with 3 or 5 digits, else 1 point, unless the symbol has an override
(XAUUSD 0.10, the indices 1.0), because brokers quote metals and indices with any number of digits.
An override is found by the broker's name of the symbol, else by Reckoner's (`XAUUSD` for `GOLD.r`).
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from core.domain.broker import Side, SymbolSpec

FRACTIONAL_DIGITS = (3, 5)
PIP_QUANTUM = Decimal("0.01")
_BUY = Side.BUY
_QUANTA = tuple(Decimal(1).scaleb(-digits) for digits in range(9))


def by_symbol(overrides: Mapping[str, Decimal], spec: SymbolSpec) -> Decimal | None:
    """What is set for the symbol under the broker's name, else under Reckoner's; None for none."""
    override = overrides.get(spec.name)
    return overrides.get(spec.canonical) if override is None else override


def pip_size(spec: SymbolSpec, overrides: Mapping[str, Decimal]) -> Decimal:
    """The price of one pip of this symbol."""
    override = by_symbol(overrides, spec)
    if override is not None:
        return override
    point = point_size(spec)
    return point * 10 if spec.digits in FRACTIONAL_DIGITS else point


def point_size(spec: SymbolSpec) -> Decimal:
    """The last digit of this symbol's prices; one that is not selected shows none itself."""
    return spec.point if spec.point > 0 else quantum(spec.digits)


def quoted(price: Decimal, spec: SymbolSpec | None) -> Decimal:
    """The price with as many digits as the symbol is quoted with: 1.08 becomes 1.08000.

    Unchanged where it has more digits than that, or the symbol is not known.
    """
    if spec is None:
        return price
    unit = quantum(spec.digits)
    if price.same_quantum(unit):
        return price
    shown = price.quantize(unit, ROUND_HALF_EVEN)
    return shown if shown == price else price


def quantum(digits: int) -> Decimal:
    """One unit of the last of so many decimals."""
    return _QUANTA[digits] if 0 <= digits < len(_QUANTA) else Decimal(1).scaleb(-digits)


def in_pips(price_distance: Decimal, pip: Decimal) -> Decimal:
    """A price distance in pips, to two decimals, keeping its sign."""
    return (price_distance / pip).quantize(PIP_QUANTUM, ROUND_HALF_EVEN)


def in_points(price_distance: Decimal, point: Decimal) -> Decimal:
    """A price distance in points, to two decimals (means may lie between), keeping its sign."""
    return (price_distance / point).quantize(PIP_QUANTUM, ROUND_HALF_EVEN)


def entry_slippage_pips(side: Side, expected: Decimal, filled: Decimal, pip: Decimal) -> Decimal:
    """How much worse than expected an entry was filled: adverse positive, favourable negative."""
    distance = filled - expected
    return in_pips(distance if side == _BUY else -distance, pip)
