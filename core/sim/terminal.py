"""One account's terminal as Reckoner reads it: a whole snapshot in one answer, read faults applied.

The shape is docs/terminal-protocol.md's. The terminal's connection may be down: then it answers
from the cache frozen at that moment, as the real one does.
"""

import os
from collections.abc import Iterable
from typing import Any, Final

from core.sim import structs
from core.sim.codes import IPC_RECV_FAILED, NO_IPC, LastError, failure
from core.sim.faults import AFTER, BEFORE, MOMENTS, RECKONER, SEND, SNAPSHOT
from core.sim.simulation import Sent, Simulation

Body = dict[str, Any]

PARTS: Final = {
    "account": "account_info",
    "positions": "positions_get",
    "orders": "orders_get",
}
"""Parts of a snapshot by the function that reads each."""
READ_FUNCTIONS: Final = (
    "account_info", "terminal_info", "positions_get", "orders_get", "history_deals_get",
    "symbol_info", "symbol_info_tick",
)  # fmt: skip
"""Functions that a snapshot calls."""


class Terminal:
    """Reads and sends for Reckoner on every account of a simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._sim = simulation

    def snapshot(self, login: int, deals_since_ms: int, symbols: Iterable[str]) -> Body:
        """Read the account whole, or say which call failed. Uses up read faults."""
        self._sim.broker.pass_time()
        faults, cache = self._sim.faults, self._sim.cache
        failed = self._failed(login)
        if failed is not None:
            return {**self.head(login), "failed": failed[0], "error": list(failed[1])}
        shown = self._shown_login(login)
        # Before a use of the disconnection is counted: the last one is answered whole, too.
        view, deals = cache.shown(shown), cache.deals(shown, deals_since_ms)
        connected = faults.take(login, RECKONER, "disconnected") is None
        if faults.take(login, RECKONER, "empty_read"):
            view = {**view, "positions": [], "orders": []}
        # Another account's part in the middle of an otherwise right answer.
        for part, function in PARTS.items():
            if faults.take_at(login, "wrong_login", function) is not None:
                view = {**view, part: cache.shown(self._sim.neighbour(login))[part]}
        names = self._names(view, symbols)
        return {
            **self.head(shown),
            "agent_pid": os.getpid(),
            "agent_clock_ms": self._sim.agent_now_ms(login),
            "server_offset_s": cache.clock(shown).offset_s(self._sim.now_ms()),
            "terminal": structs.terminal_info(
                connected=connected,
                trade_allowed=faults.find(login, RECKONER, "autotrading_off") is None,
                api_disabled=faults.find(login, RECKONER, "tradeapi_disabled") is not None,
            ),
            "account": view["account"],
            "positions": view["positions"],
            "orders": view["orders"],
            "deals": deals,
            "ticks": {name: view["ticks"][name] for name in names},
            "symbols": {name: cache.symbol(shown, name) for name in names},
        }

    def _failed(self, login: int) -> tuple[str, tuple[int, str]] | None:
        """The call that fails, where a fault says so, and its `last_error()`."""
        faults = self._sim.faults
        if login in self._sim.links_lost:
            self._sim.links_lost.discard(login)
            return "account_info", NO_IPC
        if faults.take(login, RECKONER, "read_fails"):
            return "positions_get", IPC_RECV_FAILED
        for function in READ_FUNCTIONS:
            for when in MOMENTS:
                fault = faults.take(login, RECKONER, "call_fails", function, when)
                if fault is not None:
                    return function, failure(fault.code)
        return None

    def send(self, login: int, request: Body, epoch: int) -> Sent:
        """Send one trade request for Reckoner, on this account or, with a fault, on a wrong one."""
        faults = self._sim.faults
        fault = faults.take(login, RECKONER, "call_fails", "order_send", BEFORE)
        if fault is not None:
            return Sent(result=None, error=failure(fault.code))
        if faults.take(login, RECKONER, "wrong_login", SEND) is not None:
            return self._sim.misdirect(login, request, epoch)
        sent = self._sim.submit(login, RECKONER, request, epoch=epoch)
        fault = faults.take(login, RECKONER, "call_fails", "order_send", AFTER)
        return sent if fault is None else Sent(result=None, error=failure(fault.code))

    def check(self, login: int, request: Body) -> Sent:
        """Ask for Reckoner whether a request would be taken; nothing is executed."""
        faults = self._sim.faults
        fault = faults.take(login, RECKONER, "call_fails", "order_check", BEFORE)
        if fault is not None:
            return Sent(result=None, error=failure(fault.code))
        return self._sim.check(login, request)

    def log_in(self, login: int, server: str, password: str) -> Body:
        """Log in by a password, as `login()` does; what the account is, or `last_error()`."""
        account = self._sim.ledger.accounts.get(login)
        named = {"login": login, "server": server}
        if account is None or account.server != server:
            return {**named, "error": list(failure(LastError.AUTH_FAILED))}
        if not self._sim.is_connected(login):
            return {**named, "error": list(NO_IPC)}
        if password not in {account.password, account.investor_password}:
            return {**named, "error": list(failure(LastError.AUTH_FAILED))}
        shown = self._sim.cache.account(login)
        may_trade = shown["trade_allowed"] and password == account.password
        return {**named, "account": {**shown, "trade_allowed": may_trade}}

    def head_for_send(self, login: int) -> Body:
        """`login` and `server` as a send's answer names them, before the send is made."""
        wrong = self._sim.faults.find(login, RECKONER, "wrong_login", SEND) is not None
        return self.head(self._sim.neighbour(login) if wrong else login)

    def head(self, login: int) -> Body:
        """`login` and `server` as an answer names them."""
        return {"login": login, "server": self._sim.ledger.accounts[login].server}

    def _shown_login(self, login: int) -> int:
        wrong = self._sim.faults.take(login, RECKONER, "wrong_login", SNAPSHOT) is not None
        return self._sim.neighbour(login) if wrong else login

    def _names(self, view: Body, asked: Iterable[str]) -> list[str]:
        """Symbols held, resting, asked for, and what converts them and the account to GBP."""
        known = self._sim.market.symbols
        names = {name for name in asked if name in known}
        names.update(one["symbol"] for one in (*view["positions"], *view["orders"]))
        currencies = {known[name].profit for name in names} | {view["account"]["currency"]}
        return sorted(names | self._sim.broker.crosses_for(currencies))
