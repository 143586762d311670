"""MetaTrader 5's own numbers (the wheel's constants), as the simulated trade server uses them."""

from typing import Final


class Action:
    """TRADE_ACTION codes the simulator understands."""

    DEAL = 1
    PENDING = 5
    SLTP = 6
    REMOVE = 8


class OrderType:
    """ORDER_TYPE codes."""

    BUY = 0
    SELL = 1
    BUY_LIMIT = 2
    SELL_LIMIT = 3
    BUY_STOP = 4
    SELL_STOP = 5

    PENDING = frozenset({2, 3, 4, 5})
    BUYS = frozenset({0, 2, 4})


class Filling:
    """ORDER_FILLING codes, and the SYMBOL_FILLING bit that permits each at market execution."""

    FOK = 0
    IOC = 1
    RETURN = 2

    BIT: Final = {0: 1, 1: 2}


class Retcode:
    """Answers of the trade server."""

    REQUOTE = 10004
    REJECT = 10006
    PLACED = 10008
    DONE = 10009
    DONE_PARTIAL = 10010
    TIMEOUT = 10012
    INVALID = 10013
    INVALID_VOLUME = 10014
    INVALID_PRICE = 10015
    INVALID_STOPS = 10016
    MARKET_CLOSED = 10018
    NO_MONEY = 10019
    PRICE_OFF = 10021
    NO_CHANGES = 10025
    CLIENT_DISABLES_AT = 10027
    INVALID_FILL = 10030
    CONNECTION = 10031
    INVALID_ORDER = 10035
    POSITION_CLOSED = 10036
    INVALID_CLOSE_VOLUME = 10038


RETCODE_TEXT: Final[dict[int, str]] = {
    Retcode.REQUOTE: "Requote",
    Retcode.REJECT: "Request rejected",
    Retcode.PLACED: "Request placed",
    Retcode.DONE: "Request executed",
    Retcode.DONE_PARTIAL: "Request executed partially",
    Retcode.TIMEOUT: "Request canceled by timeout",
    Retcode.INVALID: "Invalid request",
    Retcode.INVALID_VOLUME: "Invalid volume",
    Retcode.INVALID_PRICE: "Invalid price",
    Retcode.INVALID_STOPS: "Invalid stops",
    Retcode.MARKET_CLOSED: "Market closed",
    Retcode.NO_MONEY: "No money",
    Retcode.PRICE_OFF: "No prices",
    Retcode.NO_CHANGES: "No changes",
    Retcode.CLIENT_DISABLES_AT: "AutoTrading disabled by client",
    Retcode.INVALID_FILL: "Unsupported filling mode",
    Retcode.CONNECTION: "No connection",
    Retcode.INVALID_ORDER: "Invalid order",
    Retcode.POSITION_CLOSED: "Position doesn't exist",
    Retcode.INVALID_CLOSE_VOLUME: "Invalid close volume",
}

SUCCESS: Final = frozenset({Retcode.PLACED, Retcode.DONE, Retcode.DONE_PARTIAL})

MARGIN_MODE: Final = {"netting": 0, "exchange": 1, "hedging": 2}
"""ACCOUNT_MARGIN_MODE codes by our own words."""

EXECUTION_MARKET: Final = 2
TRADE_MODE_FULL: Final = 4
IPC_RECV_FAILED: Final = (-10002, "IPC recv failed")
"""What `last_error()` says when the pipe broke before the answer: executed or not, nobody knows."""
COMMENT_UNITS_MAX: Final = 29
"""UTF-16 units of `comment` and `symbol` that the wheel accepts in a request."""
SERVER_COMMENT_MAX: Final = 31
"""Characters the server keeps of its own comments (`[so 48.21%/5000.00/10371.00]`)."""
