"""A simulated terminal as the MetaTrader5 module sees it: what answers the other end of its pipe.

One per terminal; it is logged in to one account at a time, at first its own. Calls come with their
arguments already checked, times as server seconds. An answer is a dictionary with one of `value`,
`error` (a `last_error()`), and beside it `lost` where the pipe is gone, `hang_ms` where none comes.
"""

import re
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from core.sim import structs
from core.sim.arithmetic import profit, round_money
from core.sim.codes import API_DISABLED, IPC_RECV_FAILED, NO_IPC, LastError, OrderType, failure
from core.sim.faults import AFTER, BEFORE, RECKONER, Fault
from core.sim.ledger import Account
from core.sim.market import Market
from core.sim.peer_calls import is_sound
from core.sim.simulation import Simulation

Body = dict[str, Any]

VERSION: Final = [500, structs.BUILD, "16 Oct 2026"]
PIPE_BROKEN: Final = frozenset(
    {
        LastError.INTERNAL_FAIL_SEND,
        LastError.INTERNAL_FAIL_RECEIVE,
        LastError.INTERNAL_FAIL_INIT,
        LastError.INTERNAL_FAIL_CONNECT,
    }
)
"""Failures after which every call fails until `initialize()`."""
OPENING_CALLS: Final = frozenset({"initialize", "login"})
GROUP_CONDITIONS_MAX: Final = 100
DAY_MS: Final = 86_400_000


class CallFailed(Exception):
    """The call answers None; `error` is what `last_error()` says then."""

    def __init__(self, error: tuple[int, str]) -> None:
        super().__init__(error[1])
        self.error = error


class Peer:
    """The terminal of one account over a simulation. Commits before it answers."""

    def __init__(self, simulation: Simulation, login: int) -> None:
        self._sim = simulation
        self._home = login
        self._login = login
        self._may_trade = True
        self._selected: set[str] = set()
        self._empty = False
        self.pipe = uuid.uuid4().hex
        """Names this run of the terminal: a pipe to an earlier one is broken."""
        self._calls: dict[str, Callable[[Body], Any]] = {
            "initialize": self._log_in,
            "login": self._log_in,
            "version": lambda _: VERSION,
            "terminal_info": self._terminal_info,
            "account_info": lambda _: self._account_info(),
            "positions_get": self._positions_get,
            "positions_total": lambda _: len(self._positions()),
            "orders_get": self._orders_get,
            "orders_total": lambda _: len(self._orders()),
            "history_deals_get": self._history_deals,
            "history_deals_total": lambda asked: len(self._history_deals(asked)),
            "history_orders_get": self._history_orders,
            "history_orders_total": lambda asked: len(self._history_orders(asked)),
            "order_calc_margin": self._calc_margin,
            "order_calc_profit": self._calc_profit,
            "symbols_total": lambda _: len(self._market.symbols),
            "symbols_get": self._symbols_get,
            "symbol_info": self._symbol_info,
            "symbol_info_tick": self._symbol_info_tick,
            "symbol_select": self._symbol_select,
            "order_send": self._order_send,
            "order_check": self._order_check,
        }
        self._shown = login

    @property
    def _market(self) -> Market:
        return self._sim.market

    def delay_ms(self, call: str, when: str) -> int:
        """How long this call takes before or after what it does; uses a fault up."""
        slow = self._sim.faults.take(self._home, RECKONER, "slow", call, when)
        if slow is None:
            return 0
        self._sim.journal.commit()
        return slow.ms

    def answer(self, call: str, asked: Body, pipe: str | None) -> Body:
        """Do one call. `pipe` is what the module was given when it connected."""
        found = self._do(call, asked, pipe)
        self._sim.journal.commit()
        return found

    def _do(self, call: str, asked: Body, pipe: str | None) -> Body:
        if call not in OPENING_CALLS and pipe != self.pipe:
            return _lost(IPC_RECV_FAILED)
        spoilt = self._spoil(call, BEFORE)
        if spoilt is not None:
            return spoilt
        try:
            found = {"value": self._run(call, asked)}
        except CallFailed as failed:
            found = _failed(failed.error)
        return self._spoil(call, AFTER) or found

    def _run(self, call: str, asked: Body) -> Any:  # noqa: ANN401 - whatever it answers
        self._sim.broker.pass_time()
        function = self._calls.get(call)
        if function is None:
            raise CallFailed(failure(LastError.UNSUPPORTED))
        if not is_sound(call, asked):
            raise CallFailed(failure(LastError.INVALID_PARAMS))
        wrong = call not in OPENING_CALLS and self._take("wrong_login", call) is not None
        self._shown = self._sim.neighbour(self._login) if wrong else self._login
        return function(asked)

    def _spoil(self, call: str, when: str) -> Body | None:
        """What a fault makes of the call at this moment, None for nothing."""
        hang = self._take("hang", call, when)
        if hang is not None:
            return {**_lost(IPC_RECV_FAILED), "hang_ms": hang.ms}
        if self._take("drop_connection", call, when) is not None:
            return _lost(IPC_RECV_FAILED)
        if when == BEFORE and call == "positions_get" and self._take("read_fails") is not None:
            return _lost(IPC_RECV_FAILED)
        fails = self._take("call_fails", call, when)
        return None if fails is None else _failed(failure(fails.code))

    def _take(self, kind: str, verb: str = "", when: str = "") -> Fault | None:
        return self._sim.faults.take(self._home, RECKONER, kind, verb, when)

    def _is(self, kind: str) -> bool:
        return self._sim.faults.find(self._home, RECKONER, kind) is not None

    def _log_in(self, asked: Body) -> Body:
        """Log in as asked; without a login or password, as the terminal remembers."""
        login = asked.get("login") or self._login
        account = self._sim.ledger.accounts.get(login)
        password = asked.get("password")
        if account is None or asked.get("server", account.server) != account.server:
            raise CallFailed(failure(LastError.AUTH_FAILED))
        if password is not None:
            self._may_trade = _may_trade(account, password)
        elif login != self._login:
            raise CallFailed(failure(LastError.AUTH_FAILED))
        if login != self._login:
            self._selected.clear()
        self._login = self._shown = login
        return {"pipe": self.pipe}

    def _view(self) -> Body | None:
        """The view that stands still, None where the broker is shown as it is."""
        return self._sim.cache.kept(self._shown)

    def _account_info(self) -> Body:
        kept = self._view()
        account = kept["account"] if kept else self._sim.cache.account(self._shown)
        if self._may_trade:
            return dict(account)
        return {**account, "trade_allowed": False}

    def _terminal_info(self, _asked: Body) -> Body:
        return structs.terminal_info(
            connected=not self._is("disconnected"),
            trade_allowed=not self._is("autotrading_off"),
            api_disabled=self._is("tradeapi_disabled"),
        )

    def _positions(self) -> list[Body]:
        kept = self._view()
        if self._empty:
            return []
        return kept["positions"] if kept else self._sim.cache.positions(self._shown)

    def _positions_get(self, asked: Body) -> list[Body]:
        # The cache of a terminal that has just reconnected is empty in all its parts.
        self._empty = self._take("empty_read") is not None
        return _chosen(self._positions(), asked)

    def _orders(self) -> list[Body]:
        kept = self._view()
        if self._empty:
            return []
        return kept["orders"] if kept else self._sim.cache.orders(self._shown)

    def _orders_get(self, asked: Body) -> list[Body]:
        return _chosen(self._orders(), asked)

    def _history_deals(self, asked: Body) -> list[Body]:
        # No offset is larger than a day.
        since_ms = asked.get("from", 0) * 1000 - DAY_MS
        found = self._sim.cache.deals(self._shown, since_ms)
        return _of_history(found, asked, ticket="order", time="time")

    def _history_orders(self, asked: Body) -> list[Body]:
        found = self._sim.cache.done(self._shown)
        return _of_history(found, asked, ticket="ticket", time="time_done")

    def _calc_margin(self, asked: Body) -> float:
        name = self._known(asked)
        if asked["action"] not in (OrderType.BUY, OrderType.SELL):
            raise CallFailed(failure(LastError.INVALID_PARAMS))
        broker, account = self._sim.broker, self._sim.ledger.accounts[self._shown]
        volume, price = Decimal(str(asked["volume"])), Decimal(str(asked["price"]))
        margin = broker.margin_of(account, name, volume, price)
        return float(round_money(margin, account.digits))

    def _calc_profit(self, asked: Body) -> float:
        name = self._known(asked)
        if asked["action"] not in (OrderType.BUY, OrderType.SELL):
            raise CallFailed(failure(LastError.INVALID_PARAMS))
        broker, account = self._sim.broker, self._sim.ledger.accounts[self._shown]
        sign = 1 if asked["action"] == OrderType.BUY else -1
        volume, opened, closed = (
            Decimal(str(asked[part])) for part in ("volume", "opened", "closed")
        )
        if closed <= 0:
            raise CallFailed(failure(LastError.INVALID_PARAMS))
        deal = (sign, volume, opened, closed)
        quotes = self._market.quotes
        return float(profit(broker.terms(name), deal, account.money, broker.converter, quotes))

    def _chosen_symbols(self) -> set[str]:
        held = {one["symbol"] for one in (*self._positions(), *self._orders())}
        return self._selected | held

    def _symbol(self, name: str) -> Body:
        """SymbolInfo; of a symbol that is not selected nothing is heard."""
        info = self._sim.cache.symbol(self._shown, name)
        if name in self._chosen_symbols():
            kept = self._view()
            if kept:
                tick = kept["ticks"][name]
                info |= {part: tick[part] for part in ("bid", "ask", "time")}
            return info
        return {**info, "select": False, "visible": False, "bid": 0.0, "ask": 0.0, "time": 0}

    def _symbols_get(self, asked: Body) -> list[Body]:
        found = [self._symbol(name) for name in self._market.symbols]
        return _of_group(found, asked.get("group"), "name")

    def _known(self, asked: Body) -> str:
        name: str = asked["symbol"]
        if name not in self._market.symbols:
            raise CallFailed(failure(LastError.NOT_FOUND))
        return name

    def _symbol_info(self, asked: Body) -> Body:
        return self._symbol(self._known(asked))

    def _symbol_info_tick(self, asked: Body) -> Body:
        name = self._known(asked)
        if name not in self._chosen_symbols():
            raise CallFailed(failure(LastError.NOT_FOUND))
        kept = self._view()
        tick: Body = kept["ticks"][name] if kept else self._sim.cache.tick(self._shown, name)
        return tick

    def _symbol_select(self, asked: Body) -> bool:
        name = asked["symbol"]
        if name not in self._market.symbols:
            raise CallFailed(failure(LastError.FAIL))  # not as the other calls: not "not found"
        if asked["enable"]:
            self._selected.add(name)
            return True
        self._selected.discard(name)
        if name in self._chosen_symbols():
            raise CallFailed(failure(LastError.FAIL))
        return True

    def _order_send(self, asked: Body) -> Body:
        request = asked["request"]
        if self._shown != self._login:
            sent = self._sim.misdirect(self._login, request)
        else:
            sent = self._sim.submit(self._login, RECKONER, request, right=self._may_trade)
        return _sent(sent.result, sent.error)

    def _order_check(self, asked: Body) -> Body:
        if self._is("tradeapi_disabled"):
            raise CallFailed(API_DISABLED)
        sent = self._sim.check(self._shown, asked["request"], right=self._may_trade)
        return _sent(sent.result, sent.error)


def _sent(result: Body | None, error: tuple[int, str] | None) -> Body:
    if result is None:
        raise CallFailed(error or NO_IPC)
    return result


def _may_trade(account: Account, password: str) -> bool:
    """Whether this password is the trader's or the investor's. Raises CallFailed for another."""
    if password not in (account.password, account.investor_password):
        raise CallFailed(failure(LastError.AUTH_FAILED))
    return password == account.password


def _failed(error: tuple[int, str]) -> Body:
    return {"error": list(error), "lost": error[0] in PIPE_BROKEN}


def _lost(error: tuple[int, str]) -> Body:
    return {"error": list(error), "lost": True}


def _chosen(found: list[Body], asked: Body) -> list[Body]:
    """Those of a ticket, a symbol or a group, whichever was asked for."""
    if "ticket" in asked:
        return [one for one in found if one["ticket"] == asked["ticket"]]
    if "symbol" in asked:
        return [one for one in found if one["symbol"] == asked["symbol"]]
    return _of_group(found, asked.get("group"), "symbol")


def _of_history(found: list[Body], asked: Body, *, ticket: str, time: str) -> list[Body]:
    """Those of a ticket (one at most), of a position, or of a span of server time and a group."""
    if "ticket" in asked:
        return [one for one in found if one[ticket] == asked["ticket"]][:1]
    if "position" in asked:
        return [one for one in found if one["position_id"] == asked["position"]]
    since_s, until_s = asked.get("from", 0), asked.get("to", 0)
    wanted = [one for one in found if since_s <= one[time] <= until_s]
    return _of_group(wanted, asked.get("group"), "symbol")


def _of_group(found: Iterable[Body], group: str | None, name: str) -> list[Body]:
    """Those whose symbol fits: comma separated masks with `*`, exclusions after a `!`."""
    if group is None:
        return list(found)
    conditions = [one.strip() for one in group.split(",")[:GROUP_CONDITIONS_MAX]]
    wanted = [_mask(one) for one in conditions if not one.startswith("!")]
    unwanted = [_mask(one[1:]) for one in conditions if one.startswith("!")]
    return [
        one
        for one in found
        if (not wanted or any(mask.fullmatch(one[name]) for mask in wanted))
        and not any(mask.fullmatch(one[name]) for mask in unwanted)
    ]


def _mask(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")))
