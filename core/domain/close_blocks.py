"""What keeps each ticket of a close job open now, for the message that says so."""

from collections.abc import Sequence

from core.domain import closing
from core.domain.alert_parts import Blocked
from core.domain.broker import AccountSnapshot, PendingOrder, Position
from core.domain.close_request import CANCEL, CLOSE
from core.records import CloseJobRow, CloseOrderRow

NOT_TRIED = "not_tried"
"""Nothing has been sent for it yet: something else is in the way."""
LINGERS = "lingers"
"""The server has done what was asked, or has said so, and the ticket is still there."""
FIGURES = "figures"
"""Nothing is open; profit or margin are not zero, so that the account is not proved flat."""


def blocks(
    job: CloseJobRow, orders: Sequence[CloseOrderRow], snapshot: AccountSnapshot
) -> tuple[Blocked, ...]:
    """One line for each ticket still there; one without a ticket where only the figures are not."""
    last: dict[closing.Key, CloseOrderRow] = {}
    tries: dict[closing.Key, int] = {}
    for order in sorted(orders, key=lambda o: (o.created_at, o.id)):
        key = (order.action, order.ticket)
        last[key] = order
        tries[key] = tries.get(key, 0) + 1
    whole = job.scope == closing.ACCOUNT_SCOPE
    held: list[Position | PendingOrder] = [*snapshot.orders, *snapshot.positions]
    held = [x for x in held if whole or x.symbol == job.scope]
    made = [_block(x, last.get(_key(x)), tries.get(_key(x), 0)) for x in held]
    if not made and whole and (snapshot.state.profit or snapshot.state.margin):
        made.append(Blocked(word=FIGURES))
    return tuple(made)


def _key(item: Position | PendingOrder) -> closing.Key:
    action = CANCEL if isinstance(item, PendingOrder) else CLOSE
    return action, item.ticket


def _block(item: Position | PendingOrder, last: CloseOrderRow | None, tries: int) -> Blocked:
    word, code = NOT_TRIED, None
    if last is not None:
        code = closing.telling_code(last)
        word = closing.standing_trouble(last) or LINGERS
    return Blocked(
        word=word,
        ticket=item.ticket,
        symbol=item.symbol,
        side=item.side.value,
        volume=item.volume,
        is_order=isinstance(item, PendingOrder),
        code=code,
        detail="" if last is None else (last.error or ""),
        tries=tries,
    )
