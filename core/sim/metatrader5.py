"""The MetaTrader5 module's surface over simulated terminals: same names, same rules, same traps.

Whoever imports this in place of the wheel 5.0.6231 gets its functions, its argument rules, its
`None`, `()` and `False`, its `last_error()` and its result types. The terminal behind it is named
by the path given to `initialize`: the address of a simulated world (`http://127.0.0.1:8090`), or
what was given to `plug` in this process. Without a path the terminal plugged last is taken,
whosever it is, as the wheel takes any that runs.

Of the market's depth and of bars and ticks in bulk there are none: `market_book_get`,
`copy_rates_*` and `copy_ticks_*` answer None with (-7, 'Terminal: Unsupported function').
"""

from typing import Any, Final

from core.sim import mt5_arguments as arguments
from core.sim.codes import LastError, failure
from core.sim.mt5_constants import *  # noqa: F403 - the wheel's own names are this module's
from core.sim.mt5_pipe import NEVER, HttpPipe, PeerLike, Pipe, PipeFailed, PluggedPipe
from core.sim.mt5_types import TYPES, build

__version__ = "5.0.6231"
__author__ = "MetaQuotes Ltd."

AccountInfo = TYPES["AccountInfo"]
TerminalInfo = TYPES["TerminalInfo"]
SymbolInfo = TYPES["SymbolInfo"]
Tick = TYPES["Tick"]
BookInfo = TYPES["BookInfo"]
TradePosition = TYPES["TradePosition"]
TradeOrder = TYPES["TradeOrder"]
TradeDeal = TYPES["TradeDeal"]
TradeRequest = TYPES["TradeRequest"]
OrderSendResult = TYPES["OrderSendResult"]
OrderCheckResult = TYPES["OrderCheckResult"]

SUCCESS: Final = (LastError.OK, "Success")
NO_PIPE_VERSION: Final = (0, 0, "")
_NO_PIPE: Final = failure(LastError.INTERNAL_FAIL_CONNECT)


class _Wheel:
    """The one pipe and the one `last_error()` that all functions share."""

    def __init__(self) -> None:
        self.pipe: Pipe | None = None
        self.error: tuple[int, str] = (0, "")
        self.peers: dict[str, PeerLike] = {}

    def connect(self, asked: dict[str, Any]) -> None:
        """Close the old pipe and open another. Raises PipeFailed."""
        self.pipe = None
        path = asked.pop("path", None)
        pipe = self._pipe_to(path, asked.get("login"))
        pipe.open(**asked)
        self.pipe = pipe

    def _pipe_to(self, path: str | None, login: int | None) -> Pipe:
        if path is not None and path.startswith("http://"):
            return HttpPipe(path, login)
        running = list(self.peers.values())
        peer = running[-1] if path is None and running else self.peers.get(path or "")
        if peer is None:
            text = f"IPC initialize failed, {NEVER}"
            raise PipeFailed(LastError.INTERNAL_FAIL_INIT, text)
        return PluggedPipe(peer)

    def ask(self, function: str, **asked: Any) -> Any:  # noqa: ANN401 - whatever it answers
        """One call through the pipe. Raises PipeFailed, and forgets a pipe that is lost."""
        pipe = self.need_pipe()
        try:
            return pipe.call(function, **asked)
        except PipeFailed as failed:
            if failed.lost:
                self.pipe = None
            raise

    def need_pipe(self, code: int = LastError.INTERNAL_FAIL_CONNECT) -> Pipe:
        """The open pipe. Raises PipeFailed with that code where there is none."""
        if self.pipe is None:
            raise PipeFailed(code)
        return self.pipe


_wheel = _Wheel()


def plug(path: str, peer: PeerLike) -> None:
    """Let `initialize(path)` of this process reach a terminal of this process."""
    _wheel.peers.pop(path, None)
    _wheel.peers[path] = peer


def unplug(path: str) -> None:
    """Take that terminal away; a pipe to it that is open stays open."""
    _wheel.peers.pop(path, None)


class _Attempt:
    """One call: `last_error()` is Success while it goes well, and says why where it does not."""

    def __enter__(self) -> None:
        _wheel.error = SUCCESS

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, PipeFailed):
            _wheel.error = (error.code, error.text)
            return True
        if isinstance(error, arguments.Refused):
            _wheel.error = (LastError.INVALID_PARAMS, str(error))
            if error.raised is not None:
                raise error.raised
            return True
        return False


_attempt = _Attempt()


def initialize(*args: Any, **named: Any) -> bool:
    """Connect: `initialize([path], *, login, password, server, timeout, portable)`."""
    with _attempt:
        _wheel.connect(arguments.opening(args, named))
        return True
    return False


def login(*args: Any, **named: Any) -> bool:
    """Log the connected terminal in to another account: `login(login, *, password, server)`."""
    with _attempt:
        _wheel.ask("login", **arguments.credentials(args, named))
        return True
    return False


def shutdown() -> bool:
    """Close the pipe. Always True."""
    _wheel.error = SUCCESS
    _wheel.pipe = None
    return True


def version() -> tuple[int, int, str] | None:
    """(500, build, date); (0, 0, '') without a pipe."""
    with _attempt:
        major, build_number, day = _wheel.ask("version")
        return major, build_number, day
    return NO_PIPE_VERSION if _wheel.pipe is None else None


def last_error() -> tuple[int, str]:
    """Code and text of the latest call; (0, '') before the first."""
    return _wheel.error


def _one(kind: str, function: str, **asked: Any) -> Any:  # noqa: ANN401 - a result type or None
    with _attempt:
        return build(kind, _wheel.ask(function, **asked))
    return None


def terminal_info() -> Any:  # noqa: ANN401 - TerminalInfo or None
    """What the terminal is and may do."""
    return _one("TerminalInfo", "terminal_info")


def account_info() -> Any:  # noqa: ANN401 - AccountInfo or None
    """The account it is logged in to."""
    return _one("AccountInfo", "account_info")


def _total(function: str, asked: dict[str, Any]) -> int | None:
    return int(_wheel.ask(function, **asked))


def symbols_total() -> int | None:
    """How many symbols there are. Without a pipe the wheel calls the terminal too old."""
    with _attempt:
        _wheel.need_pipe(LastError.INVALID_VERSION)
        return _total("symbols_total", {})
    return None


def positions_total() -> int | None:
    """How many positions are open."""
    with _attempt:
        return _total("positions_total", {})
    return None


def orders_total() -> int | None:
    """How many orders rest."""
    with _attempt:
        return _total("orders_total", {})
    return None


def _dated(function: str, asked: dict[str, Any]) -> dict[str, Any]:
    _wheel.error = SUCCESS if _wheel.pipe is not None else _NO_PIPE
    return arguments.dates_fit(function, asked)


def history_orders_total(*args: Any, **named: Any) -> int | None:
    """How many orders the history has between two dates."""
    with _attempt:
        asked = arguments.history("history_orders_total", args, named, by_id=False)
        return _total("history_orders_total", _dated("history_orders_total", asked))
    return None


def history_deals_total(*args: Any, **named: Any) -> int | None:
    """How many deals the history has between two dates."""
    with _attempt:
        asked = arguments.history("history_deals_total", args, named, by_id=False)
        return _total("history_deals_total", _dated("history_deals_total", asked))
    return None


def _all(kind: str, function: str, asked: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(build(kind, one) for one in _wheel.ask(function, **asked))


def positions_get(*args: Any, **named: Any) -> tuple[Any, ...] | None:
    """Open positions: `positions_get(*, symbol, group, ticket)`."""
    with _attempt:
        asked = arguments.selection("positions_get", args, named)
        return _all("TradePosition", "positions_get", asked)
    return None


def orders_get(*args: Any, **named: Any) -> tuple[Any, ...] | None:
    """Resting orders: `orders_get(*, symbol, group, ticket)`."""
    with _attempt:
        asked = arguments.selection("orders_get", args, named)
        return _all("TradeOrder", "orders_get", asked)
    return None


def history_deals_get(*args: Any, **named: Any) -> tuple[Any, ...] | None:
    """Deals: `history_deals_get(from, to, *, group)`, `(*, ticket)` or `(*, position)`."""
    with _attempt:
        asked = arguments.history("history_deals_get", args, named)
        return _all("TradeDeal", "history_deals_get", _dated("history_deals_get", asked))
    return None


def history_orders_get(*args: Any, **named: Any) -> tuple[Any, ...] | None:
    """Orders that are done: `history_orders_get(from, to, *, group)`, `(*, ticket)`, ..."""
    with _attempt:
        asked = arguments.history("history_orders_get", args, named)
        return _all("TradeOrder", "history_orders_get", _dated("history_orders_get", asked))
    return None


def symbols_get(*args: Any, **named: Any) -> tuple[Any, ...] | bool | None:
    """All symbols, or those of a `group`. Wrong arguments give False, as with the wheel."""
    with _attempt:
        if len(args) > 1:
            raise arguments.Refused(arguments.NUMBER_OF)
        group = args[0] if args else named.get("group")
        asked = {} if group is None else {"group": arguments.text("group", group)}
        _wheel.need_pipe(LastError.INVALID_VERSION)
        return _all("SymbolInfo", "symbols_get", asked)
    return False if _wheel.error[0] == LastError.INVALID_PARAMS else None


def symbol_info(*args: Any) -> Any:  # noqa: ANN401 - SymbolInfo or None
    """A symbol's terms."""
    with _attempt:
        (name,) = arguments.positional("symbol_info", "s", args)
        return build("SymbolInfo", _wheel.ask("symbol_info", symbol=name))
    return None


def symbol_info_tick(*args: Any) -> Any:  # noqa: ANN401 - Tick or None
    """A symbol's latest tick."""
    with _attempt:
        (name,) = arguments.positional("symbol_info_tick", "s", args)
        return build("Tick", _wheel.ask("symbol_info_tick", symbol=name))
    return None


def symbol_select(*args: Any) -> bool:
    """Show a symbol in the market watch, or hide it: `symbol_select(symbol, [enable=True])`."""
    with _attempt:
        (name,) = arguments.positional("symbol_select", "s", (*args[:1], *args[2:]))
        enable = bool(args[1] if len(args) > 1 else True)
        return bool(_wheel.ask("symbol_select", symbol=name, enable=enable))
    return False


def order_send(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - OrderSendResult or None
    """Trade: a dictionary, or its fields by name."""
    return _trade("OrderSendResult", "order_send", args, named)


def order_check(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - OrderCheckResult or None
    """Whether a trade would be taken: retcode 0."""
    return _trade("OrderCheckResult", "order_check", args, named)


def _trade(kind: str, function: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:  # noqa: ANN401 - a result type or None
    with _attempt:
        request = arguments.trade_request(function, args, named)
        _wheel.need_pipe()
        return build(kind, _wheel.ask(function, request=arguments.sendable(request)))
    return None


def order_calc_margin(*args: Any) -> float | None:
    """Margin of `(action, symbol, volume, price)`, account currency."""
    with _attempt:
        action, name, volume, price = arguments.positional("order_calc_margin", "isff", args)
        asked = {"action": action, "symbol": name, "volume": volume, "price": price}
        return float(_wheel.ask("order_calc_margin", **asked))
    return None


def order_calc_profit(*args: Any) -> float | None:
    """Profit of `(action, symbol, volume, price_open, price_close)`, account currency."""
    with _attempt:
        action, name, volume, opened, closed = arguments.positional(
            "order_calc_profit", "isfff", args
        )
        asked = {"action": action, "symbol": name, "volume": volume}
        return float(_wheel.ask("order_calc_profit", **asked, opened=opened, closed=closed))
    return None


def market_book_add(*args: Any) -> bool | None:
    """Follow a symbol's depth. Without a pipe False, and yet `last_error()` is Success."""
    with _attempt:
        (name,) = arguments.positional("market_book_add", "s", args)
        return _wheel.pipe is not None and _wheel.ask("symbol_info", symbol=name) is not None
    return None if _wheel.error[0] == LastError.INVALID_PARAMS else False


def market_book_release(*args: Any) -> bool:
    """Follow it no longer."""
    with _attempt:
        arguments.positional("market_book_release", "s", args)
        return _wheel.pipe is not None
    return False


def _unsupported() -> None:
    _wheel.need_pipe()
    raise PipeFailed(LastError.UNSUPPORTED)


def market_book_get(*args: Any) -> None:
    """The depth of a market: there is none here."""
    with _attempt:
        arguments.positional("market_book_get", "s", args)
        _unsupported()


def copy_rates_from(*_args: Any) -> None:
    """Bars: there are none here."""
    with _attempt:
        _unsupported()


def copy_rates_from_pos(*_args: Any) -> None:
    """Bars: there are none here."""
    with _attempt:
        _unsupported()


def copy_rates_range(*_args: Any) -> None:
    """Bars: there are none here."""
    with _attempt:
        _unsupported()


def copy_ticks_from(*_args: Any) -> None:
    """Ticks in bulk: there are none here."""
    with _attempt:
        _unsupported()


def copy_ticks_range(*_args: Any) -> None:
    """Ticks in bulk: there are none here."""
    with _attempt:
        _unsupported()
