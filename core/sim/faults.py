"""Faults that tests and people put on an account: how its terminal and trade server misbehave.

A fault belongs to a login and to one of the two who trade through it: Reckoner's terminal, or the
client's executor. It lasts until it is cleared, or for `times` uses.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from core.sim.ledger import Journal

RECKONER: Final = "reckoner"
EXECUTOR: Final = "executor"

TIMES_MAX: Final = 1_000_000
DELAY_MS_MAX: Final = 600_000
SLIPPAGE_POINTS_MAX: Final = 100_000

READ_KINDS: Final = frozenset({"read_fails", "empty_read", "wrong_login"})
SEND_KINDS: Final = frozenset(
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
    }
)
VERB_KINDS: Final = frozenset({"slow", "drop_connection"})
OTHER_KINDS: Final = frozenset({"disconnected", "deal_delayed"})
KINDS: Final = READ_KINDS | SEND_KINDS | VERB_KINDS | OTHER_KINDS
EXECUTOR_KINDS: Final = SEND_KINDS | {"slow", "disconnected", "deal_delayed"}

SNAPSHOT: Final = "snapshot"
SEND: Final = "send"
VERBS: Final = (SNAPSHOT, SEND)
MOMENTS: Final = ("before", "after")
LASTING: Final = frozenset({"autotrading_off", "disconnected"})
"""States of the terminal: reads show them, without using them up."""


class BadFault(Exception):
    """The fault asked for does not exist or lacks a figure; the text names the field."""


class Fault(Struct, kw_only=True):
    """One fault. `times` is None until cleared; `since_ms` is when it was set (true UTC)."""

    kind: str
    to: str = RECKONER
    times: int | None = None
    ms: int = 0
    when: str = "before"
    verb: str = ""
    points: int = 0
    since_ms: int = 0


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
    if kind in ("slow", "deal_delayed"):
        fault.ms = _whole("ms", body.get("ms"), 1, DELAY_MS_MAX)
    if kind == "slippage":
        fault.points = _whole(
            "points", body.get("points"), -SLIPPAGE_POINTS_MAX, SLIPPAGE_POINTS_MAX
        )
    if kind in VERB_KINDS:
        fault.when = _one_of("when", body.get("when", "before"), MOMENTS)
        fault.verb = _one_of("verb", body.get("verb", SEND if to == EXECUTOR else ""), VERBS)
    return fault


def _whole(name: str, value: object, lowest: int, highest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise BadFault(f"{name}: expected a whole number from {lowest} to {highest}")
    return value


def _one_of(name: str, value: object, words: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in words:
        raise BadFault(f"{name}: expected {' or '.join(words)}")
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

    def clear(self, login: int) -> None:
        """End every fault of the login."""
        self._books[login] = _Kept()
        self._save(login)

    def find(self, login: int, to: str, kind: str, verb: str = "", when: str = "") -> Fault | None:
        """The fault in force, without using it up."""
        for fault in self.active(login):
            if (fault.to, fault.kind) != (to, kind):
                continue
            if fault.kind in VERB_KINDS and (fault.verb, fault.when) != (verb, when):
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

    def _save(self, login: int) -> None:
        self._journal.put("sim.fault", login, msgspec.to_builtins(self._books[login]))

    def deal_delay(self, login: int) -> int:
        """How many milliseconds history hides a deal booked now; uses the fault up.

        Either side's fault hides it: the history is the account's.
        """
        for to in (RECKONER, EXECUTOR):
            fault = self.take(login, to, "deal_delayed")
            if fault is not None:
                return fault.ms
        return 0


def delay_of(book: FaultBook) -> Callable[[int], int]:
    """The broker's view of `deal_delayed`."""
    return book.deal_delay


def _slot(fault: Fault) -> tuple[str, str, str, str]:
    return fault.kind, fault.to, fault.verb, fault.when
