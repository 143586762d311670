"""What a client is told of the market guard, as values (see `core.domain.alerts`)."""

from datetime import datetime
from decimal import Decimal

from core.domain.alert_parts import AccountAlert, Exposure


class MarketCloseAhead(AccountAlert, frozen=True, kw_only=True):
    """The market guard is to close this client's positions of a symbol, or no longer is.

    Told before it does, with the instant; later ones take its place. `warning`: gap or spread.
    `state`: open, held, dismissed, closing, resolved. `wait_until`: a close that is due waits for
    the spread to narrow, until then at most.
    """

    warning_id: int
    warning: str
    symbol: str
    state: str
    figure: Decimal
    limit: Decimal
    price_before: Decimal | None
    price_after: Decimal | None
    deadline_at: datetime
    wait_until: datetime | None
    hold_until: datetime | None
    exposures: tuple[Exposure, ...]
    at: datetime
    again: bool = False
