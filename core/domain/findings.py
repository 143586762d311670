"""What may differ between an account and its signals: a closed set of kinds and their figures."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

from core.domain.broker import Side


class Kind(StrEnum):
    """The ways an account can differ from what it should be.

    The words are stored. What each means and when it is said: `core.domain.divergences`.
    """

    ENTRY_SLIPPAGE = "entry_slippage"
    PARTIAL_FILL = "partial_fill"
    OVER_VOLUME = "over_volume"
    SCALED_IN = "scaled_in"
    VOLUME_REDUCED = "volume_reduced"
    SL_MOVED = "sl_moved"
    SL_REMOVED = "sl_removed"
    SL_MISSING = "sl_missing"
    TP_MOVED = "tp_moved"
    TP_REMOVED = "tp_removed"
    TP_MISSING = "tp_missing"
    DIRECTION_MISMATCH = "direction_mismatch"
    NETTING_REVERSED = "netting_reversed"
    SYMBOL_MISMATCH = "symbol_mismatch"
    DUPLICATE_EXECUTION = "duplicate_execution"
    LATE_EXECUTION = "late_execution"
    NOT_EXECUTED = "not_executed"
    UNKNOWN_POSITION = "unknown_position"
    UNKNOWN_PENDING_ORDER = "unknown_pending_order"
    MISSING_UNEXPLAINED = "missing_unexplained"
    BALANCE_OPERATION = "balance_operation"
    PNL_MISMATCH = "pnl_mismatch"
    WRONG_ACCOUNT = "wrong_account"
    STALE_DATA = "stale_data"


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
    NETTING_REVERSAL = "netting_reversal"
    ROLLOVER = "rollover"
    OTHER = "other"


class Note(StrEnum):
    """What is written beside a fill or an end, and is no difference that lasts."""

    SPLIT_FILL = "split_fill"
    ROLLOVER_REOPEN = "rollover_reopen"
    EXIT_SLIPPAGE = "exit_slippage"
    GAP_FILL = "gap_fill"


class Origin(StrEnum):
    """Where a position that no signal called for came from, as far as it says itself."""

    MANUAL = "manual"
    FOREIGN_EA = "foreign_ea"
    ORPHAN = "orphan"


class Finding(Struct, frozen=True, kw_only=True, gc=False):
    """One difference, as seen in one reading.

    Keyed by (kind, subject); `subject` is the position identifier, the pending order's ticket, or
    the trade's id, as text. `material` is the part of it whose change is worth telling again.
    `expected` and `observed` are decimal text (a price or lots) or a word, empty where there is
    none. Slippage, in pips and in points, is adverse positive. `origin` and `candidates` are an
    unknown position's: where it came from, and the trades it may be, for a person to say which.
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
    slippage_points: Decimal | None = None
    origin: str = ""
    candidates: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same difference as in the last reading."""
        return (self.kind.value, self.subject)


ASPECTS: Final = (
    frozenset({Kind.PARTIAL_FILL, Kind.VOLUME_REDUCED, Kind.OVER_VOLUME, Kind.SCALED_IN}),
    frozenset({Kind.SL_MOVED, Kind.SL_REMOVED, Kind.SL_MISSING}),
    frozenset({Kind.TP_MOVED, Kind.TP_REMOVED, Kind.TP_MISSING}),
    frozenset({Kind.UNKNOWN_POSITION, Kind.DUPLICATE_EXECUTION, Kind.SYMBOL_MISMATCH}),
)
"""Kinds of which a position shows one at a time."""
TURNED: Final = frozenset({Kind.DIRECTION_MISMATCH, Kind.NETTING_REVERSED})
"""While a position is on the other side, nothing else of it is compared."""


def differs_otherwise(kind: str, subject: str, findings: Iterable[Finding]) -> bool:
    """Whether what differed so differs in another way now: it is over, and nothing is in order."""
    others = next((aspect for aspect in ASPECTS if kind in aspect), frozenset[Kind]())
    names = (others | TURNED) - {kind}
    return any(f.subject == subject and f.kind in names for f in findings)


class Closure(Struct, frozen=True, kw_only=True, gc=False):
    """A position's end, or part of it, explained by deals. Profit in account currency.

    `level` is the stop or target that closed it, where the server wrote that on the deal. `note`
    says what was odd about the fill. `slippage_pips` is how much worse (positive) than the
    stop or target that closed it the exit was filled; `to_target_pips` how far it was from the
    target when somebody closed it; each None where there is nothing to compare with.
    """

    position_id: int
    reason: CloseReason
    symbol: str
    side: Side
    volume: Decimal
    exit_price: Decimal
    pnl: Decimal
    closed_at: datetime
    level: Decimal | None = None
    note: str = ""
    slippage_pips: Decimal | None = None
    to_target_pips: Decimal | None = None
