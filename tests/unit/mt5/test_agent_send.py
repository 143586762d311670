"""What the child looks at before an order leaves, and what it says of one that left."""

from collections.abc import Callable
from typing import Any

import pytest

from core.adapters.mt5 import agent
from tests.fakes.metatrader5_stub import LOGIN, SERVER, Struct, StubTerminal, order, position

CONFIG = {
    "terminal": {"path": "C:\\MT5\\terminal64.exe", "portable": False},
    "login": LOGIN,
    "server": SERVER,
    "password": None,
    "timeout_ms": 5000,
}
CLOSE = {"action": 1, "position": 7, "symbol": "EURUSD", "volume": 0.5, "type": 1}
REMOVE = {"action": 8, "order": 9, "symbol": "XAUUSD"}
BUY, SELL = 0, 1


@pytest.fixture
def terminal() -> StubTerminal:
    return StubTerminal()


@pytest.fixture
def session(terminal: StubTerminal) -> agent.Session:
    made = agent.Session(terminal, CONFIG)
    assert "body" in made.handle({"verb": "connect"})
    terminal.calls.clear()
    return made


def send(session: agent.Session, request: dict[str, Any]) -> dict[str, Any]:
    return session.handle({"verb": "send", "request": request})


def error_of(session: agent.Session, request: dict[str, Any]) -> dict[str, Any]:
    answer = send(session, request)
    assert "body" not in answer
    error: dict[str, Any] = answer["error"]
    return error


def test_a_close_is_sent_once_after_a_look_at_account_and_position(
    session: agent.Session, terminal: StubTerminal
) -> None:
    answer = send(session, CLOSE | {"volume": 0.25, "comment": "RQ 1"})
    assert answer["body"]["result"] == {
        "retcode": 10009,
        "deal": 71,
        "order": 72,
        "request": {"action": 1, "position": 7},
    }
    assert answer["body"]["account_seen"] is True
    calls = [name for name, _, _ in terminal.calls]
    assert calls == ["account_info", "positions_get", "order_send", "account_info"]
    assert terminal.made("positions_get") == [((), {"ticket": 7})]
    assert terminal.made("order_send") == [((CLOSE | {"volume": 0.25, "comment": "RQ 1"},), {})]


def test_a_removal_is_sent_once_after_a_look_at_account_and_order(
    session: agent.Session, terminal: StubTerminal
) -> None:
    assert send(session, REMOVE)["body"]["result"]["retcode"] == 10009
    calls = [name for name, _, _ in terminal.calls]
    assert calls == ["account_info", "orders_get", "order_send", "account_info"]
    assert terminal.made("orders_get") == [((), {"ticket": 9})]


@pytest.mark.parametrize(
    ("held", "request_", "why"),
    [
        ([], CLOSE, "there is no position 7"),
        ([position(8)], CLOSE, "there is no position 7"),
        ([position(), position()], CLOSE, "there is no position 7"),
        ([position(symbol="EURUSDm")], CLOSE, "is of EURUSDm"),
        ([position(type=SELL)], CLOSE, "does not close"),
        ([position(type=BUY)], CLOSE | {"type": BUY}, "does not close"),
        ([position(volume=0.49)], CLOSE, "holds 0.49 lots"),
        ([position(volume=0.5)], CLOSE | {"volume": 0.51}, "holds 0.5 lots"),
        ([position(volume=0.5)], CLOSE | {"volume": 0.5 + 2e-9}, "holds 0.5 lots"),
    ],
)
def test_a_close_of_what_is_not_there_is_refused(
    session: agent.Session,
    terminal: StubTerminal,
    held: list[Struct],
    request_: dict[str, Any],
    why: str,
) -> None:
    terminal.faults["positions_get"] = lambda: tuple(held)
    error = error_of(session, request_)
    assert error["kind"] == "refused"
    assert why in error["text"]
    assert terminal.made("order_send") == []


@pytest.mark.parametrize(
    ("held", "request_"),
    [
        (position(type=SELL), CLOSE | {"type": BUY}),
        (position(volume=0.3), CLOSE | {"volume": 0.1 + 0.2}),  # 0.30000000000000004
        (position(volume=0.5), CLOSE | {"volume": 0.5 + 5e-10}),
        (position(volume=0.5), CLOSE | {"volume": 0.01}),
    ],
)
def test_a_close_of_what_is_there_leaves(
    session: agent.Session, terminal: StubTerminal, held: Struct, request_: dict[str, Any]
) -> None:
    terminal.positions = [held]
    assert "body" in send(session, request_)
    assert len(terminal.made("order_send")) == 1


@pytest.mark.parametrize(
    ("resting", "why"),
    [
        ([], "there is no order 9"),
        ([order(8)], "there is no order 9"),
        ([order(symbol="XAUUSD.r")], "is of XAUUSD.r"),
    ],
)
def test_a_removal_of_what_is_not_there_is_refused(
    session: agent.Session, terminal: StubTerminal, resting: list[Struct], why: str
) -> None:
    terminal.faults["orders_get"] = lambda: tuple(resting)
    error = error_of(session, REMOVE)
    assert error["kind"] == "refused"
    assert why in error["text"]
    assert terminal.made("order_send") == []


def test_a_removal_need_not_name_the_symbol(session: agent.Session) -> None:
    assert "body" in send(session, {"action": 8, "order": 9})


@pytest.mark.parametrize("request_", [CLOSE, REMOVE])
def test_another_account_is_sent_nothing(
    session: agent.Session, terminal: StubTerminal, request_: dict[str, Any]
) -> None:
    terminal.account = Struct(login=2002, server=SERVER, balance=1000.0, credit=0.0)
    answer = send(session, request_)
    assert answer["error"]["kind"] == "wrong_account"
    assert answer["head"]["login"] == 2002
    assert terminal.made("order_send") == []


@pytest.mark.parametrize(
    ("request_", "call"),
    [
        (CLOSE, "account_info"),
        (CLOSE, "positions_get"),
        (REMOVE, "account_info"),
        (REMOVE, "orders_get"),
    ],
)
def test_a_look_that_answers_none_sends_nothing(
    session: agent.Session, terminal: StubTerminal, request_: dict[str, Any], call: str
) -> None:
    terminal.faults[call] = terminal.fail
    error = error_of(session, request_)
    assert (error["kind"], error["call"]) == ("mt5", call), "the call tells that nothing was sent"
    assert terminal.made("order_send") == []


@pytest.mark.parametrize("call", ["account_info", "positions_get"])
def test_a_look_that_raises_sends_nothing(
    session: agent.Session, terminal: StubTerminal, call: str
) -> None:
    def fault() -> None:
        raise SystemError("returned a result with an exception set")

    terminal.faults[call] = fault
    assert error_of(session, CLOSE)["kind"] == "internal"
    assert terminal.made("order_send") == []


@pytest.mark.parametrize(
    "broken", [{"positon": 7}, {"volume": float("nan")}, {"position": 0}, {"comment": "x" * 30}]
)
def test_the_child_itself_refuses_what_is_no_close(
    session: agent.Session, terminal: StubTerminal, broken: dict[str, Any]
) -> None:
    assert error_of(session, CLOSE | broken)["kind"] == "bad_request"
    assert terminal.calls == []


@pytest.mark.parametrize("code", [-1, -2, -8, -10000, -10001, -10002, -10004])
def test_none_from_order_send_bears_its_code_asked_in_the_same_breath(
    session: agent.Session, terminal: StubTerminal, code: int
) -> None:
    terminal.faults["order_send"] = lambda: terminal.fail(code, f"text of {code}")
    assert error_of(session, CLOSE) == {
        "kind": "mt5",
        "text": f"text of {code}",
        "code": code,
        "call": "order_send",
    }
    calls = [name for name, _, _ in terminal.calls]
    assert calls == ["account_info", "positions_get", "order_send", "last_error"]


def raising(error: Exception) -> Callable[[], None]:
    def fault() -> None:
        raise error

    return fault


@pytest.mark.parametrize(
    "fault",
    [
        raising(SystemError("returned a result with an exception set")),
        raising(ValueError("embedded null character")),
        raising(OSError(5, "the pipe")),
        raising(RecursionError()),
        lambda: (10009, 71, 72),
        lambda: 10009,
        lambda: Struct(retcode=10009, volume=float("nan")),
        lambda: Struct(retcode=10009, comment=b"bytes"),
    ],
)
def test_whatever_fails_after_order_send_was_called_is_unknown(
    session: agent.Session, terminal: StubTerminal, fault: Callable[[], Any]
) -> None:
    terminal.faults["order_send"] = fault
    assert error_of(session, CLOSE)["kind"] == "after_send"
    assert len(terminal.made("order_send")) == 1, "it is never tried again"


def test_a_reason_that_cannot_be_asked_for_is_unknown_too(
    session: agent.Session, terminal: StubTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.faults["order_send"] = terminal.fail
    monkeypatch.setattr(terminal, "last_error", raising(SystemError("no")))
    assert error_of(session, CLOSE)["kind"] == "after_send"


def test_the_next_request_after_a_failed_send_is_judged_by_itself(
    session: agent.Session, terminal: StubTerminal
) -> None:
    terminal.faults["order_send"] = raising(SystemError("no"))
    assert error_of(session, CLOSE)["kind"] == "after_send"
    terminal.faults["positions_get"] = raising(SystemError("no"))
    assert error_of(session, CLOSE)["kind"] == "internal"


@pytest.mark.parametrize("retcode", [0, 10004, 10008, 10009, 10013, 10027, 10036])
def test_every_result_is_passed_on_as_it_is(
    session: agent.Session, terminal: StubTerminal, retcode: int
) -> None:
    """What a code means is decided elsewhere."""
    terminal.result = Struct(retcode=retcode, deal=0, order=0)
    result = send(session, CLOSE)["body"]["result"]
    assert result == {"retcode": retcode, "deal": 0, "order": 0}


def test_an_account_that_changed_while_sending_makes_the_result_unknown(
    session: agent.Session, terminal: StubTerminal
) -> None:
    """10036, "closed", may then be said of another account's position."""

    def fault() -> Struct:
        terminal.account = Struct(login=2002, server=SERVER, balance=1.0, credit=0.0)
        return Struct(retcode=10036)

    terminal.faults["order_send"] = fault
    answer = send(session, CLOSE)
    assert answer["error"]["kind"] == "after_send"
    assert "10036" in answer["error"]["text"]
    assert answer["head"]["login"] == 2002


@pytest.mark.parametrize("what", ["none", "raises"])
def test_a_terminal_lost_after_the_result_does_not_take_it_back(
    session: agent.Session, terminal: StubTerminal, what: str
) -> None:
    def lose() -> Struct:
        terminal.faults["account_info"] = (
            terminal.fail if what == "none" else raising(SystemError("no"))
        )
        return Struct(retcode=10009)

    terminal.faults["order_send"] = lose
    assert send(session, CLOSE)["body"] == {"result": {"retcode": 10009}, "account_seen": False}


@pytest.mark.parametrize("error", [ValueError("no"), OSError(5, "the pipe"), RecursionError()])
def test_what_is_no_known_failure_of_the_look_afterwards_makes_the_result_unknown(
    session: agent.Session, terminal: StubTerminal, error: Exception
) -> None:
    def lose() -> Struct:
        terminal.faults["account_info"] = raising(error)
        return Struct(retcode=10009)

    terminal.faults["order_send"] = lose
    assert error_of(session, CLOSE)["kind"] == "after_send"
    assert len(terminal.made("order_send")) == 1


def test_a_check_validates_and_sends_nothing(
    session: agent.Session, terminal: StubTerminal
) -> None:
    body = session.handle({"verb": "check", "request": CLOSE | {"price": 1}})["body"]
    assert body == {"result": {"retcode": 0, "comment": "Done"}}
    assert terminal.made("order_check") == [((CLOSE | {"price": 1.0},), {})]
    assert terminal.made("order_send") == []
    terminal.faults["order_check"] = terminal.fail
    answer = session.handle({"verb": "check", "request": CLOSE})
    assert (answer["error"]["kind"], answer["error"]["call"]) == ("mt5", "order_check")
