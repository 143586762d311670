"""What was found on the way to an account's broker, as the steps that `check` prints."""

from datetime import datetime
from decimal import Decimal
from html import unescape
from typing import Final

from msgspec import Struct

from bot.cli.check_troubles import BRING_BACK, told
from bot.cli.steps import Step, cannot, many, ok
from bot.views.message import Audience
from bot.views.obstacles import next_steps, sentence
from core.domain.broker_time import STEP_S
from core.domain.readiness import Found, Stage, Symbols, Trouble, is_recent
from core.domain.retcodes import MARKET_CLOSED
from core.records import AccountStateRow

TERMINAL, LOGIN, PERMISSIONS = "terminal", "login", "permissions"
TIME, SYMBOLS, POUNDS, CLOSING = "time offset", "symbols", "pounds", "closing"
READING = "reading"
NOT_REACHED: Final = "not looked at, because of what stands above"
RATE_AGE_TOLD_S: Final = 60
HOURS_FROM_S: Final = 2 * 3600
UNUSED_TOLD_MAX: Final = 12
CHECK_OK: Final = 0
OFFLINE: Final = (
    "it reads again once the terminal is connected: its lower right corner must show a "
    "connection. See to its machine's network, and whether the broker's server is up; if both "
    "are, log in by hand (File, Login to Trade Account)"
)
KEY_REASON: Final = "the password of "
"""How a reason begins that is about a password's key (`core.adapters.sql.terminals`)."""


class Running(Struct, frozen=True, kw_only=True):
    """A Reckoner that runs: since when (UTC), its longest interval, whether it can use the link.

    `opens`: the account's password can be read now.
    """

    since: datetime | None
    interval_s: float
    opens: bool = True


def steps(found: Found, now: datetime, relink: str, key: str = BRING_BACK) -> list[Step]:
    """The account's steps in order. `relink` links it again; `key`: what to do about its key."""
    if found.trouble is not None:
        return [*_before(found, relink), _trouble(found.trouble, found, relink, key)]
    symbols = [] if found.symbols is None else [_symbols(found.symbols)]
    reached = [*_logged_in(found, relink), _time(found), *symbols, _pounds(found, now)]
    return [*reached, _closing(found)] if found.closes else reached


def running_steps(
    state: AccountStateRow, found: Found, now: datetime, running: Running, relink: str
) -> list[Step]:
    """The account's steps by what a running Reckoner has kept; `found` is made of `state`."""
    is_read = state.unavailable_since is None
    if not is_read or not is_recent(state.observed_at, now, running.interval_s):
        known = [_permissions(found, relink)] if found.obstacles else []
        return [*blocked(state), *known, _not_read(state, found.login, now, running)]
    read = ok(READING, f"the running Reckoner read this account {_ago(found.read_at, now)} ago")
    return [
        *blocked(state),
        read,
        _permissions(found, relink),
        _time(found),
        _pounds(found, now),
    ]


def _not_read(state: AccountStateRow, login: int, now: datetime, running: Running) -> Step:
    last = "the running Reckoner has not read this account yet"
    if state.observed_at is not None:
        last = f"the running Reckoner read this account last {_ago(state.observed_at, now)} ago"
    since = state.unavailable_since
    if state.unavailable_reason and since is not None and not _is_past(state, running):
        last += f"; since {since:%Y-%m-%d %H:%M} UTC: {state.unavailable_reason}"
    if state.terminal_blocked_at is not None:
        return cannot(READING, last, "first do what stands above")
    return cannot(
        READING,
        last,
        "in the first minute after a start that is normal. Later: /status in the admin chat says "
        "why, and when it tries again; what the agent has printed is in DATA_DIR, "
        f"agents/{login}.log",
    )


def _is_past(state: AccountStateRow, running: Running) -> bool:
    """Whether the kept reason is not of now: of an earlier run, or of a key that is back."""
    since, reason = state.unavailable_since, state.unavailable_reason or ""
    if since is not None and running.since is not None and since < running.since:
        return True
    return running.opens and reason.startswith(KEY_REASON)


def over_http(address: str) -> Step:
    """The one step of an account whose terminal answers over HTTP: what is there is not known."""
    return cannot(
        TERMINAL,
        f"served over HTTP at {address}, not looked at",
        "start Reckoner and run this again: it then tells what Reckoner has read",
    )


def blocked(state: AccountStateRow | None) -> list[Step]:
    """One step where the account is blocked, none where it is not."""
    if state is None or state.terminal_blocked_at is None:
        return []
    return [
        cannot(
            LOGIN,
            f"blocked since {state.terminal_blocked_at:%Y-%m-%d %H:%M} UTC, because the terminal "
            f"answered for another account: {state.terminal_blocked_reason}",
            "see to the terminal, then send /unblock in the admin chat",
        )
    ]


def _ago(at: datetime | None, now: datetime) -> str:
    return "some time" if at is None else _age(max(0, int((now - at).total_seconds())))


def _before(found: Found, relink: str) -> list[Step]:
    """What went well before the trouble."""
    if found.build is not None:
        return _logged_in(found, relink)
    is_login = found.trouble is not None and found.trouble.stage is Stage.LOGIN
    return [ok(TERMINAL, _place(found))] if is_login else []


def _logged_in(found: Found, relink: str) -> list[Step]:
    return [
        ok(TERMINAL, _place(found) + _start(found)),
        ok(LOGIN, "the right account on the right server"),
        _permissions(found, relink),
    ]


def _place(found: Found) -> str:
    return f"{found.path} on {found.host}" if found.host else found.path


def _start(found: Found) -> str:
    took = "" if found.took_s is None else f", answered in {found.took_s:.1f} s"
    return f"{took}, build {found.build}" if found.build is not None else took


def _permissions(found: Found, relink: str) -> Step:
    if not found.obstacles:
        fifo = "; the broker wants the oldest position of a symbol closed first" * found.fifo_close
        return ok(PERMISSIONS, f"Reckoner can watch this account and close on it{fifo}")
    todo = next_steps(found.obstacles, found.login, Audience.ADMIN)
    # The chat's words are written for HTML, and know no path of a terminal.
    fix = unescape(" ".join(todo)).replace("python -m bot link", relink)
    return cannot(PERMISSIONS, unescape(sentence(found.obstacles)), fix)


def _time(found: Found) -> Step:
    if found.offset_s is None:
        return cannot(
            TIME,
            "no fresh price came, so the broker's clock is not known and nothing can be dated",
            "the market is probably closed: run this again when it is open",
        )
    line = f"the broker's clock is {_hours(found.offset_s)}"
    if not found.offset_is_fresh:
        line += ", as kept from before: no fresh price came just now (is the market closed?)"
    return ok(TIME, line)


def _hours(offset_s: int) -> str:
    if offset_s == 0:
        return "UTC"
    hours = Decimal(abs(offset_s) // STEP_S) / 4
    return f"{hours.normalize():f} h {'ahead of' if offset_s > 0 else 'behind'} UTC"


def _symbols(symbols: Symbols) -> Step:
    if symbols.missing or symbols.ambiguous:
        lacking = [f"{name} is not to be found" for name in symbols.missing]
        lacking += [
            f"{name} may be any of {', '.join(names)}" for name, names in symbols.ambiguous.items()
        ]
        return cannot(
            SYMBOLS,
            f"of open signals and trades, {'; '.join(lacking)}",
            "let these signals expire, and post them by the broker's own name of the symbol",
        )
    renamed = [f"{asked} is {name}" for asked, name in symbols.found.items() if asked != name]
    line = f"{len(symbols.found)} found"
    if renamed:
        line += f" ({', '.join(renamed)})"
    if symbols.unused:
        line += f"; not at this broker: {', '.join(symbols.unused[:UNUSED_TOLD_MAX])}"
    return ok(SYMBOLS, line)


def _pounds(found: Found, now: datetime) -> Step:
    if found.rate is None and found.offset_s is None:
        return cannot(POUNDS, NOT_REACHED, "see the time offset")
    if found.rate is None:
        return cannot(
            POUNDS,
            f"nothing here turns {found.currency} into GBP, so the minimum equity cannot be held",
            f"in the terminal's Market Watch show GBP{found.currency} or {found.currency}GBP, or "
            "both legs over USD; a broker without them cannot be armed with a minimum in pounds",
        )
    if found.currency == "GBP":
        return ok(POUNDS, "the account is in pounds")
    age_s = int((now - found.rate.at).total_seconds())
    old = f", {_age(age_s)} old" if age_s >= RATE_AGE_TOLD_S else ""
    return ok(POUNDS, f"1 {found.currency} is {found.rate.gbp_per_unit.normalize():f} GBP{old}")


def _age(age_s: int) -> str:
    if age_s < RATE_AGE_TOLD_S:
        return f"{age_s} s"
    return f"{age_s // 60} min" if age_s < HOURS_FROM_S else f"{age_s // 3600} h"


def _closing(found: Found) -> Step:
    refused = [each for each in found.closes if each.retcode not in {CHECK_OK, MARKET_CLOSED}]
    if refused:
        first = refused[0]
        return cannot(
            CLOSING,
            f"the terminal would refuse to close {first.volume.normalize():f} {first.symbol} "
            f"(ticket {first.ticket}): {first.comment} ({first.retcode})",
            "close it once by hand in the terminal to see why, or ask the broker",
        )
    waiting = sum(1 for each in found.closes if each.retcode == MARKET_CLOSED)
    later = f", {waiting} of them when the market opens" if waiting else ""
    return ok(CLOSING, f"{many(len(found.closes), 'open position')} could be closed now{later}")


def _trouble(trouble: Trouble, found: Found, relink: str, key: str) -> Step:
    names = {Stage.LOGIN: LOGIN, Stage.READING: READING}
    state, text, fix = told(trouble, found, relink, key)
    if found.connected is False and trouble.stage is Stage.READING:
        fix = OFFLINE
    return Step(names.get(trouble.stage, TERMINAL), state, text, fix)
