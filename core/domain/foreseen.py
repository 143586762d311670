"""What positions that are gone had shown as profit, as long as no deal says what became of it.

A deal may be later than the end of its position. Until it comes, what the balance gained by the end
is a gain that nothing explains (law 9), and the guard leaves it out: whoever takes a profit would
be closed for it. But that profit was part of the equity before, floating; it is left in.

Invariants:

1. Only what a reading not long before this one showed as floating profit is foreseen, never more:
   the equity that counts is one that was seen with the positions held.
2. Each deal of an exit takes the share of its lots away: no lot counts twice.
3. Nothing is foreseen while deals explain the balance.
4. What positions won and lost is foreseen together, and never below zero: a loss counts as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from core.domain.broker import ZERO, AccountSnapshot, Deal, DealEntry, Position
from core.domain.drawdown import PEAK_QUANTUM
from core.records import AccountStateRow, JsonObject

SEEN_WITHIN: Final = timedelta(seconds=60)
"""A profit that was read longer ago says nothing of what became of it since."""
FORESEEN_MAX: Final = 1_000
"""Positions whose deals are waited for; of any beyond, nothing is foreseen."""


class Foreseen(Struct, frozen=True, kw_only=True, gc=False):
    """Lots of one position that are gone without a deal.

    `result` is what they last showed, profit and swap in account currency, to 8 decimals.
    """

    volume: Decimal
    result: Decimal


ForeseenLots = Mapping[int, Foreseen]
"""By position identifier."""


def foresee(
    before: ForeseenLots,
    last: AccountSnapshot | None,
    snapshot: AccountSnapshot,
    new_deals: Iterable[Deal],
) -> ForeseenLots:
    """What is gone without a deal after a reading that deals do not explain.

    `last` is the reading before it, None where there was none since the start.
    """
    found = dict(before)
    if last is not None and snapshot.began_at - last.observed_at <= SEEN_WITHIN:
        for position_id, lots in _left(last.positions, snapshot.positions):
            found[position_id] = _added(found.get(position_id), lots)
    for deal in new_deals:
        waiting = found.get(deal.position_id)
        if waiting is not None and deal.entry in DealEntry.EXITS and waiting.volume > 0:
            found[deal.position_id] = _without(waiting, deal.volume)
    left = [(i, lots) for i, lots in sorted(found.items()) if lots.volume > 0]
    return dict(left[:FORESEEN_MAX])


def with_foreseen(
    state: AccountStateRow,
    last: AccountSnapshot | None,
    snapshot: AccountSnapshot,
    new_deals: Iterable[Deal],
    *,
    explained: bool,
) -> AccountStateRow:
    """The state before a reading, with what is foreseen after it: nothing where all is explained.

    The same state where nothing was foreseen and nothing is.
    """
    lots = {} if explained else foresee(foreseen_of(state), last, snapshot, new_deals)
    if not lots and state.foreseen is None:
        return state
    return replace(state, foreseen=kept(lots))


def unexplained_gain(written_off: Decimal, lots: ForeseenLots) -> Decimal:
    """The part of balance and credit that is no gain yet, 0 or above (law 9)."""
    shown = sum((f.result for f in lots.values()), ZERO)
    return max(ZERO, written_off - max(ZERO, shown))


def foreseen_of(state: AccountStateRow) -> ForeseenLots:
    """What is foreseen, as it is kept with an account's state."""
    if state.foreseen is None:
        return {}
    return msgspec.convert(state.foreseen, dict[int, Foreseen], strict=False)


def kept(lots: ForeseenLots) -> JsonObject | None:
    """The same, to be kept; None where nothing is foreseen."""
    return msgspec.to_builtins(lots, str_keys=True) if lots else None


def gain_of(state: AccountStateRow) -> Decimal:
    """The part of the last reading's balance and credit that is no gain yet."""
    return unexplained_gain(state.written_off, foreseen_of(state))


def _left(before: Sequence[Position], now: Sequence[Position]) -> list[tuple[int, Foreseen]]:
    """The lots that a position held at the reading before, and holds no more on its side."""
    held = {(p.identifier, p.side): p.volume for p in now}
    found: list[tuple[int, Foreseen]] = []
    for position in before:
        left = position.volume - held.get((position.identifier, position.side), ZERO)
        if left > 0:
            result = (position.profit + position.swap) * left / position.volume
            found.append((position.identifier, Foreseen(volume=left, result=_rounded(result))))
    return found


def _added(before: Foreseen | None, more: Foreseen) -> Foreseen:
    if before is None:
        return more
    return Foreseen(volume=before.volume + more.volume, result=before.result + more.result)


def _without(lots: Foreseen, volume: Decimal) -> Foreseen:
    left = max(ZERO, lots.volume - volume)
    return Foreseen(volume=left, result=_rounded(lots.result * left / lots.volume))


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(PEAK_QUANTUM, ROUND_HALF_EVEN)
