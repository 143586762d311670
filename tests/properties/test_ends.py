"""No end is told with other lots than were closed, whichever deal of the position is late.

All netting positions of up to five deals of one to three lots each, from flat to flat, are tried.
"""

from collections.abc import Iterator
from decimal import Decimal

from core.domain.broker import Deal
from core.domain.closures import explain
from tests.unit.domain.make import D, deal

BUY, SELL = 0, 1
IN, OUT, INOUT = 0, 1, 2
LOTS = (-3, -2, -1, 1, 2, 3)
DEALS_MAX = 5


def lives(held: int = 0, *moves: int) -> Iterator[tuple[int, ...]]:
    """Every way from a first buy to flat, as lots bought (+) and sold (-)."""
    if moves and held == 0:
        yield moves
    elif len(moves) < DEALS_MAX:
        for lots in LOTS if moves else LOTS[3:]:
            if abs(held + lots) <= LOTS[-1]:
                yield from lives(held + lots, *moves, lots)


def booked(moves: tuple[int, ...]) -> tuple[list[Deal], int]:
    """The deals of such a life, and how many lots were closed in it."""
    held = closed = 0
    deals = []
    for ticket, lots in enumerate(moves, 1):
        against = held * lots < 0
        entry = (INOUT if abs(lots) > abs(held) else OUT) if against else IN
        closed += min(abs(lots), abs(held)) if against else 0
        held += lots
        kind = BUY if lots > 0 else SELL
        deals.append(deal(ticket, deal_type=kind, entry=entry, volume=D(abs(lots))))
    return deals, closed


def told(deals: list[Deal]) -> Decimal | None:
    """The lots of the end that these deals tell, None where they tell none."""
    closure = explain(deals, held=D(0), ours=False)
    return None if closure is None else closure.volume


def test_all_its_deals_tell_the_end_of_a_position() -> None:
    for moves in lives():
        deals, closed = booked(moves)
        assert told(deals) == closed, moves
        assert told(deals[::-1]) == closed, "in whichever order they are shown"


def test_whichever_deal_is_late_no_end_is_told_with_other_lots() -> None:
    tried = 0
    for moves in lives():
        deals, closed = booked(moves)
        for late in range(len(deals)):
            seen = deals[:late] + deals[late + 1 :]
            assert told(seen) in {None, D(closed)}, (moves, late)
            tried += 1
    assert tried > 500
