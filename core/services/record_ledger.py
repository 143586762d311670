"""Record what a reading's deals did: booked deals, cash flows, and unexplained losses."""

from decimal import Decimal

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain.broker import ZERO, DealType
from core.domain.cycle import Cycle
from core.records import CashFlowRow
from core.services.desk import row_of
from core.services.recording import Recorder


async def deals(pen: Recorder, cycle: Cycle) -> None:
    """Book new deals, flows and write-offs."""
    memory = pen.memory
    rows = [row_of(d, memory.account.id, pen.now) for d in cycle.new_deals]
    if rows:
        await pen.tx.insert_many(rows)
    for deal in cycle.new_deals:
        memory.deal_tickets.add(deal.ticket)
        if deal.position_id:
            memory.deals.setdefault(deal.position_id, []).append(deal)
    before, after = cycle.verdict.peak_before_flow, cycle.state.peak_equity
    for flow in cycle.ledger.flows:
        kind = "credit" if flow.deal_type == DealType.CREDIT else "balance"
        row = CashFlowRow(
            account_id=memory.account.id,
            deal_ticket=flow.ticket,
            kind=kind,
            amount=flow.amount,
            currency=memory.account.currency,
            peak_before=before,
            peak_after=after,
            executed_at=flow.executed_at,
            created_at=pen.now,
        )
        await pen.tx.insert(row)
        await pen.audit(
            words.CASH_FLOW,
            deal=flow.ticket,
            amount=flow.amount,
            peak_before=before,
            peak_after=after,
        )
    if cycle.ledger.flow != 0 and before is not None and after is not None:
        total = cycle.ledger.flow
        await pen.say(
            a.CashFlowSeen(
                **pen.who,
                amount=total,
                equity=cycle.state.equity or ZERO,
                peak_before=before,
                peak_after=after,
                below_minimum=cycle.state.withdrawal_exempt,
                at=pen.now,
            )
        )
    if cycle.ledger.lost is not None:
        await _lost(pen, cycle, cycle.ledger.lost)


async def _lost(pen: Recorder, cycle: Cycle, lost: Decimal) -> None:
    await pen.audit(words.BALANCE_UNEXPLAINED, amount=lost, balance=cycle.state.balance)
    since = pen.memory.state.unexplained_since or pen.now
    if not pen.memory.unreported:  # the deals of our own close are late: its report will say
        await pen.say(a.BalanceUnexplained(**pen.who, amount=lost, since=since, at=pen.now))
    await pen.log(
        matched=False,
        divergence_reason="balance_unexplained",
        event_type="sync",
        status="warning",
        pnl=lost,
        error_message="the balance changed and no deal explains it",
    )
