"""What people are told of the market guard, as values (see `core.domain.alerts`)."""

from datetime import datetime
from decimal import Decimal

from core.domain.alert_parts import AccountAlert, AlertBase, Exposure


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


class MarketWarning(AlertBase, frozen=True, kw_only=True):
    """A fault of one symbol's market, for the admin chat, with buttons while it can be answered.

    `warning`: gap, spread or still; `rule`: limit or typical; `action`: warn, block or close.
    `figure` and `limit`: percent for a gap, pips for a spread, seconds for a still price; `worst`
    the largest figure of the episode, `typical` the usual one (a gap's in the same time), None
    where too few quotes are known. `state`: open, held, dismissed, closing, resolved. `again` where
    it is told anew because its time passed. A gap went from `price_before` at `before_at` to
    `price_after`. `spread_now`: the spread, pips, where it is wide at this moment. `ended` says why
    a warning is over: calm, closed, not_held, passed, resting, or empty.
    """

    warning_id: int
    version: int
    warning: str
    symbol: str
    server: str
    state: str
    figure: Decimal
    limit: Decimal
    worst: Decimal
    accounts: tuple[str, ...]
    opened_at: datetime
    deadline_at: datetime
    hold_until: datetime | None
    answered_by: str
    at: datetime
    rule: str = "limit"
    action: str = "warn"
    typical: Decimal | None = None
    wait_until: datetime | None = None
    reason: str = ""
    again: bool = False
    price_before: Decimal | None = None
    price_after: Decimal | None = None
    before_at: datetime | None = None
    spread_now: Decimal | None = None
    exposures: tuple[Exposure, ...] = ()
    ended: str = ""


# --- the app itself -----------------------------------------------------------------------------
