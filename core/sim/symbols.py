"""The symbols of the simulated broker: contract terms and where their prices start."""

from decimal import Decimal
from typing import Final

from msgspec import Struct

VOLUME_MIN: Final = Decimal("0.01")
VOLUME_STEP: Final = Decimal("0.01")
VOLUME_MAX: Final = Decimal(100)

FOK_ONLY: Final = 1
IOC_ONLY: Final = 2
FOK_OR_IOC: Final = 3


class SymbolTerms(Struct, frozen=True, kw_only=True):
    """Contract terms of one symbol. Prices in `profit` currency per unit of `base`.

    `filling_mode` is the SYMBOL_FILLING bit set (1 FOK, 2 IOC). `is_forex` margins a position in
    its base currency; other contracts are margined by their value in the profit currency.
    """

    name: str
    digits: int
    contract: Decimal
    base: str
    profit: str
    filling_mode: int
    is_forex: bool
    bid: Decimal
    ask: Decimal
    path: str
    description: str

    @property
    def point(self) -> Decimal:
        """The last digit of a price."""
        return Decimal(1).scaleb(-self.digits)

    @property
    def margin_currency(self) -> str:
        """The currency in which margin is counted."""
        return self.base if self.is_forex else self.profit


def _forex(name: str, digits: int, bid: str, ask: str) -> SymbolTerms:
    return SymbolTerms(
        name=name,
        digits=digits,
        contract=Decimal(100_000),
        base=name[:3],
        profit=name[3:],
        filling_mode=FOK_OR_IOC,
        is_forex=True,
        bid=Decimal(bid),
        ask=Decimal(ask),
        path=f"Forex\\{name}",
        description=f"{name[:3]} vs {name[3:]}",
    )


_ALL: Final = (
    # Gold fills immediate-or-cancel only, so that a close meets 10030 once and must fall back.
    SymbolTerms(
        name="XAUUSD",
        digits=2,
        contract=Decimal(100),
        base="XAU",
        profit="USD",
        filling_mode=IOC_ONLY,
        is_forex=False,
        bid=Decimal("1970.00"),
        ask=Decimal("1970.30"),
        path="Metals\\XAUUSD",
        description="Gold vs US Dollar",
    ),
    _forex("EURUSD", 5, "1.08500", "1.08510"),
    _forex("GBPUSD", 5, "1.27000", "1.27012"),
    _forex("EURGBP", 5, "0.85430", "0.85442"),
    _forex("USDCHF", 5, "0.88000", "0.88012"),
    _forex("USDJPY", 3, "150.000", "150.012"),
    _forex("GBPJPY", 3, "190.500", "190.525"),
    _forex("EURJPY", 3, "162.750", "162.768"),
    SymbolTerms(
        name="US500",
        digits=1,
        contract=Decimal(1),
        base="USD",
        profit="USD",
        filling_mode=FOK_OR_IOC,
        is_forex=False,
        bid=Decimal("5000.0"),
        ask=Decimal("5000.4"),
        path="Indices\\US500",
        description="US 500 index",
    ),
)

SYMBOLS: Final[dict[str, SymbolTerms]] = {terms.name: terms for terms in _ALL}
