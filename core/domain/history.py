"""What happened to an account, as lines in time: deals, differences, guards, outages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from core.domain import audit_words as words
from core.domain.broker import Deal, DealEntry, DealType
from core.domain.closures import close_reason, held_side
from core.domain.divergences import DIVERGENCES, STORED_BEFORE, Role, row_of
from core.domain.findings import Kind
from core.records import AuditRow, CloseJobRow, ReconciliationLogRow

T = TypeVar("T")
TRADE_TYPES = (DealType.BUY, DealType.SELL)
RESOLVED = "resolved: "
"""How a log row says that a difference is over (`core.services.record_episodes`)."""


class HistoryFilter(StrEnum):
    """What is to be seen of a history; one letter each, for buttons."""

    ALL = "a"
    OPENED = "o"
    CLOSED = "c"
    DIFFERENCES = "d"
    MONEY = "m"


class HistoryKind(StrEnum):
    """What kind of thing happened."""

    OPENED = "opened"
    CLOSED = "closed"
    MONEY = "money"
    DIFFERENCE = "difference"
    RESOLVED = "resolved"
    GUARD = "guard"
    WARNING = "warning"
    LOCKED = "locked"
    REAPPEARED = "reappeared"
    RELEASE = "release"
    OUTAGE = "outage"


class HistoryLine(Struct, frozen=True, kw_only=True):
    """One thing that happened. Money in account currency, what it changed, signed.

    `word` says how or why: a close reason, a kind of money or difference, a guard's reason, how a
    difference ended, a step of a release, or the words of an outage. `order` tells things of one
    instant apart. `percent` is a drawdown and `limit_percent` what it was held against; `by` is
    who asked or answered.
    """

    at: datetime
    order: tuple[int, int]
    kind: HistoryKind
    word: str = ""
    symbol: str = ""
    side: str = ""
    volume: Decimal | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    slippage_pips: Decimal | None = None
    percent: Decimal | None = None
    limit_percent: Decimal | None = None
    by: str = ""
    position_id: int = 0
    signal_id: int | None = None
    ended: str = ""
    ended_at: datetime | None = None


class HistoryPage(Struct, frozen=True, kw_only=True):
    """One page of an account's history, newest first, as it was known at `as_of`.

    `page` counts from 0. `total` is all lines that fit the filters, `pages` how many pages are
    shown at most; `is_cut` where there are more. `accounts` are those to switch to: (id, login).
    """

    account_id: int
    login: int
    currency: str
    own: bool
    filter: HistoryFilter
    symbol: str
    symbol_id: int
    page: int
    pages: int
    total: int
    is_cut: bool
    lines: tuple[HistoryLine, ...]
    as_of: datetime
    observed_at: datetime | None
    unavailable_since: datetime | None
    accounts: tuple[tuple[int, int], ...] = ()


_MONEY_WORDS: Mapping[int, str] = {
    DealType.CREDIT: "credit",
    DealType.CHARGE: "charge",
    DealType.CORRECTION: "correction",
    DealType.BONUS: "bonus",
    DealType.COMMISSION: "commission",
    8: "commission",
    9: "commission",
    10: "agent_commission",
    11: "agent_commission",
    12: "interest",
    13: "cancelled_trade",
    14: "cancelled_trade",
    15: "dividend",
    16: "dividend",
    17: "tax",
}
"""MetaTrader 5 `ENUM_DEAL_TYPE` from 3 on; balance deals are named by their sign."""


def is_trade(deal: Deal) -> bool:
    """Whether the deal bought or sold something, as opposed to a balance operation."""
    return deal.deal_type in TRADE_TYPES


def money_word(deal: Deal) -> str:
    """What a balance operation is, as a word; `type_N` for a type newer than this file."""
    if deal.deal_type == DealType.BALANCE:
        return "deposit" if deal.amount >= 0 else "withdrawal"
    return _MONEY_WORDS.get(deal.deal_type, f"type_{deal.deal_type}")


def of_deal(deal: Deal, *, ours: bool, signal_id: int | None) -> HistoryLine:
    """A deal as a line; `ours` where a close job sent for its position."""
    order = (0, deal.ticket)
    if not is_trade(deal):
        return HistoryLine(
            at=deal.executed_at,
            order=order,
            kind=HistoryKind.MONEY,
            word=money_word(deal),
            symbol=deal.symbol,
            amount=deal.amount,
        )
    is_exit = deal.entry in DealEntry.EXITS
    return HistoryLine(
        at=deal.executed_at,
        order=order,
        kind=HistoryKind.CLOSED if is_exit else HistoryKind.OPENED,
        word=close_reason(deal, ours=ours).value if is_exit else "",
        symbol=deal.symbol,
        side=held_side(deal).value,
        volume=deal.volume,
        price=deal.price,
        amount=deal.amount,
        position_id=deal.position_id,
        signal_id=signal_id,
    )


DIFFERENCES = (
    *(
        row.reason
        for row in DIVERGENCES
        if row.role is Role.DIVERGENCE and row.code is not Kind.BALANCE_OPERATION
    ),
    *STORED_BEFORE,
)
"""Stored words of what differs from the signals. How positions ended, and money, deals tell."""


def difference_word(reason: str) -> str:
    """What a stored reason is a case of: `unknown_position_manual` is an unknown position."""
    row = row_of(reason)
    return reason if row is None else row.code.value


def of_log(row: ReconciliationLogRow) -> HistoryLine:
    """A difference or an outage as a line."""
    said = row.error_message or ""
    kind, word, ended = HistoryKind.DIFFERENCE, difference_word(row.divergence_reason or ""), ""
    if row.divergence_reason is not None and said.startswith(RESOLVED):
        kind, ended = HistoryKind.RESOLVED, said.removeprefix(RESOLVED)
    elif row.divergence_reason is None:
        kind, word = HistoryKind.OUTAGE, said
    return HistoryLine(
        at=row.created_at,
        order=(1, row.id),
        kind=kind,
        word=word,
        symbol=row.symbol or "",
        side=row.direction or "",
        volume=row.volume,
        price=row.entry_price,
        amount=row.pnl,
        slippage_pips=row.slippage_pips,
        position_id=row.mt5_position_id or 0,
        signal_id=row.signal_id,
        ended=ended,
    )


DECISIONS: Mapping[str, HistoryKind] = {
    words.GUARD_WARNED: HistoryKind.WARNING,
    words.GUARD_BREACHED: HistoryKind.LOCKED,
    words.LATCH_REAPPEARED: HistoryKind.REAPPEARED,
    words.RELEASE_ASKED: HistoryKind.RELEASE,
    words.RELEASE_GRANTED: HistoryKind.RELEASE,
    words.RELEASE_REFUSED: HistoryKind.RELEASE,
    words.LATCH_RELEASED: HistoryKind.RELEASE,
}
"""Links of the audit that an account's owner finds in its history."""


def of_link(row: AuditRow) -> HistoryLine:
    """A warning, a lock, or a step towards its release as a line; `amount` is the equity then."""
    detail, kind = row.detail, DECISIONS[row.action]
    items: list[dict[str, object]] = detail.get("items", [])
    first = items[0] if items else {}
    return HistoryLine(
        at=row.created_at,
        order=(2, row.id),
        kind=kind,
        word=str(detail.get("rule", "")) if kind is HistoryKind.LOCKED else row.action,
        symbol=str(first.get("symbol", "")),
        side=str(first.get("side", "")),
        volume=_decimal(first.get("volume")),
        amount=_decimal(detail.get("equity")),
        percent=_decimal(detail.get("drawdown_percent")),
        limit_percent=_decimal(detail.get("limit_percent", detail.get("warn_percent"))),
        position_id=int(str(first.get("ticket", 0))),
        by=row.actor,
    )


def _decimal(figure: object) -> Decimal | None:
    """A figure of a link, as JSON keeps it."""
    return None if figure is None else Decimal(str(figure))


def of_job(row: CloseJobRow) -> HistoryLine:
    """A guard's close as a line; `ended` is its state, `word` its reason, `symbol` its scope."""
    return HistoryLine(
        at=row.created_at,
        order=(3, row.id),
        kind=HistoryKind.GUARD,
        word=row.reason,
        symbol=row.scope,
        ended=row.state,
        ended_at=row.finished_at,
    )


def merged(sources: Iterable[Sequence[HistoryLine]], *, skip: int, take: int) -> list[HistoryLine]:
    """The lines of several sources, newest first, without the first `skip`; `take` at most.

    Each source must hold its own newest `skip + take`: whatever is further down cannot be shown.
    """
    lines = sorted(
        (line for source in sources for line in source),
        key=lambda line: (line.at, line.order),
        reverse=True,
    )
    return lines[skip : skip + take]
