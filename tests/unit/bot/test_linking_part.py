"""What a way to a broker, gone once, says of an account that is to be linked."""

from pathlib import Path
from typing import Any

import pytest

from bot.linking_part import logged_in, prepare_keys
from core.config import load
from core.domain.broker import MarginMode
from core.domain.linking import Failure, LoginFailed
from core.domain.readiness import Found, Stage, Trouble
from core.ports import BrokerUnavailable, KeysUnusable
from core.records import TerminalRow
from tests.fakes.clock import START
from tests.fakes.memory_store import MemoryStore


def found(**changes: Any) -> Found:
    """An account that was read whole."""
    facts: dict[str, Any] = {
        "login": 50005,
        "currency": "GBP",
        "margin_mode": "hedging",
        "obstacles": (),
        "offset_s": 10800,
        "offset_is_fresh": True,
    }
    return Found(**{**facts, **changes})


def ended(stage: Stage, code: int | None = None) -> Trouble:
    """The way ended there."""
    return Trouble(stage=stage, kind="x", text="why", code=code)


def test_an_account_that_was_read_is_let_in() -> None:
    account = logged_in(found())
    assert (account.currency, account.margin_mode) == ("GBP", MarginMode.HEDGING)
    assert account.may_trade
    assert account.server_offset_s == 10800


def test_a_clock_that_was_only_kept_is_not_kept_again() -> None:
    assert logged_in(found(offset_is_fresh=False)).server_offset_s is None


@pytest.mark.parametrize(
    ("obstacle", "may_trade"),
    [("investor_password", False), ("autotrading_off", True), ("experts_forbidden", True)],
)
def test_only_the_passwords_own_right_is_asked_for(obstacle: str, *, may_trade: bool) -> None:
    """What the terminal or the broker keeps back is told by the guard, each day, with its cure."""
    assert logged_in(found(obstacles=(obstacle,))).may_trade is may_trade


def test_an_account_whose_market_is_closed_is_let_in() -> None:
    closed = found(trouble=ended(Stage.READING), offset_s=None, offset_is_fresh=False)
    assert logged_in(closed).currency == "GBP"


@pytest.mark.parametrize(
    ("trouble", "failure"),
    [
        (ended(Stage.LOGIN, -6), Failure.LOGIN),
        (ended(Stage.LOGIN), Failure.WRONG_ACCOUNT),
    ],
)
def test_what_the_broker_refuses_is_refused(trouble: Trouble, failure: Failure) -> None:
    with pytest.raises(LoginFailed) as caught:
        logged_in(found(trouble=trouble, margin_mode=""))
    assert caught.value.failure is failure


@pytest.mark.parametrize(
    "trouble",
    [
        ended(Stage.LOGIN, -10005),
        ended(Stage.AGENT),
        ended(Stage.TERMINAL, -10003),
        ended(Stage.READING),
    ],
)
def test_where_nothing_is_known_it_is_tried_again(trouble: Trouble) -> None:
    with pytest.raises(BrokerUnavailable):
        logged_in(found(trouble=trouble, margin_mode=""))


ON = {
    "GUIDED_LINKING": "true",
    "GUIDED_SERVERS": "Broker-Live",
    "TERMINAL_BASE_URL": "http://127.0.0.1:1",
}


async def test_the_first_key_is_made_before_a_password_comes(tmp_path: Path) -> None:
    store, keys = MemoryStore(), tmp_path / "password.keys"
    await prepare_keys(load({"DATA_DIR": str(tmp_path)}, dotenv=None), store)
    assert not keys.exists(), "nobody links"
    settings = load({**ON, "DATA_DIR": str(tmp_path)}, dotenv=None)
    await prepare_keys(settings, store)
    made = keys.read_bytes()
    await prepare_keys(settings, store)
    assert keys.read_bytes() == made


async def test_no_key_is_made_in_the_place_of_one_that_is_missed(tmp_path: Path) -> None:
    store = MemoryStore()
    await store.put(
        TerminalRow(
            login=1, server="S", path="p", password_token="t", linked_at=START, changed_at=START
        )
    )
    with pytest.raises(KeysUnusable, match="there is no key to the brokers' passwords"):
        await prepare_keys(load({**ON, "DATA_DIR": str(tmp_path)}, dotenv=None), store)
    assert not (tmp_path / "password.keys").exists()


async def test_keys_that_others_can_read_stop_the_start(tmp_path: Path) -> None:
    settings = load({**ON, "DATA_DIR": str(tmp_path)}, dotenv=None)
    await prepare_keys(settings, MemoryStore())
    (tmp_path / "password.keys").chmod(0o644)
    with pytest.raises(KeysUnusable, match="others may read it"):
        await prepare_keys(settings, MemoryStore())
