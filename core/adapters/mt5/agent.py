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

if __name__ == "__main__" and os.path.realpath(sys.path[0]) == os.path.realpath(
    os.path.dirname(__file__)  # noqa: PTH120 - what lies here could be taken for pathlib, too
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

if sys.platform == "win32":
    import ctypes
    import msvcrt
else:
    import fcntl

PROTOCOL = 1
LINE_BYTES_MAX = 16 * 1024 * 1024
HEAD_BYTES_MAX = 8 * 1024
"""Room in an answer's line for what the supervisor adds to what the child said."""
LINES_WAITING_MAX = 8
"""Requests come one at a time: who sends more ahead than this does not speak the protocol."""
CHUNK_BYTES = 64 * 1024
ERROR_TEXT_MAX = 2000
INTEGER_MAX = 2**63 - 1
DEADLINE_MS_MAX = 600_000
OWNER_UNITS_MAX = 300
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
"""This `last_error` code and those below speak of the way to the terminal, not of a symbol."""
NOT_FOUND = -4
"""The `last_error` code of a symbol, or a tick, that the terminal does not have; all others speak
of the call. (`symbol_select` says -1 of a symbol unknown to it, as of any failure.)"""
LOCK_WAIT_S = 5.0
EPOCH_WAIT_S = 1.0
KILL_WAIT_S = 5.0
LOCK_POLL_S = 0.01
CHILD_POLL_S = 0.25
LAST_WORDS_S = 0.5
SECRETS_MAX = 4
LOCKED_BYTE = 1 << 30
"""Windows locks bytes, and refuses to read them: lock one far behind the pid."""
CATALOGUE_TEXTS = ("name", "path", "currency_base", "currency_profit", "currency_margin")
CATALOGUE_CODES = ("trade_calc_mode", "trade_mode", "digits", "select", "custom")

Theirs = Any
"""What the module is and answers: it ships no types."""
Rule = Callable[[Any, str], Any]
"""Gives a value as it may go on, or raises Failure (bad_request) by the name of its field."""
Told = dict[str, Any]


class Failure(Exception):
    """What an answer's `error` says: a kind of docs/agent-protocol.md, and why."""

    def __init__(
        self, kind: str, text: str, code: int | None = None, call: str | None = None
    ) -> None:
        super().__init__(text)
        self.kind, self.text, self.code, self.call = kind, text, code, call

    def told(self) -> Told:
        """Give the `error` of an answer."""
        return {"kind": self.kind, "text": self.text, "code": self.code, "call": self.call}


# Lines and values


def read_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yield each whole line, None for one that is too long; end where the stream ends."""
    while line := stream.readline(LINE_BYTES_MAX + 1):
        is_long = len(line) > LINE_BYTES_MAX and not line.endswith(b"\n")
        while line and not line.endswith(b"\n"):
            line = stream.readline(CHUNK_BYTES)
        if line:
            yield None if is_long else line


def parse(line: bytes | None) -> Told:
    """Read one line as a JSON object. Raises Failure (bad_request)."""
    if line is None:
        raise Failure("bad_request", f"a line has at most {LINE_BYTES_MAX} bytes")
    try:
        found = json.loads(line.decode(), parse_constant=_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Failure("bad_request", f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Failure("bad_request", "a request is a JSON object")
    return found


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _object(pairs: list[tuple[str, Any]]) -> Told:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def encode(answer: Told) -> bytes:
    """Give the line of an answer, its end included."""
    return json.dumps(answer, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def plain(value: Theirs, where: str) -> Theirs:
    """Turn what the module gave into JSON's types. Raises Failure (internal) naming the field.

    Structures are CPython's own sequences with `_asdict`, without `_fields` (facts: mt5, 1.2).
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        # A text that a broker cut inside a pair of surrogates is no UTF-8.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if hasattr(value, "_asdict"):
        return {name: plain(part, f"{where}.{name}") for name, part in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [plain(part, f"{where}[{index}]") for index, part in enumerate(value)]
    raise Failure("internal", f"{where} is no value of JSON: {type(value).__name__} {value!r:.50}")


# What a request may say


def whole(low: int, high: int) -> Rule:
    """Ask for a whole number within bounds; a bool, a text or 5.0 is none."""

    def rule(value: object, name: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Failure("bad_request", f"{name} must be a whole number from {low} to {high}")
        return value

    return rule


def words(low: int, high: int, *, or_null: bool = False) -> Rule:
    """Ask for a text of so many UTF-16 units."""

    def rule(value: object, name: str) -> str | None:
        if value is None and or_null:
            return None
        text = value if type(value) is str else "\0"
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        if "\0" in text or not low <= units <= high or text != plain(text, name):
            raise Failure("bad_request", f"{name} must be a text of {low} to {high} UTF-16 units")
        return text

    return rule


def _number(value: object, name: str) -> float:
    """Give a double as the wheel asks for it: never an int."""
    try:
        found = float(value) if type(value) in {int, float} else math.nan  # type: ignore[arg-type] # one of the two
    except OverflowError:
        found = math.inf
    if not math.isfinite(found) or found < 0:
        raise Failure("bad_request", f"{name} must be a number, 0 or above")
    return found


def _volume(value: object, name: str) -> float:
    if _number(value, name) == 0:
        raise Failure("bad_request", f"{name} must be a number above 0")
    return _number(value, name)


def _flag(value: object, name: str) -> bool:
    if type(value) is not bool:
        raise Failure("bad_request", f"{name} must be true or false")
    return value


def _symbols(value: object, name: str) -> list[str]:
    if type(value) is not list or len(value) > SYMBOLS_MAX:
        raise Failure("bad_request", f"{name} must be a list of at most {SYMBOLS_MAX}")
    return [SYMBOL(each, f"{name}[{index}]") for index, each in enumerate(value)]


def fields(required: dict[str, Rule], optional: dict[str, Rule] | None = None) -> Rule:
    """Ask for an object with these fields and no other."""
    rules = {**required, **(optional or {})}

    def rule(value: object, name: str) -> Told:
        if type(value) is not dict:
            raise Failure("bad_request", f"{name} must be an object")
        if missing := sorted(required.keys() - value.keys()):
            raise Failure("bad_request", f"{name} lacks {', '.join(missing)}")
        if unknown := sorted(value.keys() - rules.keys()):
            raise Failure("bad_request", f"{name} may not have {', '.join(unknown)}")
        return {part: rules[part](value[part], f"{name}.{part}") for part in value}

    return rule


CLOSE, REMOVE = 1, 8
ID, COUNT, SECOND = whole(1, INTEGER_MAX), whole(0, INTEGER_MAX), whole(-INTEGER_MAX, INTEGER_MAX)
SYMBOL, COMMENT = words(1, NAME_UNITS_MAX), words(0, NAME_UNITS_MAX)
DEADLINE = whole(1, DEADLINE_MS_MAX)
TRADES = {
    CLOSE: fields(
        {"action": ID, "position": ID, "symbol": SYMBOL, "volume": _volume, "type": whole(0, 1)},
        {
            "price": _number,
            "deviation": COUNT,
            "type_filling": whole(0, 3),
            "magic": COUNT,
            "comment": COMMENT,
        },
    ),
    REMOVE: fields({"action": ID, "order": ID}, {"symbol": SYMBOL, "comment": COMMENT}),
}


def trade(value: object, name: str = "request") -> Told:
    """Give the order as it is handed to the wheel: a close or a removal. Raises Failure.

    The wheel ignores keys it does not know and takes missing ones for 0: a misspelt `position`
    would open an opposite position (facts: mt5, row 7).
    """
    action = value.get("action") if type(value) is dict else None
    if type(action) is not int or action not in TRADES:
        raise Failure("bad_request", f"{name}.action must be {CLOSE} (close) or {REMOVE} (remove)")
    order: Told = TRADES[action](value, name)
    return order


TERMINAL = fields({"path": words(1, PATH_UNITS_MAX), "portable": _flag})
CREDENTIAL = words(1, CREDENTIAL_UNITS_MAX)
PASSWORD = words(1, CREDENTIAL_UNITS_MAX, or_null=True)
HELLO = {"login": ID, "server": CREDENTIAL, "password": PASSWORD, "timeout_ms": DEADLINE}
VERBS: dict[str, dict[str, Rule]] = {
    "hello": {"terminal": TERMINAL, **HELLO},
    "connect": {},
    "snapshot": {"deals_from_s": SECOND, "symbols": _symbols},
    "symbols": {},
    "deals": {"from_s": SECOND, "to_s": SECOND},
    "check": {"request": trade},
    "send": {"request": trade},
    "shutdown": {},
}
DEALS_BY_POSITION: dict[str, Rule] = {"position": ID}


def _verb(value: object, name: str) -> str:
    if type(value) is not str or value not in VERBS:
        raise Failure("bad_request", f"{name} must be one of {', '.join(VERBS)}")
    return value


OWNER = words(0, OWNER_UNITS_MAX)
HEAD = {"id": ID, "verb": _verb, "epoch": COUNT, "owner": OWNER, "deadline_ms": DEADLINE}


def checked(request: Told) -> Told:
    """Give the request as it may be carried out. Raises Failure (bad_request), naming the field."""
    verb: str = _verb(request.get("verb"), "verb")
    by_position = verb == "deals" and "position" in request
    body = DEALS_BY_POSITION if by_position else VERBS[verb]
    allowed: Told = fields({**HEAD, **body})(request, "request")
    return allowed


# The child


def clock_ms() -> int:
    """Give the host's clock, milliseconds, UTC."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - copied alone, it has no Clock port


class Session:
    """The calls of one terminal, one at a time. `config` is what `hello` said."""

    def __init__(self, module: Theirs, config: Told, clock: Callable[[], int] = clock_ms) -> None:
        self._module, self._config, self._clock_ms = module, config, clock
        self._is_connected = self._is_handed_over = False
        self.head: Told = {}

    def handle(self, request: Told) -> Told:
        """Answer one request: its `head`, and its `body` or its `error`."""
        self._is_handed_over = False
        try:
            return {"body": self._carry_out(request), "head": self.head}
        except Failure as failure:
            failed = failure
        except Exception as error:  # noqa: BLE001 - the module may raise anything (SystemError, ...)
            failed = Failure("internal", f"{request['verb']}: {type(error).__name__}: {error}")
        if self._is_handed_over and failed.call != "order_send":
            failed.kind = "after_send"
        return {"error": failed.told(), "head": self.head}

    def _carry_out(self, request: Told) -> Told:
        verb = request["verb"]
        if verb == "connect":
            return self._connect()
        if verb == "shutdown":
            self._is_connected = False
            self._module.shutdown()
            return {}
        if not self._is_connected:
            raise Failure("not_connected", "say connect first")
        if verb == "snapshot":
            return self._snapshot(request["deals_from_s"], set(request["symbols"]))
        if verb == "send":
            return self._send(trade(request["request"]))
        # Read between two looks at the account, so that it is of this one.
        self._account()
        body = self._read(verb, request)
        self._account()
        return body

    def _read(self, verb: str, request: Told) -> Told:
        if verb == "symbols":
            names = CATALOGUE_TEXTS + CATALOGUE_CODES
            rows = self._ask("symbols_get")
            return {
                "catalogue": [
                    {name: plain(getattr(row, name), f"catalogue.{name}") for name in names}
                    for row in rows
                ]
            }
        if verb == "check":
            answer = self._ask("order_check", trade(request["request"]))
            return {"result": plain(answer, "result")}
        if "position" in request:
            answer = self._ask("history_deals_get", position=request["position"])
            return {"deals": plain(answer, "deals")}
        return {"deals": self._deals(request["from_s"], request["to_s"])}

    def _ask(self, call: str, *args: object, **kwargs: object) -> Theirs:
        """Make one call. Raises Failure (mt5) where it answers None or False."""
        answer = getattr(self._module, call)(*args, **kwargs)
        if answer is None or answer is False:
            # In the same breath: the next call overwrites it.
            code, text = self._module.last_error()
            raise Failure("mt5", str(text), int(code), call)
        return answer

    def _ask_if_there(self, call: str, *args: object) -> Theirs:
        """Make one call about a symbol; None where the terminal says that it has none."""
        try:
            return self._ask(call, *args)
        except Failure as failure:
            if failure.code == NOT_FOUND:
                return None
            raise

    def _is_asked_for(self, account: Theirs) -> bool:
        """Tell whether this is the account asked for; answers bear the one that was found."""
        found = {"login": account.login, "server": account.server}
        told = {name: plain(value, name) for name, value in found.items()}
        self.head = {"build": None, "freshest_tick_ms": None, **self.head, **told}
        return found == {name: self._config[name] for name in found}

    def _account(self) -> Theirs:
        """Read the account. Raises Failure (wrong_account) where it is another than asked for."""
        account = self._ask("account_info")
        if not self._is_asked_for(account):
            asked = f"{self._config['login']} at {self._config['server']}"
            found = f"{account.login} at {account.server}"
            raise Failure("wrong_account", f"asked for {asked}, the terminal has {found}")
        return account

    def _terminal(self) -> Told:
        terminal: Told = plain(self._ask("terminal_info"), "terminal")
        self.head["build"] = terminal["build"]
        return terminal

    def _connect(self) -> Told:
        config = self._config
        self._is_connected, self.head = False, {}
        options = {"timeout": config["timeout_ms"], "portable": config["terminal"]["portable"]}
        if config["password"] is not None:
            # Without one the terminal keeps the login it has: naming a login would switch to it.
            options.update({name: config[name] for name in ("login", "password", "server")})
        self._ask("initialize", config["terminal"]["path"], **options)
        try:
            account = plain(self._account(), "account")
            terminal = self._terminal()
            version = plain(self._ask("version"), "version")
        except Failure:
            self._module.shutdown()
            raise
        self._is_connected = True
        module = plain(getattr(self._module, "__version__", None), "module_version")
        return {
            "terminal": terminal,
            "account": account,
            "version": version,
            "module_version": module,
        }

    def _snapshot(self, deals_from_s: int, asked: set[str]) -> Told:
        """Read all, then what would betray a change; again where it does."""
        for reads in range(1, READS_MAX + 1):
            account = plain(self._account(), "account")
            positions = plain(self._ask("positions_get"), "positions")
            orders = plain(self._ask("orders_get"), "orders")
            deals = self._deals_ahead(deals_from_s)
            held = {row["symbol"] for row in (*positions, *orders)}
            symbols, ticks = self._market(held, asked)
            terminal = self._terminal()
            again = plain(self._account(), "account")
            counts = (self._ask("positions_total"), self._ask("orders_total"))
            is_same = all(account[name] == again[name] for name in ("balance", "credit"))
            if is_same and counts == (len(positions), len(orders)):
                return {
                    "terminal": terminal,
                    "account": account,
                    "positions": positions,
                    "orders": orders,
                    "deals": deals,
                    "ticks": ticks,
                    "symbols": symbols,
                    "reads": reads,
                }
        raise Failure("unstable", f"the account changed during each of {READS_MAX} reads")

    def _deals_ahead(self, start_s: int) -> Theirs:
        """Read the deals from then on, to where neither our clock nor the server's can be."""
        newest_ms = max(self._clock_ms(), self.head["freshest_tick_ms"] or 0)
        return self._deals(start_s, newest_ms // 1000 + DEALS_AHEAD_S)

    def _deals(self, start_s: int, end_s: int) -> Theirs:
        if start_s > end_s:
            raise Failure("bad_request", f"deals are asked for from {start_s}, after {end_s}")
        window = [min(max(each, 0), SECONDS_MAX) for each in (start_s, end_s)]
        # Positional, for dates have no names; whole, for a naive datetime means the local zone.
        return plain(self._ask("history_deals_get", *window), "deals")

    def _market(self, held: set[str], asked: set[str]) -> tuple[Told, Told]:
        """Read the symbols held or resting, and those asked for that exist; and their ticks."""
        symbols, ticks = {}, {}
        for name in sorted(held | asked):
            ask = self._ask if name in held else self._ask_if_there
            info = ask("symbol_info", name)
            if info is not None and not info.select:
                # Until it is selected its figures are stale, or none.
                info = ask("symbol_info", name) if self._select(name, name in held) else None
            if info is None:
                continue
            symbols[name] = plain(info, f"symbols.{name}")
            tick = plain(self._ask_if_there("symbol_info_tick", name), f"ticks.{name}")
            if tick is not None:
                ticks[name] = tick
                freshest_ms = max(self.head["freshest_tick_ms"] or 0, tick["time_msc"])
                self.head["freshest_tick_ms"] = freshest_ms or None
        return symbols, ticks

    def _select(self, name: str, is_held: bool) -> bool:  # noqa: FBT001 - one caller, one fact
        """Put a symbol in the market watch; False where the terminal will not.

        Of a held one that is a failure. Of one that was only asked for it must not cost the
        reading: an account is guarded in its own currency, whatever converts it.
        """
        try:
            self._ask("symbol_select", name, True)  # noqa: FBT003 - MetaTrader's own
        except Failure as failure:
            if is_held or failure.code is None or failure.code <= IPC_CODE_MAX:
                raise
            return False
        return True

    def _send(self, order: Told) -> Told:
        """Look once more, then hand the order over, once, whatever comes of it."""
        self._account()
        (self._look_at_position if order["action"] == CLOSE else self._look_at_order)(order)
        self._is_handed_over = True
        result = plain(self._ask("order_send", order), "result")
        if not isinstance(result, dict):
            raise Failure("after_send", f"order_send answered {result!r}")
        return {"result": result, "account_seen": self._is_still_asked_for(result)}

    def _is_still_asked_for(self, result: Told) -> bool:
        """Look after a send; False where that cannot be done: the result is no less true for it.

        Raises Failure (after_send) where the account is another one by now.
        """
        try:
            account = self._module.account_info()
        except SystemError:  # what the wheel raises (facts: mt5, 1.1); any other is after_send
            return False
        if account is None:
            return False
        if not self._is_asked_for(account):
            raise Failure("after_send", f"the terminal changed its account meanwhile: {result}")
        return True

    def _look_at_position(self, order: Told) -> None:
        row = self._one("positions_get", order["position"], "position")
        if row.symbol != order["symbol"]:
            raise Failure("refused", f"position {row.ticket} is of {row.symbol}")
        if row.type == order["type"]:
            raise Failure("refused", f"an order of type {row.type} does not close {row.ticket}")
        if order["volume"] > row.volume + VOLUME_TOLERANCE_LOTS:
            raise Failure("refused", f"position {row.ticket} holds {row.volume} lots")

    def _look_at_order(self, order: Told) -> None:
        row = self._one("orders_get", order["order"], "order")
        if row.symbol != order.get("symbol", row.symbol):
            raise Failure("refused", f"order {row.ticket} is of {row.symbol}")

    def _one(self, call: str, ticket: int, what: str) -> Theirs:
        rows = [row for row in self._ask(call, ticket=ticket) if row.ticket == ticket]
        if len(rows) != 1:
            raise Failure("refused", f"there is no {what} {ticket}")
        return rows[0]


def child_main(parent_pid: int) -> None:
    """Make the calls that come on standard input until it ends."""
    bind_to_parent(parent_pid)
    incoming, outgoing = private_streams()
    lines: queue.Queue[bytes | None] = queue.Queue(LINES_WAITING_MAX)
    # While a call lets other threads run, this one ends the process with its supervisor; else the
    # parent-death signal, or the job object, does.
    start_thread(lambda: pass_on(incoming, lines, lambda: os._exit(0)))
    config = parse(lines.get())
    name, lock = config["module"], FileLock(Path(config["lock"]))

    def say(line: bytes) -> None:
        outgoing.write(line)
        outgoing.flush()

    try:
        session = Session(load(name, lock), config)
    except Failure as failure:
        say(encode({"seq": 0, "head": {}, "error": failure.told()}))
        return
    body = {"python": sys.version.split()[0], "platform": sys.platform, "module": name}
    say(encode({"seq": 0, "head": {}, "body": body}))
    while True:
        request = parse(lines.get())
        line = encode({"seq": request["seq"], **session.handle(request)})
        if len(line) > LINE_BYTES_MAX - HEAD_BYTES_MAX:
            kind = "after_send" if request["verb"] == "send" else "internal"
            failed = Failure(kind, f"the answer has {len(line)} bytes, too many for a line")
            line = encode({"seq": request["seq"], "error": failed.told(), "head": session.head})
        say(line)


def load(name: str, lock: FileLock) -> Theirs:
    """Import the module, when no older child is left. Raises Failure."""
    if not seize(lock, time.monotonic() + LOCK_WAIT_S):
        raise Failure("terminal_locked", "an older child still holds the terminal")
    lock.sign()
    if "." in name:
        # Behind all others, so that nothing there is taken for a module of the library.
        sys.path.append(str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - a module may fail to load in any way it likes
        text = f"{name} cannot be imported: {type(error).__name__}: {error}"
        raise Failure("module_missing", text) from None


# What both processes are made of


def private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep standard input and output for the protocol: what else is printed is a diagnostic.

    The copies are not inherited, so that no program started from here speaks or listens either.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")


def start_thread(work: Callable[[], None]) -> None:
    """Let work go on beside the main thread, and end with it."""
    threading.Thread(target=work, daemon=True).start()


def pass_on(stream: BinaryIO, lines: queue.Queue[bytes | None], leave: Callable[[], None]) -> None:
    """Queue the lines of a stream, so as to see its end at once, whatever is done meanwhile."""
    try:
        for line in read_lines(stream):
            lines.put_nowait(line)
    except (OSError, queue.Full) as error:
        sys.stderr.write(f"agent {os.getpid()}: nothing more is read: {error!r}\n")
    finally:
        leave()


class FileLock:
    """An operating-system lock on a file, held until released or the end.

    The file stays: removing it would let two processes lock two files of one name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Lock now or not at all. Raises OSError without a file."""
        if self._handle is None:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                lock_file(handle)
            except OSError:
                os.close(handle)
                return False
            self._handle = handle
        return True

    def sign(self) -> None:
        """Write who holds it. A pid is used again: with its start it means one process only."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.write(self._handle, f"{os.getpid()} {started_at(os.getpid())}\n".encode())

    def holder(self) -> int | None:
        """Give the process that signed last, None where it is no more."""
        with contextlib.suppress(OSError, ValueError):
            pid, _, start = self._path.read_text("utf-8").strip().partition(" ")
            # No number below 2 is an agent's: to a kill they mean groups of processes, or all.
            return int(pid) if int(pid) > 1 and started_at(int(pid)) == start else None
        return None

    def release(self) -> None:
        """Unlock, if locked."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def seize(lock: FileLock, until_s: float, may_kill: Callable[[], object] | None = None) -> bool:
    """Lock before that instant of the monotonic clock; tell whether it was done.

    Given `may_kill`, kill the holder, unless that raises.
    """
    while True:
        # Asked first: a holder that comes later is newer than what `may_kill` compares with.
        holder = lock.holder() if may_kill else None
        if lock.acquire():
            return True
        if time.monotonic() >= until_s:
            return False
        if may_kill and holder not in {None, os.getpid()}:
            may_kill()
            with contextlib.suppress(OSError):
                os.kill(holder or 0, 9)  # SIGKILL; TerminateProcess on Windows
        time.sleep(LOCK_POLL_S)


# What the operating systems do differently

if sys.platform == "win32":
    JOB_LIMITS, JOB_KILL_ON_CLOSE, JOB_SILENT_BREAKAWAY = 9, 0x2000, 0x1000
    JOB_LIMITS_WORDS, JOB_FLAGS_WORD = 36, 4
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION of 64-bit Windows, in 32-bit words (winnt.h)."""
    PROCESS_QUERY_LIMITED = 0x1000
    CREATE_NO_WINDOW = 0x08000000
    KERNEL = ctypes.WinDLL("kernel32", use_last_error=True)
    KERNEL.CreateJobObjectW.restype = KERNEL.OpenProcess.restype = ctypes.c_void_p
    JOB: list[int] = []

    def kernel(call: str, *arguments: object) -> int:
        """Call Windows. Raises OSError where it answers nothing."""
        answer: int | None = getattr(KERNEL, call)(*arguments)
        if not answer:
            raise ctypes.WinError(ctypes.get_last_error())
        return answer

    def lock_file(handle: int) -> None:
        """Lock at once. Raises OSError."""
        os.lseek(handle, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def started_at(pid: int) -> str:
        """Tell when a process was started. Raises OSError where there is none."""
        process = ctypes.c_void_p(kernel("OpenProcess", PROCESS_QUERY_LIMITED, 0, pid))
        times = [ctypes.c_uint64() for _ in range(4)]
        try:
            kernel("GetProcessTimes", process, *[ctypes.byref(each) for each in times])
        finally:
            kernel("CloseHandle", process)
        return str(times[0].value)

    def bind_to_parent(parent_pid: int) -> None:
        """Nothing: the supervisor puts the child in its job before it tells it anything."""

    def bind_child(process: subprocess.Popen[bytes]) -> None:
        """Let the child end with this process, however that ends. Raises OSError.

        What the child starts (the terminal itself) breaks away: a terminal outlives its agent.
        """
        if not JOB:
            job = kernel("CreateJobObjectW", None, None)
            limits = (ctypes.c_uint32 * JOB_LIMITS_WORDS)()
            limits[JOB_FLAGS_WORD] = JOB_KILL_ON_CLOSE | JOB_SILENT_BREAKAWAY
            size = ctypes.sizeof(limits)
            kernel("SetInformationJobObject", ctypes.c_void_p(job), JOB_LIMITS, limits, size)
            JOB.append(job)
        handle = int(process._handle)  # type: ignore[attr-defined] # noqa: SLF001 - kept nowhere else
        kernel("AssignProcessToJobObject", ctypes.c_void_p(JOB[0]), ctypes.c_void_p(handle))

    def python() -> tuple[str, dict[str, str] | None, int]:
        """Give how this Python is started: that of a virtual environment only launches another."""
        base = getattr(sys, "_base_executable", sys.executable)
        launcher = {} if base == sys.executable else {"__PYVENV_LAUNCHER__": sys.executable}
        return base, {**os.environ, **launcher}, CREATE_NO_WINDOW

    def state_home() -> Path:
        """Give where a user's programs keep what they must remember."""
        home = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        return Path(home) / "Reckoner" / "agents"

    def one_name(path: str) -> str:
        """Give one spelling of a terminal's path."""
        return os.path.normcase(os.path.realpath(path))

    def sync_directory(path: Path) -> None:
        """Nothing: Windows has no such call."""

else:
    PR_SET_PDEATHSIG = 1

    def lock_file(handle: int) -> None:
        """Lock at once. Raises OSError."""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def started_at(pid: int) -> str:
        """Tell when a process was started, in the kernel's ticks. Raises OSError: there is none."""
        if not sys.platform.startswith("linux"):
            os.kill(pid, 0)
            return ""
        # Field 22; the second, in brackets, is a name that may hold anything.
        return (
            Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
        )

    def bind_to_parent(parent_pid: int) -> None:
        """Let the kernel kill this process when its supervisor ends. Raises OSError.

        Elsewhere than on Linux only the end of standard input tells, which goes unnoticed during
        a call that holds the interpreter lock.
        """
        if sys.platform.startswith("linux"):
            import ctypes  # noqa: PLC0415 - of no use to the supervisor

            if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")
        if os.getppid() != parent_pid:
            os._exit(0)  # it ended before the kernel was asked

    def bind_child(process: subprocess.Popen[bytes]) -> None:
        """Nothing: the child binds itself."""

    def python() -> tuple[str, dict[str, str] | None, int]:
        """Give how this Python is started."""
        return sys.executable, None, 0

    def state_home() -> Path:
        """Give where a user's programs keep what they must remember."""
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return Path(home) / "reckoner" / "agents"

    def one_name(path: str) -> str:
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
    """What is remembered of one terminal: its newest owner, and who holds its locks."""

    def __init__(self, directory: Path, terminal: str) -> None:
        self.name = hashlib.sha256(one_name(terminal).encode()).hexdigest()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.newest: tuple[int, str] = (0, "")
        self.lock = FileLock(directory / f"{self.name}.lock")
        self.child_lock_path = directory / f"{self.name}.child.lock"
        self._epoch_path = directory / f"{self.name}.epoch"
        self._epoch_lock = FileLock(directory / f"{self.name}.epoch.lock")
        self._is_known = False

    def admit(self, epoch: int, owner: str, *, is_held: bool = True) -> bool:
        """Let this owner act, a newer one durably so; tell whether the epoch rose.

        An owner without a name is one like any other, except that a named one of the same epoch
        takes its place. Raises Failure: stale_epoch; terminal_locked where the terminal is not
        held, cannot be, and the epoch is no higher, unless it is this very owner's: an agent that
        its owner has lost (ssh that broke off over there) must not keep it out; internal where
        the newest cannot be known.
        """
        if not seize(self._epoch_lock, time.monotonic() + EPOCH_WAIT_S):
            raise Failure("internal", "another process does not end to write the epoch")
        try:
            self.newest = newest, known = self._read()
            self._is_known = True
            if epoch < newest or (epoch == newest and known not in {"", owner}):
                raise Failure(
                    "stale_epoch", f"{self._epoch_path} has epoch {newest} of {known!r}, the newest"
                )
            if not is_held and not self.lock.acquire() and epoch == newest and not owner:
                raise Failure("terminal_locked", "another agent of this epoch holds the terminal")
            if (epoch, owner) != self.newest:
                self._write(epoch, owner)
            return epoch > newest
        finally:
            self._epoch_lock.release()

    def _read(self) -> tuple[int, str]:
        """Read the newest. What cannot be read is never taken for 0. Raises Failure (internal)."""
        if not self._is_known and not self._epoch_path.exists():
            return 0, ""
        try:
            kept = parse(self._epoch_path.read_bytes())
            epoch, owner = COUNT(kept.get("epoch"), "epoch"), OWNER(kept.get("owner"), "owner")
        except (OSError, Failure) as error:
            raise Failure("internal", f"the newest epoch cannot be read: {error}") from None
        if epoch < self.newest[0]:
            raise Failure("internal", f"the newest epoch fell from {self.newest[0]} to {epoch}")
        return epoch, owner

    def _write(self, epoch: int, owner: str) -> None:
        new = self._epoch_path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(encode({"epoch": epoch, "owner": owner}))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._epoch_path)
        sync_directory(self._epoch_path.parent)
        self.newest = epoch, owner

    def take(self, epoch: int, owner: str, until_s: float) -> None:
        """Admit the owner and hold the terminal, killing an older agent for it.

        Raises Failure.
        """
        self.admit(epoch, owner, is_held=False)
        # Who came with a higher epoch meanwhile must neither be killed nor kept waiting.
        if not seize(self.lock, until_s, lambda: self.admit(epoch, owner)):
            raise Failure("terminal_locked", "the agent that holds the terminal cannot be killed")
        try:
            self.admit(epoch, owner)
        except Failure:
            self.lock.release()
            raise
        self.lock.sign()

    def outlive_child(self, until_s: float) -> None:
        """See the last of an older child. Raises Failure where it stays."""
        lock = FileLock(self.child_lock_path)
        if not seize(lock, until_s, lambda: None):
            raise Failure("terminal_locked", "an older child still holds the terminal")
        lock.release()


class Child:
    """A running child, told what `hello` said.

    Made by the main thread only: a parent-death signal comes when the starting *thread* ends.
    """

    def __init__(self, config: Told, hide: Callable[[bytes], bytes]) -> None:
        executable, environment, creation_flags = python()
        isolated = ["-I"] if sys.flags.isolated else []
        file = str(Path(__file__).absolute())
        self.process = subprocess.Popen(  # noqa: S603 - this very file
            [executable, *isolated, file, "--child", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            creationflags=creation_flags,
        )
        self._seq = 0
        self._said: queue.Queue[bytes | None] = queue.Queue(2)  # a request, and that it is the last
        self._heard: queue.Queue[bytes | None] = queue.Queue(2)
        try:
            bind_child(self.process)
        except OSError as error:
            self.end()
            raise Failure("internal", f"the child cannot be bound to the agent: {error}") from None
        self._said.put(encode(config))
        start_thread(self._converse)
        start_thread(lambda: self._pass_diagnostics(hide))

    def _converse(self) -> None:
        """Write and read, so that the main thread never waits for a pipe."""
        say, hear = self.process.stdin, self.process.stdout
        assert say and hear  # noqa: S101, PT018 - both were asked for
        with contextlib.suppress(OSError), hear, say:
            while request := self._said.get():
                say.write(request)
                say.flush()
                line = hear.readline(LINE_BYTES_MAX + 1)
                if not line.endswith(b"\n"):
                    break
                self._heard.put(line)
        self._heard.put(None)

    def _pass_diagnostics(self, hide: Callable[[bytes], bytes]) -> None:
        stream = self.process.stderr
        assert stream  # noqa: S101 - it was asked for
        with contextlib.suppress(OSError), stream:
            while line := stream.readline(CHUNK_BYTES):
                with contextlib.suppress(OSError):  # a child must not wait for who does not listen
                    os.write(2, hide(line))

    def ask(self, verb: str, body: Told, until_s: float) -> Told:
        """Hand one request over and give the answer. Raises Failure as `hear` does."""
        self._seq += 1
        self._said.put(encode({**body, "verb": verb, "seq": self._seq}))
        return self.hear(verb, until_s)

    def hear(self, verb: str, until_s: float) -> Told:
        """Wait for the answer. Raises Failure: timeout, after killing the child, or child_died."""
        line = self._wait(verb, until_s)
        answer: Told = {}
        with contextlib.suppress(Failure):
            answer = parse(line) if line else answer
        if answer.get("seq") != self._seq:
            self.end()
            how = "spoke out of turn and was killed" if line else "ended by itself"
            raise Failure("child_died", f"the child {how} (status {self.process.returncode})")
        return answer

    def _wait(self, verb: str, until_s: float) -> bytes | None:
        while (left_s := until_s - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                return self._heard.get(timeout=min(left_s, CHILD_POLL_S))
            if not self.is_alive():
                with contextlib.suppress(queue.Empty):  # its last words may be on their way
                    return self._heard.get(timeout=LAST_WORDS_S)
                return None
        self.end()
        raise Failure("timeout", f"{verb} did not end in time; the child was killed")

    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self.process.poll() is None

    def end(self) -> None:
        """Kill, and wait until it is gone, as long as may be."""
        self.process.kill()
        with contextlib.suppress(queue.Full):
            self._said.put_nowait(None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(KILL_WAIT_S)


class Supervisor:
    """Answers requests: admits or refuses them, and has the child carry them out in time."""

    def __init__(self, module: str, state: Path) -> None:
        self._module, self._state = module, state
        self._place: Place | None = None
        self._config: Told = {}
        self._child: Child | None = None
        self._head: Told = {}
        self._epoch_max = 0
        self._secrets: list[str] = []
        self.is_done = False

    def kill(self) -> None:
        """End the child without waiting for anything, from any thread."""
        if child := self._child:
            child.process.kill()

    def answer(self, line: bytes | None) -> Told:
        """Answer one request."""
        began_s = time.monotonic()
        said: Told = {"id": None, "verb": None}
        try:
            request = parse(line)
            said["id"] = request["id"] if type(request.get("id")) is int else None
            said["verb"] = request["verb"] if request.get("verb") in list(VERBS) else None
            self._learn_secret(request.get("password"))
            request = checked(request)
            body = self._act(request, began_s + request["deadline_ms"] / 1000)
        except Failure as failure:
            failure.text = plain(self._hidden(failure.text), "text")[:ERROR_TEXT_MAX]
            return {**said, "ok": False, **self._common(), "error": failure.told()}
        return {**said, "ok": True, **self._common(), **body}

    def _common(self) -> Told:
        child = self._child if self._child and self._child.is_alive() else None
        return {
            "protocol": PROTOCOL,
            "agent_pid": os.getpid(),
            "child_pid": child.process.pid if child else None,
            "agent_clock_ms": clock_ms(),
            "epoch_max": self._epoch_max,
            **(self._head if child else {}),
        }

    def _act(self, request: Told, until_s: float) -> Told:
        verb = request["verb"]
        try:
            if verb == "hello":
                return self._hello(request, until_s)
            if self._place:
                self._admit(self._place, request)
                if self._child and not self._child.is_alive():
                    self._end_child()
                if verb == "connect" and not self._child:
                    self._start(self._place, until_s)
        except OSError as error:
            raise Failure("internal", f"{verb}: {error}") from None
        self.is_done = verb == "shutdown"
        if self._child:
            body = {name: part for name, part in request.items() if name not in HEAD}
            return self._received(self._child.ask(verb, body, until_s))
        if self.is_done:
            return {}
        raise Failure("not_connected", f"say {'connect' if self._place else 'hello'} first")

    def _received(self, answer: Told) -> Told:
        self._head = answer["head"]
        if "error" in answer:
            raise Failure(**answer["error"])
        body: Told = answer["body"]
        return body

    def _admit(self, place: Place, request: Told) -> None:
        """Let the owner act; a newer one finds no child. Raises Failure."""
        known = place.newest
        try:
            has_risen = place.admit(request["epoch"], request["owner"])
        except Failure:
            if place.newest != known:
                self._leave()  # another agent was let in: this one has nothing left to do here
            raise
        finally:
            self._epoch_max = place.newest[0]
        if has_risen:
            self._end_child()

    def _hello(self, request: Told, until_s: float) -> Told:
        place = Place(self._state, request["terminal"]["path"])
        if self._place and self._place.name == place.name:
            place = self._place
            self._admit(place, request)
        else:
            wait_s = min(until_s, time.monotonic() + LOCK_WAIT_S)
            try:
                place.take(request["epoch"], request["owner"], wait_s)
            finally:
                self._epoch_max = place.newest[0]
            self._leave()
            self._place = place
        self._config = {name: request[name] for name in VERBS["hello"]}
        return self._start(place, until_s)

    def _start(self, place: Place, until_s: float) -> Told:
        """Start a child in the place of any other, and give its welcome. Raises Failure."""
        self._end_child()
        place.outlive_child(min(until_s, time.monotonic() + LOCK_WAIT_S))
        config = {**self._config, "module": self._module, "lock": str(place.child_lock_path)}
        self._child = Child(config, self._hidden_bytes)
        try:
            return self._received(self._child.hear("the child's start", until_s))
        except Failure:
            self._end_child()  # it ends by itself, but must not be handed anything until then
            raise

    def _end_child(self) -> None:
        if self._child:
            self._child.end()
        self._child, self._head = None, {}

    def _leave(self) -> None:
        """Give the terminal up."""
        self._end_child()
        if self._place:
            self._place.lock.release()
        self._place, self._config = None, {}

    def _learn_secret(self, secret: object) -> None:
        """Keep a password out of what is said, also out of why its request is refused."""
        if isinstance(secret, str) and secret and secret not in self._secrets:
            self._secrets = [*self._secrets, secret][-SECRETS_MAX:]

    def _hidden(self, text: str) -> str:
        spell = (repr, ascii, json.dumps, lambda each: f"'{each}'")
        spellings = {form(each)[1:-1] for each in self._secrets for form in spell}
        for spelling in sorted(spellings, key=len, reverse=True):
            text = text.replace(spelling, "***")
        return text

    def _hidden_bytes(self, line: bytes) -> bytes:
        text = line.decode("utf-8", "surrogateescape")
        return self._hidden(text).encode("utf-8", "surrogateescape")


def supervise(module: str, state: Path) -> int:
    """Answer what comes on standard input until it ends, or a shutdown; give the exit status."""
    incoming, outgoing = private_streams()
    lines: queue.Queue[bytes | None] = queue.Queue(LINES_WAITING_MAX)
    supervisor = Supervisor(module, state)

    def leave() -> None:
        try:
            supervisor.kill()
        finally:
            os._exit(0)

    start_thread(lambda: pass_on(incoming, lines, leave))
    while not supervisor.is_done:
        outgoing.write(encode(supervisor.answer(lines.get())))
        outgoing.flush()
    supervisor.kill()
    return 0


def main(arguments: list[str]) -> int:
    """Be the child where told so, else the supervisor; give the exit status."""
    if arguments[:1] == ["--child"]:
        child_main(int(arguments[1]))
        return 0
    parser = argparse.ArgumentParser(description="The agent beside one MetaTrader 5 terminal.")
    parser.add_argument("--module", default="MetaTrader5", help="what makes the calls")
    parser.add_argument("--state-dir", type=Path, help="where epochs and locks are kept")
    options = parser.parse_args(arguments)
    return supervise(options.module, (options.state_dir or state_home()).absolute())


if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
    except OSError as failure:  # nobody hears the answers, or reads them
        sys.stderr.write(f"agent {os.getpid()}: {failure}\n")
        status = 1
    sys.stderr.flush()
    os._exit(status)  # threads that wait for a pipe would keep the process
