"""What one request of a close job looks like: which volume, which filling mode, which deviation."""

from decimal import ROUND_DOWN, Decimal

from msgspec import Struct

from core.domain.broker import PendingOrder, Position, SymbolSpec

CLOSE = "close"
CANCEL = "cancel"

FILL_FOK = 0
FILL_IOC = 1
FILL_RETURN = 2
FLAG_FOK = 1
FLAG_IOC = 2
EXECUTION_MARKET = 2

PIECES_MAX = 1000
"""Requests that a position is counted to need, at most."""


class Refused(Struct, frozen=True, gc=False):
    """How many attempts at a ticket were refused for their filling mode, and for their volume."""

    filling: int = 0
    volume: int = 0


class Attempt(Struct, frozen=True, kw_only=True, gc=False):
    """A request to make now; `held` is what the reading shows of the ticket, `volume` is asked."""

    action: str
    ticket: int
    position_id: int
    symbol: str
    side: str
    held: Decimal
    volume: Decimal
    filling: int
    deviation_points: int
    attempt: int


def attempt(
    item: Position | PendingOrder,
    spec: SymbolSpec | None,
    number: int,
    refused: Refused,
    deviation_points: int,
) -> Attempt:
    """The request that removes an order, or closes a position.

    `number` counts the ticket's attempts from one.
    """
    if isinstance(item, PendingOrder):
        return Attempt(
            action=CANCEL,
            ticket=item.ticket,
            position_id=0,
            symbol=item.symbol,
            side=item.side.value,
            held=item.volume,
            volume=item.volume,
            filling=FILL_RETURN,
            deviation_points=deviation_points,
            attempt=number,
        )
    modes = filling_modes(spec)
    return Attempt(
        action=CLOSE,
        ticket=item.ticket,
        position_id=item.identifier,
        symbol=item.symbol,
        side=item.side.value,
        held=item.volume,
        volume=close_volume(item.volume, spec, refused=refused.volume),
        filling=modes[refused.filling % len(modes)],
        deviation_points=deviation_points,
        attempt=number,
    )


def close_volume(held: Decimal, spec: SymbolSpec | None, *, refused: int = 0) -> Decimal:
    """How much of a position one request may close: all of it, or the largest allowed order.

    A rest smaller than the symbol's minimum could not be closed afterwards, so the split leaves at
    least that much. Without usable symbol data all of it is asked for. A volume off the symbol's
    grid (a broker that changed its step) is asked for whole, and after a refusal of the volume
    rounded down to the grid; the two take turns.
    """
    if spec is None or spec.volume_step <= 0:
        return held
    if held <= spec.volume_max:
        return (_to_step(held, spec.volume_step) or held) if refused % 2 else held
    largest = _to_step(spec.volume_max, spec.volume_step)
    if held - largest < spec.volume_min:
        leaving = _to_step(held - spec.volume_min, spec.volume_step)
        return leaving if leaving >= spec.volume_min else largest or held
    return largest or held


def _to_step(volume: Decimal, step: Decimal) -> Decimal:
    return (volume / step).to_integral_value(ROUND_DOWN) * step


def filling_modes(spec: SymbolSpec | None) -> tuple[int, ...]:
    """Filling modes to try, most likely first (facts: mt5, section 2, filling).

    Request and instant execution take fill-or-kill; market execution what its flags allow,
    immediate-or-cancel first because a part closed is better than none; exchange takes all.
    Without symbol data, as for market execution without flags.
    """
    if spec is None:
        return (FILL_FOK, FILL_IOC, FILL_RETURN)
    flagged = [
        mode
        for flag, mode in ((FLAG_IOC, FILL_IOC), (FLAG_FOK, FILL_FOK))
        if spec.filling_mode & flag
    ]
    rest = [m for m in (FILL_FOK, FILL_IOC, FILL_RETURN) if m not in flagged]
    if spec.execution_mode < EXECUTION_MARKET:
        return (FILL_FOK, FILL_IOC, FILL_RETURN)
    return (*flagged, *rest)


def pieces(held: Decimal, spec: SymbolSpec | None) -> tuple[Decimal, ...]:
    """The requests that close a position of this volume, one after the other (at most PIECES_MAX).

    Where the largest order is so small that more would be needed, the last stands for the rest.
    """
    made: list[Decimal] = []
    left = held
    while left > 0 and len(made) < PIECES_MAX:
        made.append(close_volume(left, spec))
        left -= made[-1]
    return tuple(made)
