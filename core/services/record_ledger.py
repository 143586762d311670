"""Record what a reading's deals did: booked deals, cash flows, results, and what none explains."""

from decimal import Decimal

from core.domain import alerts_money as m
from core.domain import audit_words as words
from core.domain.broker import ZERO, Deal
from core.domain.conditions import PNL_MISMATCH
from core.domain.cycle import Cycle
from core.domain.findings import Kind
from core.domain.operations import operation_of, results
from core.records import CashFlowRow
from core.services.desk import row_of
from core.services.recording import GROUP_ITEMS_MAX, Recorder


async def deals(pen: Recorder, cycle: Cycle) -> None:
    """Book new deals, flows, results and write-offs."""
    memory = pen.memory
    rows = [row_of(d, memory.account.id, pen.now) for d in cycle.new_deals]
    if rows:
        await pen.tx.insert_many(rows)
    for deal in cycle.new_deals:
        memory.deal_tickets[deal.ticket] = deal.executed_at
        if deal.position_id:
            memory.deals.setdefault(deal.position_id, []).append(deal)
    for flow in cycle.ledger.flows:
        await _flow(pen, cycle, flow)
    await _say_flow(pen, cycle)
    if not cycle.first:  # what came before the first reading is in the balance it began with
        await _results(pen, results(cycle.new_deals))
    if cycle.ledger.lost is not None:
        await _lost(pen, cycle, cycle.ledger.lost)


async def _flow(pen: Recorder, cycle: Cycle, flow: Deal) -> None:
    before, after = cycle.verdict.peak_before_flow, cycle.state.peak_equity
    kind = operation_of(flow).value
    await pen.tx.insert(
        CashFlowRow(
            account_id=pen.memory.account.id,
            deal_ticket=flow.ticket,
            kind=kind,
            amount=flow.amount,
            currency=pen.memory.account.currency,
            peak_before=before,
            peak_after=after,
            executed_at=flow.executed_at,
            created_at=pen.now,
        )
    )
    await pen.audit(
        words.CASH_FLOW,
        deal=flow.ticket,
        kind=kind,
        amount=flow.amount,
        peak_before=before,
        peak_after=after,
    )
    await _log(pen, f"{kind} {flow.amount.normalize():f}, deal {flow.ticket}", pnl=None)


async def _log(pen: Recorder, text: str, *, pnl: Decimal | None) -> None:
    """Add an operation on the money to the history; a flow is no profit and no loss."""
    await pen.log(
        matched=True,
        divergence_reason=Kind.BALANCE_OPERATION.value,
        event_type="sync",
        status="success",
        pnl=pnl,
        error_message=text,
    )


async def _say_flow(pen: Recorder, cycle: Cycle) -> None:
    before, after = cycle.verdict.peak_before_flow, cycle.state.peak_equity
    amount = cycle.ledger.flow
    if m.CashFlowSeen in pen.muted:
        # The message about an absence tells of its own flows, not of one that waited before it.
        amount = pen.memory.state.pending_flow
        pen.muted = tuple(kind for kind in pen.muted if kind is not m.CashFlowSeen)
    if amount == 0 or before is None or after is None:
        return
    kinds = {operation_of(flow).value for flow in cycle.ledger.flows}
    await pen.say(
        m.CashFlowSeen(
            **pen.who,
            amount=amount,
            equity=cycle.state.equity or ZERO,
            peak_before=before,
            peak_after=after,
            below_minimum=cycle.state.withdrawal_exempt,
            at=pen.now,
            operation=kinds.pop() if len(kinds) == 1 else "",
        )
    )


async def _results(pen: Recorder, booked: tuple[Deal, ...]) -> None:
    """Charges, taxes, dividends and their like: each recorded, all of them told in one message."""
    for deal in booked:
        kind = operation_of(deal).value
        await pen.audit(words.RESULT_BOOKED, deal=deal.ticket, kind=kind, amount=deal.amount)
        await _log(pen, f"{kind}, deal {deal.ticket}", pnl=deal.amount)
    if not booked:
        return
    await pen.say(
        m.ResultsBooked(
            **pen.who,
            count=len(booked),
            total=sum((d.amount for d in booked), ZERO),
            items=tuple(
                m.MoneyItem(operation=operation_of(d).value, amount=d.amount, comment=d.comment)
                for d in booked[:GROUP_ITEMS_MAX]
            ),
            at=pen.now,
        )
    )


async def _lost(pen: Recorder, cycle: Cycle, lost: Decimal) -> None:
    """Record a write-off; `core.services.record_conditions` tells of it."""
    await pen.audit(words.BALANCE_UNEXPLAINED, amount=lost, balance=cycle.state.balance)
    await pen.log(
        matched=False,
        divergence_reason=PNL_MISMATCH,
        event_type="sync",
        status="warning",
        pnl=lost,
        error_message="the balance changed and no deal explains it",
    )
