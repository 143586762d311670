"""What the MetaTrader5 wheel makes of arguments before it sends anything.

Doubles must be `float` and numbers of things `int`, exactly: no numpy integers, no texts, no None;
a bool passes as an int. Unknown names are ignored. What is refused is `last_error()` -2 with a text
that names it; a number outside its C type is a SystemError beside that. The answers of the wheel
itself are recorded in tests/contract/wheel_arguments.txt.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

Body = dict[str, Any]

TEXT_UNITS_MAX: Final = 29
"""UTF-16 units of `comment` and `symbol` in a request."""
RANGES: Final = {"i": (0, 2**64 - 1), "I": (0, 2**32 - 1), "t": (-(2**63), 2**63 - 1)}
DATE_MIN, DATE_MAX = -(2**31), 2**31 - 1
TIMEOUT_MS: Final = 60_000

REQUEST: Final[dict[str, str]] = {
    "action": "I",
    "magic": "i",
    "order": "i",
    "symbol": "s",
    "volume": "f",
    "price": "f",
    "stoplimit": "f",
    "sl": "f",
    "tp": "f",
    "deviation": "i",
    "type": "I",
    "type_filling": "I",
    "type_time": "I",
    "expiration": "t",
    "comment": "s",
    "position": "i",
    "position_by": "i",
}
"""TradeRequest's fields in the wheel's order: i id, I 32 bits, t time, f double, s text."""

INVALID: Final = "Invalid arguments"
UNNAMED: Final = "Unnamed arguments not allowed"
NUMBER_OF: Final = "Invalid number of arguments"
FIRST: Final = "Invalid 1st unnamed argument"


class Refused(Exception):
    """The wheel refuses the arguments itself: -2 with this text; nothing was sent.

    `raised` is what it raises beside that, where it does.
    """

    def __init__(self, text: str, raised: SystemError | None = None) -> None:
        super().__init__(text)
        self.raised = raised


def _invalid(name: str) -> Refused:
    return Refused(f'Invalid "{name}" argument')


def left_over(function: str) -> SystemError:
    """What Python makes of a function that answers and leaves an exception behind."""
    return SystemError(f"<built-in function {function}> returned a result with an exception set")


def whole(function: str, name: str, value: object, kind: str = "i", said: str = "") -> int:
    """A number of things. Raises Refused, with a SystemError where its C type is too small."""
    refused = said or f'Invalid "{name}" argument'
    if not isinstance(value, int):
        raise Refused(refused)
    least, most = RANGES[kind]
    if not least <= value <= most:
        raise Refused(refused, left_over(function))
    return int(value)


def text(name: str, value: object) -> str:
    """A text. Raises Refused."""
    if not isinstance(value, str):
        raise _invalid(name)
    return str(value)


def short(name: str, value: object) -> str:
    """A text of at most 29 UTF-16 units. Raises Refused."""
    told = text(name, value)
    if not _is_short(told):
        raise _invalid(name)
    return told


def _is_short(told: str) -> bool:
    return len(told.encode("utf-16-le", "surrogatepass")) // 2 <= TEXT_UNITS_MAX


def trade_request(function: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> Body:
    """A request as it goes out: what is known of it, checked; the rest is 0 at the other end.

    An empty dictionary goes out. Raises Refused.
    """
    if len(args) > 1 or not (args or named):
        raise Refused(NUMBER_OF)
    if args and not isinstance(args[0], dict):
        raise Refused(INVALID)
    given: Mapping[str, Any] = args[0] if args else named
    return {
        name: _field(function, name, kind, given[name])
        for name, kind in REQUEST.items()
        if name in given
    }


def _field(function: str, name: str, kind: str, value: object) -> int | float | str:
    if kind == "f":
        if not isinstance(value, float):
            raise _invalid(name)
        return float(value)
    return short(name, value) if kind == "s" else whole(function, name, value, kind)


def sendable(request: Body) -> Body:
    """The request, where every double is finite: the wheel sends others too, JSON cannot.

    Raises Refused with the terminal's text.
    """
    if not all(math.isfinite(value) for value in request.values() if isinstance(value, float)):
        raise Refused("Terminal: Invalid params")
    return request


def selection(function: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> Body:
    """What `positions_get` and `orders_get` ask for: the ticket, else the symbol, else the group.

    Raises Refused.
    """
    if args:
        raise Refused(UNNAMED)
    if "ticket" in named:
        return {"ticket": whole(function, "ticket", named["ticket"])}
    if "symbol" in named:
        return {"symbol": short("symbol", named["symbol"])}
    return {"group": text("group", named["group"])} if "group" in named else {}


def history(
    function: str, args: tuple[Any, ...], named: Mapping[str, Any], *, by_id: bool = True
) -> Body:
    """What the history functions ask for: a ticket, a position, or two dates and perhaps a group.

    Raises Refused.
    """
    for name in ("ticket", "position") if by_id else ():
        if name in named:
            return {name: whole(function, name, named[name])}
    if len(args) != 2:  # noqa: PLR2004 - from and to
        raise Refused(INVALID)
    asked: Body = {"from": _date(args[0]), "to": _date(args[1])}
    if "group" in named:
        asked["group"] = text("group", named["group"])
    return asked


def _date(value: object) -> int:
    """Seconds. A naive datetime is read in the local zone; one past 2038 wraps, as in C."""
    if isinstance(value, datetime):
        seconds = value.timestamp()
        return int(seconds) if DATE_MIN <= seconds <= DATE_MAX else DATE_MIN
    if not isinstance(value, (int, float)):
        raise Refused(INVALID)
    return int(value)


def dates_fit(function: str, asked: Body) -> Body:
    """What was asked, where its dates fit their C type: the wheel looks at that last.

    Raises SystemError.
    """
    if not all(DATE_MIN <= asked[name] <= DATE_MAX for name in ("from", "to") if name in asked):
        raise left_over(function)
    return asked


def opening(args: tuple[Any, ...], named: Mapping[str, Any]) -> Body:
    """What `initialize` asks for. Raises Refused."""
    if len(args) > 1:
        raise Refused(NUMBER_OF)
    if args and not isinstance(args[0], str):
        raise Refused(FIRST)
    asked = _credentials("initialize", named)
    if args or "path" in named:
        asked["path"] = args[0] if args else text("path", named["path"])
    if "login" in named:
        asked["login"] = whole("initialize", "login", named["login"])
    return asked


def credentials(args: tuple[Any, ...], named: Mapping[str, Any]) -> Body:
    """What `login` asks for; a second unnamed argument is ignored. Raises Refused."""
    if not args and "login" not in named:
        raise _invalid("login")
    number, said = (args[0], FIRST) if args else (named["login"], "")
    number = whole("login", "login", number, said=said)
    return {"login": number, **_credentials("login", named)}


def _credentials(function: str, named: Mapping[str, Any]) -> Body:
    asked: Body = {"timeout": TIMEOUT_MS}
    for name in ("password", "server"):
        if name in named:
            asked[name] = text(name, named[name])
    if "timeout" in named:
        asked["timeout"] = whole(function, "timeout", named["timeout"], "I")
    return asked


def positional(function: str, kinds: str, args: tuple[Any, ...]) -> list[Any]:
    """Arguments by place: i whole number, f double (a whole number passes), s short text.

    Raises Refused; a number that is none is a SystemError beside that.
    """
    if len(args) != len(kinds):
        raise Refused(INVALID)
    found: list[Any] = []
    for kind, value in zip(kinds, args, strict=True):
        if kind == "s":
            if not isinstance(value, str) or not _is_short(value):
                raise Refused(INVALID)
            found.append(str(value))
        elif kind == "f" and isinstance(value, (int, float)):
            found.append(float(value))
        elif kind == "i" and isinstance(value, int):
            found.append(whole(function, "", value, "I", INVALID))
        else:
            raise Refused(INVALID, left_over(function))
    return found
