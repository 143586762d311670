"""The order outcome table: every answer to a trade request, and what it means for a close.

Two sources: the trade server's `retcode` in a result, and the library's `last_error` where
`order_send` gave None. Meanings and what follows from them: facts (mt5, 1.3 and 1.4). 10005 and
10037 do not exist; 10046 is documented for MQL5 and absent from the library. What the table does
not know is an unknown outcome: look, never repeat (law 6).
"""

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

PLACED = 10008
"""Accepted, not yet filled: to be polled, never sent again (facts: mt5, 1.4)."""
DONE = 10009
PARTIAL = 10010
MARKET_CLOSED = 10018
INVALID_VOLUME = 10014
INVALID_FILL = 10030
INVALID_PARAMS = -2
UNLISTED = "(unlisted)"
"""The name of a code that is not in the table."""
REFUSALS_TOLD = 5
"""Refusals of one ticket that pass quietly (requotes come in twos and threes) before it is told."""


class Source(StrEnum):
    """Where a code comes from."""

    RETCODE = "retcode"
    """The trade server's answer, in a result."""
    LAST_ERROR = "last_error"
    """`last_error()` after `order_send` gave None."""


class Executed(StrEnum):
    """What became of the request."""

    NO = "no"
    """Certainly nothing."""
    YES = "yes"
    """All of it, says the server."""
    PARTLY = "partly"
    """Some of it, says the server."""
    ACCEPTED = "accepted"
    """Nothing yet; it is being worked on."""
    REACHED = "reached"
    """Nothing, because what was asked for is so already."""
    UNKNOWN = "unknown"
    """Nobody can say but a later reading."""


class RetcodeClass(StrEnum):
    """What to do after this answer to a close or cancel request."""

    ACCEPTED = "accepted"
    """Executed or accepted, in part or whole: read what is left."""
    GONE = "gone"
    """There is nothing left to close: read, and find the deal."""
    UNKNOWN = "unknown"
    """It may have been executed: read before anything else."""
    REPRICE = "reprice"
    """Not executed; try again at once with a fresh price."""
    BACK_OFF = "back_off"
    """Not executed; try again after a growing pause."""
    FILLING = "filling"
    """Not executed; try another filling mode."""
    OLDEST_FIRST = "oldest_first"
    """Not executed; an older position of the symbol has to be closed before."""
    SESSION = "session"
    """Not executed; the market is closed."""
    HUMAN = "human"
    """Not executed; somebody has to switch something on."""
    INVALID = "invalid"
    """Not executed; the request was wrong. Read, rebuild it, and tell the operators."""


C = RetcodeClass

PAUSES_S: Final[dict[RetcodeClass, tuple[float, ...]]] = {
    C.REPRICE: (0.0, 0.0, 0.5, 1.0, 2.0, 5.0),
    C.BACK_OFF: (1.0, 2.0, 4.0, 8.0, 15.0, 30.0),
    C.FILLING: (0.0, 0.0, 1.0, 5.0, 15.0, 30.0),
    C.OLDEST_FIRST: (0.0, 0.5, 1.0, 2.0, 5.0),
    C.SESSION: (5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
    C.HUMAN: (2.0, 5.0, 10.0),
    C.INVALID: (1.0, 2.0, 5.0, 15.0, 30.0),
}
"""Seconds to wait before the next attempt, by how many times this class was the answer.

Accepted, gone and unknown are not here: after them a reading decides, not a pause.
"""
ONCE_FRESH_S: Final = (0.0, 1.0, 2.0, 5.0, 15.0, 30.0)
"""Once at once, with a fresh price; after that it was not the price."""


class OrderOutcome(Struct, frozen=True, kw_only=True):
    """One row: a code, what became of the request, and what follows.

    `texts` are beginnings of the library's texts, as it prints them. `told_after`: how many such
    answers for one ticket pass before the admins are told, under the word `trouble` ("" for those
    that are never told). `pauses_s`: seconds before the next attempt, by how often it was the
    answer; empty where a reading decides. `sentence` is for an admin.
    """

    code: int
    name: str
    source: Source
    executed: Executed
    answer: RetcodeClass
    sentence: str
    texts: tuple[str, ...] = ()
    trouble: str = ""
    told_after: int = REFUSALS_TOLD
    pauses_s: tuple[float, ...] = ()


_TROUBLES: Final = {
    C.UNKNOWN: ("unknown_outcome", 1),
    C.SESSION: ("market_closed", 1),
    C.HUMAN: ("cannot_trade", 1),
    C.INVALID: ("rejected", 1),
    C.REPRICE: ("rejected", REFUSALS_TOLD),
    C.BACK_OFF: ("rejected", REFUSALS_TOLD),
    C.FILLING: ("rejected", REFUSALS_TOLD),
    C.OLDEST_FIRST: ("rejected", REFUSALS_TOLD),
    C.ACCEPTED: ("", REFUSALS_TOLD),
    C.GONE: ("", REFUSALS_TOLD),
}
AT_OFF: Final = "autotrading_off"
_NO, _UNKNOWN = Executed.NO, Executed.UNKNOWN


def _row(
    code: int, name: str, executed: Executed, answer: RetcodeClass, sentence: str, **more: object
) -> OrderOutcome:
    trouble, told_after = _TROUBLES[answer]
    row = OrderOutcome(
        code=code,
        name=name,
        source=Source.RETCODE,
        executed=executed,
        answer=answer,
        sentence=sentence,
        trouble=trouble,
        told_after=told_after,
        pauses_s=PAUSES_S.get(answer, ()),
    )
    return replace(row, **more)


def _error(
    code: int,
    name: str,
    texts: tuple[str, ...],
    executed: Executed,
    answer: RetcodeClass,
    sentence: str,
    **more: object,
) -> OrderOutcome:
    source = {"source": Source.LAST_ERROR, "texts": texts}
    return _row(code, name, executed, answer, sentence, **source, **more)


RETCODES: Final = (
    _row(0, "(none)", _UNKNOWN, C.UNKNOWN, "The answer bears no code."),
    _row(10004, "REQUOTE", _NO, C.REPRICE, "The price had moved before the broker took it."),
    _row(10006, "REJECT", _NO, C.BACK_OFF, "The broker rejected the request.", told_after=2),
    _row(10007, "CANCEL", _UNKNOWN, C.UNKNOWN, "The request was cancelled on the way."),
    _row(PLACED, "PLACED", Executed.ACCEPTED, C.ACCEPTED, "The broker works on the order."),
    _row(DONE, "DONE", Executed.YES, C.ACCEPTED, "The broker says that it is done."),
    _row(PARTIAL, "DONE_PARTIAL", Executed.PARTLY, C.ACCEPTED, "A part was filled."),
    _row(10011, "ERROR", _UNKNOWN, C.UNKNOWN, "The server failed while it worked on the request."),
    _row(10012, "TIMEOUT", _UNKNOWN, C.UNKNOWN, "The server did not finish the request in time."),
    _row(10013, "INVALID", _NO, C.INVALID, "The broker calls the request invalid."),
    _row(INVALID_VOLUME, "INVALID_VOLUME", _NO, C.INVALID, "The broker does not take this volume."),
    _row(10015, "INVALID_PRICE", _NO, C.REPRICE, "The broker does not take this price.",
         told_after=2, pauses_s=ONCE_FRESH_S),
    _row(10016, "INVALID_STOPS", _NO, C.INVALID, "The broker does not take these stops."),
    _row(10017, "TRADE_DISABLED", _NO, C.HUMAN, "Trading is disabled; the broker can tell why."),
    _row(MARKET_CLOSED, "MARKET_CLOSED", _NO, C.SESSION,
         "The market is closed until its next session."),
    _row(10019, "NO_MONEY", _NO, C.BACK_OFF, "The broker says that funds are missing.",
         told_after=1),
    _row(10020, "PRICE_CHANGED", _NO, C.REPRICE, "The price changed meanwhile."),
    _row(10021, "PRICE_OFF", _NO, C.BACK_OFF, "The broker has no quotes for the symbol."),
    _row(10022, "INVALID_EXPIRATION", _NO, C.INVALID, "The broker does not take the expiry."),
    _row(10023, "ORDER_CHANGED", _UNKNOWN, C.UNKNOWN, "The order changed while it was worked on."),
    _row(10024, "TOO_MANY_REQUESTS", _NO, C.BACK_OFF, "The broker gets too many requests."),
    _row(10025, "NO_CHANGES", Executed.REACHED, C.ACCEPTED, "There was nothing to change."),
    _row(10026, "SERVER_DISABLES_AT", _NO, C.HUMAN,
         "The broker forbids automated trading on this account; ask the broker.", trouble=AT_OFF),
    _row(10027, "CLIENT_DISABLES_AT", _NO, C.HUMAN, "“Algo Trading” is off in the terminal.",
         trouble=AT_OFF, texts=("AutoTrading disabled by client",)),
    _row(10028, "LOCKED", _UNKNOWN, C.UNKNOWN, "The request is locked for processing."),
    _row(10029, "FROZEN", _NO, C.BACK_OFF, "The price is too near a stop or target to close now."),
    _row(INVALID_FILL, "INVALID_FILL", _NO, C.FILLING, "The symbol wants another filling mode."),
    _row(10031, "CONNECTION", _UNKNOWN, C.UNKNOWN, "The terminal lost the trade server."),
    _row(10032, "ONLY_REAL", _NO, C.HUMAN, "The broker allows this on real accounts only."),
    _row(10033, "LIMIT_ORDERS", _NO, C.BACK_OFF, "The limit of pending orders is reached.",
         told_after=1),
    _row(10034, "LIMIT_VOLUME", _NO, C.BACK_OFF, "The symbol's limit of volume is reached.",
         told_after=1),
    _row(10035, "INVALID_ORDER", _NO, C.INVALID, "The broker prohibits this kind of order."),
    _row(10036, "POSITION_CLOSED", Executed.REACHED, C.GONE, "The position was closed already."),
    _row(10038, "INVALID_CLOSE_VOLUME", _NO, C.INVALID, "The position is smaller than asked for."),
    _row(10039, "CLOSE_ORDER_EXIST", _UNKNOWN, C.UNKNOWN, "An order to close it exists already."),
    _row(10040, "LIMIT_POSITIONS", _NO, C.BACK_OFF, "The limit of positions is reached.",
         told_after=1),
    _row(10041, "REJECT_CANCEL", _UNKNOWN, C.UNKNOWN, "The order was rejected and cancelled."),
    _row(10042, "LONG_ONLY", _NO, C.HUMAN, "The symbol may only be bought."),
    _row(10043, "SHORT_ONLY", _NO, C.HUMAN, "The symbol may only be sold."),
    _row(10044, "CLOSE_ONLY", _NO, C.HUMAN, "The symbol may only be closed."),
    _row(10045, "FIFO_CLOSE", _NO, C.OLDEST_FIRST, "The oldest position has to be closed first."),
    _row(10046, "HEDGE_PROHIBITED", _NO, C.HUMAN, "The broker forbids opposite positions."),
)  # fmt: skip
"""Answers of the trade server."""

ARGUMENT_REFUSED: Final = _error(
    INVALID_PARAMS, "RES_E_INVALID_PARAMS", ('Invalid "',), _NO, C.INVALID,
    "The MetaTrader5 library refused the request and names the argument.",
)  # fmt: skip
"""-2 where the text names an argument: the library's own check, before anything is sent."""
_NAMES_ARGUMENT: Final = re.compile(r'Invalid "\w+" argument')

LAST_ERRORS: Final = (
    _error(0, "(nothing said)", (), _UNKNOWN, C.UNKNOWN,
           "The library gave neither a result nor an error."),
    _error(1, "RES_S_OK", ("Success",), _UNKNOWN, C.UNKNOWN,
           "The library gave no result, and calls that a success."),
    _error(-1, "RES_E_FAIL", ("Terminal: Call failed",), _UNKNOWN, C.UNKNOWN,
           "The terminal says that the call failed, not how far it came."),
    ARGUMENT_REFUSED,
    _error(INVALID_PARAMS, "RES_E_INVALID_PARAMS",
           ("Terminal: Invalid params", "Invalid arguments", "Unnamed arguments not allowed"),
           _UNKNOWN, C.UNKNOWN, "The parameters were refused, by the library or by the terminal."),
    _error(-3, "RES_E_NO_MEMORY", ("Terminal: Out of memory",), _NO, C.BACK_OFF,
           "The terminal is out of memory; restart it.", told_after=1),
    _error(-4, "RES_E_NOT_FOUND", ("Terminal: Not found",), _NO, C.BACK_OFF,
           "The terminal does not know what the request names."),
    _error(-5, "RES_E_INVALID_VERSION", ("Terminal: Incompatible versions",), _NO, C.HUMAN,
           "Terminal and MetaTrader5 library do not fit together; update both."),
    _error(-6, "RES_E_AUTH_FAILED",
           ("Terminal: Authorization failed", "Unsupported authorization mode"), _NO, C.HUMAN,
           "The terminal could not log in; check login, password and server."),
    _error(-7, "RES_E_UNSUPPORTED", ("Terminal: Unsupported function",), _NO, C.HUMAN,
           "The terminal does not know this function; update it."),
    _error(-8, "RES_E_AUTO_TRADING_DISABLED",
           ("Auto-Trading using Python API disabled in Terminal",), _NO, C.HUMAN,
           "Trading through the Python API is disabled in the terminal's options.",
           trouble=AT_OFF),
    _error(-10000, "RES_E_INTERNAL_FAIL", ("IPC call failed",), _UNKNOWN, C.UNKNOWN,
           "The terminal answered something else than was asked."),
    _error(-10001, "RES_E_INTERNAL_FAIL_SEND", ("IPC send failed",), _UNKNOWN, C.UNKNOWN,
           "The line to the terminal broke while the request left; probably it was not sent."),
    _error(-10002, "RES_E_INTERNAL_FAIL_RECEIVE", ("IPC recv failed",), _UNKNOWN, C.UNKNOWN,
           "The line to the terminal broke before its answer; the request may be executed."),
    _error(-10003, "RES_E_INTERNAL_FAIL_INIT", ("IPC initialize failed",), _NO, C.BACK_OFF,
           "The terminal could not be found or started."),
    _error(-10004, "RES_E_INTERNAL_FAIL_CONNECT", ("No IPC connection",), _NO, C.BACK_OFF,
           "There is no line to the terminal."),
    _error(-10005, "RES_E_INTERNAL_FAIL_TIMEOUT", ("IPC timeout",), _UNKNOWN, C.UNKNOWN,
           "The terminal did not log in, or did not answer, in time."),
)  # fmt: skip
"""Errors of the library after `order_send` gave None.

A code has one row, but -2: which of its two holds, its text decides.
"""

_BY_CODE: Final = {row.code: row for row in (*LAST_ERRORS, *RETCODES)}


def outcome(code: int, text: str = "") -> OrderOutcome:
    """What this answer means: a retcode, or the `last_error` after None, with its text.

    The two sources share no code but 0, which is unknown in both.
    """
    if code == INVALID_PARAMS and _NAMES_ARGUMENT.search(text):
        return ARGUMENT_REFUSED
    if code in _BY_CODE:
        return _BY_CODE[code]
    source = Source.RETCODE if code > 0 else Source.LAST_ERROR
    unlisted = _row(code, UNLISTED, _UNKNOWN, C.UNKNOWN, f"Code {code} is not known.")
    return replace(unlisted, source=source)


def classify(retcode: int) -> RetcodeClass:
    """What this answer means for a close."""
    return outcome(retcode).answer
