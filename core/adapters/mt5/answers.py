"""What an agent's refusal means: for a read, for a send, and for the terminal. Pure.

The kinds are docs/agent-protocol.md's; what a `last_error` code means for a send is the order
outcome table's. A kind that is not known proves nothing: the outcome is unknown.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from core.adapters.mt5.channel import Answer, Lost, LostHow, NotAsked
from core.adapters.terminal.outcomes import certainly_not_sent
from core.adapters.terminal.translate import AUTH_FAILED
from core.ports import (
    AnsweredElsewhere,
    BrokerUnavailable,
    LoginRefused,
    NotSent,
    OutcomeUnknown,
    StaleEpoch,
    TerminalStarting,
    WrongAccount,
)

IPC_CODE_MAX: Final = -10000
"""`last_error` codes from here down: the pipe to the terminal is lost (facts: mt5, 1.3)."""
SEND_CALL: Final = "order_send"


STALE_EPOCH: Final = "stale_epoch"
WRONG_ACCOUNT: Final = "wrong_account"
"""A kind of refusal, and the word that is counted."""


class Then(StrEnum):
    """What becomes of the terminal."""

    GO_ON = "go on"
    """The agent is well; the same failure several times in a row is not."""
    RECONNECT = "reconnect"
    """The agent is well; its child or the terminal is not."""
    RESTART = "restart"
    """The agent is to be killed."""


class Refusal(Struct, frozen=True, kw_only=True):
    """An answer that is not ok. `code` and `call` where a call of MetaTrader's failed.

    `elsewhere`: the answer was about another account than was asked for, whatever else it says.
    """

    kind: str
    text: str
    code: int | None = None
    call: str | None = None
    elsewhere: bool = False

    def __str__(self) -> str:
        """One line for people."""
        called = f"{self.call} failed: " if self.call else ""
        code = f" ({self.code})" if self.code is not None else ""
        return f"{called}{self.text or self.kind}{code}"


class Refused(Exception):
    """The agent answered, and not ok."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class Meaning(Struct, frozen=True):
    """Whether a send may have left, what becomes of the terminal, and the word that is counted."""

    may_have_left: bool
    then: Then
    counted: str = ""


KINDS: Final = {
    "bad_request": Meaning(may_have_left=False, then=Then.GO_ON),
    STALE_EPOCH: Meaning(may_have_left=False, then=Then.RESTART),
    "terminal_locked": Meaning(may_have_left=False, then=Then.RESTART),
    "not_connected": Meaning(may_have_left=False, then=Then.RECONNECT),
    "module_missing": Meaning(may_have_left=False, then=Then.RESTART),
    WRONG_ACCOUNT: Meaning(may_have_left=False, then=Then.RESTART),
    "unstable": Meaning(may_have_left=False, then=Then.GO_ON),
    "refused": Meaning(may_have_left=False, then=Then.GO_ON),
    "timeout": Meaning(may_have_left=True, then=Then.RECONNECT, counted="timeout"),
    "child_died": Meaning(may_have_left=True, then=Then.RECONNECT, counted="died"),
    "internal": Meaning(may_have_left=False, then=Then.GO_ON),
    "after_send": Meaning(may_have_left=True, then=Then.GO_ON),
}
MT5: Final = "mt5"
UNKNOWN_KIND: Final = Meaning(may_have_left=True, then=Then.RESTART, counted="malformed")


def refusal_of(answer: Answer, login: int, server: str) -> Refusal:
    """What a not-ok answer to a question about an account says. Raises Lost where it says nothing.

    Before a child has connected, an answer names no account.
    """
    error = answer.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("kind"), str):
        raise Lost(LostHow.MALFORMED, "an answer that is not ok and does not say why")
    code, call = error.get("code"), error.get("call")
    return Refusal(
        kind=error["kind"],
        text=str(error.get("text", "")),
        code=code if type(code) is int else None,
        call=call if isinstance(call, str) else None,
        elsewhere=error["kind"] == WRONG_ACCOUNT
        or answer.get("login") not in (None, login)
        or answer.get("server") not in (None, server),
    )


def meaning(refusal: Refusal) -> Meaning:
    """What a refusal means."""
    if refusal.kind == MT5:
        lost = refusal.code is None or refusal.code <= IPC_CODE_MAX
        then = Then.RECONNECT if lost else Then.GO_ON
        meant = Meaning(may_have_left=_order_may_have_left(refusal), then=then)
    else:
        meant = KINDS.get(refusal.kind, UNKNOWN_KIND)
    if refusal.elsewhere:
        return replace(meant, then=Then.RESTART, counted=WRONG_ACCOUNT)
    return meant


Fault = type[BrokerUnavailable] | type[StaleEpoch]
Failure = Refused | Lost | NotAsked | BrokerUnavailable


class Verdict(Struct, frozen=True):
    """What becomes of a terminal, the word that is counted, and what is raised until it is up."""

    then: Then
    counted: str = ""
    fault: Fault = TerminalStarting


def verdict(error: Failure) -> Verdict:
    """What a failure says of the terminal.

    Most failures are told as "starting" until it is up again; a refused password, another account,
    or a newer owner is told as such.
    """
    match error:
        case Refused(refusal=refusal):
            meant = meaning(refusal)
            return Verdict(meant.then, meant.counted, _lasting(refusal))
        case Lost(how=how):
            return Verdict(Then.RESTART, how.value)
        case WrongAccount():
            return Verdict(Then.RESTART, WRONG_ACCOUNT, WrongAccount)
        case _:
            return Verdict(Then.GO_ON)


def _lasting(refusal: Refusal) -> Fault:
    if refusal.kind == STALE_EPOCH:
        return StaleEpoch
    if refusal.elsewhere:
        return WrongAccount
    return LoginRefused if _is_login_refused(refusal) else TerminalStarting


def _is_login_refused(refusal: Refusal) -> bool:
    return refusal.kind == MT5 and refusal.code == AUTH_FAILED


def _order_may_have_left(refusal: Refusal) -> bool:
    """Calls other than `order_send` are made before it: then nothing has left."""
    if refusal.call is not None and refusal.call != SEND_CALL:
        return False
    return refusal.code is None or not certainly_not_sent(refusal.code, refusal.text)


def read_failure(refusal: Refusal) -> BrokerUnavailable | StaleEpoch:
    """What a refused read raises."""
    if refusal.kind == STALE_EPOCH:
        return StaleEpoch(str(refusal))
    if refusal.elsewhere:
        return WrongAccount(str(refusal))
    kind = LoginRefused if _is_login_refused(refusal) else BrokerUnavailable
    return kind(str(refusal))


def send_failure(refusal: Refusal) -> NotSent | OutcomeUnknown | StaleEpoch | WrongAccount:
    """What a refused send raises."""
    if refusal.kind == STALE_EPOCH:
        return StaleEpoch(str(refusal))
    if meaning(refusal).may_have_left:
        unknown = AnsweredElsewhere if refusal.elsewhere else OutcomeUnknown
        return unknown(str(refusal), code=refusal.code)
    if refusal.elsewhere:
        return WrongAccount(str(refusal))
    return NotSent(str(refusal), code=refusal.code)


def check_account(answer: Answer, login: int, server: str) -> None:
    """Raise WrongAccount where an answer is not this account's, Lost where it names none."""
    found = answer.get("login"), answer.get("server")
    if not isinstance(found[0], int) or not isinstance(found[1], str):
        raise Lost(LostHow.MALFORMED, f"an answer to {answer.get('verb')} that names no account")
    if found != (login, server):
        raise WrongAccount(
            f"asked for {login} at {server}, the terminal answered for {found[0]} at {found[1]}"
        )
