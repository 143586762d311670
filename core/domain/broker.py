"""What the broker holds, as read: positions, orders, deals, ticks, and a whole account snapshot.

Money is `Decimal` in the account's own currency, volume in lots, prices in the symbol's quote
currency, instants UTC. A value here is complete or it does not exist: a failed read is an
exception of `core.ports`, never an empty snapshot.

Integer codes (deal type, entry, reason) are MetaTrader 5's own; servers may send codes newer than
this file, so unknown integers are kept as they came.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

ZERO = Decimal(0)


class Side(StrEnum):
    """Direction of a trade or position."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class MarginMode(StrEnum):
    """How the account keeps positions: one per symbol (netting, exchange) or many (hedging)."""

    NETTING = "netting"
    EXCHANGE = "exchange"
    HEDGING = "hedging"


class DealType:
    """DEAL_TYPE codes (MetaTrader 5 `ENUM_DEAL_TYPE`); `core.domain.operations` says of each."""

    BUY = 0
    SELL = 1
    BALANCE = 2
    CREDIT = 3
    CHARGE = 4
    CORRECTION = 5
    BONUS = 6
    COMMISSION = 7
    COMMISSION_DAILY = 8
    COMMISSION_MONTHLY = 9
    COMMISSION_AGENT_DAILY = 10
    COMMISSION_AGENT_MONTHLY = 11
    INTEREST = 12
    BUY_CANCELED = 13
    SELL_CANCELED = 14

    FLOWS = frozenset({2, 3, 6})
    """Deals that move money in or out (law 9); all others are results."""


class DealEntry:
    """DEAL_ENTRY codes."""

    IN = 0
    OUT = 1
    INOUT = 2
    OUT_BY = 3

    EXITS = frozenset({1, 2, 3})


class DealReason:
    """DEAL_REASON codes."""

    CLIENT = 0
    MOBILE = 1
    WEB = 2
    EXPERT = 3
    STOP_LOSS = 4
    TAKE_PROFIT = 5
    STOP_OUT = 6
    ROLLOVER = 7


class Position(Struct, frozen=True, kw_only=True, gc=False):
    """One open position as the broker reports it.

    `identifier` never changes and equals the deals' `position_id`; `ticket` may change (netting
    reversal, rollover) and is what a close request names.
    """

    ticket: int
    identifier: int
    symbol: str
    side: Side
    volume: Decimal
    price_open: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    price_current: Decimal
    profit: Decimal
    swap: Decimal
    magic: int
    comment: str
    reason: int
    opened_at: datetime


ORDER_TYPES = {
    2: "buy limit",
    3: "sell limit",
    4: "buy stop",
    5: "sell stop",
    6: "buy stop limit",
    7: "sell stop limit",
}
"""What resting orders are called, by MetaTrader's number."""
NOT_TOLD = -1
"""In the place of MetaTrader's reason where it gave none."""


class PendingOrder(Struct, frozen=True, kw_only=True, gc=False):
    """One resting order; it can become a position at any tick. `reason`: None where not told."""

    ticket: int
    symbol: str
    order_type: int
    volume: Decimal
    price_open: Decimal
    magic: int
    comment: str
    placed_at: datetime
    reason: int | None = None

    @property
    def side(self) -> Side:
        """The side it would open; MetaTrader's order types alternate buy and sell."""
        return Side.BUY if self.order_type % 2 == 0 else Side.SELL


class Deal(Struct, frozen=True, kw_only=True, gc=False):
    """One booked deal: a fill, or a balance operation (`position_id` 0, `symbol` empty)."""

    ticket: int
    order: int
    position_id: int
    deal_type: int
    entry: int
    reason: int
    symbol: str
    volume: Decimal
    price: Decimal
    profit: Decimal
    commission: Decimal
    swap: Decimal
    fee: Decimal
    magic: int
    comment: str
    executed_at: datetime

    @property
    def amount(self) -> Decimal:
        """What the deal changed, signed, account currency: profit, commission, swap and fee."""
        return self.profit + self.commission + self.swap + self.fee

    @property
    def is_flow(self) -> bool:
        """Whether money came in or went out (law 9), as opposed to being won or lost."""
        return self.deal_type in DealType.FLOWS


class Tick(Struct, frozen=True, kw_only=True, gc=False):
    """The latest quote of a symbol."""

    symbol: str
    bid: Decimal
    ask: Decimal
    at: datetime

    @property
    def mid(self) -> Decimal:
        """Half way between bid and ask."""
        return (self.bid + self.ask) / 2


class SymbolSpec(Struct, frozen=True, kw_only=True, gc=False):
    """What the terminal says of a symbol. `filling_mode` is the SYMBOL_FILLING bit set.

    `canonical` is Reckoner's name of it (`XAUUSD` for `GOLD.r`), the broker's own where it has
    none. `tick_value` is what a move of `tick_size` makes per lot, in the account's currency, and
    changes with the rates. `volume_limit` is the most lots in one direction, `stops_level` and
    `freeze_level` how near to the price stops may stand and orders may be touched, in points; 0
    is no such limit.
    """

    name: str
    canonical: str
    path: str
    calc_mode: int
    digits: int
    point: Decimal
    contract_size: Decimal
    volume_min: Decimal
    volume_step: Decimal
    volume_max: Decimal
    volume_limit: Decimal
    tick_value: Decimal
    tick_size: Decimal
    stops_level: int
    freeze_level: int
    currency_base: str
    currency_profit: str
    filling_mode: int
    execution_mode: int
    trade_mode: int


class AccountState(Struct, frozen=True, kw_only=True, gc=False):
    """The account's figures in its own currency.

    `margin_level_percent` is None while no margin is used (MetaTrader prints 0.0 then).
    `fifo_close`: of each symbol only the oldest position may be closed.
    """

    login: int
    server: str
    currency: str
    currency_digits: int
    margin_mode: MarginMode
    balance: Decimal
    credit: Decimal
    profit: Decimal
    equity: Decimal
    margin: Decimal
    margin_free: Decimal
    margin_level_percent: Decimal | None
    stop_out_level_percent: Decimal | None
    fifo_close: bool = False


class AccountSnapshot(Struct, frozen=True, kw_only=True, gc=False):
    """One complete read of one account. Can only be built whole.

    `began_at` is when the request left, `observed_at` when the terminal answered, both by our own
    clock: flatness and grace are judged on these, never on broker time. `deals` are those executed
    since the instant asked for; `ticks` and `symbols` cover every symbol held or asked for.
    `aliases` gives the broker's name of each symbol asked for under another (`XAUUSD` -> `GOLD.r`),
    `ambiguous` the several that each symbol asked for may be, where none was to be preferred.
    `obstacles` are words of `core.domain.permissions`: why this account could not be closed now.
    `began_s` and `observed_s` are the same two moments on a clock that nobody sets, for how far
    apart readings are; None where nobody looked at it.
    """

    account_id: int
    state: AccountState
    positions: tuple[Position, ...]
    orders: tuple[PendingOrder, ...]
    deals: tuple[Deal, ...]
    ticks: dict[str, Tick]
    symbols: dict[str, SymbolSpec]
    began_at: datetime
    observed_at: datetime
    server_offset_s: int
    aliases: dict[str, str] = {}
    ambiguous: dict[str, tuple[str, ...]] = {}
    obstacles: tuple[str, ...] = ()
    began_s: float | None = None
    observed_s: float | None = None
