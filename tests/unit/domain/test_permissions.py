"""What keeps an account from being closed, and what of it is news."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.broker import Side
from core.domain.permissions import (
    REMINDER_EVERY,
    News,
    Obstacle,
    may_open,
    news,
    obstacles,
    parts,
    standing,
)
from core.records import AccountStateRow
from tests.unit.domain.make import NOW, spec

WELL: dict[str, Any] = {
    "account_trade_allowed": True,
    "account_trade_expert": True,
    "terminal_trade_allowed": True,
    "terminal_tradeapi_disabled": False,
    "connected": True,
    "held": ("XAUUSD",),
    "symbols": {"XAUUSD": spec()},
}
DISABLED = {"XAUUSD": spec(trade_mode=0), "EURUSD": spec("EURUSD", trade_mode=0)}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({}, ()),
        ({"connected": False}, ("disconnected",)),
        ({"account_trade_allowed": False}, ("investor_password",)),
        (
            {"account_trade_allowed": False, "account_trade_expert": False},
            ("investor_password",),
        ),
        ({"account_trade_expert": False}, ("experts_forbidden",)),
        ({"terminal_trade_allowed": False}, ("autotrading_off",)),
        ({"terminal_tradeapi_disabled": True}, ("api_disabled",)),
        ({"symbols": DISABLED}, ("symbol_disabled:XAUUSD",)),
        ({"symbols": DISABLED, "held": ()}, ()),
        (
            {"symbols": DISABLED, "held": ("XAUUSD", "EURUSD", "XAUUSD")},
            ("symbol_disabled:EURUSD", "symbol_disabled:XAUUSD"),
        ),
        *(({"symbols": {"XAUUSD": spec(trade_mode=mode)}}, ()) for mode in (1, 2, 3, 4)),
        ({"held": ("UNKNOWN",)}, ()),
        (
            {"account_trade_allowed": False, "terminal_trade_allowed": False},
            ("investor_password", "autotrading_off"),
        ),
    ],
)
def test_each_flag_is_one_obstacle(flags: dict[str, Any], words: tuple[str, ...]) -> None:
    assert obstacles(**{**WELL, **flags}) == words


def test_words_are_read_back_with_their_symbol() -> None:
    assert parts("autotrading_off") == (Obstacle.AUTOTRADING_OFF, "")
    assert parts("symbol_disabled:US30.cash") == (Obstacle.SYMBOL_DISABLED, "US30.cash")
    assert parts("from_the_future:x") == (None, "x")


def test_a_blocked_terminal_stands_before_all_else() -> None:
    state = AccountStateRow(id=1, terminal_blocked_at=NOW, obstacles=["api_disabled"])
    assert standing(state) == ("wrong_account", "api_disabled")
    assert standing(AccountStateRow(id=1)) == ()


DAY_AGO = NOW - REMINDER_EVERY
OFF, API = ["autotrading_off"], ["api_disabled"]


@pytest.mark.parametrize(
    ("before", "told_at", "after", "held", "expected"),
    [
        (None, None, [], 0, None),
        (None, None, OFF, 0, News.APPEARED),
        ([], None, OFF, 3, News.APPEARED),
        (OFF, NOW, OFF, 3, None),
        (OFF, None, OFF, 0, None),
        (OFF, None, OFF, 3, News.HELD),
        (OFF, NOW, API, 0, News.CHANGED),
        (OFF, NOW, [*OFF, *API], 3, News.CHANGED),
        (OFF, NOW, [], 3, News.ENDED),
        (OFF, DAY_AGO + timedelta(seconds=1), OFF, 3, None),
        (OFF, DAY_AGO, OFF, 3, News.REMINDER),
        (OFF, DAY_AGO, OFF, 0, None),
    ],
)
def test_an_obstacle_is_news_when_it_appears_changes_ends_or_has_lasted_a_day(
    before: list[str] | None,
    told_at: Any,  # noqa: ANN401 - an instant or none
    after: list[str],
    held: int,
    expected: News | None,
) -> None:
    known = AccountStateRow(id=1, obstacles=before, obstacles_told_at=told_at)
    found = AccountStateRow(id=1, obstacles=after, positions_count=held)
    assert news(known, found, NOW) is expected


@pytest.mark.parametrize(
    ("trade_mode", "buy", "sell"),
    [(0, False, False), (1, True, False), (2, False, True), (3, False, False), (4, True, True)],
)
def test_what_may_be_opened_on_a_symbol(*, trade_mode: int, buy: bool, sell: bool) -> None:
    assert may_open(trade_mode, Side.BUY) is buy
    assert may_open(trade_mode, Side.SELL) is sell
