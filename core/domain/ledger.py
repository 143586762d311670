"""The ledger: which deals explain the balance, and which moved money in or out (law 9).

Invariants:

1. The sum of all booked deals since the first read, plus what was written off, is the balance of
   every trusted reading.
2. A balance change that no deal explains makes readings untrusted for a bounded time, and after
   that counts as loss; a deal that arrives later takes the write-off back.
3. Deals of type balance, credit and bonus are flows; all others are results.
4. A flow is handed on once, with a trusted reading: a torn one may show the deal and not the money.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from core.domain.broker import ZERO, AccountState, Deal, DealType


class LedgerMemory(Struct, frozen=True, kw_only=True, gc=False):
    """What the ledger knew after the last reading; `booked_balance` None before the first.

    `pending_flow` are flows whose deals came with readings that were not to be trusted.
    """

    booked_balance: Decimal | None
    written_off: Decimal
    unexplained_since: datetime | None
    pending_flow: Decimal = ZERO


class LedgerStep(Struct, frozen=True, kw_only=True, gc=False):
    """One reading's entry: the new memory, the flows in it, and whether to trust it.

    `flow` is the money in (positive) and out to judge this reading by, `flows` the new deals that
    moved it; they differ where a reading is not trusted, and at the next one that is. `lost` is a
    change that has just been written off, signed as it changed the balance; None where none was.
    """

    memory: LedgerMemory
    flow: Decimal
    flows: tuple[Deal, ...]
    trusted: bool
    unexplained: Decimal
    lost: Decimal | None


def book(
    memory: LedgerMemory,
    state: AccountState,
    new_deals: Sequence[Deal],
    now: datetime,
    *,
    explanation_wait_s: float,
) -> LedgerStep:
    """Book a reading's new deals and compare their sum with the balance."""
    flows = tuple(d for d in new_deals if d.is_flow)
    if memory.booked_balance is None:
        first = LedgerMemory(booked_balance=state.balance, written_off=ZERO, unexplained_since=None)
        return _step(first, flows=(), trusted=True)
    booked = memory.booked_balance + sum(
        (d.amount for d in new_deals if d.deal_type != DealType.CREDIT), ZERO
    )
    tolerance = rounding(state.currency_digits, len(new_deals))
    gap = state.balance - booked
    if abs(gap) <= tolerance:
        clean = replace(
            memory, booked_balance=state.balance, written_off=ZERO, unexplained_since=None
        )
        return _step(clean, flows=flows, trusted=True)
    if abs(gap - memory.written_off) <= tolerance:
        # What rounding left over is booked, as above: it must not add up over readings.
        known = replace(
            memory, booked_balance=state.balance - memory.written_off, unexplained_since=None
        )
        return _step(known, flows=flows, trusted=True)
    stood_still = abs(state.balance - memory.booked_balance - memory.written_off) <= tolerance
    if stood_still and ZERO < gap * memory.written_off < memory.written_off**2:
        # The deals are late, and explain a part of what was written off.
        late = replace(memory, booked_balance=booked, written_off=gap, unexplained_since=None)
        return _step(late, flows=flows, trusted=True)
    since = memory.unexplained_since or now
    if now - since < timedelta(seconds=explanation_wait_s):
        waiting = replace(memory, booked_balance=booked, unexplained_since=since)
        return _step(waiting, flows=flows, trusted=False, unexplained=gap - memory.written_off)
    lost = gap - memory.written_off
    written = replace(memory, booked_balance=booked, written_off=gap, unexplained_since=None)
    return _step(written, flows=flows, trusted=True, lost=lost)


def rounding(currency_digits: int, deals: int) -> Decimal:
    """How far a balance may stand from the sum of its deals by rounding alone."""
    return Decimal(1).scaleb(-currency_digits) / 2 * (1 + deals)


def is_consistent(state: AccountState) -> bool:
    """Whether equity is balance, credit and floating profit, to the rounding of three figures.

    Source of the identity: printed terminal figures (balance 941.54, profit 2.37, equity 943.91).
    """
    difference = state.equity - state.balance - state.credit - state.profit
    return abs(difference) <= rounding(state.currency_digits, 2)


def _step(
    memory: LedgerMemory,
    *,
    flows: tuple[Deal, ...],
    trusted: bool,
    unexplained: Decimal = ZERO,
    lost: Decimal | None = None,
) -> LedgerStep:
    """Hand flows on with the first trusted reading: an equity that may lack them judges nothing."""
    total = memory.pending_flow + sum((d.amount for d in flows), ZERO)
    return LedgerStep(
        memory=replace(memory, pending_flow=ZERO if trusted else total),
        flow=total if trusted else ZERO,
        flows=flows,
        trusted=trusted,
        unexplained=unexplained,
        lost=lost,
    )
