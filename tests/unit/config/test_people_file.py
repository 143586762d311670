"""The people file: read whole, or a line per mistake: file, entry, field, what was expected."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.domain.broker import MarginMode
from core.domain.people import Role
from core.people_file import (
    ENTRIES_MAX,
    MISTAKES_TOLD_MAX,
    PeopleFileError,
    people_from,
    read_people,
)

USER = {"telegram_id": 7, "name": "Alice", "role": "client"}
ACCOUNT = {
    "login": 5,
    "server": "Broker-Live",
    "owner": 7,
    "currency": "GBP",
    "margin_mode": "hedging",
    "name": "Alice, main",
}


def _mistake(content: dict[str, Any]) -> str:
    with pytest.raises(PeopleFileError) as caught:
        people_from(content, "people.toml")
    return str(caught.value)


def test_the_shipped_example_is_a_people_file() -> None:
    people = read_people(Path(__file__).parents[3] / "people.example.toml")
    ada, alice = people.users
    (account,) = people.accounts
    assert (ada.role, alice.role) == (Role.ADMIN, Role.CLIENT)
    assert account.owner == alice.telegram_id


def test_limits_are_exact_and_optional() -> None:
    tight = ACCOUNT | {"max_drawdown_percent": "12.3", "countdown_s": 0, "min_equity_gbp": 500}
    (account,) = people_from({"user": [USER], "account": [tight]}, "x").accounts
    assert account.max_drawdown_percent == Decimal("12.3")
    assert account.min_equity_gbp == 500
    assert account.countdown_s == 0
    assert account.warn_drawdown_percent is None
    assert account.margin_mode is MarginMode.HEDGING


def test_without_a_time_zone_it_is_utc() -> None:
    assert people_from({"user": [USER]}, "x").users[0].time_zone == "UTC"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("telegram_id", -7, "a Telegram user's number, got -7"),
        ("telegram_id", 2**52 + 1, "a Telegram user's number, got 4503599627370497"),
        ("telegram_id", True, "a Telegram user's number, got True"),
        ("name", "", "1 to 64 characters, got ''"),
        ("name", "x" * 65, "1 to 64 characters, got"),
        ("role", "boss", "one of client, admin, owner, pending, blocked, got 'boss'"),
        ("time_zone", "Mars/Base", "an IANA name such as Europe/London, got 'Mars/Base'"),
    ],
)
def test_a_wrong_field_of_a_user_is_named(field: str, value: object, expected: str) -> None:
    line = _mistake({"user": [USER | {"telegram_id": 1}, USER | {field: value}]})
    assert line.startswith(f"people.toml: user 2: {field}: expected {expected}")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("login", 0, "the account's number, got 0"),
        ("login", "5", "the account's number, got '5'"),
        ("owner", 8, "the telegram_id of a [[user]], got 8"),
        ("currency", "gbp", "three capitals such as GBP, got 'gbp'"),
        ("margin_mode", "both", "one of netting, exchange, hedging, got 'both'"),
        ("max_drawdown_percent", 12.5, "a number from 1 to 90, as text, got 12.5"),
        ("max_drawdown_percent", "90.01", "a number from 1 to 90, as text, got '90.01'"),
        ("min_equity_gbp", "-1", "an amount from 0 to 10000000, as text, got '-1'"),
        ("countdown_s", 11, "a whole number from 0 to 10, got 11"),
    ],
)
def test_a_wrong_field_of_an_account_is_named(field: str, value: object, expected: str) -> None:
    line = _mistake({"user": [USER], "account": [ACCOUNT | {field: value}]})
    assert line == f"people.toml: account 1: {field}: expected {expected}"


@pytest.mark.parametrize("field", sorted(ACCOUNT))
def test_a_missing_field_is_named(field: str) -> None:
    entry = {name: value for name, value in ACCOUNT.items() if name != field}
    line = _mistake({"user": [USER], "account": [entry]})
    assert line.startswith(f"people.toml: account 1: {field}: expected ")
    assert line.endswith(", got nothing")


def test_fields_and_tables_that_do_not_exist_are_refused() -> None:
    assert _mistake({"user": [USER | {"rank": 1}]}) == "people.toml: user 1: rank: no such field"
    assert "expected only [[user]] and [[account]]" in _mistake({"users": []})
    assert _mistake({"user": {}}) == "people.toml: user: expected [[user]] tables"


def test_warning_must_stand_below_the_limit() -> None:
    limits = {"max_drawdown_percent": "12", "warn_drawdown_percent": "12"}
    line = _mistake({"user": [USER], "account": [ACCOUNT | limits]})
    assert "warn_drawdown_percent: expected less than max_drawdown_percent (12)" in line


def test_nobody_and_no_account_stands_twice() -> None:
    assert "user 2: telegram_id: expected each person once" in _mistake({"user": [USER, USER]})
    twice = {"user": [USER], "account": [ACCOUNT, ACCOUNT]}
    assert "account 2: login: expected each login of a server once" in _mistake(twice)
    elsewhere = {"user": [USER], "account": [ACCOUNT, ACCOUNT | {"server": "Other"}]}
    assert len(people_from(elsewhere, "x").accounts) == 2


def test_the_number_of_entries_has_a_bound() -> None:
    users: list[dict[str, object]] = [USER | {"telegram_id": n + 1} for n in range(ENTRIES_MAX)]
    assert len(people_from({"user": users}, "x").users) == ENTRIES_MAX
    assert "expected at most 10000 entries" in _mistake({"user": [*users, USER]})


def test_a_file_that_is_not_there_or_not_toml_is_one_line(tmp_path: Path) -> None:
    absent = tmp_path / "none.toml"
    with pytest.raises(PeopleFileError, match=r"none.toml: cannot be read: No such file"):
        read_people(absent)
    broken = tmp_path / "broken.toml"
    broken.write_text("[[user]\n")
    with pytest.raises(PeopleFileError, match=r"broken.toml: expected TOML: ") as caught:
        read_people(broken)
    assert len(str(caught.value).splitlines()) == 1


def test_every_mistake_of_the_file_is_told_and_not_only_the_first() -> None:
    """A wrong role and a wrong currency: two lines, and no third one about the owner."""
    wrong = {
        "user": [USER | {"role": "boss", "rank": 1}],
        "account": [ACCOUNT | {"currency": "gbp"}],
    }
    assert _mistake(wrong).splitlines() == [
        f"people.toml: user 1: role: expected one of {', '.join(Role)}, got 'boss'",
        "people.toml: user 1: rank: no such field",
        "people.toml: account 1: currency: expected three capitals such as GBP, got 'gbp'",
    ]


def test_a_wrong_number_of_a_user_does_not_make_accounts_ownerless() -> None:
    lines = _mistake({"user": [USER | {"telegram_id": "7"}], "account": [ACCOUNT]}).splitlines()
    assert len(lines) == 1


@pytest.mark.parametrize(("count", "lines"), [(MISTAKES_TOLD_MAX, 20), (MISTAKES_TOLD_MAX + 1, 21)])
def test_the_number_of_mistakes_told_has_a_bound(count: int, lines: int) -> None:
    users = [USER | {"telegram_id": n + 1, "role": "boss"} for n in range(count)]
    said = _mistake({"user": users}).splitlines()
    assert len(said) == lines
    assert (said[-1] == "and 1 more") == (count > MISTAKES_TOLD_MAX)
