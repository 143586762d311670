"""The ledger: which deals explain the balance, and which moved money in or out (law 9).

Invariants:

1. The sum of all booked deals since the first read, plus what was written off, is the balance and
   credit of every trusted reading. The two are one sum: whether a bonus goes to the balance or to
   the credit is the broker's affair, and so is money that moves from the one to the other.
2. A change of it that no deal explains makes readings untrusted for a bounded time, and after
   that counts as loss; a deal that arrives later takes the write-off back.
3. Deals of type balance, credit and bonus are flows; all others are results.
4. A flow is handed on once, with a trusted reading: a torn one may show the deal and not the money.
5. A deal counts once, by its ticket, however often, late or out of order it is shown.
"""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from core.domain.broker import ZERO, AccountState, Deal


class LedgerMemory(Struct, frozen=True, kw_only=True, gc=False):
    """What the ledger knew after the last reading; `booked` None before the first.

    `booked` is what the deals say balance and credit should be together, `pending_flow` the flows
    whose deals came with readings that were not to be trusted.
    """

    booked: Decimal | None
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

    @property
    def explained(self) -> bool:
        """Whether deals explain every penny: nothing is awaited and nothing written off."""
        return self.trusted and self.memory.written_off == 0


def unseen(deals: Iterable[Deal], known: Container[int]) -> tuple[Deal, ...]:
    """The deals whose tickets are not known, each once, in the order of their tickets."""
    new = {d.ticket: d for d in deals if d.ticket not in known}
    return tuple(new[ticket] for ticket in sorted(new))


def book(
    memory: LedgerMemory,
    state: AccountState,
    new_deals: Sequence[Deal],
    now: datetime,
    *,
    explanation_wait_s: float,
) -> LedgerStep:
    """Book a reading's new deals and compare their sum with balance and credit."""
    flows = tuple(d for d in new_deals if d.is_flow)
    funds = state.balance + state.credit
    if memory.booked is None:
        first = LedgerMemory(booked=funds, written_off=ZERO, unexplained_since=None)
        return _step(first, flows=(), trusted=True)
    booked = memory.booked + sum((d.amount for d in new_deals), ZERO)
    digits = state.currency_digits
    tolerance = rounding(digits, sum(not is_exact(d, digits) for d in new_deals))
    gap = funds - booked
    if abs(gap) <= tolerance:
        clean = replace(memory, booked=funds, written_off=ZERO, unexplained_since=None)
        return _step(clean, flows=flows, trusted=True)
    if abs(gap - memory.written_off) <= tolerance:
        # What rounding left over is booked, as above: it must not add up over readings.
        known = replace(memory, booked=funds - memory.written_off, unexplained_since=None)
        return _step(known, flows=flows, trusted=True)
    stood_still = abs(funds - memory.booked - memory.written_off) <= tolerance
    if stood_still and ZERO < gap * memory.written_off < memory.written_off**2:
        # The deals are late, and explain a part of what was written off.
        late = replace(memory, booked=booked, written_off=gap, unexplained_since=None)
        return _step(late, flows=flows, trusted=True)
    since = memory.unexplained_since or now
    if now - since < timedelta(seconds=explanation_wait_s):
        waiting = replace(memory, booked=booked, unexplained_since=since)
        return _step(waiting, flows=flows, trusted=False, unexplained=gap - memory.written_off)
    lost = gap - memory.written_off
    written = replace(memory, booked=booked, written_off=gap, unexplained_since=None)
    return _step(written, flows=flows, trusted=True, lost=lost)


def rounding(currency_digits: int, inexact: int) -> Decimal:
    """How far a balance may stand from the sum of its deals by rounding alone.

    Half of the smallest unit for the balance, and for each of the `inexact` amounts that were
    rounded on their way into it. Amounts in whole units are not: a cent that they do not explain
    is the deal of a cent that is still to come.
    """
    return Decimal(1).scaleb(-currency_digits) / 2 * (1 + inexact)


def is_exact(deal: Deal, currency_digits: int) -> bool:
    """Whether each amount of the deal is in whole units of the account's currency.

    Some servers keep commissions and swaps with more digits than the balance has.
    """
    parts = (deal.profit, deal.commission, deal.swap, deal.fee)
    return all(part == round(part, currency_digits) for part in parts)


def contradiction(state: AccountState, swaps: Decimal = ZERO) -> Decimal:
    """By how much equity is not balance, credit and floating profit; zero within rounding.

    `swaps` are those of the open positions: some servers count them into the profit and some only
    into the equity. Source of the identity: printed terminal figures (balance 941.54, profit 2.37,
    equity 943.91), and the facts on P/L (`position.profit` excludes swap).
    """
    difference = state.equity - state.balance - state.credit - state.profit
    within = rounding(state.currency_digits, 2)
    if min(abs(difference), abs(difference - swaps)) <= within:
        return ZERO
    return difference


def is_consistent(state: AccountState) -> bool:
    """Whether equity is balance, credit and floating profit, to the rounding of three figures."""
    return contradiction(state) == 0


def is_confirmed(doubt: Decimal, before: Decimal | None, currency_digits: int) -> bool:
    """Whether an equity may be believed: it contradicts nothing, or for the second time alike.

    `doubt` and `before` are the contradictions of this reading and of the one before it.
    """
    if doubt == 0:
        return True
    return before is not None and abs(doubt - before) <= rounding(currency_digits, 2)


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
