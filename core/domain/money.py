"""Amounts with their currency, and percentages of them."""

from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

HUNDRED = Decimal(100)
PERCENT_QUANTUM = Decimal("0.0001")


class Money(Struct, frozen=True, gc=False):
    """An amount of one currency; the sign is the holder's gain."""

    amount: Decimal
    currency: str


def percent_of(part: Decimal, whole: Decimal) -> Decimal:
    """`part` as a percentage of `whole`, to four decimals; 0 where `whole` is 0."""
    if whole == 0:
        return Decimal(0)
    return (part * HUNDRED / whole).quantize(PERCENT_QUANTUM, ROUND_HALF_EVEN)


def cents(amount: Decimal, digits: int = 2) -> Decimal:
    """`amount` rounded to a currency's digits, half to even."""
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
