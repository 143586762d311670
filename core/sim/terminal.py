"""One account's terminal as Reckoner reads it: a whole snapshot in one answer, read faults applied.

The shape is docs/terminal-protocol.md's. The terminal's connection may be down: then it answers
from the cache frozen at that moment, as the real one does.
"""

import os
from collections.abc import Iterable
from typing import Any

from core.sim import structs
from core.sim.codes import IPC_RECV_FAILED
from core.sim.faults import RECKONER
from core.sim.simulation import Sent, Simulation

Body = dict[str, Any]


class Terminal:
    """Reads and sends for Reckoner on every account of a simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._sim = simulation

    def snapshot(self, login: int, deals_since_ms: int, symbols: Iterable[str]) -> Body:
        """Read the account whole, or say which call failed. Uses up read faults."""
        faults = self._sim.faults
        if faults.take(login, RECKONER, "read_fails"):
            return {**self._head(login), "failed": "positions_get", "error": list(IPC_RECV_FAILED)}
        connected = faults.take(login, RECKONER, "disconnected") is None
        shown = self._shown_login(login)
        if connected:
            view, until_ms = self._sim.view(shown), self._sim.now_ms()
        else:
            view = self._sim.journal.load("sim.frozen")[str(login)]
            until_ms = view["at_ms"]
        if faults.take(login, RECKONER, "empty_read"):
            view = {**view, "positions": [], "orders": []}
        trading = faults.find(login, RECKONER, "autotrading_off") is None
        names = self._names(view, symbols)
        return {
            **self._head(shown),
            "agent_pid": os.getpid(),
            "agent_clock_ms": self._sim.now_ms(),
            "server_offset_s": structs.SERVER_OFFSET_S,
            "terminal": structs.terminal_info(connected=connected, trade_allowed=trading),
            "account": view["account"],
            "positions": view["positions"],
            "orders": view["orders"],
            "deals": self._deals(shown, deals_since_ms, until_ms),
            "ticks": {name: view["ticks"][name] for name in names},
            "symbols": {name: self._symbol(name) for name in names},
        }

    def send(self, login: int, request: Body, epoch: int) -> Sent:
        """Send one trade request for Reckoner, on this account or, with a fault, on a wrong one."""
        if self._sim.faults.take(login, RECKONER, "wrong_login") is not None:
            return self._sim.misdirect(login, request, epoch)
        return self._sim.submit(login, RECKONER, request, epoch=epoch)

    def head_for_send(self, login: int) -> Body:
        """`login` and `server` as a send's answer names them, before the send is made."""
        wrong = self._sim.faults.find(login, RECKONER, "wrong_login") is not None
        return self._head(self._other(login) if wrong else login)

    def _head(self, login: int) -> Body:
        return {"login": login, "server": self._sim.ledger.accounts[login].server}

    def _shown_login(self, login: int) -> int:
        wrong = self._sim.faults.take(login, RECKONER, "wrong_login") is not None
        return self._other(login) if wrong else login

    def _other(self, login: int) -> int:
        logins = self._sim.logins
        return logins[(logins.index(login) + 1) % len(logins)]

    def _deals(self, login: int, since_ms: int, until_ms: int) -> list[Body]:
        """Deals executed since an instant that history already shows.

        Deals are booked in time order, so the walk back ends at the first that is too old.
        """
        found = []
        for deal in reversed(self._sim.ledger.deals(login)):
            if deal.time_ms < since_ms:
                break
            if deal.visible_ms <= until_ms:
                found.append(structs.trade_deal(deal))
        return found[::-1]

    def _names(self, view: Body, asked: Iterable[str]) -> list[str]:
        """Symbols held, resting, asked for, and what converts them and the account to GBP."""
        known = self._sim.market.symbols
        names = {name for name in asked if name in known}
        names.update(one["symbol"] for one in (*view["positions"], *view["orders"]))
        currencies = {known[name].profit for name in names} | {view["account"]["currency"]}
        return sorted(names | self._sim.broker.crosses_for(currencies))

    def _symbol(self, name: str) -> Body:
        market = self._sim.market
        return structs.symbol_info(market.symbols[name], market.quotes[name], market.tick_ms(name))
