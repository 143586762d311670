"""What happened to an account while nobody read it: from its deals and orders, and no further.

Deals say what was traded and booked; how equity went between the two readings nobody saw. So where
anything was held meanwhile, the lowest equity is unknown and the peak may be too low.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from core.domain.alerts_money import AwayItem
from core.domain.broker import ZERO, AccountSnapshot, Deal, DealEntry, DealType
from core.domain.closures import close_reason, closing_parts, exit_side, mean_price
from core.domain.cycle import Cycle
from core.domain.findings import CloseReason, Closure, Kind
from core.domain.operations import FLOWS, Operation, operation_of, totals
from core.records import AccountStateRow, EpisodeRow

AWAY_MIN = timedelta(seconds=60)
"""From this long between two readings on, what happened meanwhile is told as one thing."""
NOT_READ = "not read from"
"""How the note of a stop begins, in the column that has a failed read's error."""
OPENED = "opened"
CLOSED = "closed"
REVERSED = "reversed"


class Absence(Struct, frozen=True, kw_only=True):
    """What happened between two readings; see `core.domain.alerts_money.WhileAway`."""

    since: datetime
    until: datetime
    items: tuple[AwayItem, ...]
    counts: Mapping[str, int]
    result: Decimal
    orders_placed: int
    orders_gone: int
    vanished: int
    unexplained: Decimal
    positions_before: int
    positions_count: int
    uncertain: bool

    @property
    def is_news(self) -> bool:
        """Whether anything happened, or could have happened to something held."""
        return bool(
            self.items
            or self.orders_placed
            or self.orders_gone
            or self.vanished
            or self.unexplained
            or self.uncertain
        )


def is_away(state: AccountStateRow, snapshot: AccountSnapshot) -> bool:
    """Whether the account went unread for so long that what happened is told as one thing."""
    return state.observed_at is not None and snapshot.began_at - state.observed_at >= AWAY_MIN


def what_happened(
    state: AccountStateRow,
    episodes: Iterable[EpisodeRow],
    snapshot: AccountSnapshot,
    cycle: Cycle,
    closed_by_us: frozenset[int],
) -> Absence:
    """What the first reading after an absence shows of it. `state` is the one before it."""
    since = state.observed_at or snapshot.began_at
    traded = _by_position(cycle.new_deals)
    known = {g.trade.position_id: g.closure for g in cycle.reconciliation.gone}
    known |= {int(subject): closure for subject, closure in cycle.closures.items()}
    items: list[AwayItem] = []
    for position_id, deals in traded.items():
        items.extend(_opened(deals))
        closure = known.get(position_id) or _closure(deals, ours=position_id in closed_by_us)
        if closure is not None:
            items.extend(_closed(deals, closure))
    items.extend(
        AwayItem(what=operation_of(d).value, at=d.executed_at, amount=d.amount)
        for d in cycle.new_deals
        if operation_of(d) is not Operation.TRADE and d.amount != 0
    )
    items.sort(key=lambda item: item.at)
    resting = {str(o.ticket) for o in snapshot.orders}
    return Absence(
        since=since,
        until=snapshot.observed_at,
        items=tuple(items),
        counts=Counter(item.what for item in items),
        result=sum((v for k, v in totals(cycle.new_deals).items() if k not in FLOWS), ZERO),
        orders_placed=sum(o.placed_at > since for o in snapshot.orders),
        orders_gone=sum(
            e.kind == Kind.UNKNOWN_PENDING_ORDER and e.subject not in resting for e in episodes
        ),
        vanished=len(cycle.reconciliation.missing) + len(cycle.absent),
        unexplained=cycle.ledger.unexplained,
        positions_before=state.positions_count,
        positions_count=len(snapshot.positions),
        uncertain=bool(state.positions_count or snapshot.positions or traded),
    )


def _by_position(deals: Iterable[Deal]) -> dict[int, list[Deal]]:
    traded: dict[int, list[Deal]] = {}
    for deal in sorted(deals, key=lambda d: d.ticket):
        if operation_of(deal) is Operation.TRADE:
            traded.setdefault(deal.position_id, []).append(deal)
    return traded


def _opened(deals: Sequence[Deal]) -> list[AwayItem]:
    entries = [d for d in deals if d.entry == DealEntry.IN]
    if not entries:
        return []
    side = "buy" if entries[0].deal_type == DealType.BUY else "sell"
    return [
        AwayItem(
            what=OPENED,
            at=entries[0].executed_at,
            symbol=entries[0].symbol,
            side=side,
            volume=sum((d.volume for d in entries), ZERO),
        )
    ]


def _closed(deals: Sequence[Deal], closure: Closure) -> list[AwayItem]:
    """What ended; a close that Reckoner sent is told by its job's report."""
    if closure.reason is CloseReason.RECKONER:
        return []
    turned = any(d.entry == DealEntry.INOUT for d in deals)
    return [
        AwayItem(
            what=REVERSED if turned else CLOSED,
            at=closure.closed_at,
            symbol=closure.symbol,
            side=closure.side.value,
            volume=closure.volume,
            amount=closure.pnl,
            reason=closure.reason.value,
        )
    ]


def _closure(deals: Sequence[Deal], *, ours: bool) -> Closure | None:
    """What of a position ended, as its deals of this time say; None where nothing did."""
    exits = [d for d in deals if d.entry in DealEntry.EXITS]
    if not exits:
        return None
    last, parts = exits[-1], closing_parts(deals)
    return Closure(
        position_id=last.position_id,
        reason=close_reason(last, ours=ours),
        symbol=last.symbol,
        side=exit_side(last),
        volume=sum((p.volume for p in parts), ZERO),
        exit_price=mean_price(parts),
        pnl=sum((d.amount for d in deals), ZERO),
        closed_at=last.executed_at,
    )
