"""MetaTrader 5's own numbers (the wheel's constants), as the simulated trade server uses them."""

from typing import Final


class Action:
    """TRADE_ACTION codes."""

    DEAL = 1
    PENDING = 5
    SLTP = 6
    MODIFY = 7
    REMOVE = 8
    CLOSE_BY = 10


class OrderType:
    """ORDER_TYPE codes."""

    BUY = 0
    SELL = 1
    BUY_LIMIT = 2
    SELL_LIMIT = 3
    BUY_STOP = 4
    SELL_STOP = 5
    BUY_STOP_LIMIT = 6
    SELL_STOP_LIMIT = 7
    CLOSE_BY = 8

    PENDING = frozenset({2, 3, 4, 5, 6, 7})
    BUYS = frozenset({0, 2, 4, 6})
    LIMITS = frozenset({2, 3})
    STOP_LIMITS = frozenset({6, 7})


class OrderState:
    """ORDER_STATE codes."""

    PLACED = 1
    CANCELED = 2
    FILLED = 4
    REJECTED = 5
    EXPIRED = 6


class OrderTime:
    """ORDER_TIME codes: how long an order rests."""

    GTC = 0
    DAY = 1
    SPECIFIED = 2
    SPECIFIED_DAY = 3


class Filling:
    """ORDER_FILLING codes, and the SYMBOL_FILLING bit that permits each at market execution."""

    FOK = 0
    IOC = 1
    RETURN = 2
    BOC = 3

    BIT: Final = {0: 1, 1: 2}


class Execution:
    """SYMBOL_TRADE_EXECUTION codes."""

    REQUEST = 0
    INSTANT = 1
    MARKET = 2
    EXCHANGE = 3


class TradeMode:
    """SYMBOL_TRADE_MODE codes."""

    DISABLED = 0
    LONG_ONLY = 1
    SHORT_ONLY = 2
    CLOSE_ONLY = 3
    FULL = 4


class SwapMode:
    """SYMBOL_SWAP_MODE codes."""

    DISABLED = 0
    POINTS = 1
    CURRENCY_SYMBOL = 2
    CURRENCY_MARGIN = 3
    CURRENCY_DEPOSIT = 4
    INTEREST_CURRENT = 5
    INTEREST_OPEN = 6
    REOPEN_CURRENT = 7
    REOPEN_BID = 8


class Retcode:
    """Answers of the trade server."""

    REQUOTE = 10004
    REJECT = 10006
    CANCEL = 10007
    PLACED = 10008
    DONE = 10009
    DONE_PARTIAL = 10010
    ERROR = 10011
    TIMEOUT = 10012
    INVALID = 10013
    INVALID_VOLUME = 10014
    INVALID_PRICE = 10015
    INVALID_STOPS = 10016
    TRADE_DISABLED = 10017
    MARKET_CLOSED = 10018
    NO_MONEY = 10019
    PRICE_CHANGED = 10020
    PRICE_OFF = 10021
    INVALID_EXPIRATION = 10022
    ORDER_CHANGED = 10023
    TOO_MANY_REQUESTS = 10024
    NO_CHANGES = 10025
    SERVER_DISABLES_AT = 10026
    CLIENT_DISABLES_AT = 10027
    LOCKED = 10028
    FROZEN = 10029
    INVALID_FILL = 10030
    CONNECTION = 10031
    ONLY_REAL = 10032
    LIMIT_ORDERS = 10033
    LIMIT_VOLUME = 10034
    INVALID_ORDER = 10035
    POSITION_CLOSED = 10036
    INVALID_CLOSE_VOLUME = 10038
    CLOSE_ORDER_EXIST = 10039
    LIMIT_POSITIONS = 10040
    REJECT_CANCEL = 10041
    LONG_ONLY = 10042
    SHORT_ONLY = 10043
    CLOSE_ONLY = 10044
    FIFO_CLOSE = 10045
    HEDGE_PROHIBITED = 10046


RETCODE_TEXT: Final[dict[int, str]] = {
    Retcode.REQUOTE: "Requote",
    Retcode.REJECT: "Request rejected",
    Retcode.CANCEL: "Request canceled by trader",
    Retcode.PLACED: "Request placed",
    Retcode.DONE: "Request executed",
    Retcode.DONE_PARTIAL: "Request executed partially",
    Retcode.ERROR: "Request processing error",
    Retcode.TIMEOUT: "Request canceled by timeout",
    Retcode.INVALID: "Invalid request",
    Retcode.INVALID_VOLUME: "Invalid volume",
    Retcode.INVALID_PRICE: "Invalid price",
    Retcode.INVALID_STOPS: "Invalid stops",
    Retcode.TRADE_DISABLED: "Trade disabled",
    Retcode.MARKET_CLOSED: "Market closed",
    Retcode.NO_MONEY: "No money",
    Retcode.PRICE_CHANGED: "Price changed",
    Retcode.PRICE_OFF: "No prices",
    Retcode.INVALID_EXPIRATION: "Invalid expiration",
    Retcode.ORDER_CHANGED: "Order changed",
    Retcode.TOO_MANY_REQUESTS: "Too many requests",
    Retcode.NO_CHANGES: "No changes",
    Retcode.SERVER_DISABLES_AT: "AutoTrading disabled by server",
    Retcode.CLIENT_DISABLES_AT: "AutoTrading disabled by client",
    Retcode.LOCKED: "Request locked",
    Retcode.FROZEN: "Order or position frozen",
    Retcode.INVALID_FILL: "Unsupported filling mode",
    Retcode.CONNECTION: "No connection",
    Retcode.ONLY_REAL: "Only real accounts are allowed",
    Retcode.LIMIT_ORDERS: "Orders limit reached",
    Retcode.LIMIT_VOLUME: "Volume limit reached",
    Retcode.INVALID_ORDER: "Invalid order",
    Retcode.POSITION_CLOSED: "Position doesn't exist",
    Retcode.INVALID_CLOSE_VOLUME: "Invalid close volume",
    Retcode.CLOSE_ORDER_EXIST: "Close order already exists",
    Retcode.LIMIT_POSITIONS: "Positions limit reached",
    Retcode.REJECT_CANCEL: "Activation rejected, order canceled",
    Retcode.LONG_ONLY: "Only long positions are allowed",
    Retcode.SHORT_ONLY: "Only short positions are allowed",
    Retcode.CLOSE_ONLY: "Only position closing is allowed",
    Retcode.FIFO_CLOSE: "Only closing by FIFO is allowed",
    Retcode.HEDGE_PROHIBITED: "Hedging is prohibited",
}

CHECKED: Final = 0
"""What `order_check` answers for a request that the trade server would take."""
CHECKED_TEXT: Final = "Done"
SUCCESS: Final = frozenset({Retcode.PLACED, Retcode.DONE, Retcode.DONE_PARTIAL})

MARGIN_MODE: Final = {"netting": 0, "exchange": 1, "hedging": 2}
"""ACCOUNT_MARGIN_MODE codes by our own words."""


class LastError:
    """Codes of `last_error()`."""

    OK = 1
    FAIL = -1
    INVALID_PARAMS = -2
    NO_MEMORY = -3
    NOT_FOUND = -4
    INVALID_VERSION = -5
    AUTH_FAILED = -6
    UNSUPPORTED = -7
    AUTO_TRADING_DISABLED = -8
    INTERNAL_FAIL = -10000
    INTERNAL_FAIL_SEND = -10001
    INTERNAL_FAIL_RECEIVE = -10002
    INTERNAL_FAIL_INIT = -10003
    INTERNAL_FAIL_CONNECT = -10004
    INTERNAL_FAIL_TIMEOUT = -10005


LAST_ERROR_TEXT: Final[dict[int, str]] = {
    LastError.FAIL: "Terminal: Call failed",
    LastError.INVALID_PARAMS: "Terminal: Invalid params",
    LastError.NO_MEMORY: "Terminal: Out of memory",
    LastError.NOT_FOUND: "Terminal: Not found",
    LastError.INVALID_VERSION: (
        "Terminal: Incompatible versions, please install the latest version of Terminal and "
        "Python module"
    ),
    LastError.AUTH_FAILED: "Terminal: Authorization failed",
    LastError.UNSUPPORTED: "Terminal: Unsupported function",
    LastError.AUTO_TRADING_DISABLED: "Auto-Trading using Python API disabled in Terminal",
    LastError.INTERNAL_FAIL: "IPC call failed",
    LastError.INTERNAL_FAIL_SEND: "IPC send failed",
    LastError.INTERNAL_FAIL_RECEIVE: "IPC recv failed",
    LastError.INTERNAL_FAIL_INIT: "IPC initialize failed, MetaTrader 5 x64 not found",
    LastError.INTERNAL_FAIL_CONNECT: "No IPC connection",
    LastError.INTERNAL_FAIL_TIMEOUT: "IPC timeout",
}
"""The text seen with each failure."""


def failure(code: int) -> tuple[int, str]:
    """What `last_error()` says."""
    return code, LAST_ERROR_TEXT[code]


IPC_RECV_FAILED: Final = failure(LastError.INTERNAL_FAIL_RECEIVE)
"""The pipe broke before the answer: executed or not, nobody knows."""
NO_IPC: Final = failure(LastError.INTERNAL_FAIL_CONNECT)
"""The pipe is gone; only `initialize()` opens another."""
API_DISABLED: Final = failure(LastError.AUTO_TRADING_DISABLED)
COMMENT_UNITS_MAX: Final = 29
"""UTF-16 units of `comment` and `symbol` that the wheel accepts in a request."""
SERVER_COMMENT_MAX: Final = 31
"""Characters the server keeps of its own comments (`[so 48.21%/5000.00/10371.00]`)."""
