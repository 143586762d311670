"""What Reckoner tells of money and of figures: operations, mismatches, still prices, absences."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from core.domain.alert_parts import AccountAlert


class CashFlowSeen(AccountAlert, frozen=True, kw_only=True):
    """Money in or out moved the peak; neither profit nor loss (law 9).

    `operation`: deposit, withdrawal, credit or bonus, empty where several kinds came together.
    """

    amount: Decimal
    equity: Decimal
    peak_before: Decimal
    peak_after: Decimal
    below_minimum: bool
    at: datetime
    operation: str = ""


class BalanceUnexplained(AccountAlert, frozen=True, kw_only=True):
    """A balance change that no deal explained in time; it counts as a result from now on.

    `amount` is the whole of it; `again` where it was told before and changed, or lasts.
    """

    amount: Decimal
    since: datetime
    at: datetime
    episode_id: int = 0
    again: bool = False


class MoneyItem(Struct, frozen=True, kw_only=True):
    """One operation: `operation` is a word of `core.domain.operations.Operation`."""

    operation: str
    amount: Decimal
    comment: str = ""


class ResultsBooked(AccountAlert, frozen=True, kw_only=True):
    """Charges, dividends, taxes and their like: won or lost without a trade, so results (law 9).

    `items` are the first of them, `count` how many there are, `total` what they come to.
    """

    count: int
    total: Decimal
    items: tuple[MoneyItem, ...]
    at: datetime


class BalanceExplained(AccountAlert, frozen=True, kw_only=True):
    """The deals that explain a balance have come: `amount` is no longer counted as a result."""

    episode_id: int
    amount: Decimal
    since: datetime
    at: datetime


class PricesStill(AccountAlert, frozen=True, kw_only=True):
    """Positions are held and no price has moved since an instant, in a session."""

    episode_id: int
    positions_count: int
    since: datetime
    at: datetime


class PricesMove(AccountAlert, frozen=True, kw_only=True):
    """Prices move again, or nothing is held that needs one."""

    episode_id: int
    since: datetime
    at: datetime


class AwayItem(Struct, frozen=True, kw_only=True):
    """One thing that happened unwatched, at an instant of the broker's.

    `what`: opened, closed, or a word of `core.domain.operations.Operation`. `reason` is the close
    reason of what was closed, empty for all else.
    """

    what: str
    at: datetime
    symbol: str = ""
    side: str = ""
    volume: Decimal | None = None
    amount: Decimal | None = None
    reason: str = ""


class WhileAway(AccountAlert, frozen=True, kw_only=True):
    """What happened to the account between the last reading before a stop and the first after it.

    `counts` are the kinds of what happened with how many of each, `items` the first of them in
    order, `count` all of them; `result` is what trades and results came to. `orders_placed` and
    `orders_gone` are pending orders. `unexplained` is a balance change without a deal so far, and
    `vanished` the positions that are gone without one. `uncertain` where anything was held
    meanwhile: how low equity went is not known, and the peak may be understated.
    """

    since: datetime
    until: datetime
    counts: dict[str, int]
    items: tuple[AwayItem, ...]
    count: int
    result: Decimal
    orders_placed: int
    orders_gone: int
    vanished: int
    unexplained: Decimal
    positions_before: int
    positions_count: int
    uncertain: bool


MoneyAlert = (
    CashFlowSeen
    | ResultsBooked
    | BalanceUnexplained
    | BalanceExplained
    | PricesStill
    | PricesMove
    | WhileAway
)
