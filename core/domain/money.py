"""Percentages of amounts."""

from decimal import ROUND_HALF_EVEN, Decimal

HUNDRED = Decimal(100)
PERCENT_QUANTUM = Decimal("0.0001")


def percent_of(part: Decimal, whole: Decimal) -> Decimal:
    """`part` as a percentage of `whole`, to four decimals; 0 where `whole` is 0."""
    if whole == 0:
        return Decimal(0)
    return (part * HUNDRED / whole).quantize(PERCENT_QUANTUM, ROUND_HALF_EVEN)
