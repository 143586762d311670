"""Stands beside one MetaTrader 5 terminal and speaks for it (docs/agent-protocol.md).

    python agent.py [--module MetaTrader5] [--state-dir DIR]

Two processes come of this file. The supervisor, which is started, never imports the module: it
reads requests, holds the terminal's lock and epoch, enforces deadlines, and kills. The child makes
the calls: each holds the interpreter lock and has no timeout (facts: mt5, row 3), so that only
another process can end one. Python 3.9 or newer and its standard library are enough: the file may
be copied alone to the terminal's host.
"""

from __future__ import annotations

import os
import sys

if (
    __name__ == "__main__"
    and sys.path
    and os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120 - pathlib itself could be shadowed until this is done
):
    # What lies beside this file must not be taken for a module of the library, or for MetaTrader5.
    del sys.path[0]

import argparse
import contextlib
import hashlib
import importlib
import json
import math
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

Theirs = Any
"""What the module is and answers: it ships no types."""

PROTOCOL = 1
LINE_BYTES_MAX = 16 * 1024 * 1024
HEAD_BYTES_MAX = 8 * 1024
"""Room in an answer's line for what the supervisor adds to what the child said."""
LINES_WAITING_MAX = 8
"""Requests come one at a time; whoever sends more ahead than this is not speaking the protocol."""
STDERR_LINE_BYTES_MAX = 64 * 1024
ERROR_TEXT_MAX = 2000
INTEGER_MAX = 2**63 - 1
OWNER_LENGTH_MAX = 300
DEADLINE_MS_MAX = 600_000
PATH_UNITS_MAX = 1024
CREDENTIAL_UNITS_MAX = 256
NAME_UNITS_MAX = 29
"""Comments and symbols: the wheel refuses 30 UTF-16 units (facts: mt5, row 5)."""
SYMBOLS_MAX = 1000
READS_MAX = 4
SECONDS_MAX = 2**31 - 1
"""Later dates make the wheel raise SystemError (facts: mt5, 1.1)."""
DEALS_AHEAD_S = 2 * 86_400
VOLUME_TOLERANCE_LOTS = 1e-9
IPC_CODE_MAX = -10_000
"""This `last_error` code and those below it speak of the way to the terminal, not of the symbol."""
LOCK_WAIT_S = 5.0
EPOCH_WAIT_S = 1.0
KILL_WAIT_S = 5.0
POLL_S = 0.01
CHILD_POLL_S = 0.25
LAST_WORDS_S = 0.5
LOCKED_BYTE = 1 << 30
"""Windows locks bytes, and refuses to read them: lock one far behind the pid."""
CATALOGUE_FIELDS = (
    "name",
    "path",
    "currency_base",
    "currency_profit",
    "currency_margin",
    "trade_calc_mode",
    "trade_mode",
    "digits",
    "select",
    "custom",
)


class Failure(Exception):
    """What an answer's `error` says: a kind of docs/agent-protocol.md, and why."""

    def __init__(
        self, kind: str, text: str, code: int | None = None, call: str | None = None
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.code = code
        self.call = call

    def told(self) -> dict[str, Any]:
        """Give the `error` of an answer."""
        return {"kind": self.kind, "text": self.text, "code": self.code, "call": self.call}


# Lines and values


def read_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yield each whole line, None for one that is too long; end where the stream ends."""
    while True:
        line = stream.readline(LINE_BYTES_MAX + 1)
        if line.endswith(b"\n"):
            yield line
        elif len(line) <= LINE_BYTES_MAX:
            return
        else:
            while not line.endswith(b"\n"):
                line = stream.readline(STDERR_LINE_BYTES_MAX)
                if not line:
                    return
            yield None


def parse_object(line: bytes | None) -> dict[str, Any]:
    """Read one line as a JSON object. Raises Failure (bad_request)."""
    if line is None:
        raise Failure("bad_request", f"a line has at most {LINE_BYTES_MAX} bytes")
    try:
        found = json.loads(
            line.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_key_twice
        )
    except (ValueError, RecursionError) as error:
        raise Failure("bad_request", f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Failure("bad_request", "a request is a JSON object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def encode(answer: dict[str, Any]) -> bytes:
    """Give the line of an answer, its end included."""
    return json.dumps(answer, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def plain(value: Theirs, where: str) -> Theirs:
    """Turn what the module gave into JSON's own types. Raises Failure (internal) naming the field.

    Structures are CPython's own sequences with `_asdict`, without `_fields` (facts: mt5, 1.2).
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        # A text cut inside a pair of surrogates is no text in UTF-8.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Failure("internal", f"{where} is {value}, not a number")
        return float(value)
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: plain(part, f"{where}.{name}") for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part, f"{where}[{index}]") for index, part in enumerate(value)]
    raise Failure("internal", f"{where} is of type {type(value).__name__}")


# What a request may say


def whole(value: object, name: str, low: int, high: int) -> int:
    """Give a whole number within bounds; a bool, a text or 5.0 is none. Raises Failure."""
    if type(value) is not int:
        raise Failure("bad_request", f"{name} must be a whole number")
    if not low <= value <= high:
        raise Failure("bad_request", f"{name} must be from {low} to {high}")
    return value


def number(value: object, name: str, *, above_zero: bool) -> float:
    """Give a finite number as the float that the wheel asks for. Raises Failure."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise Failure("bad_request", f"{name} must be a number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found) or found < 0 or (above_zero and found == 0):
        least = "above 0" if above_zero else "0 or above"
        raise Failure("bad_request", f"{name} must be a number {least}")
    return found


def words(value: object, name: str, low: int, high: int) -> str:
    """Give a text of so many UTF-16 units. Raises Failure."""
    if type(value) is not str:
        raise Failure("bad_request", f"{name} must be a text")
    try:
        units = len(value.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        raise Failure("bad_request", f"{name} holds half a character") from None
    if "\0" in value:
        raise Failure("bad_request", f"{name} holds a zero character")
    if not low <= units <= high:
        raise Failure("bad_request", f"{name} must have {low} to {high} UTF-16 units")
    return value


def _flag(value: object, name: str) -> bool:
    if type(value) is not bool:
        raise Failure("bad_request", f"{name} must be true or false")
    return value


def _fields(raw: object, name: str, required: set[str], optional: set[str]) -> dict[str, Any]:
    if type(raw) is not dict:
        raise Failure("bad_request", f"{name} must be an object")
    if missing := sorted(required - raw.keys()):
        raise Failure("bad_request", f"{name} lacks {', '.join(missing)}")
    if unknown := sorted(raw.keys() - required - optional):
        raise Failure("bad_request", f"{name} may not have {', '.join(unknown)}"[:ERROR_TEXT_MAX])
    return raw


CLOSE, REMOVE = 1, 8
TRADE_FORMS = {
    CLOSE: (
        {"action", "position", "symbol", "volume", "type"},
        {"price", "deviation", "type_filling", "magic", "comment"},
    ),
    REMOVE: ({"action", "order"}, {"symbol", "comment"}),
}
TRADE_RULES: dict[str, Callable[[object, str], object]] = {
    "action": lambda value, name: whole(value, name, CLOSE, REMOVE),
    "position": lambda value, name: whole(value, name, 1, INTEGER_MAX),
    "order": lambda value, name: whole(value, name, 1, INTEGER_MAX),
    "symbol": lambda value, name: words(value, name, 1, NAME_UNITS_MAX),
    "volume": lambda value, name: number(value, name, above_zero=True),
    "price": lambda value, name: number(value, name, above_zero=False),
    "type": lambda value, name: whole(value, name, 0, 1),
    "deviation": lambda value, name: whole(value, name, 0, INTEGER_MAX),
    "type_filling": lambda value, name: whole(value, name, 0, 3),
    "magic": lambda value, name: whole(value, name, 0, INTEGER_MAX),
    "comment": lambda value, name: words(value, name, 0, NAME_UNITS_MAX),
}


def trade_request(raw: object) -> dict[str, Any]:
    """Give the order as it is handed to the wheel: a close or a removal. Raises Failure.

    The wheel ignores keys it does not know and takes missing ones for 0: a misspelt `position`
    would open an opposite position (facts: mt5, row 7).
    """
    action = raw.get("action") if type(raw) is dict else None
    form = TRADE_FORMS.get(action) if type(action) is int else None
    if form is None:
        raise Failure("bad_request", f"request.action must be {CLOSE} (close) or {REMOVE} (remove)")
    fields = _fields(raw, "request", *form)
    return {name: TRADE_RULES[name](value, f"request.{name}") for name, value in fields.items()}


def _hello_fields(request: dict[str, Any]) -> None:
    terminal = _fields(request["terminal"], "terminal", {"path", "portable"}, set())
    words(terminal["path"], "terminal.path", 1, PATH_UNITS_MAX)
    _flag(terminal["portable"], "terminal.portable")
    whole(request["login"], "login", 1, INTEGER_MAX)
    words(request["server"], "server", 1, CREDENTIAL_UNITS_MAX)
    if request["password"] is not None:
        words(request["password"], "password", 1, CREDENTIAL_UNITS_MAX)
    whole(request["timeout_ms"], "timeout_ms", 1, DEADLINE_MS_MAX)


def _snapshot_fields(request: dict[str, Any]) -> None:
    whole(request["deals_from_s"], "deals_from_s", -INTEGER_MAX, INTEGER_MAX)
    symbols = request["symbols"]
    if type(symbols) is not list or len(symbols) > SYMBOLS_MAX:
        raise Failure("bad_request", f"symbols must be a list of at most {SYMBOLS_MAX}")
    for name in symbols:
        words(name, "a symbol", 1, NAME_UNITS_MAX)


def _deals_fields(request: dict[str, Any]) -> None:
    if "position" in request:
        _fields(request, "request", HEAD_FIELDS | {"position"}, set())
        whole(request["position"], "position", 1, INTEGER_MAX)
        return
    _fields(request, "request", HEAD_FIELDS | {"from_s", "to_s"}, set())
    start = whole(request["from_s"], "from_s", -INTEGER_MAX, INTEGER_MAX)
    whole(request["to_s"], "to_s", start, INTEGER_MAX)


def _order_fields(request: dict[str, Any]) -> None:
    trade_request(request["request"])


def _no_fields(_request: dict[str, Any]) -> None:
    pass


HEAD_FIELDS = {"id", "verb", "epoch", "owner", "deadline_ms"}
VERBS: dict[str, tuple[set[str], set[str], Callable[[dict[str, Any]], None]]] = {
    "hello": ({"terminal", "login", "server", "password", "timeout_ms"}, set(), _hello_fields),
    "connect": (set(), set(), _no_fields),
    "snapshot": ({"deals_from_s", "symbols"}, set(), _snapshot_fields),
    "symbols": (set(), set(), _no_fields),
    "deals": (set(), {"from_s", "to_s", "position"}, _deals_fields),
    "check": ({"request"}, set(), _order_fields),
    "send": ({"request"}, set(), _order_fields),
    "shutdown": (set(), set(), _no_fields),
}


def check_request(request: dict[str, Any]) -> None:
    """Raise Failure (bad_request), naming the field, where the protocol does not allow it."""
    verb = request.get("verb")
    if type(verb) is not str or verb not in VERBS:
        raise Failure("bad_request", f"verb must be one of {', '.join(VERBS)}")
    required, optional, check = VERBS[verb]
    _fields(request, "the request", HEAD_FIELDS | required, optional)
    whole(request["id"], "id", 1, INTEGER_MAX)
    whole(request["epoch"], "epoch", 0, INTEGER_MAX)
    words(request["owner"], "owner", 0, OWNER_LENGTH_MAX)
    whole(request["deadline_ms"], "deadline_ms", 1, DEADLINE_MS_MAX)
    check(request)


# The child


def clock_ms() -> int:
    """Give the host's clock, milliseconds, UTC."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - copied alone, it has no Clock port


class Session:
    """The calls of one terminal, one at a time. `config` is what `hello` said."""

    def __init__(
        self, module: Theirs, config: dict[str, Any], clock_ms: Callable[[], int] = clock_ms
    ) -> None:
        self._module = module
        self._config = config
        self._clock_ms = clock_ms
        self._connected = False
        self._handed_over = False
        self.head: dict[str, Any] = {}
        self._verbs: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "connect": self._connect,
            "snapshot": self._snapshot,
            "symbols": self._symbols,
            "deals": self._deals,
            "check": self._check,
            "send": self._send,
            "shutdown": self._shutdown,
        }

    def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request: its `head`, and its `body` or its `error`."""
        verb = request["verb"]
        self._handed_over = False
        try:
            return {"body": self._carry_out(request), "head": self.head}
        except Failure as failure:
            failed = failure
        except Exception as error:  # noqa: BLE001 - the module may raise anything (SystemError, ...)
            failed = Failure("internal", f"{verb}: {type(error).__name__}: {error}")
        if self._handed_over and failed.call != "order_send":
            failed.kind = "after_send"
        return {"error": failed.told(), "head": self.head}

    def _carry_out(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self._connected and request["verb"] not in {"connect", "shutdown"}:
            raise Failure("not_connected", "say connect first")
        return self._verbs[request["verb"]](request)

    def _ask(self, call: str, *args: Any, **kwargs: Any) -> Theirs:
        """Make one call. Raises Failure (mt5) where it answers None or False."""
        answer = getattr(self._module, call)(*args, **kwargs)
        if answer is None or answer is False:
            # In the same breath: the next call overwrites it.
            code, text = self._module.last_error()
            raise Failure("mt5", str(text), int(code), call)
        return answer

    def _ask_if_there(self, call: str, *args: Any) -> Theirs:
        """Make one call about a symbol; None where the terminal has no answer to it."""
        try:
            return self._ask(call, *args)
        except Failure as failure:
            if failure.code is None or failure.code <= IPC_CODE_MAX:
                raise
            return None

    def _account(self) -> Theirs:
        """Read the account. Raises Failure (wrong_account) where it is another than asked for."""
        account = self._ask("account_info")
        found = (account.login, account.server)
        asked = (self._config["login"], self._config["server"])
        self.head = {"build": None, "freshest_tick_ms": None, **self.head}
        self.head["login"], self.head["server"] = plain(found, "account")
        if found != asked:
            text = f"asked for {asked[0]} at {asked[1]}, the terminal has {found[0]} at {found[1]}"
            raise Failure("wrong_account", text)
        return account

    def _terminal(self) -> dict[str, Any]:
        terminal: dict[str, Any] = plain(self._ask("terminal_info"), "terminal")
        self.head["build"] = terminal["build"]
        return terminal

    def _connect(self, _request: dict[str, Any]) -> dict[str, Any]:
        config = self._config
        self._connected = False
        self.head = {}
        options = {"timeout": config["timeout_ms"], "portable": config["terminal"]["portable"]}
        if config["password"] is not None:
            # Without one the terminal keeps the login it has: naming a login would switch to it.
            options |= {name: config[name] for name in ("login", "password", "server")}
        self._ask("initialize", config["terminal"]["path"], **options)
        try:
            account = plain(self._account(), "account")
            terminal = self._terminal()
            version = plain(self._ask("version"), "version")
        except Failure:
            self._module.shutdown()
            raise
        self._connected = True
        return {
            "terminal": terminal,
            "account": account,
            "version": version,
            "module_version": plain(getattr(self._module, "__version__", None), "module_version"),
        }

    def _snapshot(self, request: dict[str, Any]) -> dict[str, Any]:
        """Read all, then what would betray a change; again where it does."""
        for reads in range(1, READS_MAX + 1):
            account = self._account()
            positions = plain(self._ask("positions_get"), "positions")
            orders = plain(self._ask("orders_get"), "orders")
            deals = self._deals_ahead(request["deals_from_s"])
            held = {row["symbol"] for row in (*positions, *orders)}
            symbols, ticks = self._market(held, set(request["symbols"]))
            terminal = self._terminal()
            again = self._account()
            counts = (self._ask("positions_total"), self._ask("orders_total"))
            money = [(each.balance, each.credit) for each in (account, again)]
            if money[0] == money[1] and counts == (len(positions), len(orders)):
                return {
                    "terminal": terminal,
                    "account": plain(account, "account"),
                    "positions": positions,
                    "orders": orders,
                    "deals": deals,
                    "ticks": ticks,
                    "symbols": symbols,
                    "reads": reads,
                }
        raise Failure("unstable", f"the account changed during each of {READS_MAX} reads")

    def _deals_ahead(self, start_s: int) -> Theirs:
        """Read the deals from `start_s` on, to where neither our clock nor the server's can be."""
        newest_ms = max(self._clock_ms(), self.head["freshest_tick_ms"] or 0)
        end_s = newest_ms // 1000 + DEALS_AHEAD_S
        if start_s > end_s:
            raise Failure("bad_request", f"deals_from_s lies after {end_s}, where the reading ends")
        return self._deals_between(start_s, end_s)

    def _deals_between(self, start_s: int, end_s: int) -> Theirs:
        window = [min(max(each, 0), SECONDS_MAX) for each in (start_s, end_s)]
        # Positional, for dates have no names; whole, for a naive datetime means the local zone.
        return plain(self._ask("history_deals_get", *window), "deals")

    def _market(self, held: set[str], asked: set[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read the symbols held or resting, and those asked for that exist; and their ticks."""
        symbols, ticks = {}, {}
        for name in sorted(held | asked):
            ask = self._ask if name in held else self._ask_if_there
            info = ask("symbol_info", name)
            if info is not None and not info.select:
                # Until it is selected its figures are stale, or none.
                info = ask("symbol_select", name, True) and ask("symbol_info", name)  # noqa: FBT003 - MetaTrader's own
            if info is None:
                continue
            symbols[name] = plain(info, f"symbols.{name}")
            tick = plain(self._ask_if_there("symbol_info_tick", name), f"ticks.{name}")
            if tick is not None:
                ticks[name] = tick
                freshest_ms = self.head["freshest_tick_ms"] or 0
                self.head["freshest_tick_ms"] = max(freshest_ms, tick["time_msc"]) or None
        return symbols, ticks

    def _symbols(self, _request: dict[str, Any]) -> dict[str, Any]:
        self._account()
        catalogue = [
            {name: plain(getattr(symbol, name), f"catalogue.{name}") for name in CATALOGUE_FIELDS}
            for symbol in self._ask("symbols_get")
        ]
        self._account()
        return {"catalogue": catalogue}

    def _deals(self, request: dict[str, Any]) -> dict[str, Any]:
        self._account()
        if "position" in request:
            answer = self._ask("history_deals_get", position=request["position"])
            deals = plain(answer, "deals")
        else:
            deals = self._deals_between(request["from_s"], request["to_s"])
        self._account()
        return {"deals": deals}

    def _check(self, request: dict[str, Any]) -> dict[str, Any]:
        order = trade_request(request["request"])
        self._account()
        result = plain(self._ask("order_check", order), "result")
        self._account()
        return {"result": result}

    def _send(self, request: dict[str, Any]) -> dict[str, Any]:
        """Look once more, then hand the order over, once, whatever comes of it."""
        order = trade_request(request["request"])
        self._account()
        if order["action"] == CLOSE:
            self._look_at_position(order)
        else:
            self._look_at_order(order)
        self._handed_over = True
        result = plain(self._ask("order_send", order), "result")
        if not isinstance(result, dict):
            raise Failure("after_send", f"order_send answered {result!r}")
        self._look_at_account_again(result)
        return {"result": result}

    def _look_at_account_again(self, result: dict[str, Any]) -> None:
        """Raise Failure where the order went to an account that is not the one asked for.

        Whoever cannot say now which account it is does not make the result less true.
        """
        with contextlib.suppress(Exception):
            account = self._module.account_info()
            found = None if account is None else (account.login, account.server)
            if found not in {None, (self.head["login"], self.head["server"])}:
                self.head["login"], self.head["server"] = plain(found, "account")
        if (self.head["login"], self.head["server"]) != (
            self._config["login"],
            self._config["server"],
        ):
            raise Failure("after_send", f"the terminal changed its account while sending: {result}")

    def _look_at_position(self, order: dict[str, Any]) -> None:
        rows = self._ask("positions_get", ticket=order["position"])
        rows = [row for row in rows if row.ticket == order["position"]]
        if len(rows) != 1:
            raise Failure("refused", f"there is no position {order['position']}")
        (row,) = rows
        if row.symbol != order["symbol"]:
            raise Failure("refused", f"position {row.ticket} is of {row.symbol}")
        if row.type == order["type"]:
            raise Failure("refused", f"an order of type {row.type} does not close {row.ticket}")
        if order["volume"] > row.volume + VOLUME_TOLERANCE_LOTS:
            raise Failure("refused", f"position {row.ticket} holds {row.volume} lots")

    def _look_at_order(self, order: dict[str, Any]) -> None:
        rows = self._ask("orders_get", ticket=order["order"])
        rows = [row for row in rows if row.ticket == order["order"]]
        if len(rows) != 1:
            raise Failure("refused", f"there is no order {order['order']}")
        (row,) = rows
        if row.symbol != order.get("symbol", row.symbol):
            raise Failure("refused", f"order {row.ticket} is of {row.symbol}")

    def _shutdown(self, _request: dict[str, Any]) -> dict[str, Any]:
        self._connected = False
        self._module.shutdown()
        return {}


def child_main(parent_pid: int) -> None:
    """Make the calls that come on standard input until it ends."""
    bind_to_parent(parent_pid)
    incoming, outgoing = private_streams()
    lines: queue.Queue[bytes | None] = queue.Queue(LINES_WAITING_MAX)
    # While a call lets other threads run, this one ends the process with its supervisor; else the
    # parent-death signal, or the job object, does.
    start_thread(lambda: pass_on(incoming, lines, lambda: os._exit(0)))
    config = parse_object(lines.get())
    lock = FileLock(Path(config["lock"]))  # until the very end

    def say(answer: dict[str, Any]) -> None:
        outgoing.write(encode(answer))
        outgoing.flush()

    try:
        session = Session(load(config["module"], lock), config)
    except Failure as failure:
        say({"seq": 0, "error": failure.told(), "head": {}})
        return
    say({"seq": 0, "body": welcome(config["module"]), "head": {}})
    while True:
        request = parse_object(lines.get())
        answer = {"seq": request["seq"], **session.handle(request)}
        size = len(encode(answer))
        if size > LINE_BYTES_MAX - HEAD_BYTES_MAX:
            kind = "after_send" if request["verb"] == "send" else "internal"
            told = Failure(kind, f"the answer has {size} bytes, too many for a line").told()
            answer = {"seq": request["seq"], "error": told, "head": session.head}
        say(answer)


def load(name: str, lock: FileLock) -> Theirs:
    """Import the module when no older child is left. Raises Failure."""
    if not seize(lock, time.monotonic() + LOCK_WAIT_S):
        raise Failure("terminal_locked", "an older child still holds the terminal")
    if "." in name:
        # Behind all others, so that nothing there is taken for a module of the library.
        sys.path.append(str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - a module may fail to load in any way it likes
        text = f"{name} cannot be imported: {type(error).__name__}: {error}"
        raise Failure("module_missing", text) from None


def welcome(module: str) -> dict[str, Any]:
    """Give what `hello` answers."""
    return {"python": sys.version.split()[0], "platform": sys.platform, "module": module}


# What both processes are made of


def private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep standard input and output for the protocol alone: what else is printed is a diagnostic.

    Copies are not inherited, so that no program started from here can speak or listen either.
    """
    for number_ in range(3):
        try:
            os.fstat(number_)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")


def start_thread(work: Callable[[], None]) -> None:
    """Let work go on beside the main thread, and end with it."""
    threading.Thread(target=work, daemon=True).start()


def pass_on(stream: BinaryIO, lines: queue.Queue[bytes | None], at_end: Callable[[], None]) -> None:
    """Queue the lines of a stream, to see its end at once, whatever is being done meanwhile."""
    with contextlib.suppress(OSError, ValueError):
        for line in read_lines(stream):
            try:
                lines.put_nowait(line)
            except queue.Full:
                complain(f"more than {LINES_WAITING_MAX} requests were sent ahead")
                break
    at_end()


def complain(text: str) -> None:
    """Tell whoever reads the diagnostics."""
    with contextlib.suppress(OSError):
        os.write(2, f"agent {os.getpid()}: {text}\n".encode("utf-8", "replace"))


class FileLock:
    """An operating-system lock on a file, held until released or the end; says who holds it.

    The file stays: removing it would let two processes lock two files of one name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Lock now or not at all, and write who we are. Raises OSError without a file."""
        if self._handle is None:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                lock_file(handle)
            except OSError:
                os.close(handle)
                return False
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, f"{os.getpid()} {started_at(os.getpid())}\n".encode())
            self._handle = handle
        return True

    def holder(self) -> int | None:
        """Give the process that wrote itself here last, None where it is no more.

        A number is used again: only together with when it was started it means the same process.
        """
        with contextlib.suppress(OSError, ValueError):
            pid, started = self._path.read_text("utf-8").split(maxsplit=1)
            if started_at(int(pid)) == started.strip():
                return int(pid)
        return None

    def release(self) -> None:
        """Unlock, if locked."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def seize(lock: FileLock, until_s: float, allowed: Callable[[], None] | None = None) -> bool:
    """Lock before that instant of the monotonic clock; tell whether it was done.

    Where `allowed` is given it is asked, and may raise, before the holder is killed.
    """
    while True:
        # Asked first: a holder that comes later is newer than what `allowed` compares with.
        holder = lock.holder()
        if lock.acquire():
            return True
        if time.monotonic() >= until_s:
            return False
        if allowed is not None and holder not in {None, os.getpid()}:
            allowed()
            with contextlib.suppress(OSError):
                os.kill(holder or 0, 9)  # SIGKILL; on Windows TerminateProcess
        time.sleep(POLL_S)


# What the operating systems do differently

if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    JOB_EXTENDED_LIMITS = 9
    JOB_KILL_ON_CLOSE = 0x2000
    JOB_SILENT_BREAKAWAY = 0x1000
    PROCESS_QUERY_LIMITED = 0x1000
    CREATE_NO_WINDOW = 0x08000000

    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel32.CreateJobObjectW.restype = wintypes.HANDLE
    kernel32.CreateJobObjectW.argtypes = (ctypes.c_void_p, wintypes.LPCWSTR)
    kernel32.SetInformationJobObject.argtypes = (
        wintypes.HANDLE,
        ctypes.c_int,
        ctypes.c_void_p,
        wintypes.DWORD,
    )
    kernel32.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
    kernel32.OpenProcess.restype = wintypes.HANDLE
    kernel32.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    kernel32.GetProcessTimes.argtypes = (wintypes.HANDLE, *[ctypes.c_void_p] * 4)
    kernel32.CloseHandle.argtypes = (wintypes.HANDLE,)

    class JobLimits(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION, of which only the flags are set."""

        _fields_ = (
            ("times", ctypes.c_int64 * 2),
            ("flags", wintypes.DWORD),
            ("working_set", ctypes.c_size_t * 2),
            ("processes", wintypes.DWORD),
            ("affinity", ctypes.c_size_t),
            ("classes", wintypes.DWORD * 2),
            ("counters", ctypes.c_uint64 * 6),
            ("memory", ctypes.c_size_t * 4),
        )

    def lock_file(handle: int) -> None:
        """Lock at once. Raises OSError."""
        os.lseek(handle, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def started_at(pid: int) -> str:
        """Tell when a process was started. Raises OSError where there is none."""
        process = kernel32.OpenProcess(PROCESS_QUERY_LIMITED, False, pid)  # noqa: FBT003 - Windows' own
        if not process:
            raise ctypes.WinError(ctypes.get_last_error())
        times = [ctypes.c_uint64() for _ in range(4)]
        done = kernel32.GetProcessTimes(process, *[ctypes.byref(each) for each in times])
        kernel32.CloseHandle(process)
        if not done:
            raise OSError(f"the times of process {pid} are not told")
        return str(times[0].value)

    def bind_to_parent(parent_pid: int) -> None:
        """Nothing: the supervisor puts the child in its job before it tells it anything."""

    def new_job() -> int:
        """Make what ends its processes when this one ends. Raises OSError.

        What they start (the terminal itself) is not part of it: a terminal outlives its agent.
        """
        job = kernel32.CreateJobObjectW(None, None)
        limits = JobLimits(flags=JOB_KILL_ON_CLOSE | JOB_SILENT_BREAKAWAY)
        if not job or not kernel32.SetInformationJobObject(
            job, JOB_EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
        ):
            raise ctypes.WinError(ctypes.get_last_error())
        return int(job)

    JOB: list[int] = []

    def bind_child(process: subprocess.Popen[bytes]) -> None:
        """Let the child end with this process, however that ends. Raises OSError."""
        if not JOB:
            JOB.append(new_job())
        if not kernel32.AssignProcessToJobObject(JOB[0], int(process._handle)):  # type: ignore[attr-defined] # noqa: SLF001 - Popen keeps the handle nowhere else
            raise ctypes.WinError(ctypes.get_last_error())

    def python_command() -> tuple[list[str], dict[str, Any]]:
        """Give how this Python is started; a virtual environment's own is only a launcher of it."""
        environment = dict(os.environ)
        base = getattr(sys, "_base_executable", sys.executable)
        if base != sys.executable:
            environment["__PYVENV_LAUNCHER__"] = sys.executable
        return [base], {"env": environment, "creationflags": CREATE_NO_WINDOW}

    def state_home() -> Path:
        """Give where a user's programs keep what they must remember."""
        home = os.environ.get("LOCALAPPDATA")
        return (Path(home) if home else Path.home() / "AppData" / "Local") / "Reckoner" / "agents"

    def terminal_name(path: str) -> str:
        """Give one spelling of a terminal's path."""
        return os.path.normcase(os.path.realpath(path))

    def sync_directory(path: Path) -> None:
        """Nothing: Windows has no such call."""

else:
    import fcntl

    PR_SET_PDEATHSIG = 1

    def lock_file(handle: int) -> None:
        """Lock at once. Raises OSError."""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def started_at(pid: int) -> str:
        """Tell when a process was started, in the kernel's ticks; nothing where it does not say.

        Raises OSError where there is no such process.
        """
        if not sys.platform.startswith("linux"):
            os.kill(pid, 0)
            return ""
        # The name of the program, in brackets, may hold anything; the 22nd field is meant.
        return (
            Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
        )

    def bind_to_parent(parent_pid: int) -> None:
        """Let the kernel kill this process when its supervisor ends.

        Where there is no Linux only the end of standard input tells, which a call that holds the
        interpreter lock keeps from being noticed.
        """
        if sys.platform.startswith("linux"):
            import ctypes  # noqa: PLC0415 - only the child needs it

            if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")
        if os.getppid() != parent_pid:
            os._exit(0)  # it ended before the kernel knew

    def bind_child(process: subprocess.Popen[bytes]) -> None:
        """Nothing: the child binds itself."""

    def python_command() -> tuple[list[str], dict[str, Any]]:
        """Give how this Python is started."""
        return [sys.executable], {}

    def state_home() -> Path:
        """Give where a user's programs keep what they must remember."""
        home = os.environ.get("XDG_STATE_HOME")
        return (Path(home) if home else Path.home() / ".local" / "state") / "reckoner" / "agents"

    def terminal_name(path: str) -> str:
        """Give the path as it is: MetaTrader itself does not run here."""
        return path

    def sync_directory(path: Path) -> None:
        """Make a renaming durable."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# The supervisor


class Place:
    """What is remembered of one terminal: its newest owner, and who holds its two locks."""

    def __init__(self, directory: Path, terminal: str) -> None:
        name = hashlib.sha256(terminal_name(terminal).encode()).hexdigest()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name = name
        self.newest: tuple[int, str] = (0, "")
        self.lock = FileLock(directory / f"{name}.lock")
        self.child_lock_path = directory / f"{name}.child.lock"
        self._epoch_path = directory / f"{name}.epoch"
        self._epoch_lock = FileLock(directory / f"{name}.epoch.lock")
        self._is_known = False

    def admit(self, epoch: int, owner: str, *, is_ours: bool) -> bool:
        """Let this owner act, a newer one durably so; tell whether the epoch rose.

        Raises Failure: stale_epoch; terminal_locked where the terminal is not ours and the epoch no
        higher; internal where what is remembered cannot be read: no number is taken for 0.

        An owner without a name is one like any other, except that a named one of the same epoch
        takes its place.
        """
        if not seize(self._epoch_lock, time.monotonic() + EPOCH_WAIT_S):
            raise Failure("internal", "the epoch is being written, without end, by another process")
        try:
            self.newest = self._read()
            self._is_known = True
            newest, known = self.newest
            if epoch < newest or (epoch == newest and known not in {"", owner}):
                raise Failure("stale_epoch", f"epoch {newest} has been seen, of {known!r}")
            if not is_ours and not self.lock.acquire() and epoch == newest:
                raise Failure("terminal_locked", "another agent of this epoch holds the terminal")
            if (epoch, owner) != self.newest:
                self._write(epoch, owner)
                self.newest = epoch, owner
            return epoch > newest
        finally:
            self._epoch_lock.release()

    def _read(self) -> tuple[int, str]:
        if not self._is_known and not self._epoch_path.exists():
            return 0, ""
        try:
            kept = json.loads(self._epoch_path.read_text("utf-8"))
            epoch = whole(kept["epoch"], "epoch", 0, INTEGER_MAX)
            owner = words(kept["owner"], "owner", 0, OWNER_LENGTH_MAX)
        except (OSError, ValueError, KeyError, TypeError, Failure) as error:
            raise Failure("internal", f"the epoch cannot be read: {error}") from None
        if epoch < self.newest[0]:
            raise Failure("internal", f"the epoch fell from {self.newest[0]} to {epoch}")
        return epoch, owner

    def _write(self, epoch: int, owner: str) -> None:
        new = self._epoch_path.with_suffix(".new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, encode({"epoch": epoch, "owner": owner}))
            os.fsync(handle)
        finally:
            os.close(handle)
        new.replace(self._epoch_path)
        sync_directory(self._epoch_path.parent)

    def take(self, epoch: int, owner: str, until_s: float) -> None:
        """Admit the owner and hold the terminal; kill an agent of a lower epoch. Raises Failure."""
        self.admit(epoch, owner, is_ours=False)
        if not seize(self.lock, until_s, lambda: self._stay_newest(epoch, owner)):
            raise Failure("terminal_locked", "the agent that holds the terminal cannot be killed")
        try:
            # Whoever came with a higher epoch meanwhile has the right to it.
            self._stay_newest(epoch, owner)
        except Failure:
            self.lock.release()
            raise

    def _stay_newest(self, epoch: int, owner: str) -> None:
        self.admit(epoch, owner, is_ours=True)

    def outlive_child(self, until_s: float) -> None:
        """See the last of an older child. Raises Failure where it stays."""
        lock = FileLock(self.child_lock_path)
        if not seize(lock, until_s, lambda: None):
            raise Failure("terminal_locked", "an older child still holds the terminal")
        lock.release()


class Child:
    """A running child, told what `hello` said. Made by the main thread only.

    The kernel's parent-death signal means the thread that started the process.
    """

    def __init__(self, config: dict[str, Any], hide: Callable[[bytes], bytes]) -> None:
        command, options = python_command()
        isolated = ["-I"] if sys.flags.isolated else []
        self.process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - this very file
            [*command, *isolated, str(Path(__file__).resolve()), "--child", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
        try:
            bind_child(self.process)
        except OSError as error:
            self.end()
            raise Failure("internal", f"the child cannot be bound to the agent: {error}") from None
        self._hide = hide
        self._seq = 0
        self._said: queue.Queue[bytes] = queue.Queue(1)
        self._heard: queue.Queue[bytes | None] = queue.Queue(1)
        start_thread(self._converse)
        start_thread(self._pass_diagnostics)
        self._say(config)

    def _say(self, message: dict[str, Any]) -> None:
        self._said.put(encode(message))

    def _converse(self) -> None:
        """Write and read, so that the main thread waits for no pipe."""
        hear = self.process.stdout
        say = self.process.stdin
        assert hear is not None and say is not None  # noqa: S101, PT018 - both were asked for
        with contextlib.suppress(OSError, ValueError):
            while True:
                say.write(self._said.get())
                say.flush()
                line = hear.readline(LINE_BYTES_MAX + 1)
                if not line.endswith(b"\n"):
                    break
                self._heard.put(line)
        self._heard.put(None)

    def _pass_diagnostics(self) -> None:
        stream = self.process.stderr
        assert stream is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(STDERR_LINE_BYTES_MAX):
                os.write(2, self._hide(line))

    def hear(self, verb: str, until_s: float) -> dict[str, Any]:
        """Wait for the answer. Raises Failure: timeout, child_died, or what the child says."""
        line = self._wait(verb, until_s)
        answer: Any = None
        if line is not None:
            with contextlib.suppress(ValueError):
                answer = json.loads(line)
        if not isinstance(answer, dict) or answer.get("seq") != self._seq:
            self.end()
            how = "ended by itself" if line is None else "spoke out of turn and was killed"
            raise Failure("child_died", f"the child {how} (status {self.process.returncode})")
        return answer

    def _wait(self, verb: str, until_s: float) -> bytes | None:
        while True:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                self.end()
                raise Failure("timeout", f"{verb} did not end in time; the child was killed")
            with contextlib.suppress(queue.Empty):
                return self._heard.get(timeout=min(left_s, CHILD_POLL_S))
            if self.process.poll() is not None:
                # Its last words may still be on their way.
                with contextlib.suppress(queue.Empty):
                    return self._heard.get(timeout=LAST_WORDS_S)
                return None

    def ask(self, request: dict[str, Any], until_s: float) -> dict[str, Any]:
        """Hand one request over and give the answer. Raises Failure as `hear` does."""
        self._seq += 1
        self._say({**request, "seq": self._seq})
        return self.hear(request["verb"], until_s)

    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self.process.poll() is None

    def end(self) -> None:
        """Kill, and wait until it is gone, as long as may be."""
        self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(KILL_WAIT_S)


class Supervisor:
    """Answers requests: admits or refuses them, and has the child carry them out in time."""

    def __init__(self, module: str, state: Path) -> None:
        self._module = module
        self._state = state
        self._place: Place | None = None
        self._config: dict[str, Any] = {}
        self._child: Child | None = None
        self._head: dict[str, Any] = {}
        self._epoch_max = 0
        self._secrets: list[str] = []

    def kill(self) -> None:
        """End the child without waiting for anything, from any thread."""
        child = self._child
        if child is not None:
            child.process.kill()

    def answer(self, line: bytes | None) -> tuple[dict[str, Any], bool]:
        """Answer one request; tell whether it was the last."""
        began_s = time.monotonic()
        said: dict[str, Any] = {"id": None, "verb": None}
        is_last = False
        try:
            request = parse_object(line)
            said["id"] = request["id"] if type(request.get("id")) is int else None
            said["verb"] = request["verb"] if request.get("verb") in list(VERBS) else None
            self._learn_secret(request)
            check_request(request)
            said |= self._act(request, began_s + request["deadline_ms"] / 1000)
            is_last = request["verb"] == "shutdown"
            return {**said, "ok": True, **self._own_head()}, is_last
        except Failure as failure:
            is_last = said["verb"] == "shutdown" and failure.kind in {"timeout", "child_died"}
            failure.text = self._hidden(failure.text)[:ERROR_TEXT_MAX]
            return {**said, "ok": False, **self._own_head(), "error": failure.told()}, is_last

    def _own_head(self) -> dict[str, Any]:
        child = self._child
        return {
            "protocol": PROTOCOL,
            "agent_pid": os.getpid(),
            "child_pid": child.process.pid if child is not None and child.is_alive() else None,
            "agent_clock_ms": clock_ms(),
            "epoch_max": self._epoch_max,
            **(self._head if child is not None else {}),
        }

    def _act(self, request: dict[str, Any], until_s: float) -> dict[str, Any]:
        verb = request["verb"]
        try:
            if verb == "hello":
                return self._hello(request, until_s)
            if self._place is None:
                if verb == "shutdown":
                    return {}
                raise Failure("not_connected", "say hello first")
            self._admit(self._place, request)
            if verb == "connect" and self._living_child() is None:
                self._start(self._place, until_s)
            child = self._living_child()
            if child is None:
                if verb == "shutdown":
                    return {}
                raise Failure("not_connected", "there is no child: say connect")
            body = {name: part for name, part in request.items() if name not in HEAD_FIELDS}
            answer = child.ask({"verb": verb, **body}, until_s)
        except OSError as error:
            raise Failure("internal", f"{verb}: {error}") from None
        return self._received(answer)

    def _received(self, answer: dict[str, Any]) -> dict[str, Any]:
        self._head = answer["head"]
        if "error" in answer:
            raise Failure(**answer["error"])
        body: dict[str, Any] = answer["body"]
        return body

    def _admit(self, place: Place, request: dict[str, Any]) -> None:
        """Let the owner act; a newer one finds no child. Raises Failure."""
        known = place.newest
        try:
            has_risen = place.admit(request["epoch"], request["owner"], is_ours=True)
        except Failure:
            if place.newest != known:
                # Another agent was let in: this one has nothing left to do here.
                self._leave()
            raise
        finally:
            self._epoch_max = place.newest[0]
        if has_risen:
            self._end_child()

    def _hello(self, request: dict[str, Any], until_s: float) -> dict[str, Any]:
        place = Place(self._state, request["terminal"]["path"])
        if self._place is not None and self._place.name == place.name:
            place = self._place
            self._admit(place, request)
        else:
            try:
                wait_s = min(until_s, time.monotonic() + LOCK_WAIT_S)
                place.take(request["epoch"], request["owner"], wait_s)
            finally:
                self._epoch_max = place.newest[0]
            self._leave()
            self._place = place
        self._config = {name: request[name] for name in VERBS["hello"][0]}
        self._secrets = [secret for secret in (request["password"],) if secret]
        return self._start(place, until_s)

    def _start(self, place: Place, until_s: float) -> dict[str, Any]:
        """Start a child in the place of any other, and give its welcome. Raises Failure."""
        self._end_child()
        place.outlive_child(min(until_s, time.monotonic() + LOCK_WAIT_S))
        config = {**self._config, "module": self._module, "lock": str(place.child_lock_path)}
        self._child = Child(config, self._hidden_bytes)
        return self._received(self._child.hear("hello", until_s))

    def _living_child(self) -> Child | None:
        if self._child is not None and not self._child.is_alive():
            self._end_child()
        return self._child

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
        self._child = None
        self._head = {}

    def _leave(self) -> None:
        """Give the terminal up."""
        self._end_child()
        self._config = {}
        if self._place is not None:
            self._place.lock.release()
            self._place = None

    def _learn_secret(self, request: dict[str, Any]) -> None:
        """Keep a password out of what is said, also out of why its request is refused."""
        secret = request.get("password")
        if isinstance(secret, str) and secret and secret not in self._secrets:
            self._secrets = [*self._secrets[-1:], secret]

    def _spellings(self) -> list[str]:
        spellings = {
            spelling
            for secret in self._secrets
            for spelling in (secret, repr(secret)[1:-1], ascii(secret)[1:-1])
        }
        return sorted(spellings, key=len, reverse=True)

    def _hidden(self, text: str) -> str:
        for spelling in self._spellings():
            text = text.replace(spelling, "***")
        return text

    def _hidden_bytes(self, line: bytes) -> bytes:
        for spelling in self._spellings():
            line = line.replace(spelling.encode("utf-8", "surrogatepass"), b"***")
        return line


def supervise(module: str, state: Path) -> int:
    """Answer what comes on standard input until it ends, or a shutdown; give the exit status."""
    incoming, outgoing = private_streams()
    lines: queue.Queue[bytes | None] = queue.Queue(LINES_WAITING_MAX)
    supervisor = Supervisor(module, state)

    def leave() -> None:
        supervisor.kill()
        os._exit(0)

    start_thread(lambda: pass_on(incoming, lines, leave))
    is_last = False
    while not is_last:
        answer, is_last = supervisor.answer(lines.get())
        line = encode(answer)
        if len(line) > LINE_BYTES_MAX:
            kind = "after_send" if answer["verb"] == "send" else "internal"
            text = f"the answer has {len(line)} bytes, too many for a line"
            head = {name: answer[name] for name in ("id", "verb", "protocol", "agent_pid")}
            line = encode({**head, "ok": False, "error": Failure(kind, text).told()})
        try:
            outgoing.write(line)
            outgoing.flush()
        except OSError as error:
            complain(f"nobody hears: {error}")
            break
    supervisor.kill()
    return 0 if is_last else 1


def main(arguments: list[str]) -> int:
    """Be the child where told so, else the supervisor; give the exit status."""
    if arguments[:1] == ["--child"]:
        child_main(int(arguments[1]))
        return 0
    parser = argparse.ArgumentParser(description="The agent beside one MetaTrader 5 terminal.")
    parser.add_argument("--module", default="MetaTrader5", help="what makes the calls")
    parser.add_argument("--state-dir", type=Path, default=None, help="where epoch and locks lie")
    options = parser.parse_args(arguments)
    return supervise(options.module, (options.state_dir or state_home()).absolute())


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(status)  # threads that wait for a pipe would keep the process
