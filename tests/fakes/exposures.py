"""What an account holds of each symbol."""

from decimal import Decimal

from core.domain.exposure import SymbolExposure


def held(
    symbol: str,
    long: tuple[str, str | None] = ("0", "0"),
    short: tuple[str, str | None] = ("0", "0"),
) -> SymbolExposure:
    """Lots and value on each side."""
    return SymbolExposure(
        symbol=symbol,
        long_lots=Decimal(long[0]),
        short_lots=Decimal(short[0]),
        long_value=None if long[1] is None else Decimal(long[1]),
        short_value=None if short[1] is None else Decimal(short[1]),
    )


def exposures() -> tuple[SymbolExposure, ...]:
    """Gold both ways, euros short, an index long: 155,000 together."""
    return (
        held("XAUUSD", ("0.50", "78000"), ("0.20", "31000")),
        held("EURUSD", short=("0.30", "26000")),
        held("US30.cash", ("1", "20000")),
    )
