"""Linking an account in the private chat: server, login, password, an admin's yes, a check.

Each answer is judged here, alone: what is not a server that the operator offers, a login or a
password is told in one sentence and kept nowhere, since it may be the password in the wrong place.
"""

import ntpath
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from core.domain.broker import MarginMode

ANSWER_TIME: Final = timedelta(minutes=5)
"""How long each question waits for its answer."""
WRONG_MAX: Final = 5
"""Answers of one conversation that were not taken; the next question is not asked any more."""
CONVERSATIONS_MAX: Final = 10
"""Conversations that one person may begin within CONVERSATIONS_SPAN."""
CONVERSATIONS_SPAN: Final = timedelta(days=1)
LATE_SPAN: Final = timedelta(hours=24)
"""So long after a password was asked for, words of that person are still taken for it. Telegram
keeps what was sent to a bot that did not run for a day."""
LATE_GRACE: Final = timedelta(minutes=2)
"""So long after a password was given, or its question was withdrawn, words are taken for it."""
LATE_MAX: Final = 5
"""Such words that are removed from the chat; those after them are not kept either, only left, which
is said once."""
REQUEST_TIME: Final = timedelta(hours=48)
"""How long a request waits for an admin; then its password is forgotten."""
REQUESTS_WAITING_MAX: Final = 20
"""Requests of everybody that wait for an admin."""
CHECKS_MAX: Final = 5
"""Attempts to reach the broker after the admin's yes ..."""
CHECK_WAIT: Final = timedelta(seconds=30)
"""... and the time between two of them."""
SERVERS_MAX: Final = 20
"""Servers that an operator may offer: a button each."""
TERMINALS_MAX: Final = 200
"""Spare terminals that an operator may name."""
PASSWORD_UNITS_MAX: Final = 256
"""Of UTF-16, which is how the terminal is given it: some characters are two. The agent's bound."""
LOGIN_DIGITS_MAX: Final = 18
"""Any number of so many digits fits into the 63 bits of MetaTrader's logins."""
_LOGIN: Final = re.compile(rf"[0-9]{{1,{LOGIN_DIGITS_MAX}}}")
_SERVER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}")


LOGIN_REFUSED: Final = "the broker refuses its password"
"""Why an account cannot be read whose owner is asked for its new password; kept with its state."""
REFUSED_MAX: Final = 3
"""New passwords of one account that its broker may refuse within CONVERSATIONS_SPAN: a broker locks
an account out after too many."""


class LinkState(StrEnum):
    """Where a link request stands: what is asked for, what it waits for, or how it ended."""

    SERVER = "server"
    LOGIN = "login"
    PASSWORD = "password"  # noqa: S105 - the word for it, not one
    WAITING = "waiting"
    """For an admin."""
    APPROVED = "approved"
    """The broker is asked."""
    LINKED = "linked"
    REFUSED = "refused"
    FAILED = "failed"
    """The broker did not let it in, or was not reached; or too many answers were wrong."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"


ASKING: Final = (LinkState.SERVER, LinkState.LOGIN, LinkState.PASSWORD)
"""States in which the person is asked something."""
OPEN: Final = (*ASKING, LinkState.WAITING, LinkState.APPROVED)
"""States that are not the end. A person has one such request at most."""
WITHDRAWABLE: Final = (*ASKING, LinkState.WAITING)
"""States that their person may end; once an admin has approved, the broker is being asked."""


class Problem(StrEnum):
    """Why an answer was not taken."""

    SERVER = "server"
    LOGIN = "login"
    PASSWORD = "password"  # noqa: S105 - as above
    NO_TEXT = "no_text"
    KEYS = "keys"
    """The keys to the passwords cannot be used now; this one is not the person's fault."""
    OWN = "own"
    """The account is theirs, and no new password is needed."""
    TRIED = "tried"
    """It is theirs, and its broker has refused too many new passwords of late."""
    LATE = "late"
    """Nothing was asked for any more."""
    LEFT = "left"
    """The same, and no more such words are removed; said once."""


class Failure(StrEnum):
    """Why an approved request came to nothing, or a conversation to its end."""

    TRIES = "tries"
    LOGIN = "login"
    """The broker refuses this login and password."""
    INVESTOR = "investor"
    """The password may look on and not trade, so nothing could be closed with it."""
    WRONG_ACCOUNT = "wrong_account"
    """The terminal answered for another account."""
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    """The password cannot be decrypted any more."""
    TAKEN = "taken"
    """The account has come to Reckoner in another way meanwhile."""
    NO_TERMINAL = "no_terminal"
    """No spare terminal was left."""
    NOT_NEEDED = "not_needed"
    """The account can be read with the password there was."""
    CHANGED = "changed"
    """An operator has linked the account anew meanwhile."""
    DAMAGED = "damaged"
    """What was kept of it cannot be read any more."""


class Place(Struct, frozen=True, kw_only=True):
    """A terminal's place, as `python -m bot link` takes it."""

    path: str
    host: str = ""
    portable: bool = False


class Places(Struct, frozen=True, kw_only=True):
    """Where an account that is linked in the chat gets its terminal from.

    `spare` are terminals that wait for an account. Where terminals answer over HTTP
    (`base_url`), each login has its own there.
    """

    spare: tuple[Place, ...] = ()
    base_url: str = ""

    def free(self, login: int, taken: Iterable[Place]) -> Place | None:
        """The first one that no account has; None where there is none."""
        if self.base_url:
            return Place(path=f"{self.base_url}/terminal/{login}")
        used = {_one(place) for place in taken}
        return next((place for place in self.spare if _one(place) not in used), None)

    def are_one(self, server: str, other: str) -> bool:
        """Whether one number at these two servers is one account, or would be at one terminal."""
        return bool(self.base_url) or server.casefold() == other.casefold()


class LinkPolicy(Struct, frozen=True, kw_only=True):
    """What the operator allows: accounts at which servers, on which terminals."""

    servers: tuple[str, ...]
    places: Places


class LoggedIn(Struct, frozen=True, kw_only=True):
    """An account that its broker let in. `may_trade`: by this password."""

    currency: str
    margin_mode: MarginMode
    may_trade: bool
    server_offset_s: int | None = None


class LoginFailed(Exception):
    """The broker did not let the account in, for a reason that another try does not change."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class LinkAsk(Struct, frozen=True, kw_only=True):
    """Where somebody's newest request stands, for its next message.

    `problem` says why the last words were not taken, `tries_left` how many wrong answers are left.
    `renewal`: an account that is theirs gets its new password.
    """

    request_id: int
    state: LinkState
    servers: tuple[str, ...] = ()
    server: str = ""
    login: int = 0
    problem: Problem | None = None
    failure: Failure | None = None
    tries_left: int = WRONG_MAX
    renewal: bool = False


def parse_server(text: str, servers: Sequence[str]) -> str | None:
    """The offered server that was meant, spelt as the operator spells it; None for any other."""
    wanted = " ".join(text.split()).casefold()
    return next((server for server in servers if server.casefold() == wanted), None)


def parse_login(text: str) -> int | None:
    """The account's number; None where it is none."""
    digits = text.strip()
    if not _LOGIN.fullmatch(digits):
        return None
    return int(digits) or None


def is_password(text: str) -> bool:
    """Whether it can be one: a line of printable characters, not too long for a terminal."""
    return bool(text) and text.isprintable() and utf16_units(text) <= PASSWORD_UNITS_MAX


def may_be_password(
    state: LinkState, asked_at: datetime | None, ended_at: datetime | None, written_at: datetime
) -> bool:
    """Whether words that nothing waited for may be the password all the same.

    `asked_at` is when the password was given, `ended_at` when the conversation was over, if it is.
    They may where they were written before that, however late they come, or shortly after, but not
    when it has been said that the broker took it. Where the time for an answer ran out, or the
    broker refused the password, somebody who is not looking sends it (again) as long as LATE_SPAN
    lasts. Everything else is what people say.
    """
    if state in {LinkState.EXPIRED, LinkState.FAILED}:
        return True
    if state is LinkState.LINKED and ended_at is not None and written_at > ended_at:
        return False
    over = asked_at or ended_at
    return over is None or written_at < over + LATE_GRACE


def is_server_name(text: str) -> bool:
    """Whether a broker's server can have this name."""
    return _SERVER.fullmatch(text) is not None and text == text.strip()


def utf16_units(text: str) -> int:
    """Its length as Windows counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _one(place: Place) -> tuple[str, str]:
    """One spelling of what Windows takes for the same."""
    return place.host, ntpath.normpath(place.path).casefold()
