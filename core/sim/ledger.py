"""What the simulated broker keeps: accounts, positions, orders, deals; each change is journalled.

Objects here are the truth; the journal is what a crash leaves. Instants are true UTC milliseconds.
"""

from decimal import Decimal
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct, field

from core.sim.arithmetic import STOP_OUT_LEVEL_PERCENT, ZERO, Money
from core.sim.codes import OrderState

FIRST_TICKET = 900_001
FIRST_DEAL = 700_001
MASTER_PASSWORD = "master"  # noqa: S105 - a simulated account has nothing to protect
INVESTOR_PASSWORD = "investor"  # noqa: S105 - the same

Body = dict[str, Any]
T = TypeVar("T")


class Journal(Protocol):
    """Where the world is kept: records by kind and key, and append-only logs."""

    def put(self, kind: str, key: str | int, body: Body) -> None:
        """Keep a record; durable at the next commit."""
        ...

    def delete(self, kind: str, key: str | int) -> None:
        """Forget a record."""
        ...

    def append(self, kind: str, body: Body) -> int:
        """Add to a log and answer the entry's id."""
        ...

    def head(self, kind: str) -> int:
        """The newest id of a log, 0 for none."""
        ...

    def commit(self) -> None:
        """Make all of it durable."""
        ...

    def load(self, kind: str) -> dict[str, Body]:
        """Every record of a kind."""
        ...

    def log(self, kind: str, since: int = 0, limit: int = ...) -> list[tuple[int, Body]]:
        """The oldest entries of a log after an id."""
        ...


class Account(Struct, kw_only=True):
    """One trading account. `margin_mode` is `hedging` or `netting`; money in its own currency.

    `commission` is charged per lot opened, beside the symbol's own. `fifo_close` lets only the
    oldest position of a symbol be closed; without `hedge_allowed` there are no opposite ones; 0 is
    no limit of positions. Who logs in with the `password` trades, who logs in with the
    `investor_password` looks on.
    """

    login: int
    name: str
    server: str
    currency: str
    digits: int = 2
    margin_mode: str
    leverage: int = 100
    balance: Decimal = ZERO
    credit: Decimal = ZERO
    commission: Decimal = ZERO
    stop_out_percent: Decimal = STOP_OUT_LEVEL_PERCENT
    fifo_close: bool = False
    hedge_allowed: bool = True
    limit_orders: int = 200
    limit_positions: int = 0
    trade_allowed: bool = True
    trade_expert: bool = True
    password: str = MASTER_PASSWORD
    investor_password: str = INVESTOR_PASSWORD

    @property
    def is_netting(self) -> bool:
        """Whether there is one position of each symbol."""
        return self.margin_mode != "hedging"

    @property
    def money(self) -> Money:
        """Currency terms for the arithmetic."""
        return Money(self.currency, self.digits, self.leverage)


class Position(Struct, kw_only=True):
    """An open position. `sign` is +1 for a buy; `sl` and `tp` are 0 where there is none."""

    ticket: int
    identifier: int
    login: int
    symbol: str
    sign: int
    volume: Decimal
    price_open: Decimal
    sl: Decimal = ZERO
    tp: Decimal = ZERO
    swap: Decimal = ZERO
    magic: int = 0
    comment: str = ""
    reason: int = 0
    opened_ms: int
    updated_ms: int


class Order(Struct, kw_only=True):
    """An order, resting or done. `kind` is its ORDER_TYPE code, `reason` who placed it.

    `state` is its ORDER_STATE code, `left` what is not filled; a stop-limit order becomes a limit
    order at `stoplimit` when `price` is reached. `expires_s` is server time, 0 for never.
    """

    ticket: int
    login: int
    symbol: str
    kind: int
    volume: Decimal
    price: Decimal
    sl: Decimal = ZERO
    tp: Decimal = ZERO
    filling: int = 0
    magic: int = 0
    comment: str = ""
    reason: int = 0
    placed_ms: int
    stoplimit: Decimal = ZERO
    type_time: int = 0
    expires_s: int = 0
    state: int = OrderState.PLACED
    done_ms: int = 0
    position_id: int = 0
    position_by_id: int = 0
    left: Decimal = ZERO
    price_current: Decimal = ZERO


class Deal(Struct, kw_only=True):
    """A booked deal. `visible_ms` is when the terminal's history begins to show it."""

    ticket: int
    login: int
    order: int = 0
    position_id: int = 0
    kind: int
    entry: int = 0
    reason: int = 0
    symbol: str = ""
    volume: Decimal = ZERO
    price: Decimal = ZERO
    profit: Decimal = ZERO
    commission: Decimal = ZERO
    swap: Decimal = ZERO
    fee: Decimal = ZERO
    magic: int = 0
    comment: str = ""
    time_ms: int
    visible_ms: int = 0


class _Counters(Struct):
    ticket: int = FIRST_TICKET
    deal: int = FIRST_DEAL
    request: int = 1


class _Book(Struct):
    """One login's things, by ticket."""

    positions: dict[int, Position] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    deals: list[Deal] = field(default_factory=list)
    done: list[Order] = field(default_factory=list)


class Ledger:
    """All accounts of the broker. Every `save_*` puts the change in the journal, uncommitted."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.version = 0
        self.accounts: dict[int, Account] = {}
        self._books: dict[int, _Book] = {}
        for account in self._load("sim.account", Account):
            self.accounts[account.login] = account
            self._books[account.login] = _Book()
        for position in self._load("sim.position", Position):
            self._books[position.login].positions[position.ticket] = position
        for order in self._load("sim.order", Order):
            self._books[order.login].orders[order.ticket] = order
        for deal in sorted(self._load("sim.deal", Deal), key=lambda one: one.ticket):
            self._books[deal.login].deals.append(deal)
        done = self._load("sim.done", Order)
        for order in sorted(done, key=lambda one: (one.done_ms, one.ticket)):
            self._books[order.login].done.append(order)
        self._days = {int(key): int(one["day"]) for key, one in journal.load("sim.day").items()}
        counters = self._load("sim.counters", _Counters)
        self._counters = counters[0] if counters else _Counters()

    def _load(self, kind: str, shape: type[T]) -> list[T]:
        found = self.journal.load(kind)
        return [msgspec.convert(found[key], shape) for key in sorted(found, key=_as_number)]

    def _put(self, kind: str, key: str | int, value: Struct) -> None:
        self.version += 1
        self.journal.put(kind, key, msgspec.to_builtins(value))

    def add_account(self, account: Account) -> None:
        """Open an account, without money."""
        self.accounts[account.login] = account
        self._books[account.login] = _Book()
        self.save_account(account)

    def save_account(self, account: Account) -> None:
        """Journal an account's figures."""
        self._put("sim.account", account.login, account)

    def positions(self, login: int) -> dict[int, Position]:
        """Open positions by ticket, oldest first."""
        return self._books[login].positions

    def orders(self, login: int) -> dict[int, Order]:
        """Resting orders by ticket, oldest first."""
        return self._books[login].orders

    def deals(self, login: int) -> list[Deal]:
        """All deals, oldest first, hidden ones too."""
        return self._books[login].deals

    def save_position(self, position: Position) -> None:
        """Add or journal a position."""
        self.positions(position.login)[position.ticket] = position
        self._put("sim.position", position.ticket, position)

    def drop_position(self, login: int, ticket: int) -> None:
        """Forget a position under this ticket."""
        del self.positions(login)[ticket]
        self.version += 1
        self.journal.delete("sim.position", ticket)

    def save_order(self, order: Order) -> None:
        """Add a resting order."""
        self.orders(order.login)[order.ticket] = order
        self._put("sim.order", order.ticket, order)

    def drop_order(self, order: Order) -> None:
        """Forget a resting order."""
        del self.orders(order.login)[order.ticket]
        self.version += 1
        self.journal.delete("sim.order", order.ticket)

    def done(self, login: int) -> list[Order]:
        """Orders that are done, in the order in which they were."""
        return self._books[login].done

    def finish(self, order: Order) -> None:
        """Put an order, resting until now or not, into the history."""
        if order.ticket in self.orders(order.login):
            self.drop_order(order)
        self.done(order.login).append(order)
        self.save_done(order)

    def save_done(self, order: Order) -> None:
        """Journal an order that is done."""
        self._put("sim.done", order.ticket, order)

    def day(self, login: int) -> int | None:
        """The server's day up to which the account's swaps are charged."""
        return self._days.get(login)

    def save_day(self, login: int, day: int) -> None:
        """Remember that day."""
        self._days[login] = day
        self.journal.put("sim.day", login, {"day": day})

    def book(self, deal: Deal) -> None:
        """Add a deal to the history."""
        self.deals(deal.login).append(deal)
        self._put("sim.deal", deal.ticket, deal)

    def next_ticket(self) -> int:
        """A fresh order (and position) ticket."""
        self._counters.ticket += 1
        self._put("sim.counters", "all", self._counters)
        return self._counters.ticket - 1

    def next_deal(self) -> int:
        """A fresh deal ticket."""
        self._counters.deal += 1
        self._put("sim.counters", "all", self._counters)
        return self._counters.deal - 1

    def next_request(self) -> int:
        """A fresh request id."""
        self._counters.request += 1
        self._put("sim.counters", "all", self._counters)
        return self._counters.request - 1


def _as_number(key: str) -> tuple[int, str]:
    return (int(key) if key.isdecimal() else 0, key)
