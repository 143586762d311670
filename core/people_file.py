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
"""

import re
import tomllib
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from core.domain.broker import MarginMode
from core.domain.people import Role

NAME_LENGTH_MAX: Final = 64
ENTRIES_MAX: Final = 10_000
"""Users, and accounts, of one file."""
TELEGRAM_ID_MAX: Final = 2**52
"""Telegram promises that ids fit in 52 bits."""
LOGIN_MAX: Final = 2**63 - 1
GIVEN_LENGTH_MAX: Final = 40
COUNTDOWN_S_MAX: Final = 10
_CURRENCY: Final = re.compile("[A-Z]{3}")

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class PeopleFileError(Exception):
    """The file cannot be used; one line: file, entry, field, what was expected."""


class UserEntry(Struct, frozen=True, kw_only=True):
    """A person, known by the number Telegram gives them."""

    telegram_id: int
    name: str
    role: Role
    time_zone: str = "UTC"


class AccountEntry(Struct, frozen=True, kw_only=True):
    """A trading account. `owner` is its client's telegram_id; limits are None where not given."""

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


class PeopleFile(Struct, frozen=True, kw_only=True):
    """Everybody, in the file's order."""

    users: tuple[UserEntry, ...]
    accounts: tuple[AccountEntry, ...]


def read_people(path: Path) -> PeopleFile:
    """Read and check the whole file. Raises PeopleFileError at the first mistake."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise PeopleFileError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PeopleFileError(f"{path}: expected TOML: {error}") from None
    return people_from(content, str(path))


def people_from(content: dict[str, Any], where: str) -> PeopleFile:
    """Check tables `user` and `account`. `where` names their source. Raises PeopleFileError."""
    for key in content.keys() - {"user", "account"}:
        raise PeopleFileError(f"{where}: '{key}': expected only [[user]] and [[account]]")
    users = tuple(_user(entry) for entry in _entries(content, "user", where))
    accounts = tuple(_account(entry) for entry in _entries(content, "account", where))
    people = PeopleFile(users=users, accounts=accounts)
    _check_together(people, where)
    return people


class _Entry:
    """One table of the file, its fields taken one by one; what is left over is a mistake."""

    def __init__(self, fields: dict[str, Any], where: str) -> None:
        self._fields = dict(fields)
        self._where = where

    def fail(self, field: str, expected: str, given: object = None) -> NoReturn:
        """Say what is wrong with a field."""
        text = "nothing" if given is None else repr(given)[:GIVEN_LENGTH_MAX]
        raise PeopleFileError(f"{self._where}: {field}: expected {expected}, got {text}")

    def take(self, field: str, expected: str, read: Callable[[object], T | None]) -> T:
        """Take a field; `read` answers None for what it does not accept."""
        given = self._fields.pop(field, None)
        value = None if given is None else read(given)
        if value is None:
            self.fail(field, expected, given)
        return value

    def may(self, field: str, expected: str, read: Callable[[object], T | None]) -> T | None:
        """Take a field that may be left out."""
        return self.take(field, expected, read) if field in self._fields else None

    def finish(self) -> None:
        """Refuse fields nobody took."""
        for field in self._fields:
            raise PeopleFileError(f"{self._where}: {field}: no such field")


def _entries(content: dict[str, Any], kind: str, where: str) -> list[_Entry]:
    tables = content.get(kind, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise PeopleFileError(f"{where}: {kind}: expected [[{kind}]] tables")
    if len(tables) > ENTRIES_MAX:
        raise PeopleFileError(f"{where}: {kind}: expected at most {ENTRIES_MAX} entries")
    return [_Entry(table, f"{where}: {kind} {n}") for n, table in enumerate(tables, 1)]


def _user(entry: _Entry) -> UserEntry:
    user = UserEntry(
        telegram_id=entry.take("telegram_id", "a Telegram user's number", _id(TELEGRAM_ID_MAX)),
        name=entry.take("name", f"1 to {NAME_LENGTH_MAX} characters", _words),
        role=entry.take("role", _one_of(Role), _member(Role)),
        time_zone=entry.may("time_zone", "an IANA name such as Europe/London", _zone) or "UTC",
    )
    entry.finish()
    return user


def _account(entry: _Entry) -> AccountEntry:
    percent = "a number from 1 to 90, as text"
    account = AccountEntry(
        login=entry.take("login", "the account's number", _id(LOGIN_MAX)),
        server=entry.take("server", f"1 to {NAME_LENGTH_MAX} characters", _words),
        owner=entry.take("owner", "the telegram_id of a [[user]]", _id(TELEGRAM_ID_MAX)),
        currency=entry.take("currency", "three capitals such as GBP", _currency),
        margin_mode=entry.take("margin_mode", _one_of(MarginMode), _member(MarginMode)),
        name=entry.take("name", f"1 to {NAME_LENGTH_MAX} characters", _words),
        max_drawdown_percent=entry.may("max_drawdown_percent", percent, _figure(1, 90)),
        warn_drawdown_percent=entry.may("warn_drawdown_percent", percent, _figure(1, 90)),
        min_equity_gbp=entry.may(
            "min_equity_gbp", "an amount from 0 to 10000000, as text", _figure(0, 10_000_000)
        ),
        countdown_s=entry.may("countdown_s", "a whole number from 0 to 10", _countdown),
    )
    warn, limit = account.warn_drawdown_percent, account.max_drawdown_percent
    if warn is not None and limit is not None and warn >= limit:
        entry.fail("warn_drawdown_percent", f"less than max_drawdown_percent ({limit})", str(warn))
    entry.finish()
    return account


def _check_together(people: PeopleFile, where: str) -> None:
    """What only the whole file can tell: nobody twice, no account without its owner."""
    known: set[int] = set()
    for n, user in enumerate(people.users, 1):
        if user.telegram_id in known:
            raise PeopleFileError(
                f"{where}: user {n}: telegram_id: expected each person once, "
                f"got {user.telegram_id} again"
            )
        known.add(user.telegram_id)
    seen: set[tuple[str, int]] = set()
    for n, account in enumerate(people.accounts, 1):
        if account.owner not in known:
            raise PeopleFileError(
                f"{where}: account {n}: owner: expected the telegram_id of a [[user]], "
                f"got {account.owner}"
            )
        if (account.server, account.login) in seen:
            raise PeopleFileError(
                f"{where}: account {n}: login: expected each login of a server once, "
                f"got {account.login} again"
            )
        seen.add((account.server, account.login))


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
