"""Faults that tests and people put on an account: how its terminal and trade server misbehave.

A fault belongs to a login and to one of the two who trade through it: Reckoner's terminal, or the
client's executor. It lasts until it is cleared, or for `times` uses.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from core.sim.codes import COMMENT_UNITS_MAX, LAST_ERROR_TEXT, RETCODE_TEXT, TradeMode
from core.sim.ledger import Journal

RECKONER: Final = "reckoner"
EXECUTOR: Final = "executor"

TIMES_MAX: Final = 1_000_000
DELAY_MS_MAX: Final = 600_000
HANG_MS_MAX: Final = 86_400_000
HANG_MS: Final = 3_600_000
"""A call that never answers: no deadline is that long."""
SLIPPAGE_POINTS_MAX: Final = 100_000
JUMP_S_MAX: Final = 14 * 3600
TICKET_MAX: Final = 2**63 - 1

READ_KINDS: Final = frozenset({"read_fails", "empty_read", "wrong_login"})
TRADE_KINDS: Final = frozenset(
    {
        "requote",
        "reject",
        "slippage",
        "partial_fill",
        "invalid_fill",
        "market_closed",
        "autotrading_off",
        "timeout_not_executed",
        "timeout_after_execution",
        "retcode",
        "comment_overwritten",
    }
)
LINK_KINDS: Final = frozenset({"link_drops", "done_early"})
SEND_KINDS: Final = TRADE_KINDS | LINK_KINDS
VERB_KINDS: Final = frozenset({"slow", "drop_connection", "hang", "call_fails"})
MOMENT_KINDS: Final = VERB_KINDS | {"retcode"}
"""Kinds that say whether they come before or after what the call does."""
RIGHT_KINDS: Final = frozenset(
    {"investor", "trade_disabled", "expert_disabled", "tradeapi_disabled", "trade_mode"}
)
OTHER_KINDS: Final = frozenset({"disconnected", "deal_delayed"})
ACTIONS: Final = frozenset({"rollover_renumber", "clock_jump"})
"""What happens once, when it is asked for, and is not kept."""
KINDS: Final = READ_KINDS | SEND_KINDS | VERB_KINDS | RIGHT_KINDS | OTHER_KINDS | ACTIONS
EXECUTOR_KINDS: Final = TRADE_KINDS | {"slow", "disconnected", "deal_delayed"}

SNAPSHOT: Final = "snapshot"
SEND: Final = "send"
FUNCTIONS: Final = (
    "initialize",
    "login",
    "version",
    "terminal_info",
    "account_info",
    "symbols_total",
    "symbols_get",
    "symbol_info",
    "symbol_info_tick",
    "symbol_select",
    "orders_total",
    "orders_get",
    "order_calc_margin",
    "order_calc_profit",
    "order_check",
    "order_send",
    "positions_total",
    "positions_get",
    "history_orders_total",
    "history_orders_get",
    "history_deals_total",
    "history_deals_get",
)
"""Functions of the MetaTrader5 module that a fault may name as its verb."""
VERBS: Final = (SNAPSHOT, SEND, *FUNCTIONS)
STANDS_FOR: Final = {"positions_get": SNAPSHOT, "order_send": SEND}
"""Where the module's function answers for a verb of the terminal protocol."""
BEFORE: Final = "before"
AFTER: Final = "after"
MOMENTS: Final = (BEFORE, AFTER)
CLOCKS: Final = ("server", "agent")


class BadFault(Exception):
    """The fault asked for does not exist or lacks a figure; the text names the field."""


class Fault(Struct, kw_only=True):
    """One fault. `times` is None until cleared; `since_ms` is when it was set (true UTC).

    `verb` and `when` say at which call, and whether before or after what it does: a `retcode` and
    a `call_fails` of `order_send` are answered instead of executing, or after it. `symbol` and
    `mode` are those of `trade_mode`, `text` what the broker writes over a comment, `ticket` the
    position of `rollover_renumber` (0: every one), `of` and `s` whose clock jumps and how far.
    """

    kind: str
    to: str = RECKONER
    times: int | None = None
    ms: int = 0
    when: str = BEFORE
    verb: str = ""
    points: int = 0
    since_ms: int = 0
    code: int = 0
    symbol: str = ""
    mode: int = TradeMode.FULL
    text: str = ""
    ticket: int = 0
    of: str = ""
    s: int = 0


def parse_fault(body: dict[str, Any], now_ms: int) -> Fault:
    """Read a fault as posted. Raises BadFault."""
    kind, to = body.get("kind"), body.get("to", RECKONER)
    if kind not in KINDS:
        raise BadFault(f"kind: expected one of {', '.join(sorted(KINDS))}")
    if to not in (RECKONER, EXECUTOR):
        raise BadFault("to: expected reckoner or executor")
    if to == EXECUTOR and kind not in EXECUTOR_KINDS:
        raise BadFault(f"to: expected reckoner, the executor's trades have no {kind}")
    fault = Fault(kind=kind, to=to, since_ms=now_ms, times=body.get("times"))
    if fault.times is not None:
        fault.times = _whole("times", fault.times, 1, TIMES_MAX)
    _FIGURES.get(kind, _no_figures)(fault, body)
    if kind in VERB_KINDS:
        fault.when = _one_of("when", body.get("when", BEFORE), MOMENTS)
        words = FUNCTIONS if kind == "call_fails" else VERBS
        fault.verb = _one_of("verb", body.get("verb", SEND if to == EXECUTOR else ""), words)
    return fault


def _no_figures(_fault: Fault, _body: dict[str, Any]) -> None:
    """Most kinds need none."""


def _delay(fault: Fault, body: dict[str, Any]) -> None:
    fault.ms = _whole("ms", body.get("ms"), 1, DELAY_MS_MAX)


def _hang(fault: Fault, body: dict[str, Any]) -> None:
    fault.ms = _whole("ms", body.get("ms", HANG_MS), 1, HANG_MS_MAX)


def _slippage(fault: Fault, body: dict[str, Any]) -> None:
    reach = SLIPPAGE_POINTS_MAX
    fault.points = _whole("points", body.get("points"), -reach, reach)


def _wrong_login(fault: Fault, body: dict[str, Any]) -> None:
    if "verb" in body:
        fault.verb = _one_of("verb", body["verb"], VERBS)


def _call_fails(fault: Fault, body: dict[str, Any]) -> None:
    fault.code = _code("code", body.get("code"), LAST_ERROR_TEXT)


def _retcode(fault: Fault, body: dict[str, Any]) -> None:
    fault.code = _code("code", body.get("code"), RETCODE_TEXT)
    fault.when = _one_of("when", body.get("when", BEFORE), MOMENTS)


def _trade_mode(fault: Fault, body: dict[str, Any]) -> None:
    fault.mode = _whole("mode", body.get("mode"), TradeMode.DISABLED, TradeMode.FULL)
    fault.symbol = _text("symbol", body.get("symbol"))


def _overwritten(fault: Fault, body: dict[str, Any]) -> None:
    fault.text = _text("text", body.get("text", ""))


def _renumber(fault: Fault, body: dict[str, Any]) -> None:
    fault.ticket = _whole("ticket", body.get("ticket", 0), 0, TICKET_MAX)


def _jump(fault: Fault, body: dict[str, Any]) -> None:
    fault.of = _one_of("of", body.get("of", "server"), CLOCKS)
    fault.s = _whole("s", body.get("s"), -JUMP_S_MAX, JUMP_S_MAX)


_FIGURES: Final[dict[str, Callable[[Fault, dict[str, Any]], None]]] = {
    "slow": _delay,
    "deal_delayed": _delay,
    "done_early": _delay,
    "hang": _hang,
    "slippage": _slippage,
    "wrong_login": _wrong_login,
    "call_fails": _call_fails,
    "retcode": _retcode,
    "trade_mode": _trade_mode,
    "comment_overwritten": _overwritten,
    "rollover_renumber": _renumber,
    "clock_jump": _jump,
}
"""What each kind needs beside its name."""


def _whole(name: str, value: object, lowest: int, highest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise BadFault(f"{name}: expected a whole number from {lowest} to {highest}")
    return value


def _one_of(name: str, value: object, words: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in words:
        raise BadFault(f"{name}: expected {' or '.join(words)}")
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > COMMENT_UNITS_MAX:
        raise BadFault(f"{name}: expected text of at most {COMMENT_UNITS_MAX} characters")
    return value


def _code(name: str, value: object, known: dict[int, str]) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in known:
        raise BadFault(f"{name}: expected one of {', '.join(map(str, known))}")
    return value


class _Kept(Struct):
    faults: list[Fault] = field(default_factory=list)


class FaultBook:
    """The faults in force per login, journalled uncommitted at every change."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._books = {
            int(login): msgspec.convert(body, _Kept)
            for login, body in journal.load("sim.fault").items()
        }

    def active(self, login: int) -> list[Fault]:
        """Every fault in force on the login, oldest first."""
        return self._books.get(login, _Kept()).faults

    def set(self, login: int, fault: Fault) -> None:
        """Put a fault in force; it replaces the one of the same kind, side, verb and moment."""
        book = self._books.setdefault(login, _Kept())
        book.faults = [one for one in book.faults if _slot(one) != _slot(fault)]
        book.faults.append(fault)
        self._save(login)

    def end(self, login: int, fault: Fault) -> None:
        """End this one fault, where it is still in force."""
        book = self._books.setdefault(login, _Kept())
        book.faults = [one for one in book.faults if one is not fault]
        self._save(login)

    def clear(self, login: int) -> None:
        """End every fault of the login."""
        self._books[login] = _Kept()
        self._save(login)

    def find(self, login: int, to: str, kind: str, verb: str = "", when: str = "") -> Fault | None:
        """The fault in force, without using it up. A fault without a verb is met by every verb."""
        for fault in self.active(login):
            if (fault.to, fault.kind) != (to, kind):
                continue
            if fault.verb and fault.verb not in (verb, STANDS_FOR.get(verb)):
                continue
            if fault.kind in MOMENT_KINDS and fault.when != when:
                continue
            return fault
        return None

    def take(self, login: int, to: str, kind: str, verb: str = "", when: str = "") -> Fault | None:
        """The fault in force, used once; the last use ends it."""
        fault = self.find(login, to, kind, verb, when)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self.active(login).remove(fault)
            self._save(login)
        return fault

    def take_at(self, login: int, kind: str, verb: str) -> Fault | None:
        """The fault of Reckoner's terminal that names this very verb, used once."""
        named = any(one.kind == kind and one.verb == verb for one in self.active(login))
        return self.take(login, RECKONER, kind, verb) if named else None

    def _save(self, login: int) -> None:
        self._journal.put("sim.fault", login, msgspec.to_builtins(self._books[login]))

    def trade_mode(self, login: int, symbol: str) -> int | None:
        """The trade mode a fault gives the symbol, None where none does."""
        for fault in self.active(login):
            if fault.kind == "trade_mode" and fault.symbol == symbol:
                return fault.mode
        return None

    def deal_delay(self, login: int) -> int:
        """How many milliseconds history hides a deal booked now; uses the fault up.

        Either side's fault hides it: the history is the account's.
        """
        for to in (RECKONER, EXECUTOR):
            fault = self.take(login, to, "deal_delayed")
            if fault is not None:
                return fault.ms
        return 0


def _slot(fault: Fault) -> tuple[str, str, str, str, str]:
    return fault.kind, fault.to, fault.verb, fault.when, fault.symbol
