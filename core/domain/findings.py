"""What may differ between an account and its signals: a closed set of kinds and their figures."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from core.domain.broker import Side


class Kind(StrEnum):
    """The ways an account can differ from what the signals called for."""

    ENTRY_SLIPPAGE = "entry_slippage"
    PARTIAL_FILL = "partial_fill"
    OVER_VOLUME = "over_volume"
    VOLUME_REDUCED = "volume_reduced"
    SL_MOVED = "sl_moved"
    SL_REMOVED = "sl_removed"
    TP_MOVED = "tp_moved"
    TP_REMOVED = "tp_removed"
    DIRECTION_MISMATCH = "direction_mismatch"
    DUPLICATE_EXECUTION = "duplicate_execution"
    UNKNOWN_POSITION = "unknown_position"
    UNKNOWN_PENDING_ORDER = "unknown_pending_order"
    MISSING_UNEXPLAINED = "missing_unexplained"


class CloseReason(StrEnum):
    """Why a position ended, from its closing deal."""

    CLIENT_DESKTOP = "client_desktop"
    CLIENT_MOBILE = "client_mobile"
    CLIENT_WEB = "client_web"
    FOREIGN_EA = "foreign_ea"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    STOP_OUT = "stop_out"
    RECKONER = "reckoner"
    CLOSE_BY = "close_by"
    ROLLOVER = "rollover"
    OTHER = "other"


class Finding(Struct, frozen=True, kw_only=True, gc=False):
    """One difference, as seen in one reading.

    Keyed by (kind, subject); `subject` is the position identifier, the pending order's ticket, or
    the trade's id, as text. `material` is the part of it whose change is worth telling again.
    `expected` and `observed` are decimal text (a price or lots), empty where there is none.
    """

    kind: Kind
    subject: str
    trade_id: int | None
    signal_id: int | None
    approval_id: int | None
    symbol: str
    side: str
    volume: Decimal
    expected: str
    observed: str
    material: str
    slippage_pips: Decimal | None = None
    magic: int = 0
    opened_by: int = 0
    price: Decimal | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same difference as in the last reading."""
        return (self.kind.value, self.subject)


class Closure(Struct, frozen=True, kw_only=True, gc=False):
    """A position's end, or part of it, explained by deals. Profit in account currency."""

    position_id: int
    reason: CloseReason
    symbol: str
    side: Side
    volume: Decimal
    exit_price: Decimal
    pnl: Decimal
    closed_at: datetime
