"""A stand-in for the MetaTrader5 module: one small account, and faults by call.

In process: `StubTerminal()` is the module. As a module of its own (`--module
tests.fakes.metatrader5_stub`) it obeys the directory named by STUB_DIRECTORY: `faults.json` says
what each call does (`{"order_send": "hang"}`), `calls.log` gets a line for each call that is made.
"""

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

Whatever = Any
"""What a function of the module answers, faults included."""

SERVER = "Stub-Demo"
LOGIN = 1001
PASSWORD = 'hunter-2"\\ß'
NOW_S = 1_764_000_000
FOREVER_S = 600
SUCCESS = (1, "Success")
IPC_FAILED = (-10002, "IPC recv failed")


class Struct(tuple[Any, ...]):  # noqa: SLOT001 - its parts are attributes
    """Like the wheel's own: a tuple with named parts and `_asdict`, without `_fields`."""

    def __new__(cls, **parts: Any) -> Self:
        made = super().__new__(cls, parts.values())
        made.__dict__.update(parts)
        return made

    def __getattr__(self, name: str) -> Whatever:
        raise AttributeError(name)

    def _asdict(self) -> dict[str, Any]:
        return dict(self.__dict__)


def position(ticket: int = 7, **parts: Any) -> Struct:
    """A buy of 0.50 lots of EURUSD."""
    row = {"ticket": ticket, "symbol": "EURUSD", "type": 0, "volume": 0.5, "comment": "RQ 1"}
    return Struct(**row | parts)


def order(ticket: int = 9, **parts: Any) -> Struct:
    """A resting order."""
    return Struct(
        **{"ticket": ticket, "symbol": "XAUUSD", "type": 2, "volume_current": 0.1} | parts
    )


def symbol(name: str, **parts: Any) -> Struct:
    """A symbol in the market watch."""
    row = {"name": name, "select": True, "path": f"Forex\\{name}", "digits": 5, "custom": False}
    row |= {"currency_base": name[:3], "currency_profit": name[3:6], "currency_margin": name[:3]}
    return Struct(**row | {"trade_calc_mode": 0, "trade_mode": 4, "point": 0.00001} | parts)


class StubTerminal:
    """The functions of the module, and what they answer. `calls` tells which were made."""

    __version__ = "5.0.6231"

    def __init__(self) -> None:
        self.account = Struct(login=LOGIN, server=SERVER, balance=1000.0, credit=0.0, equity=1001.5)
        self.terminal = Struct(build=5640, connected=True, trade_allowed=True, path="C:\\MT5")
        self.positions = [position()]
        self.orders = [order()]
        self.deals = [Struct(ticket=70, position_id=7, time=NOW_S, profit=0.0)]
        self.symbols_by_name = {name: symbol(name) for name in ("EURUSD", "XAUUSD", "GBPUSD")}
        self.ticks = {
            name: Struct(time_msc=NOW_S * 1000, bid=1.1, ask=1.2) for name in ("EURUSD", "XAUUSD")
        }
        self.result: Any = Struct(
            retcode=10009, deal=71, order=72, request=Struct(action=1, position=7)
        )
        self.faults: dict[str, Callable[[], Any]] = {}
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.error = SUCCESS

    def made(self, call: str) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        """The arguments of each call of this function."""
        return [(args, kwargs) for name, args, kwargs in self.calls if name == call]

    def _answer(self, call: str, answer: Whatever, *args: Any, **kwargs: Any) -> Whatever:
        self.calls.append((call, args, kwargs))
        self.error = SUCCESS
        return self.faults[call]() if call in self.faults else answer

    def fail(
        self, code: int = IPC_FAILED[0], text: str = IPC_FAILED[1], answer: Whatever = None
    ) -> Whatever:
        """Answer None, and leave why for `last_error`."""
        self.error = (code, text)
        return answer

    def _found(self, answer: Whatever) -> Whatever:
        if answer is None and self.error == SUCCESS:
            self.error = (-4, "Terminal: Not found")
        return answer

    def last_error(self) -> tuple[int, str]:
        self.calls.append(("last_error", (), {}))
        return self.error

    def initialize(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._answer("initialize", 1, *args, **kwargs))

    def shutdown(self) -> bool:
        return bool(self._answer("shutdown", 1))

    def version(self) -> Whatever:
        return self._answer("version", (500, 5640, "21 Nov 2025"))

    def account_info(self) -> Whatever:
        return self._answer("account_info", self.account)

    def terminal_info(self) -> Whatever:
        return self._answer("terminal_info", self.terminal)

    def positions_total(self) -> Whatever:
        return self._answer("positions_total", len(self.positions))

    def orders_total(self) -> Whatever:
        return self._answer("orders_total", len(self.orders))

    def positions_get(self, *, ticket: int | None = None) -> Whatever:
        rows = tuple(row for row in self.positions if ticket in {None, row.ticket})
        return self._answer("positions_get", rows, ticket=ticket)

    def orders_get(self, *, ticket: int | None = None) -> Whatever:
        rows = tuple(row for row in self.orders if ticket in {None, row.ticket})
        return self._answer("orders_get", rows, ticket=ticket)

    def history_deals_get(self, *args: Any, **kwargs: Any) -> Whatever:
        return self._answer("history_deals_get", tuple(self.deals), *args, **kwargs)

    def symbols_get(self) -> Whatever:
        return self._answer("symbols_get", tuple(self.symbols_by_name.values()))

    def symbol_info(self, name: str) -> Whatever:
        return self._found(self._answer("symbol_info", self.symbols_by_name.get(name), name))

    def symbol_select(self, name: str, enable: bool = True) -> Whatever:  # noqa: FBT001, FBT002 - MetaTrader's own
        return self._answer("symbol_select", 1, name, enable)

    def symbol_info_tick(self, name: str) -> Whatever:
        return self._found(self._answer("symbol_info_tick", self.ticks.get(name), name))

    def order_check(self, request: dict[str, Any]) -> Whatever:
        return self._answer("order_check", Struct(retcode=0, comment="Done"), request)

    def order_send(self, request: dict[str, Any]) -> Whatever:
        return self._answer("order_send", self.result, request)


class ScriptedTerminal(StubTerminal):
    """One that obeys and tells a directory, call by call."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory

    def _answer(self, call: str, answer: Whatever, *args: Any, **kwargs: Any) -> Whatever:
        with (self._directory / "calls.log").open("a") as log:
            log.write(f"{os.getpid()} {call}\n")
        self.error = SUCCESS
        fault = json.loads((self._directory / "faults.json").read_text()).get(call)
        if fault is None:
            return answer
        return getattr(self, f"_{fault}")(call)

    def load(self) -> None:
        """What happens while the module is imported."""
        self._answer("load", None)

    def _forge(self, call: str) -> None:
        """Speak on whatever leads to the supervisor."""
        for descriptor in range(3, 20):
            with contextlib.suppress(OSError):
                os.write(descriptor, b'{"seq": 99, "head": {}, "body": {}}\n')

    def _hang(self, call: str) -> None:
        """As the wheel does: holding the interpreter lock, for ever."""
        if os.name == "nt":
            ctypes.PyDLL("kernel32").Sleep(FOREVER_S * 1000)
        else:
            ctypes.PyDLL(None).sleep(FOREVER_S)

    def _wait(self, call: str) -> None:
        """For ever, while other threads run."""
        threading.Event().wait(FOREVER_S)

    def _freeze(self, call: str) -> tuple[Struct, ...]:
        """Stop before answering; if it ever goes on, as if nothing had been."""
        os.kill(os.getpid(), signal.SIGSTOP)
        return tuple(self.positions)

    def _die(self, call: str) -> None:
        os.kill(os.getpid(), 9)

    def _exit(self, call: str) -> None:
        sys.exit(f"{PASSWORD} {call}")

    def _none(self, call: str) -> None:
        self.fail(text=f"IPC recv failed {PASSWORD}")

    def _raise(self, call: str) -> None:
        raise SystemError(f"{call} returned a result with an exception set: {PASSWORD!r}")

    def _noise(self, call: str) -> None:
        print(f'{{"id": 1, "noise": "{PASSWORD}"}}', flush=True)
        os.write(1, b"\xff noise\n")
        self.fail()

    def _huge(self, call: str) -> tuple[Struct, ...]:
        return (position(comment="x" * 17 * 1024 * 1024),)

    def _nan(self, call: str) -> Struct:
        return Struct(login=LOGIN, server=SERVER, balance=float("nan"), credit=0.0)

    def _other(self, call: str) -> Struct:
        return Struct(login=2002, server=SERVER, balance=5.0, credit=0.0)


def __getattr__(name: str) -> Whatever:
    """Answer for the module, where it is one."""
    if TERMINAL is None or (name.startswith("__") and name != "__version__"):
        raise AttributeError(name)
    return getattr(TERMINAL, name)


TERMINAL: ScriptedTerminal | None = None
if "STUB_DIRECTORY" in os.environ:
    TERMINAL = ScriptedTerminal(Path(os.environ["STUB_DIRECTORY"]))
    TERMINAL.load()
