"""A trade request with exact numbers, as the wheel lets it through, and the server's answer.

Unknown keys are ignored and missing ones are 0, as the wheel has it: a misspelt `position` opens an
opposite position on a hedging account.
"""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from msgspec import Struct

from core.sim.arithmetic import ZERO
from core.sim.codes import CHECKED, COMMENT_UNITS_MAX, RETCODE_TEXT

INT_FIELDS: Final = (
    "action",
    "magic",
    "order",
    "deviation",
    "type",
    "type_filling",
    "type_time",
    "expiration",
    "position",
    "position_by",
)
FLOAT_FIELDS: Final = ("volume", "price", "stoplimit", "sl", "tp")
TEXT_FIELDS: Final = ("symbol", "comment")
REQUEST_FIELDS: Final = (
    "action",
    "magic",
    "order",
    "symbol",
    "volume",
    "price",
    "stoplimit",
    "sl",
    "tp",
    "deviation",
    "type",
    "type_filling",
    "type_time",
    "expiration",
    "comment",
    "position",
    "position_by",
)
"""TradeRequest, in the wheel's order."""


class BadArgument(Exception):
    """The wheel refuses the request before sending it (`last_error` -2)."""


class Request(Struct, kw_only=True):
    """A TradeRequest with exact numbers."""

    action: int = 0
    magic: int = 0
    order: int = 0
    symbol: str = ""
    volume: Decimal = ZERO
    price: Decimal = ZERO
    stoplimit: Decimal = ZERO
    sl: Decimal = ZERO
    tp: Decimal = ZERO
    deviation: int = 0
    type: int = 0
    type_filling: int = 0
    type_time: int = 0
    expiration: int = 0
    comment: str = ""
    position: int = 0
    position_by: int = 0


class Answer(Struct, frozen=True, kw_only=True):
    """What the trade server did. Everything but `retcode` is 0 on a refusal."""

    retcode: int
    deal: int = 0
    order: int = 0
    volume: Decimal = ZERO
    price: Decimal = ZERO
    bid: Decimal = ZERO
    ask: Decimal = ZERO
    comment: str = ""
    request_id: int = 0


WOULD_DO: Final = Answer(retcode=CHECKED)
"""A request that was only looked at, and would be taken."""


class Conditions(Struct, frozen=True, kw_only=True):
    """How this send is executed: who asks (DEAL_REASON), the adverse slippage, a half fill."""

    reason: int
    slippage_points: int = 0
    partial: bool = False
    any_filling: bool = False
    """A person's platform picks the filling mode itself."""
    dry: bool = False
    """Only look whether the request would be taken."""


def parse_request(body: dict[str, Any]) -> Request:
    """Read a TradeRequest as the wheel does. Raises BadArgument, naming the argument."""
    request = Request()
    for name in INT_FIELDS:
        value = body.get(name, 0)
        if not isinstance(value, int):
            raise BadArgument(name)
        setattr(request, name, int(value))
    for name in FLOAT_FIELDS:
        setattr(request, name, _exact(name, body.get(name, 0)))
    for name in TEXT_FIELDS:
        text = body.get(name, "")
        if not isinstance(text, str) or len(text.encode("utf-16-le")) // 2 > COMMENT_UNITS_MAX:
            raise BadArgument(name)
        setattr(request, name, text)
    return request


def _exact(name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise BadArgument(name)
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise BadArgument(name) from error
    if not number.is_finite():
        raise BadArgument(name)
    return number


def refusal(retcode: int, request_id: int = 0) -> Answer:
    """A refused request: everything 0 but the code and its text."""
    return Answer(retcode=retcode, comment=RETCODE_TEXT[retcode], request_id=request_id)
