"""A pinned card: rounded against hope, edited when a whole step is gone, stale and locked first."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain.card import (
    CardAccount,
    CardShown,
    accounts_of,
    has_changed,
    money_step,
    rounded,
    rounded_up,
)
from tests.fakes.clock import START
from tests.fakes.shell import account

D = Decimal


def shown(**changes: Any) -> CardAccount:
    """Ann's account, its peak 10,000 GBP: shown in steps of 10."""
    (made,) = accounts_of([account(**changes)], START)
    return made


def card(*accounts: CardAccount, language: str = "en", time_zone: str = "UTC") -> CardShown:
    """A card in the chat."""
    return CardShown(language=language, time_zone=time_zone, accounts=accounts)


@pytest.mark.parametrize(
    ("peak", "digits", "step"),
    [
        (D(10000), 2, D(10)),
        (D(9999), 2, D(1)),
        (D(1000), 2, D(1)),
        (D(250), 2, D("0.1")),
        (D(1), 2, D("0.01")),
        (D(1_000_000), 0, D(1000)),
        (D(50), 0, D(1)),
        (None, 2, D("0.01")),
        (D(0), 2, D("0.01")),
    ],
)
def test_money_moves_in_steps_of_a_thousandth_of_the_peak_at_most(
    peak: Decimal | None, digits: int, step: Decimal
) -> None:
    assert money_step(peak, digits) == step


@pytest.mark.parametrize(
    ("amount", "down"), [("1589.99", 1580), ("1580", 1580), ("-0.01", -10), ("-20", -20)]
)
def test_money_is_rounded_down(amount: str, down: int) -> None:
    assert rounded(D(amount), D(10)) == down


def test_what_is_past_the_limit_is_rounded_up() -> None:
    """96.20 past the limit read as 90, which is the pleasant side."""
    assert [rounded_up(D(x), D(10)) for x in ("96.20", "90", "0.01")] == [100, 90, 10]


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({}, False),
        ({"equity": D("9589.99")}, False),
        ({"equity": D(9590)}, True),
        ({"equity": D("9570.01")}, False),
        ({"equity": D(9570)}, True),
        ({"headroom": D("1570.01")}, False),
        ({"headroom": D(1570)}, True),
        ({"profit": D(-30)}, True),
        ({"drawdown_percent": D("4.29")}, False),
        ({"drawdown_percent": D("4.3")}, True),
        ({"positions_count": 2}, True),
        ({"guard": "latched"}, True),
        ({"obstacles": ("read_only_password",)}, True),
        ({"unavailable_since": START}, True),
        ({"equity": None}, True),
        ({"balance": D(1), "open_divergences": 4}, False),
        ({"observed_at": START - timedelta(seconds=90)}, False),
        ({"observed_at": START - timedelta(seconds=91)}, True),
    ],
)
def test_a_card_is_edited_when_what_it_shows_has_gone_a_whole_step(
    changes: dict[str, Any],
    changed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert has_changed(card(shown()), card(shown(**changes))) is changed


def test_old_figures_do_not_flutter() -> None:
    gone = shown(unavailable_since=START)
    assert not has_changed(card(gone), card(replace(gone, equity=D(1), profit=D(500))))
    assert has_changed(card(gone), card(replace(gone, guard="latched")))


def test_an_account_that_comes_or_goes_changes_the_card() -> None:
    two = (shown(), shown(login=50002))
    assert has_changed(card(*two), card(*two[:1]))
    assert has_changed(card(*two[:1]), card(*two))
    assert not has_changed(card(*two), card(*two[::-1]))


def test_what_is_stale_or_locked_stands_first_then_the_least_room() -> None:
    boards = [
        account(login=1, headroom=D(900)),
        account(login=2, headroom=D(100)),
        account(login=3, guard="latched"),
        account(login=4, unavailable_since=START),
        account(login=5, observed_at=None, equity=None, headroom=None),
    ]
    assert [each.login for each in accounts_of(boards, START)] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("changes", [{"language": "es"}, {"time_zone": "Asia/Tokyo"}])
def test_another_language_or_zone_of_its_reader_is_a_change(changes: dict[str, str]) -> None:
    assert has_changed(card(shown()), card(shown(), **changes))
    assert not has_changed(card(shown(), **changes), card(shown(), **changes))
