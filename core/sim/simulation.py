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
from core.sim.broker import Broker
from core.sim.cache import Cache
from core.sim.codes import API_DISABLED, IPC_RECV_FAILED, RETCODE_TEXT, SUCCESS, Retcode
from core.sim.faults import AFTER, BEFORE, EXECUTOR, RECKONER, Fault, FaultBook
from core.sim.fence import Fence
from core.sim.ledger import Account, Journal, Ledger
from core.sim.market import Market
from core.sim.requests import BadArgument, Conditions, Request, parse_request, refusal
from core.sim.server_time import OFFSET_S_MAX, ServerTimes
from core.sim.symbols import SYMBOLS, SymbolTerms
from core.sim.trading import TradeServer

PERSON: Final = "person"
REASON_EXPERT: Final = 3
EXECUTOR_SLIPPAGE_POINTS: Final = (0, 0, 0, 1, 1, 2, 3, -1)
"""What an executor's market order slips, drawn by seed; adverse is positive."""

REFUSING_FAULTS: Final = (
    ("disconnected", Retcode.CONNECTION),
    ("autotrading_off", Retcode.CLIENT_DISABLES_AT),
    ("investor", Retcode.TRADE_DISABLED),
    ("trade_disabled", Retcode.TRADE_DISABLED),
    ("expert_disabled", Retcode.SERVER_DISABLES_AT),
    ("market_closed", Retcode.MARKET_CLOSED),
    ("requote", Retcode.REQUOTE),
    ("reject", Retcode.REJECT),
    ("invalid_fill", Retcode.INVALID_FILL),
    ("timeout_not_executed", Retcode.TIMEOUT),
)
"""Faults that refuse a send, in the order in which a request would meet them."""
LOSING_FAULTS: Final = ("timeout_after_execution", "link_drops")
"""Faults that lose the answer to what was executed."""

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
        self.times = ServerTimes(journal)
        self.broker = Broker(self.ledger, self.market, clock_ms, self.times)
        self.faults = FaultBook(journal)
        self.fence = Fence(journal)
        self.cache = Cache(journal, self.broker, self.faults, self.times)
        self.broker.deal_delay_ms = self.faults.deal_delay
        self.broker.mode_override = self.faults.trade_mode
        self.links_lost: set[int] = set()
        """Logins whose terminal lost its pipe: the next read of the old protocol fails."""
        self._server = TradeServer(self.broker)
        self._agent_s = {int(key): int(one["s"]) for key, one in journal.load("sim.jump").items()}
        self._random = random.Random(seed)  # noqa: S311 - slippage, not a secret
        for opening in openings:
            if opening.account.login not in self.ledger.accounts:
                # A copy: the opening may be used for another world.
                self.ledger.add_account(replace(opening.account))
                self.broker.cash(opening.account.login, opening.deposit, "balance", "Deposit")

    def set_terms(self, symbol: str, **changes: Any) -> None:
        """Change a symbol's terms (`SymbolTerms`), for as long as this object lives."""
        self.market.symbols[symbol] = replace(self.market.symbols[symbol], **changes)

    def set_account(self, login: int, **changes: Any) -> None:
        """Change an account's conditions (`core.sim.ledger.Account`)."""
        account = replace(self.ledger.accounts[login], **changes)
        self.ledger.accounts[login] = account
        self.ledger.save_account(account)

    @property
    def logins(self) -> list[int]:
        """Every account, in order."""
        return sorted(self.ledger.accounts)

    def neighbour(self, login: int) -> int:
        """The account whose data a fault shows in place of this one's."""
        logins = self.logins
        return logins[(logins.index(login) + 1) % len(logins)]

    def submit(
        self,
        login: int,
        source: str,
        body: Body,
        *,
        reason: int = REASON_EXPERT,
        epoch: int | None = None,
        right: bool = True,
    ) -> Sent:
        """Send one trade request; faults of its source apply; it is logged whatever becomes of it.

        `source` is reckoner, executor or person; a person's platform meets no faults. Without the
        `right` to trade (an investor's login) the server refuses.
        """
        self.broker.pass_time()
        try:
            request = parse_request(body)
        except BadArgument as error:
            return self._log(login, source, body, epoch, _never_sent(error))
        if self.faults.take(login, source, "tradeapi_disabled"):
            return self._log(login, source, body, epoch, Sent(result=None, error=API_DISABLED))
        code = self._refused(login, source, reason) if right else Retcode.TRADE_DISABLED
        if code is not None:
            result = structs.order_send_result(refusal(code), request)
            return self._log(login, source, body, epoch, Sent(result=result, retcode=code), result)
        early = self.faults.find(login, source, "done_early")
        before = self.cache.view(login) if early is not None else None
        how = self._how(login, source, reason)
        answer = self._server.order_send(login, self._overwritten(login, source, request), how)
        result = structs.order_send_result(answer, request)
        sent = Sent(result=result, retcode=answer.retcode)
        if before is not None and early is not None and answer.retcode in SUCCESS:
            self.faults.take(login, source, "done_early")
            self.cache.lag(login, before, self.now_ms() + early.ms)
        return self._log(login, source, body, epoch, self._spoilt(login, source, sent), result)

    def _overwritten(self, login: int, source: str, request: Request) -> Request:
        """The request as the broker books it: its own words may stand in place of ours."""
        fault = self.faults.take(login, source, "comment_overwritten")
        return request if fault is None else replace(request, comment=fault.text)

    def _spoilt(self, login: int, source: str, sent: Sent) -> Sent:
        """The answer to what was done, falsified or lost on its way."""
        fault = self.faults.take(login, source, "retcode", when=AFTER)
        if fault is not None and sent.result is not None:
            lie = {**structs.NOTHING_DONE, "retcode": fault.code}
            lie["comment"] = RETCODE_TEXT[fault.code]
            sent = Sent(result={**sent.result, **lie}, retcode=fault.code)
        if self._loses(login, source):
            return Sent(result=None, error=IPC_RECV_FAILED)
        return sent

    def _loses(self, login: int, source: str) -> bool:
        for kind in LOSING_FAULTS:
            if self.faults.take(login, source, kind):
                if kind == "link_drops":
                    self.links_lost.add(login)
                return True
        return False

    def misdirect(self, login: int, body: Body, epoch: int | None = None) -> Sent:
        """Answer as another account's terminal, which knows no such ticket: nothing is executed."""
        try:
            request = parse_request(body)
        except BadArgument as error:
            return self._log(login, RECKONER, body, epoch, _never_sent(error))
        answer = refusal(Retcode.POSITION_CLOSED)
        result = structs.order_send_result(answer, request)
        sent = Sent(result=result, retcode=answer.retcode)
        return self._log(login, RECKONER, body, epoch, sent, result)

    def check(self, login: int, body: Body, *, right: bool = True) -> Sent:
        """What `order_check` answers: retcode 0 and the account afterwards, or a refusal."""
        try:
            request = parse_request(body)
        except BadArgument as error:
            return _never_sent(error)
        how = Conditions(reason=REASON_EXPERT)
        code = self._server.order_check(login, request, how) if right else Retcode.TRADE_DISABLED
        value = self._server.value_after(login, request) if code == 0 else None
        account = self.ledger.accounts[login]
        return Sent(result=structs.order_check_result(code, account, value, request), retcode=code)

    def _refused(self, login: int, source: str, reason: int) -> int | None:
        account = self.ledger.accounts[login]
        if not account.trade_allowed:
            return Retcode.TRADE_DISABLED
        if not account.trade_expert and reason == REASON_EXPERT:
            return Retcode.SERVER_DISABLES_AT
        for kind, code in REFUSING_FAULTS:
            if self.faults.take(login, source, kind) is not None:
                return code
        lie = self.faults.take(login, source, "retcode", when=BEFORE)
        return lie.code if lie is not None else None

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
        """Let time pass and walking symbols take a step; answers how many fills it caused."""
        self.broker.pass_time()
        return sum(self.broker.reprice(symbol) for symbol in self.market.walk())

    def set_fault(self, login: int, fault: Fault) -> None:
        """Put a fault in force; a disconnect freezes what the terminal's cache holds now."""
        if fault.kind == "rollover_renumber":
            self._renumber(login, fault.ticket)
        elif fault.kind == "clock_jump":
            self._jump(login, fault)
        else:
            if fault.kind == "disconnected" and fault.to == RECKONER and self.is_connected(login):
                self.cache.freeze(login)
            self.faults.set(login, fault)

    def _renumber(self, login: int, ticket: int) -> None:
        """Give the position, or with 0 every one, a new ticket, as a rollover does."""
        for held in list(self.ledger.positions(login).values()):
            if ticket in (0, held.ticket):
                self.broker.renumber(held)

    def _jump(self, login: int, fault: Fault) -> None:
        if fault.of == "agent":
            self._agent_s[login] = self._agent_s.get(login, 0) + fault.s
            self.journal.put("sim.jump", login, {"s": self._agent_s[login]})
            return
        server = self.ledger.accounts[login].server
        now_ms = self.now_ms()
        offset_s = self.times.of(server).offset_s(now_ms) + fault.s
        self.times.change(server, max(-OFFSET_S_MAX, min(OFFSET_S_MAX, offset_s)), now_ms)

    def agent_now_ms(self, login: int) -> int:
        """The clock of the host of the account's terminal, which may be wrong."""
        return self.now_ms() + self._agent_s.get(login, 0) * 1000

    def end_fault(self, login: int, fault: Fault) -> None:
        """End one fault."""
        self.faults.end(login, fault)
        if self.is_connected(login):
            self.cache.thaw(login)

    def clear_faults(self, login: int) -> None:
        """End every fault of the login, and a wrong clock of its host."""
        self.faults.clear(login)
        self.cache.thaw(login)
        self.cache.catch_up(login)
        self.links_lost.discard(login)
        if self._agent_s.pop(login, None) is not None:
            self.journal.delete("sim.jump", login)

    def is_connected(self, login: int) -> bool:
        """Whether Reckoner's terminal of this login reaches the trade server."""
        return self.faults.find(login, RECKONER, "disconnected") is None

    def view(self, login: int) -> Body:
        """The account as the broker has it: MetaTrader structures and all ticks."""
        return self.cache.view(login)


def _never_sent(error: BadArgument) -> Sent:
    """What the wheel answers for an argument that it refuses itself."""
    return Sent(result=None, error=(-2, f'Invalid "{error}" argument'))


def sends_log(login: int) -> str:
    """Name of the log of trade requests of one account."""
    return f"sim.sends.{login}"


def iso(utc_ms: int) -> str:
    """A UTC instant, milliseconds, as ISO 8601."""
    moment = datetime.fromtimestamp(utc_ms // 1000, UTC).replace(microsecond=utc_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
