"""An account's period as a statement that adds up: start, money moved, results, end.

What is stated is the balance with credit, which only deals change: a reading's equity without its
open result. One reading anchors it; from there deals are counted back to the period's start and
on to its end. The last reading says whether they are all: what none explains is a line of its own.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from core.domain.broker import ZERO
from core.domain.periods import Period
from core.records import PositionSnapshotRow

LATE_AFTER = timedelta(seconds=5)
"""A deal executed longer than this before a reading is in its balance even where the broker listed
it only afterwards; nearer to it the broker's clock and ours may differ."""


class Booked(Struct, frozen=True, kw_only=True):
    """A deal's amount, when the broker executed it and when a reading first showed it."""

    executed_at: datetime
    seen_at: datetime
    amount: Decimal

    def is_in(self, read_at: datetime) -> bool:
        """Whether the balance of a reading has it already."""
        return self.seen_at <= read_at or self.executed_at < read_at - LATE_AFTER


class Statement(Struct, frozen=True, kw_only=True):
    """`start` + the period's deals + `unexplained` = `end`; `end` + `open_result` = `equity`.

    Balance with credit, in account currency. `open_result` and `equity` are those of the period's
    last reading, None where deals came after it. `has_credit` where a reading had any.
    """

    start: Decimal
    end: Decimal
    unexplained: Decimal
    open_result: Decimal | None
    equity: Decimal | None
    has_credit: bool


class _Read(Struct, frozen=True, kw_only=True):
    at: datetime
    funds: Decimal
    open_result: Decimal
    has_credit: bool


def statement(
    period: Period,
    readings: Iterable[PositionSnapshotRow],
    before: PositionSnapshotRow | None,
    booked: Sequence[Booked],
) -> Statement | None:
    """The period's statement; None where no reading of it has an equity and an open result.

    `readings` are the period's, in any order; `before` is the last one earlier than it. `booked`
    must hold every deal executed in the period, and those outside it that `before` does not show
    and the last reading may.
    """
    read = sorted((one for row in readings if (one := _read(row))), key=lambda one: one.at)
    if not read:
        return None
    last = read[-1]
    anchor = (None if before is None else _read(before)) or read[0]
    start = anchor.funds
    inside = missing = ZERO
    between = ZERO
    for deal in booked:
        is_inside = period.holds(deal.executed_at)
        if is_inside:
            inside += deal.amount
            missing += ZERO if deal.is_in(last.at) else deal.amount
        if deal.is_in(anchor.at):
            start -= deal.amount if deal.executed_at >= period.start else ZERO
            continue
        start += deal.amount if deal.executed_at < period.start else ZERO
        between += deal.amount if deal.is_in(last.at) else ZERO
    unexplained = last.funds - anchor.funds - between
    end = start + inside + unexplained
    is_last = missing == ZERO and end == last.funds
    return Statement(
        start=start,
        end=end,
        unexplained=unexplained,
        open_result=last.open_result if is_last else None,
        equity=end + last.open_result if is_last else None,
        has_credit=anchor.has_credit or last.has_credit,
    )


def _read(row: PositionSnapshotRow) -> _Read | None:
    if row.equity is None or row.open_pnl is None:
        return None
    funds = row.equity - row.open_pnl
    has_credit = row.balance is not None and row.balance != funds
    return _Read(at=row.created_at, funds=funds, open_result=row.open_pnl, has_credit=has_credit)
