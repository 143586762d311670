"""What each call of the MetaTrader5 module carries to a terminal, for whoever sends it otherwise.

The module checks its arguments before they go out; a terminal of a world can be reached by anybody
on the machine, and refuses what no module would send.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct


class Nothing(Struct):
    """Calls without arguments."""


class LogIn(Struct):
    """`initialize` and `login`; the terminal remembers what is left out."""

    login: int = 0
    password: str | None = None
    server: str = ""
    timeout: int = 0


class Selection(Struct):
    """`positions_get` and `orders_get`."""

    ticket: int = 0
    symbol: str = ""
    group: str = ""


class History(Struct, rename={"from_s": "from", "to_s": "to"}):
    """The history functions; times are server seconds."""

    from_s: int = 0
    to_s: int = 0
    ticket: int = 0
    position: int = 0
    group: str = ""


class Group(Struct):
    """`symbols_get`."""

    group: str = ""


class Named(Struct):
    """Calls about one symbol."""

    symbol: str


class Choice(Struct):
    """`symbol_select`."""

    symbol: str
    enable: bool


class Trade(Struct):
    """`order_send` and `order_check`."""

    request: dict[str, Any]


class Margin(Struct):
    """`order_calc_margin`."""

    action: int
    symbol: str
    volume: float
    price: float


class Profit(Struct):
    """`order_calc_profit`."""

    action: int
    symbol: str
    volume: float
    opened: float
    closed: float


SHAPES: Final[dict[str, type[Struct]]] = {
    "initialize": LogIn,
    "login": LogIn,
    "positions_get": Selection,
    "orders_get": Selection,
    "history_deals_get": History,
    "history_deals_total": History,
    "history_orders_get": History,
    "history_orders_total": History,
    "symbols_get": Group,
    "symbol_info": Named,
    "symbol_info_tick": Named,
    "symbol_select": Choice,
    "order_send": Trade,
    "order_check": Trade,
    "order_calc_margin": Margin,
    "order_calc_profit": Profit,
}
"""Calls by name; those that are not here carry nothing."""


def is_sound(call: str, asked: dict[str, Any]) -> bool:
    """Whether a call carries what it needs, of the right types."""
    try:
        msgspec.convert(asked, SHAPES.get(call, Nothing))
    except msgspec.ValidationError:
        return False
    return True
