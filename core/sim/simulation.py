"""The whole simulated broker with its faults: what terminals, executors and people act upon.

Nothing here knows HTTP or awaits. Every method leaves its changes journalled and uncommitted; the
caller commits before it answers.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from core.sim import structs
from core.sim.arithmetic import ZERO
from core.sim.broker import Broker
from core.sim.codes import IPC_RECV_FAILED, Retcode
from core.sim.faults import EXECUTOR, RECKONER, Fault, FaultBook
from core.sim.fence import Fence
from core.sim.ledger import Account, Journal, Ledger
from core.sim.market import Market
from core.sim.symbols import SYMBOLS, SymbolTerms
from core.sim.trading import BadArgument, Conditions, TradeServer, parse_request, refusal

PERSON: Final = "person"
REASON_EXPERT: Final = 3
EXECUTOR_SLIPPAGE_POINTS: Final = (0, 0, 0, 1, 1, 2, 3, -1)
"""What an executor's market order slips, drawn by seed; adverse is positive."""

REFUSING_FAULTS: Final = (
    ("disconnected", Retcode.CONNECTION),
    ("autotrading_off", Retcode.CLIENT_DISABLES_AT),
    ("market_closed", Retcode.MARKET_CLOSED),
    ("requote", Retcode.REQUOTE),
    ("reject", Retcode.REJECT),
    ("invalid_fill", Retcode.INVALID_FILL),
    ("timeout_not_executed", Retcode.TIMEOUT),
)
"""Faults that refuse a send, in the order in which a request would meet them."""

Body = dict[str, Any]


class Sent(Struct, frozen=True, kw_only=True):
    """What `order_send` returned: a result, or None with `last_error()`."""

    result: Body | None
    error: tuple[int, str] | None = None
    retcode: int | None = None


class Opening(Struct, frozen=True, kw_only=True):
    """An account to open in a new world, and its first deposit."""

    account: Account
    deposit: Decimal


class Simulation:
    """Accounts, market, trade server, faults and fence of one broker."""

    def __init__(
        self,
        journal: Journal,
        clock_ms: Callable[[], int],
        openings: Iterable[Opening],
        *,
        mode: str,
        seed: int,
        symbols: Mapping[str, SymbolTerms] = SYMBOLS,
    ) -> None:
        self.journal = journal
        self.now_ms = clock_ms
        self.ledger = Ledger(journal)
        self.market = Market(symbols, journal, clock_ms, mode=mode, seed=seed)
        self.broker = Broker(self.ledger, self.market, clock_ms)
        self.faults = FaultBook(journal)
        self.fence = Fence(journal)
        self.broker.deal_delay_ms = self.faults.deal_delay
        self._server = TradeServer(self.broker)
        self._random = random.Random(seed)  # noqa: S311 - slippage, not a secret
        for opening in openings:
            if opening.account.login not in self.ledger.accounts:
                # A copy: the opening may be used for another world.
                self.ledger.add_account(replace(opening.account))
                self.broker.cash(opening.account.login, opening.deposit, "balance", "Deposit")

    @property
    def logins(self) -> list[int]:
        """Every account, in order."""
        return sorted(self.ledger.accounts)

    def submit(
        self,
        login: int,
        source: str,
        body: Body,
        *,
        reason: int = REASON_EXPERT,
        epoch: int | None = None,
    ) -> Sent:
        """Send one trade request; faults of its source apply; it is logged whatever becomes of it.

        `source` is reckoner, executor or person; a person's platform meets no faults.
        """
        try:
            request = parse_request(body)
        except BadArgument as error:
            text = f'Invalid "{error}" argument'
            return self._log(login, source, body, epoch, Sent(result=None, error=(-2, text)))
        code = self._refused(login, source)
        if code is not None:
            answer = refusal(code)
        else:
            answer = self._server.order_send(login, request, self._how(login, source, reason))
        result = structs.order_send_result(answer, request)
        sent = Sent(result=result, retcode=answer.retcode)
        executed = code is None
        if executed and self.faults.take(login, source, "timeout_after_execution"):
            sent = Sent(result=None, error=IPC_RECV_FAILED)
        return self._log(login, source, body, epoch, sent, result)

    def misdirect(self, login: int, body: Body, epoch: int) -> Sent:
        """Answer as another account's terminal, which knows no such ticket: nothing is executed."""
        try:
            request = parse_request(body)
        except BadArgument as error:
            text = f'Invalid "{error}" argument'
            return self._log(login, RECKONER, body, epoch, Sent(result=None, error=(-2, text)))
        answer = refusal(Retcode.POSITION_CLOSED)
        result = structs.order_send_result(answer, request)
        sent = Sent(result=result, retcode=answer.retcode)
        return self._log(login, RECKONER, body, epoch, sent, result)

    def _refused(self, login: int, source: str) -> int | None:
        for kind, code in REFUSING_FAULTS:
            if self.faults.take(login, source, kind) is not None:
                return code
        return None

    def _how(self, login: int, source: str, reason: int) -> Conditions:
        slippage = self.faults.take(login, source, "slippage")
        points = slippage.points if slippage is not None else 0
        if source == EXECUTOR and slippage is None:
            points = self._random.choice(EXECUTOR_SLIPPAGE_POINTS)
        return Conditions(
            reason=reason,
            slippage_points=points,
            partial=self.faults.take(login, source, "partial_fill") is not None,
            any_filling=source == PERSON,
        )

    def _log(
        self,
        login: int,
        source: str,
        body: Body,
        epoch: int | None,
        sent: Sent,
        truth: Body | None = None,
    ) -> Sent:
        """Append to `order_sends`: the answer as given, and the deal as it truly was."""
        entry = {
            "at": iso(self.now_ms()),
            "source": source,
            "request": body,
            "retcode": sent.retcode,
            "deal": truth["deal"] if truth else 0,
            "order": truth["order"] if truth else 0,
        }
        if epoch is not None:
            entry["epoch"] = epoch
        self.journal.append(sends_log(login), entry)
        return sent

    def set_price(self, symbol: str, bid: Decimal, ask: Decimal) -> int:
        """Tell a price; stops, limits and stop-outs run at once. Answers how many fills."""
        self.market.set_quote(symbol, bid, ask)
        self.market.save()
        return self.broker.reprice(symbol)

    def walk(self) -> int:
        """Let walking symbols take a step; answers how many fills it caused."""
        return sum(self.broker.reprice(symbol) for symbol in self.market.walk())

    def set_fault(self, login: int, fault: Fault) -> None:
        """Put a fault in force; a disconnect freezes what the terminal's cache holds now."""
        if fault.kind == "disconnected" and fault.to == RECKONER:
            self.journal.put("sim.frozen", login, self.view(login))
        self.faults.set(login, fault)

    def clear_faults(self, login: int) -> None:
        """End every fault of the login."""
        self.faults.clear(login)
        self.journal.delete("sim.frozen", login)

    def is_connected(self, login: int) -> bool:
        """Whether Reckoner's terminal of this login reaches the trade server."""
        return self.faults.find(login, RECKONER, "disconnected") is None

    def view(self, login: int) -> Body:
        """The account as a terminal's cache holds it: MetaTrader structures and all ticks."""
        account = self.ledger.accounts[login]
        value = self.broker.value(login)
        return {
            "at_ms": self.now_ms(),
            "account": structs.account_info(account, value),
            "positions": self.positions(login, value.profits),
            "orders": [
                structs.trade_order(order, self.market.quotes[order.symbol])
                for order in self.ledger.orders(login).values()
            ],
            "ticks": {
                name: structs.tick(quote, self.market.tick_ms(name))
                for name, quote in self.market.quotes.items()
            },
        }

    def positions(self, login: int, profits: Mapping[int, Decimal]) -> list[Body]:
        """Open positions as TradePosition."""
        return [
            structs.trade_position(
                one,
                profits.get(one.ticket, ZERO),
                self.broker.fill_price(one.symbol, -one.sign),
            )
            for one in self.ledger.positions(login).values()
        ]


def sends_log(login: int) -> str:
    """Name of the log of trade requests of one account."""
    return f"sim.sends.{login}"


def iso(utc_ms: int) -> str:
    """A UTC instant, milliseconds, as ISO 8601."""
    moment = datetime.fromtimestamp(utc_ms // 1000, UTC).replace(microsecond=utc_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
