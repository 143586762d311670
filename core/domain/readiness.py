"""What was found on the way to an account's broker, step by step, for `python -m bot check`.

Facts only: which words they are told in, and what to do next, is decided where they are shown.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from core.domain.rates import Rate
from core.records import AccountStateRow

READING_AGE_MAX = timedelta(seconds=60)
"""A running Reckoner's last reading of an account counts as present up to this age ..."""
INTERVALS_MAX = 3
"""... or up to so many of its longest intervals, where these are longer."""


class Stage(StrEnum):
    """How far the way to a broker was gone; the first that fails ends it."""

    LINK = "link"
    """A terminal is linked, its password can be read, and a command leads to it."""
    AGENT = "agent"
    """The agent starts and can load MetaTrader's library."""
    TERMINAL = "terminal"
    """The terminal starts, or is found running, and lets the agent in."""
    LOGIN = "login"
    """It is logged in, to the right account."""
    READING = "reading"
    """The account can be read whole."""


class Trouble(Struct, frozen=True, kw_only=True):
    """Where the way ended.

    `kind` is the agent protocol's word, or one of: unlinked, password (cannot be decrypted),
    command (there is none), no_host, no_place, bad_host (it does not go together with the link's
    host), start (the system refused to start it), lost (the agent ended, froze, or answered
    nonsense). `code` is MetaTrader's `last_error` code. `text` shows no
    secret.
    """

    stage: Stage
    kind: str
    text: str
    code: int | None = None


class CloseTried(Struct, frozen=True, kw_only=True):
    """What `order_check` said of closing an open position now; nothing was sent."""

    ticket: int
    symbol: str
    volume: Decimal
    retcode: int
    comment: str


class Symbols(Struct, frozen=True, kw_only=True):
    """Which of the broker's symbols stand for those that matter.

    `found`: asked for and its broker's name; `missing`: needed and not there; `ambiguous`: needed
    and several could be meant; `unused`: names of settings that this broker has no symbol for.
    """

    found: dict[str, str] = {}
    missing: tuple[str, ...] = ()
    ambiguous: dict[str, tuple[str, ...]] = {}
    unused: tuple[str, ...] = ()


class Found(Struct, frozen=True, kw_only=True):
    """Everything found out about one account's way; what was not reached is None.

    `offset_is_fresh`: prices told the broker's clock just now; else it is what was kept. `took_s`:
    from the start of the agent to the terminal's login.
    """

    login: int
    trouble: Trouble | None = None
    path: str = ""
    host: str = ""
    build: int | None = None
    took_s: float | None = None
    connected: bool | None = None
    obstacles: tuple[str, ...] | None = None
    fifo_close: bool = False
    offset_s: int | None = None
    offset_is_fresh: bool = False
    currency: str = ""
    margin_mode: str = ""
    symbols: Symbols | None = None
    rate: Rate | None = None
    read_at: datetime | None = None
    closes: tuple[CloseTried, ...] = ()


def of_state(state: AccountStateRow, login: int, currency: str, place: str) -> Found:
    """What a running Reckoner has kept of its last reading."""
    rate = None
    if state.gbp_rate is not None and state.gbp_rate_at is not None:
        rate = Rate(state.gbp_rate, state.gbp_rate_at)
    return Found(
        login=login,
        path=place,
        connected=True,
        obstacles=tuple(state.obstacles or ()),
        offset_s=state.server_offset_s,
        offset_is_fresh=True,
        currency=currency,
        rate=rate,
        read_at=state.observed_at,
    )


def is_recent(observed_at: datetime | None, now: datetime, interval_s: float) -> bool:
    """Whether a running Reckoner reads the account: its last reading is young enough."""
    if observed_at is None:
        return False
    return now - observed_at <= max(READING_AGE_MAX, INTERVALS_MAX * timedelta(seconds=interval_s))
