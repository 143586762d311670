"""What a day or a week brought, computed from the rows that were kept of it.

Invariants:

1. The results of the symbols and the charges add up to the realised result (law 9: flows are none).
2. The order in which rows are given changes nothing.
3. What was not read is named, never filled in.

A result belongs to the period its deal was executed in: a position opened yesterday and closed
today brings today its profit, and yesterday its entry's commission.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

from msgspec import Struct

from core.domain.absence import NOT_READ
from core.domain.board import EquityPoint
from core.domain.broker import ZERO, Deal, DealEntry, DealType
from core.domain.closures import exit_side
from core.domain.history import is_trade
from core.domain.periods import Period
from core.domain.statement import Booked, Statement, statement
from core.records import (
    ApprovalRow,
    DrawdownAlertRow,
    PositionSnapshotRow,
    ReconciliationLogRow,
    TradeRow,
)

FOLLOWED = ("open", "closed")
"""A trade's statuses once it was found at the broker."""


class SymbolResult(Struct, frozen=True, kw_only=True):
    """What one symbol brought. `trades` counts positions closed, wholly or in part."""

    symbol: str
    trades: int
    result: Decimal


class TradeResult(Struct, frozen=True, kw_only=True):
    """What one position's deals brought in the period; `closed_at` is its last exit in it."""

    position_id: int
    symbol: str
    side: str
    volume: Decimal
    result: Decimal
    closed_at: datetime


class Slip(Struct, frozen=True, kw_only=True):
    """One fill's distance from what was expected, in pips, adverse positive."""

    symbol: str
    at: datetime
    pips: Decimal
    is_entry: bool


class SlipLine(Struct, frozen=True, kw_only=True):
    """Slippage of one symbol's entries or exits, in one hour of the day or (None) in all."""

    symbol: str
    is_entry: bool
    hour: int | None
    count: int
    median: Decimal
    worst: Decimal


class SignalCount(Struct, frozen=True, kw_only=True):
    """What became of the signals offered in the period. Missed: approved, and never placed."""

    followed: int = 0
    missed: int = 0
    rejected: int = 0
    expired: int = 0
    waiting: int = 0


class Flows(Struct, frozen=True, kw_only=True):
    """Money moved, which is neither profit nor loss: in, out (negative), and credit's change."""

    deposits: Decimal = ZERO
    withdrawals: Decimal = ZERO
    credit: Decimal = ZERO


class Blind(Struct, frozen=True, kw_only=True):
    """A time without readings. `is_outage` where reads failed; else Reckoner was not running."""

    start: datetime
    end: datetime
    is_outage: bool


class Material(Struct, frozen=True, kw_only=True):
    """The rows of one account's period, in any order.

    `samples` are its kept readings and outages, `before` the last reading before it, `deepest` its
    deepest one. `trades` are those of `approvals` and those that `logs` tell of. `known_from` is
    when the account became known. After `blind_after` without a reading, nothing is known.
    `floating`: open result and the instant it is of. `booked`: see `core.domain.statement`.
    """

    period: Period
    zone: tzinfo
    now: datetime
    known_from: datetime
    blind_after: timedelta
    deals: Sequence[Deal] = ()
    logs: Sequence[ReconciliationLogRow] = ()
    approvals: Sequence[ApprovalRow] = ()
    trades: Sequence[TradeRow] = ()
    samples: Sequence[PositionSnapshotRow] = ()
    before: PositionSnapshotRow | None = None
    deepest: PositionSnapshotRow | None = None
    alerts: Sequence[DrawdownAlertRow] = ()
    floating: tuple[Decimal, datetime] | None = None
    booked: Sequence[Booked] = ()
    are_deals_cut: bool = False
    are_samples_cut: bool = False


class Report(Struct, frozen=True, kw_only=True):
    """One account's day or week. Money in account currency, percent of the peak, pips signed.

    `charges` are results without a symbol. `worst_drawdown` is the deepest reading kept, with its
    instant; what came between two readings, and in `blind` times, is not known. `are_deals_cut`
    where there were more deals than are counted: then the figures are not the whole, and there is
    no `statement`.
    """

    period: Period
    realised: Decimal
    symbols: tuple[SymbolResult, ...]
    charges: Decimal
    days: tuple[Decimal, ...]
    trades: int
    won: int
    lost: int
    best: TradeResult | None
    worst: TradeResult | None
    floating: tuple[Decimal, datetime] | None
    flows: Flows
    flow_marks: tuple[tuple[datetime, Decimal], ...]
    slippage: tuple[SlipLine, ...]
    slippage_by_hour: tuple[SlipLine, ...]
    signals: SignalCount
    curve: tuple[EquityPoint, ...]
    worst_drawdown: tuple[Decimal, datetime] | None
    blind: tuple[Blind, ...]
    statement: Statement | None
    are_deals_cut: bool
    are_samples_cut: bool


class ReportFile(Struct, frozen=True, kw_only=True):
    """What a report's file lists: its deals, oldest first, with what is known of each.

    `signals` and `slips` (pips, adverse positive: entry, exit) by position; `ours` are positions
    that a close job sent for.
    """

    deals: tuple[Deal, ...]
    signals: dict[int, int]
    slips: dict[tuple[int, bool], Decimal]
    ours: frozenset[int]


class AccountReport(Struct, frozen=True, kw_only=True):
    """A report with whose it is, and how old its newest figures are."""

    account_id: int
    login: int
    name: str
    currency: str
    own: bool
    time_zone: str
    now: datetime
    observed_at: datetime | None
    unavailable_since: datetime | None
    known_from: datetime
    sample_interval_s: float
    report: Report
    file: ReportFile


def report(material: Material) -> Report:
    """Compute the report."""
    period = material.period
    deals = [d for d in material.deals if period.holds(d.executed_at)]
    results = [d for d in deals if not d.is_flow]
    trades = trade_results(results)
    slips = slips_of(material)
    return Report(
        period=period,
        realised=sum((d.amount for d in results), ZERO),
        symbols=_by_symbol(results, trades),
        charges=sum((d.amount for d in results if not d.symbol), ZERO),
        days=_by_day(results, period, material.zone),
        trades=len(trades),
        won=sum(1 for t in trades if t.result > 0),
        lost=sum(1 for t in trades if t.result < 0),
        best=max(trades, key=_rank, default=None),
        worst=min(trades, key=_rank, default=None),
        floating=material.floating,
        flows=flows_of(deals),
        flow_marks=tuple(sorted((d.executed_at, d.amount) for d in deals if d.is_flow)),
        slippage=slip_lines(slips, None),
        slippage_by_hour=slip_lines(slips, material.zone),
        signals=signal_count(material),
        curve=_curve(material),
        worst_drawdown=worst_drawdown(material),
        blind=blind_spans(material),
        statement=_statement(material),
        are_deals_cut=material.are_deals_cut,
        are_samples_cut=material.are_samples_cut,
    )


def trade_results(deals: Sequence[Deal]) -> list[TradeResult]:
    """What each position with an exit among these deals brought by them, in order of identity."""
    by_position: dict[int, list[Deal]] = {}
    for deal in deals:
        if deal.position_id and is_trade(deal):
            by_position.setdefault(deal.position_id, []).append(deal)
    found = []
    for position_id, own in sorted(by_position.items()):
        exits = [d for d in own if d.entry in DealEntry.EXITS]
        if not exits:
            continue
        last = max(exits, key=lambda d: (d.executed_at, d.ticket))
        found.append(
            TradeResult(
                position_id=position_id,
                symbol=last.symbol,
                side=exit_side(last).value,
                volume=sum((d.volume for d in exits), ZERO),
                result=sum((d.amount for d in own), ZERO),
                closed_at=last.executed_at,
            )
        )
    return found


def _rank(trade: TradeResult) -> tuple[Decimal, int]:
    return (trade.result, trade.position_id)


def _by_symbol(results: Sequence[Deal], trades: Sequence[TradeResult]) -> tuple[SymbolResult, ...]:
    """The symbols' results, the largest in either direction first."""
    sums: dict[str, Decimal] = {}
    for deal in results:
        if deal.symbol:
            sums[deal.symbol] = sums.get(deal.symbol, ZERO) + deal.amount
    counts: dict[str, int] = {}
    for trade in trades:
        counts[trade.symbol] = counts.get(trade.symbol, 0) + 1
    lines = [
        SymbolResult(symbol=symbol, trades=counts.get(symbol, 0), result=result)
        for symbol, result in sums.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-abs(line.result), line.symbol)))


def _by_day(results: Sequence[Deal], period: Period, zone: tzinfo) -> tuple[Decimal, ...]:
    """The result of each local day of the period, the first day first."""
    days = [ZERO] * ((period.last - period.first).days + 1)
    for deal in results:
        days[(deal.executed_at.astimezone(zone).date() - period.first).days] += deal.amount
    return tuple(days)


def flows_of(deals: Iterable[Deal]) -> Flows:
    """The money that was moved in and out, credit apart: it is not the client's own."""
    deposits = withdrawals = credit = ZERO
    for deal in deals:
        if not deal.is_flow:
            continue
        if deal.deal_type == DealType.CREDIT:
            credit += deal.amount
        elif deal.amount > 0:
            deposits += deal.amount
        else:
            withdrawals += deal.amount
    return Flows(deposits=deposits, withdrawals=withdrawals, credit=credit)


def slips_of(material: Material) -> list[Slip]:
    """What first matches (entries) and closes (exits) say of slippage, at the fill's own time."""
    trades = {t.position_id: t for t in material.trades}
    slips = []
    for row in material.logs:
        is_entry = row.event_type == "sync" and row.divergence_reason is None
        if row.slippage_pips is None or row.symbol is None or row.mt5_position_id is None:
            continue
        if not row.matched or not (is_entry or row.event_type == "close"):
            continue
        trade = trades.get(row.mt5_position_id)
        filled_at = None if trade is None else trade.opened_at if is_entry else trade.closed_at
        slips.append(
            Slip(
                symbol=row.symbol,
                at=filled_at or row.created_at,
                pips=row.slippage_pips,
                is_entry=is_entry,
            )
        )
    return slips


def slip_lines(slips: Iterable[Slip], zone: tzinfo | None) -> tuple[SlipLine, ...]:
    """Median and worst by symbol, entries before exits; by hour too where a zone is given."""
    groups: dict[tuple[str, bool, int], list[Decimal]] = {}
    for slip in slips:
        hour = -1 if zone is None else slip.at.astimezone(zone).hour
        groups.setdefault((slip.symbol, not slip.is_entry, hour), []).append(slip.pips)
    return tuple(
        SlipLine(
            symbol=symbol,
            is_entry=not is_exit,
            hour=None if hour < 0 else hour,
            count=len(pips),
            median=median(pips),
            worst=max(pips),
        )
        for (symbol, is_exit, hour), pips in sorted(groups.items())
    )


def signal_count(material: Material) -> SignalCount:
    """What became of each offer made in the period."""
    trades: Mapping[int | None, TradeRow] = {t.approval_id: t for t in material.trades}
    fates = [
        _fate(approval, trades.get(approval.id))
        for approval in material.approvals
        if material.period.holds(approval.created_at)
    ]
    return SignalCount(**{fate: fates.count(fate) for fate in set(fates)})


def _fate(approval: ApprovalRow, trade: TradeRow | None) -> str:
    if approval.status in {"rejected", "expired"}:
        return approval.status
    if approval.status == "offered" or (trade is not None and trade.status == "pending"):
        return "waiting"
    return "followed" if trade is not None and trade.status in FOLLOWED else "missed"


def _readings(material: Material) -> list[PositionSnapshotRow]:
    found = [
        row
        for row in material.samples
        if row.equity is not None and material.period.holds(row.created_at)
    ]
    return sorted(found, key=lambda row: (row.created_at, row.id))


def _statement(material: Material) -> Statement | None:
    if material.are_deals_cut:
        return None
    return statement(material.period, _readings(material), material.before, material.booked)


def _curve(material: Material) -> tuple[EquityPoint, ...]:
    return tuple(
        EquityPoint(row.created_at, row.equity, row.peak_equity)
        for row in _readings(material)
        if row.equity is not None and row.peak_equity is not None
    )


def worst_drawdown(material: Material) -> tuple[Decimal, datetime] | None:
    """The deepest drawdown that was read in the period, first reached when; None without any.

    Reached is what reads the same, to the tenth of a percent: a closed account's equity goes on
    being read, a hundredth deeper than when it was closed.
    """
    rows: list[PositionSnapshotRow | DrawdownAlertRow] = [*material.samples, *material.alerts]
    rows += [material.deepest] if material.deepest is not None else []
    found = [
        (row.drawdown_percent, row.created_at)
        for row in rows
        if row.drawdown_percent is not None and material.period.holds(row.created_at)
    ]
    if not found:
        return None
    worst = max(percent for percent, _ in found)
    return worst, min(at for percent, at in found if _tenth(percent) == _tenth(worst))


def _tenth(percent: Decimal) -> Decimal:
    return percent.quantize(Decimal("0.1"), ROUND_HALF_UP)


def blind_spans(material: Material) -> tuple[Blind, ...]:
    """The times of the period in which nothing was read, oldest first.

    One goes from the last reading to the next one: where reads failed between them, or where they
    are further apart than readings are kept. A stop of Reckoner's own is no outage.
    """
    period = material.period
    start = max(period.start, min(material.known_from, period.end))
    end = max(start, min(period.end, material.now))
    readings = [row.created_at for row in _readings(material)]
    if material.are_samples_cut and readings:
        start = max(start, readings[0])  # what is further back was not looked at
    outages = [
        row.created_at
        for row in material.samples
        if row.sync_error is not None and not row.sync_error.startswith(NOT_READ)
    ]
    last = start
    if material.before is not None:
        last = min(start, material.before.created_at)
    spans = []
    for following in [*(at for at in readings if at >= start), end]:
        failed = any(last < at <= following for at in outages)
        if following > start and (failed or following - last > material.blind_after):
            spans.append(Blind(start=max(last, start), end=following, is_outage=failed))
        last = following
    return tuple(span for span in spans if span.end > span.start)
