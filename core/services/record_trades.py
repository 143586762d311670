"""Record what became of expected trades: found, grown, missing, closed, not placed."""

from collections.abc import Sequence

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain.alert_parts import GroupItem
from core.domain.broker import ZERO, Deal, DealEntry, DealReason
from core.domain.closures import close_reason, exit_side, mean_price
from core.domain.cycle import Cycle
from core.domain.divergences import end_word
from core.domain.findings import CloseReason, Closure, Kind, Note
from core.domain.matching import identifiers, own_deals
from core.domain.money import percent_of
from core.domain.pips import quoted
from core.domain.rates import to_gbp
from core.domain.reconciliation import Gone, Match, Missing
from core.records import TradeRow
from core.services.recording import GROUP_ITEMS_MAX, TOLD_EACH_MAX, Recorder


async def matches(pen: Recorder, cycle: Cycle) -> None:
    """Record first matches, growth, positions that came back, and partial closes."""
    for match in cycle.reconciliation.matches:
        if match.first:
            await _first_match(pen, match)
        else:
            await _still_there(pen, match)
    await _partly_closed(pen, cycle)


async def _first_match(pen: Recorder, match: Match) -> None:
    trade, position = match.trade, match.position
    changes: dict[str, object] = {
        "status": "open",
        "position_id": position.identifier,
        "entry_price": position.price_open,
        "observed_volume": position.volume,
        "opened_at": position.opened_at,
        "stop_seen": position.stop_loss is not None,
        "target_seen": position.take_profit is not None,
        "missing_since": None,
        "missing_count": 0,
    }
    if match.joined[1:]:
        changes["other_position_ids"] = list(match.joined[1:])
    await _change_trade(pen, trade, changes)
    await pen.log(
        **_trade_columns(trade),
        mt5_position_id=position.identifier,
        volume=position.volume,
        entry_price=position.price_open,
        current_price=position.price_current,
        take_profit=position.take_profit,
        stop_loss=position.stop_loss,
        matched=True,
        slippage_pips=match.slippage_pips,
        event_type="sync",
        status="success",
    )
    await pen.say(
        a.TradeOpened(
            **pen.who,
            trade_id=trade.id,
            signal_id=trade.signal_id,
            position_id=position.identifier,
            symbol=trade.symbol,
            side=position.side.value,
            volume=position.volume,
            entry_price=quoted(position.price_open, match.spec),
            expected_entry=quoted(trade.expected_entry, match.spec),
            slippage_pips=match.slippage_pips,
            stop_loss=position.stop_loss,
            take_profit=position.take_profit,
            opened_at=position.opened_at,
        )
    )


async def _still_there(pen: Recorder, match: Match) -> None:
    changes = seen(match)
    if changes:
        await _change_trade(pen, match.trade, changes)
    for part in match.parts:
        if part.identifier in match.joined:
            await pen.log(
                **_trade_columns(match.trade),
                mt5_position_id=part.identifier,
                volume=part.volume,
                entry_price=part.price_open,
                current_price=part.price_current,
                take_profit=part.take_profit,
                stop_loss=part.stop_loss,
                matched=True,
                divergence_reason=Note.SPLIT_FILL.value,
                event_type="sync",
                status="success",
            )


def seen(match: Match) -> dict[str, object]:
    """What a reading changes in the row of a trade that was matched before; usually nothing."""
    trade, position = match.trade, match.position
    changes: dict[str, object] = {}
    if trade.observed_volume is None or position.volume > trade.observed_volume:
        changes |= {"observed_volume": position.volume, "entry_price": position.price_open}
    if match.joined:
        changes["other_position_ids"] = [*(trade.other_position_ids or ()), *match.joined]
    if trade.stop_seen is False and position.stop_loss is not None:
        changes["stop_seen"] = True
    if trade.target_seen is False and position.take_profit is not None:
        changes["target_seen"] = True
    if trade.missing_count and match.whole:
        changes |= {"missing_since": None, "missing_count": 0}
    return changes


async def _partly_closed(pen: Recorder, cycle: Cycle) -> None:
    """Tell who closed a part of what is still there, and with what result.

    An exit that another trade's order made, on a netting account, is that trade's entry.
    """
    opinion = cycle.reconciliation
    trades: dict[int, TradeRow | None] = {p.identifier: None for p in opinion.unknown}
    trades |= {i: m.trade for m in opinion.matches for i in identifiers(m.trade)}
    trades |= {p.identifier: m.trade for m in opinion.matches for p in m.parts}
    exits: dict[int, list[Deal]] = {}
    for deal in () if cycle.first else cycle.new_deals:
        if deal.position_id not in trades or deal.entry not in (DealEntry.OUT, DealEntry.OUT_BY):
            continue
        if deal.reason == DealReason.ROLLOVER:
            await _reopened(pen, deal, trades[deal.position_id])
        elif not any(own_deals(m.trade, (deal,)) for m in opinion.matches):
            exits.setdefault(deal.position_id, []).append(deal)
    for position_id, deals in exits.items():
        last = max(deals, key=lambda d: (d.executed_at, d.ticket))
        part = Closure(
            position_id=position_id,
            reason=close_reason(last, ours=position_id in pen.memory.closed_by_us),
            symbol=last.symbol,
            side=exit_side(last),
            volume=sum((d.volume for d in deals), ZERO),
            exit_price=mean_price(deals),
            pnl=sum((d.amount for d in deals), ZERO),
            closed_at=last.executed_at,
        )
        if part.reason is not CloseReason.RECKONER:  # the close job's own report tells of those
            await _say_closed(pen, part, trades[position_id], partial=True)


async def _reopened(pen: Recorder, deal: Deal, trade: TradeRow | None) -> None:
    """Log that a rollover closed a position and opened it anew: nobody's doing, and no end."""
    await pen.log(
        **(_trade_columns(trade) if trade else {"symbol": deal.symbol}),
        mt5_position_id=deal.position_id,
        volume=deal.volume,
        exit_price=deal.price,
        matched=trade is not None,
        divergence_reason=Note.ROLLOVER_REOPEN.value,
        pnl=deal.amount,
        event_type="sync",
        status="success",
    )


async def gone(pen: Recorder, cycle: Cycle) -> None:
    """Record explained ends of trades, and of positions that were nobody's trade.

    Ends by a close job are told by its own report: one message per incident. More than
    `TOLD_EACH_MAX` others in one reading are told in one message.
    """
    ends: list[tuple[Closure, TradeRow | None]] = []
    for gone in cycle.reconciliation.gone:
        await _trade_closed(pen, gone, cycle)
        ends.append((gone.closure, gone.trade))
        pen.memory.ended.update(identifiers(gone.trade))
    for closure in cycle.closures.values():
        await _closed_log(pen, closure, cycle, trade=None)
        ends.append((closure, None))
        pen.memory.ended.add(closure.position_id)
    told = [(c, t) for c, t in ends if c.reason is not CloseReason.RECKONER]
    # One cause, one message: what the broker closes for want of margin, it closes in one go.
    alone = 1 if {c.reason for c, _ in told} == {CloseReason.STOP_OUT} else TOLD_EACH_MAX
    if len(told) > alone:
        await _say_many_closed(pen, [c for c, _ in told])
    else:
        for closure, trade in told:
            await _say_closed(pen, closure, trade)
    for subject in cycle.closures:
        if int(subject) not in pen.memory.closed_by_us:  # a close job still reports from them
            pen.memory.deals.pop(int(subject), None)


async def _trade_closed(pen: Recorder, gone: Gone, cycle: Cycle) -> None:
    trade, closure = gone.trade, gone.closure
    changes: dict[str, object] = {
        "status": "closed",
        "position_id": trade.position_id,
        "entry_price": trade.entry_price,
        "observed_volume": trade.observed_volume,
        "opened_at": trade.opened_at,
        "closed_at": closure.closed_at,
        "exit_price": closure.exit_price,
        "close_reason": closure.reason.value,
        "pnl": closure.pnl,
        "missing_since": None,
    }
    await _change_trade(pen, trade, changes)
    await _closed_log(pen, closure, cycle, trade)
    pen.memory.trades.pop(trade.id, None)


async def _closed_log(
    pen: Recorder, closure: Closure, cycle: Cycle, trade: TradeRow | None
) -> None:
    rate = cycle.state.gbp_rate
    columns = _trade_columns(trade) if trade else {"symbol": closure.symbol}
    await pen.log(
        **{**columns, "direction": closure.side.value},
        mt5_position_id=closure.position_id,
        volume=closure.volume,
        entry_price=trade.entry_price if trade else None,
        exit_price=closure.exit_price,
        matched=trade is not None,
        divergence_reason=end_word(closure),
        slippage_pips=closure.slippage_pips,
        close_reason=closure.reason.value,
        pnl=closure.pnl,
        pnl_gbp=to_gbp(closure.pnl, rate),
        pnl_percent=percent_of(closure.pnl, cycle.state.balance or ZERO),
        event_type="close",
        status="success",
    )


async def _say_many_closed(pen: Recorder, closures: Sequence[Closure]) -> None:
    reasons = {c.reason.value for c in closures}
    await pen.say(
        a.PositionsClosed(
            **pen.who,
            close_reason=reasons.pop() if len(reasons) == 1 else "mixed",
            count=len(closures),
            pnl=sum((c.pnl for c in closures), ZERO),
            items=tuple(
                GroupItem(
                    subject=str(c.position_id),
                    symbol=c.symbol,
                    side=c.side.value,
                    volume=c.volume,
                    pnl=c.pnl,
                )
                for c in closures[:GROUP_ITEMS_MAX]
            ),
            at=pen.now,
        )
    )


async def _say_closed(
    pen: Recorder, closure: Closure, trade: TradeRow | None, *, partial: bool = False
) -> None:
    snapshot = pen.memory.snapshot
    spec = snapshot.symbols.get(closure.symbol) if snapshot else None
    await pen.say(
        a.PositionClosed(
            **pen.who,
            position_id=closure.position_id,
            trade_id=trade.id if trade else None,
            signal_id=trade.signal_id if trade else None,
            symbol=closure.symbol,
            side=closure.side.value,
            volume=closure.volume,
            exit_price=quoted(closure.exit_price, spec),
            pnl=closure.pnl,
            close_reason=closure.reason.value,
            closed_at=closure.closed_at,
            partial=partial,
            note=closure.note,
            slippage_pips=closure.slippage_pips,
            to_target_pips=closure.to_target_pips,
        )
    )


async def missing(pen: Recorder, cycle: Cycle, observations_min: int) -> None:
    """Remember absences, up to the count at which they are told."""
    for missing in cycle.reconciliation.missing:
        if missing.trade.missing_count < observations_min:
            await _count_missing(pen, missing)


async def _count_missing(pen: Recorder, missing: Missing) -> None:
    since = missing.trade.missing_since or pen.now
    await _change_trade(
        pen, missing.trade, {"missing_count": missing.count, "missing_since": since}
    )


async def not_placed(pen: Recorder, trade: TradeRow, status: str, reason: str) -> None:
    """An approved trade will not be placed: its deadline passed, or the guard withdrew it."""
    await _change_trade(pen, trade, {"status": status})
    await pen.log(
        **_trade_columns(trade),
        volume=trade.volume,
        matched=False,
        divergence_reason=Kind.NOT_EXECUTED.value,
        event_type="sync",
        status="warning",
        error_message=reason,
    )
    await pen.say(
        a.TradeNotPlaced(
            **pen.who,
            trade_id=trade.id,
            signal_id=trade.signal_id,
            symbol=trade.symbol,
            side=trade.side,
            volume=trade.volume,
            reason=reason,
            at=pen.now,
        )
    )


async def _change_trade(pen: Recorder, trade: TradeRow, changes: dict[str, object]) -> None:
    await pen.tx.update(TradeRow, {"id": trade.id}, **changes)
    # A reading may change a trade twice: one part grew, another is missing.
    pen.memory.trades[trade.id] = replace(pen.memory.trades.get(trade.id, trade), **changes)


def _trade_columns(trade: TradeRow) -> dict[str, object]:
    return {
        "signal_id": trade.signal_id,
        "approval_id": trade.approval_id,
        "symbol": trade.symbol,
        "direction": trade.side,
    }
