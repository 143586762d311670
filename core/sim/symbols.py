"""The symbols of the simulated broker: contract terms and where their prices start."""

from decimal import Decimal
from typing import Final

from msgspec import Struct

from core.sim.codes import Execution, SwapMode, TradeMode

VOLUME_MIN: Final = Decimal("0.01")
VOLUME_STEP: Final = Decimal("0.01")
VOLUME_MAX: Final = Decimal(100)

FOK_ONLY: Final = 1
IOC_ONLY: Final = 2
FOK_OR_IOC: Final = 3


CALC_FOREX: Final = 0
CALC_CFD_LEVERAGE: Final = 4
DAY_S: Final = 86_400
WEDNESDAY: Final = 3


class Session(Struct, frozen=True):
    """Part of a week in which a symbol is traded, server time. `day` 0 is Sunday."""

    day: int
    from_s: int
    to_s: int


class SymbolTerms(Struct, frozen=True, kw_only=True):
    """Contract terms of one symbol. Prices in `profit` currency per unit of `base`.

    `filling_mode` is the SYMBOL_FILLING bit set (1 FOK, 2 IOC, 4 BOC). `is_forex` margins a
    position in its base currency; other contracts are margined by their value in the profit
    currency. `stops_level` and `freeze_level` are points; `commission` is charged per lot when a
    position is opened, in the account's currency, positive. `volume_limit` is the most lots in one
    direction, 0 for no limit. Without `sessions` the symbol is always traded.
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
    trade_mode: int = TradeMode.FULL
    execution: int = Execution.MARKET
    stops_level: int = 0
    freeze_level: int = 0
    volume_min: Decimal = VOLUME_MIN
    volume_max: Decimal = VOLUME_MAX
    volume_step: Decimal = VOLUME_STEP
    volume_limit: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    swap_mode: int = SwapMode.DISABLED
    swap_long: Decimal = Decimal(0)
    swap_short: Decimal = Decimal(0)
    swap_rollover3days: int = WEDNESDAY
    expiration_mode: int = 15
    sessions: tuple[Session, ...] = ()

    @property
    def calc_mode(self) -> int:
        """SYMBOL_CALC_MODE: how margin and profit are counted."""
        return CALC_FOREX if self.is_forex else CALC_CFD_LEVERAGE

    def is_open(self, server_s: int) -> bool:
        """Whether the symbol is traded at a server time."""
        day, second = weekday(server_s // DAY_S), server_s % DAY_S
        return not self.sessions or any(
            one.day == day and one.from_s <= second < one.to_s for one in self.sessions
        )

    @property
    def point(self) -> Decimal:
        """The last digit of a price."""
        return Decimal(1).scaleb(-self.digits)

    @property
    def margin_currency(self) -> str:
        """The currency in which margin is counted."""
        return self.base if self.is_forex else self.profit


def weekday(day: int) -> int:
    """The day of the week, 0 for Sunday, of a day counted from 1 January 1970, a Thursday."""
    return (day + 4) % 7


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
