"""Exposure by symbol: lots and their value on each side, and what is not known said as that."""

from decimal import Decimal

from core.domain.broker import Position, Side
from core.domain.exposure import by_symbol, together
from tests.unit.domain.make import position, spec

D = Decimal

GOLD = spec("XAUUSD", tick_size=D("0.01"), tick_value=D(1))
"""One lot is 100 oz: 0.01 of the price is 1 of the account's currency."""
EURO = spec("EURUSD", tick_size=D("0.00001"), tick_value=D("0.8"))
"""One lot is 100,000 euros; the account counts in pounds at 0.8 to the dollar."""


def held(symbol: str, side: Side, volume: str, price: str) -> Position:
    return position(symbol=symbol, side=side, volume=D(volume), price_current=D(price))


def test_each_side_is_added_and_the_larger_symbol_comes_first() -> None:
    """0.50 and 0.20 lots of gold at 1950 are 97,500 and 39,000; 0.30 of the euro at 1.10 26,400."""
    positions = [
        held("EURUSD", Side.SELL, "0.30", "1.10"),
        held("XAUUSD", Side.BUY, "0.30", "1950"),
        held("XAUUSD", Side.SELL, "0.20", "1950"),
        held("XAUUSD", Side.BUY, "0.20", "1950"),
    ]
    gold, euro = by_symbol(positions, {"XAUUSD": GOLD, "EURUSD": EURO})
    assert gold.symbol == "XAUUSD"
    assert (gold.long_lots, gold.short_lots) == (D("0.50"), D("0.20"))
    assert (gold.long_value, gold.short_value) == (D(97_500), D(39_000))
    assert (gold.net_lots, gold.net_value, gold.gross_value) == (D("0.30"), D(58_500), D(136_500))
    assert (euro.net_lots, euro.net_value) == (D("-0.30"), D(-26_400))
    assert together([gold, euro]) == 136_500 + 26_400


def test_a_value_that_is_not_known_is_not_taken_for_nothing() -> None:
    positions = [
        held("ODD", Side.BUY, "5", "10"),
        held("XAUUSD", Side.BUY, "0.01", "1950"),
    ]
    gold, odd = by_symbol(positions, {"XAUUSD": GOLD})
    assert gold.gross_value == 1_950
    assert (odd.symbol, odd.long_lots, odd.long_value, odd.net_value) == ("ODD", D(5), None, None)
    assert together([gold, odd]) is None
    assert by_symbol([], {}) == ()
