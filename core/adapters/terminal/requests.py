"""What may be asked of the trade server: to close a position, to remove an order. Pure."""

from typing import Any, Final

from core.domain.broker import Side
from core.ports import CancelRequest, CloseRequest

ACTION_DEAL: Final = 1
ACTION_REMOVE: Final = 8
TYPE_BUY: Final = 0
TYPE_SELL: Final = 1
COMMENT_UNITS_MAX: Final = 29
"""The wheel refuses 30 UTF-16 units (facts: mt5, row 5)."""


def trade_request(request: CloseRequest | CancelRequest) -> dict[str, Any]:
    """The MetaTrader trade request: position and symbol both named, so it can open nothing.

    Raises ValueError where it names none, or where its comment is too long.
    """
    if isinstance(request, CancelRequest):
        return {"action": ACTION_REMOVE, "order": request.ticket, "symbol": request.symbol}
    if request.ticket <= 0:
        raise ValueError(f"a close must name a position, not {request.ticket}")
    if len(request.comment.encode("utf-16-le")) // 2 > COMMENT_UNITS_MAX:
        raise ValueError(f"a comment has at most {COMMENT_UNITS_MAX} UTF-16 units")
    return {
        "action": ACTION_DEAL,
        "position": request.ticket,
        "symbol": request.symbol,
        "volume": float(request.volume),
        "price": float(request.price),
        "type": TYPE_SELL if request.position_side is Side.BUY else TYPE_BUY,
        "deviation": request.deviation_points,
        "type_filling": request.filling,
        "comment": request.comment,
    }
