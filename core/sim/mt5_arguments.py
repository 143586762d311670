"""What the MetaTrader5 wheel makes of arguments before it sends anything.

Doubles must be `float` and numbers of things `int`, exactly: no numpy integers, no texts, no None;
a bool passes as an int. Unknown names are ignored. What is refused is `last_error()` -2 with a text
that names it; a number outside its C type is a SystemError, as the wheel raises it.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NoReturn

Body = dict[str, Any]

TEXT_UNITS_MAX: Final = 29
"""UTF-16 units of `comment` and `symbol` in a request."""
ID_MAX: Final = 2**64 - 1
DATE_MIN, DATE_MAX = -(2**31), 2**31 - 1
TIMEOUT_MS: Final = 60_000

REQUEST: Final[dict[str, str]] = {
    "action": "i",
    "magic": "i",
    "order": "i",
    "symbol": "s",
    "volume": "f",
    "price": "f",
    "stoplimit": "f",
    "sl": "f",
    "tp": "f",
    "deviation": "i",
    "type": "i",
    "type_filling": "i",
    "type_time": "i",
    "expiration": "i",
    "comment": "s",
    "position": "i",
    "position_by": "i",
}
"""TradeRequest's fields in the wheel's order; i whole number, f double, s text."""

INVALID: Final = "Invalid arguments"
UNNAMED: Final = "Unnamed arguments not allowed"
ORDINALS: Final = ("1st", "2nd", "3rd", "4th", "5th")


class Refused(Exception):
    """The wheel refuses the arguments itself: -2 with this text; nothing was sent."""


def _invalid(name: str) -> Refused:
    return Refused(f'Invalid "{name}" argument')


def _out_of_range(function: str) -> NoReturn:
    raise SystemError(
        f"<built-in function {function}> returned a result with an exception set"
    ) from OverflowError("int too large, or negative, to convert")


def whole(function: str, name: str, value: object) -> int:
    """An id or a number of things. Raises Refused, and SystemError outside of 0 to 2^64 - 1."""
    if not isinstance(value, int):
        raise _invalid(name)
    if not 0 <= value <= ID_MAX:
        _out_of_range(function)
    return int(value)


def text(name: str, value: object) -> str:
    """A text. Raises Refused."""
    if not isinstance(value, str):
        raise _invalid(name)
    return str(value)


def trade_request(function: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> Body:
    """A request as it goes out: what is known of it, checked; the rest is 0 at the other end.

    Raises Refused or SystemError.
    """
    if len(args) > 1 or (args and not isinstance(args[0], dict)):
        raise Refused(INVALID)
    given: Mapping[str, Any] = args[0] if args else named
    if not given:
        raise Refused(INVALID)
    return {
        name: _field(function, name, kind, given[name])
        for name, kind in REQUEST.items()
        if name in given
    }


def _field(function: str, name: str, kind: str, value: object) -> int | float | str:
    if kind == "i":
        return whole(function, name, value)
    if kind == "f":
        if not isinstance(value, float):
            raise _invalid(name)
        if not math.isfinite(value):
            # The wheel sends it and the terminal refuses it; JSON cannot carry it there.
            raise Refused("Terminal: Invalid params")
        return float(value)
    told = text(name, value)
    if len(told.encode("utf-16-le", "surrogatepass")) // 2 > TEXT_UNITS_MAX:
        raise _invalid(name)
    return told


def selection(function: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> Body:
    """What `positions_get` and `orders_get` ask for: the ticket, else the symbol, else the group.

    Raises Refused or SystemError.
    """
    if args:
        raise Refused(UNNAMED)
    if "ticket" in named:
        return {"ticket": whole(function, "ticket", named["ticket"])}
    for name in ("symbol", "group"):
        if name in named:
            return {name: text(name, named[name])}
    return {}


def history(
    function: str, args: tuple[Any, ...], named: Mapping[str, Any], *, by_id: bool = True
) -> Body:
    """What the history functions ask for: a ticket, a position, or two dates and perhaps a group.

    Raises Refused or SystemError.
    """
    for name in ("ticket", "position") if by_id else ():
        if name in named:
            return {name: whole(function, name, named[name])}
    if len(args) != 2:  # noqa: PLR2004 - from and to
        raise Refused(INVALID)
    asked: Body = {"from": _date(function, 0, args[0]), "to": _date(function, 1, args[1])}
    if "group" in named:
        asked["group"] = text("group", named["group"])
    return asked


def _date(function: str, at: int, value: object) -> int:
    """Seconds. A naive datetime is read in the local zone; one past 2038 wraps, as in C."""
    if isinstance(value, datetime):
        seconds = value.timestamp()
        return int(seconds) if DATE_MIN <= seconds <= DATE_MAX else DATE_MIN
    if not isinstance(value, int):
        raise Refused(f"Invalid {ORDINALS[at]} unnamed argument")
    if not DATE_MIN <= value <= DATE_MAX:
        _out_of_range(function)
    return int(value)


def opening(args: tuple[Any, ...], named: Mapping[str, Any]) -> Body:
    """What `initialize` asks for. Raises Refused or SystemError."""
    if len(args) > 1:
        raise Refused("Invalid number of arguments")
    if args and not isinstance(args[0], str):
        raise Refused("Invalid 1st unnamed argument")
    asked = _credentials("initialize", named)
    if args or "path" in named:
        asked["path"] = args[0] if args else text("path", named["path"])
    if "login" in named:
        asked["login"] = whole("initialize", "login", named["login"])
    return asked


def credentials(args: tuple[Any, ...], named: Mapping[str, Any]) -> Body:
    """What `login` asks for. Raises Refused or SystemError."""
    if len(args) != 1:
        raise Refused("Invalid number of arguments")
    if not isinstance(args[0], int):
        raise Refused("Invalid 1st unnamed argument")
    return {"login": whole("login", "login", args[0]), **_credentials("login", named)}


def _credentials(function: str, named: Mapping[str, Any]) -> Body:
    asked: Body = {"timeout": TIMEOUT_MS}
    for name in ("password", "server"):
        if name in named:
            asked[name] = text(name, named[name])
    if "timeout" in named:
        asked["timeout"] = whole(function, "timeout", named["timeout"])
    return asked


def positional(function: str, kinds: str, args: tuple[Any, ...]) -> list[Any]:
    """Arguments by place: i whole number, f double (a whole number passes), s text.

    Raises Refused or SystemError.
    """
    if len(args) != len(kinds):
        raise Refused(INVALID)
    found: list[Any] = []
    for at, (kind, value) in enumerate(zip(kinds, args, strict=True)):
        if kind == "f" and isinstance(value, (int, float)):
            found.append(float(value))
        elif kind == "i" and isinstance(value, int):
            found.append(whole(function, "", value))
        elif kind == "s" and isinstance(value, str):
            found.append(str(value))
        else:
            raise Refused(f"Invalid {ORDINALS[at]} unnamed argument")
    return found
