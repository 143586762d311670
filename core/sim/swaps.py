"""What holding a position over a server midnight costs or earns: nights, swap modes, re-opening.

Swaps are charged when the server's day ends, Monday to Friday, once, and three times on the weekday
that stands for the weekend.
"""

from decimal import Decimal
from typing import Final

from core.sim.arithmetic import ZERO
from core.sim.codes import SwapMode
from core.sim.symbols import SymbolTerms, weekday

NIGHTS_MAX: Final = 400
"""Midnights made up for at once; a world that slept longer forgets the rest."""
TRIPLE: Final = 3
DAYS_OF_YEAR: Final = 360
"""A bank's year, by which interest is divided."""
WEEKEND: Final = frozenset({0, 6})
REOPENING: Final = frozenset({SwapMode.REOPEN_CURRENT, SwapMode.REOPEN_BID})


def charges(from_day: int, to_day: int, triple_weekday: int) -> int:
    """How many swaps the midnights that end the days from one to before the other make."""
    first = max(from_day, to_day - NIGHTS_MAX)
    days = (weekday(day) for day in range(first, to_day))
    return sum(TRIPLE if day == triple_weekday else 1 for day in days if day not in WEEKEND)


def one_night(
    terms: SymbolTerms, sign: int, volume: Decimal, current: Decimal, opened: Decimal
) -> tuple[Decimal, str]:
    """One swap of a position and its currency, "" for the account's own.

    0 in the modes that charge by re-opening the position.
    """
    rate = terms.swap_long if sign > 0 else terms.swap_short
    units = volume * terms.contract
    amounts = {
        SwapMode.POINTS: (rate * terms.point * units, terms.profit),
        SwapMode.CURRENCY_SYMBOL: (rate * volume, terms.base),
        SwapMode.CURRENCY_MARGIN: (rate * volume, terms.margin_currency),
        SwapMode.CURRENCY_DEPOSIT: (rate * volume, ""),
        SwapMode.INTEREST_CURRENT: (units * current * rate / 100 / DAYS_OF_YEAR, terms.profit),
        SwapMode.INTEREST_OPEN: (units * opened * rate / 100 / DAYS_OF_YEAR, terms.profit),
    }
    return amounts.get(terms.swap_mode, (ZERO, ""))


def reopening_price(
    terms: SymbolTerms, sign: int, nights: int, closed: Decimal, bid: Decimal
) -> Decimal:
    """Where a position closed at a price for the night is opened again: worse by the swap."""
    rate = terms.swap_long if sign > 0 else terms.swap_short
    base = bid if terms.swap_mode == SwapMode.REOPEN_BID else closed
    return base - sign * rate * nights * terms.point
