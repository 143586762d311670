"""The people file: who may do what, and whose account is which. TOML, read at start.

    [[user]]
    telegram_id = 1001
    name = "Alice"
    role = "client"            # client, admin, owner, pending or blocked
    time_zone = "Europe/London"

    [[account]]
    login = 50001
    server = "Broker-Live"
    owner = 1001               # the telegram_id of a [[user]]
    currency = "GBP"
    margin_mode = "hedging"    # hedging, netting or exchange
    name = "Alice, gold"

An account may carry tighter limits than the settings (`max_drawdown_percent`,
`warn_drawdown_percent`, `min_equity_gbp`, `countdown_s`), written as text so that they stay exact.
It may have a rule profile (`profile`, docs/rules.md) with a `mode` for all of its rules, `modes`
for single ones, and the `initial_balance` that they count from.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from core.domain.broker import MarginMode
from core.domain.people import Role
from core.domain.rules import Mode

NAME_LENGTH_MAX: Final = 64
ENTRIES_MAX: Final = 10_000
"""Users, and accounts, of one file."""
TELEGRAM_ID_MAX: Final = 2**52
"""Telegram promises that ids fit in 52 bits."""
LOGIN_MAX: Final = 2**63 - 1
GIVEN_LENGTH_MAX: Final = 40
COUNTDOWN_S_MAX: Final = 10
MISTAKES_TOLD_MAX: Final = 20
"""So many are told, a line each; of more only how many."""
_CURRENCY: Final = re.compile("[A-Z]{3}")

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class PeopleFileError(Exception):
    """The file cannot be used; a line per mistake: file, entry, field, what was expected."""

    def __init__(self, lines: Sequence[str]) -> None:
        told = list(lines[:MISTAKES_TOLD_MAX])
        if len(lines) > MISTAKES_TOLD_MAX:
            told.append(f"and {len(lines) - MISTAKES_TOLD_MAX} more")
        super().__init__("\n".join(told))


class UserEntry(Struct, frozen=True, kw_only=True):
    """A person, known by the number Telegram gives them."""

    telegram_id: int
    name: str
    role: Role
    time_zone: str = "UTC"


class AccountEntry(Struct, frozen=True, kw_only=True):
    """A trading account. `owner` is its client's telegram_id; limits are None where not given.

    `profile` names its rules, None for none; `mode` holds for those that `modes` does not name.
    """

    login: int
    server: str
    owner: int
    currency: str
    margin_mode: MarginMode
    name: str
    max_drawdown_percent: Decimal | None = None
    warn_drawdown_percent: Decimal | None = None
    min_equity_gbp: Decimal | None = None
    countdown_s: int | None = None
    profile: str | None = None
    mode: Mode = Mode.ENFORCE
    modes: Mapping[str, Mode] = {}
    initial_balance: Decimal | None = None


class PeopleFile(Struct, frozen=True, kw_only=True):
    """Everybody, in the file's order."""

    users: tuple[UserEntry, ...]
    accounts: tuple[AccountEntry, ...]


def read_people(path: Path) -> PeopleFile:
    """Read and check the whole file. Raises PeopleFileError with every mistake of it."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise PeopleFileError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PeopleFileError([f"{path}: expected TOML: {error}"]) from None
    return people_from(content, str(path))


def people_from(content: dict[str, Any], where: str) -> PeopleFile:
    """Check tables `user` and `account`. `where` names their source. Raises PeopleFileError."""
    mistakes = [
        f"{where}: '{key}': expected only [[user]] and [[account]]"
        for key in content
        if key not in {"user", "account"}
    ]
    entries = {kind: _entries(content, kind, where, mistakes) for kind in ("user", "account")}
    users = [_user(entry) for entry in entries["user"]]
    accounts = [_account(entry) for entry in entries["account"]]
    if not mistakes:  # else users that were not looked at would be missed
        _check_together(entries["user"], entries["account"])
    mistakes += [line for each in (*entries["user"], *entries["account"]) for line in each.mistakes]
    if mistakes:
        raise PeopleFileError(mistakes)
    return PeopleFile(
        users=tuple(each for each in users if each is not None),
        accounts=tuple(each for each in accounts if each is not None),
    )


class _Entry:
    """One table of the file, its fields taken one by one; what is left over is a mistake.

    Each mistake is kept, and the next field is looked at all the same.
    """

    def __init__(self, fields: dict[str, Any], where: str) -> None:
        self._fields = dict(fields)
        self._where = where
        self.taken: dict[str, Any] = {}
        self.mistakes: list[str] = []

    def fail(self, field: str, expected: str, got: str) -> None:
        """Keep what is wrong with a field."""
        self.mistakes.append(f"{self._where}: {field}: expected {expected}, got {got}")

    def take(self, field: str, expected: str, read: Callable[[object], object | None]) -> None:
        """Take a field; `read` answers None for what it does not accept."""
        given = self._fields.pop(field, None)
        value = None if given is None else read(given)
        if value is None:
            self.fail(field, expected, "nothing" if given is None else _short(given))
        else:
            self.taken[field] = value

    def may(self, field: str, expected: str, read: Callable[[object], object | None]) -> None:
        """Take a field that may be left out."""
        if field in self._fields:
            self.take(field, expected, read)

    def made(self, kind: Callable[..., T]) -> T | None:
        """Make what the fields say; None where one of them is wrong, or is none."""
        self.mistakes += [f"{self._where}: {field}: no such field" for field in self._fields]
        return None if self.mistakes else kind(**self.taken)


def _entries(content: dict[str, Any], kind: str, where: str, mistakes: list[str]) -> list[_Entry]:
    tables = content.get(kind, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        mistakes.append(f"{where}: {kind}: expected [[{kind}]] tables")
        return []
    if len(tables) > ENTRIES_MAX:
        mistakes.append(f"{where}: {kind}: expected at most {ENTRIES_MAX} entries")
        return []
    return [_Entry(table, f"{where}: {kind} {n}") for n, table in enumerate(tables, 1)]


def _user(entry: _Entry) -> UserEntry | None:
    entry.take("telegram_id", "a Telegram user's number", _id(TELEGRAM_ID_MAX))
    entry.take("name", f"1 to {NAME_LENGTH_MAX} characters", _words)
    entry.take("role", _one_of(Role), _member(Role))
    entry.may("time_zone", "an IANA name such as Europe/London", _zone)
    return entry.made(UserEntry)


def _account(entry: _Entry) -> AccountEntry | None:
    percent = "a number from 1 to 90, as text"
    entry.take("login", "the account's number", _id(LOGIN_MAX))
    entry.take("server", f"1 to {NAME_LENGTH_MAX} characters", _words)
    entry.take("owner", "the telegram_id of a [[user]]", _id(TELEGRAM_ID_MAX))
    entry.take("currency", "three capitals such as GBP", _currency)
    entry.take("margin_mode", _one_of(MarginMode), _member(MarginMode))
    entry.take("name", f"1 to {NAME_LENGTH_MAX} characters", _words)
    entry.may("max_drawdown_percent", percent, _figure(1, 90))
    entry.may("warn_drawdown_percent", percent, _figure(1, 90))
    entry.may("min_equity_gbp", "an amount from 0 to 10000000, as text", _figure(0, 10_000_000))
    entry.may("countdown_s", "a whole number from 0 to 10", _countdown)
    entry.may("profile", f"1 to {NAME_LENGTH_MAX} characters", _words)
    entry.may("mode", _one_of(Mode), _member(Mode))
    entry.may("modes", f"a table of rules, each {_one_of(Mode)}", _modes)
    entry.may("initial_balance", "an amount from 1 to 1000000000, as text", _figure(1, 10**9))
    warn = entry.taken.get("warn_drawdown_percent")
    limit = entry.taken.get("max_drawdown_percent")
    if warn is not None and limit is not None and warn >= limit:
        expected = f"less than max_drawdown_percent ({limit})"
        entry.fail("warn_drawdown_percent", expected, _short(str(warn)))
    return entry.made(AccountEntry)


def _check_together(users: list[_Entry], accounts: list[_Entry]) -> None:
    """What only the whole file can tell: nobody twice, no account without its owner.

    By what each entry's fields say, also where another field of it is wrong: a misspelt role makes
    no account ownerless.
    """
    known: set[int] = set()
    for user in users:
        person = user.taken.get("telegram_id")
        if person in known:
            user.fail("telegram_id", "each person once", f"{person} again")
        elif person is not None:
            known.add(person)
    is_whole = all("telegram_id" in user.taken for user in users)
    seen: set[tuple[str, int]] = set()
    for account in accounts:
        owner, login = account.taken.get("owner"), account.taken.get("login")
        if is_whole and owner is not None and owner not in known:
            account.fail("owner", "the telegram_id of a [[user]]", str(owner))
        server = account.taken.get("server")
        if (server, login) in seen:
            account.fail("login", "each login of a server once", f"{login} again")
        elif server is not None and login is not None:
            seen.add((server, login))


def _short(given: object) -> str:
    return repr(given)[:GIVEN_LENGTH_MAX]


def _one_of(words: type[StrEnum]) -> str:
    return "one of " + ", ".join(words)


def _member(words: type[E]) -> Callable[[object], E | None]:
    return lambda given: words(given) if isinstance(given, str) and given in list(words) else None


def _id(highest: int) -> Callable[[object], int | None]:
    def read(given: object) -> int | None:
        if not isinstance(given, int) or isinstance(given, bool):
            return None
        return given if 0 < given <= highest else None

    return read


def _words(given: object) -> str | None:
    if not isinstance(given, str) or given.strip() != given or not given.isprintable():
        return None
    return given if 0 < len(given) <= NAME_LENGTH_MAX else None


def _zone(given: object) -> str | None:
    try:
        return ZoneInfo(given).key if isinstance(given, str) else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _currency(given: object) -> str | None:
    return given if isinstance(given, str) and _CURRENCY.fullmatch(given) else None


def _countdown(given: object) -> int | None:
    if not isinstance(given, int) or isinstance(given, bool):
        return None
    return given if 0 <= given <= COUNTDOWN_S_MAX else None


def _modes(given: object) -> dict[str, Mode] | None:
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        return None
    read = {name: _member(Mode)(mode) for name, mode in given.items()}
    known = {name: mode for name, mode in read.items() if mode is not None}
    return known if len(known) == len(given) else None


def _figure(lowest: int, highest: int) -> Callable[[object], Decimal | None]:
    """Read text, or a whole number: a TOML float has lost its last digits already."""

    def read(given: object) -> Decimal | None:
        if isinstance(given, bool) or not isinstance(given, (str, int)):
            return None
        try:
            figure = Decimal(given)
        except InvalidOperation:
            return None
        return figure if figure.is_finite() and lowest <= figure <= highest else None

    return read
