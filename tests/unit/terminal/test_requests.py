"""Trade requests that can only close, and what their answers mean."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.adapters.terminal.http_gateway import _result
from core.adapters.terminal.outcomes import certainly_not_sent
from core.adapters.terminal.requests import trade_request
from core.domain.broker import Side
from core.ports import CancelRequest, CloseRequest, NotSent, OutcomeUnknown

CLOSE = CloseRequest(
    login=50001,
    server="Sim",
    ticket=900001,
    symbol="XAUUSD",
    position_side=Side.BUY,
    volume=Decimal("0.30"),
    price=Decimal("1969.80"),
    deviation_points=50,
    filling=1,
    comment="rc:12",
)
KNOWN = {
    "action", "magic", "order", "symbol", "volume", "price", "stoplimit", "sl", "tp", "deviation",
    "type", "type_filling", "type_time", "expiration", "comment", "position", "position_by",
}  # fmt: skip
"""TradeRequest's fields; an unknown key is ignored in silence, so a misspelt one opens."""


@pytest.mark.parametrize(("side", "kind"), [(Side.BUY, 1), (Side.SELL, 0)])
def test_a_close_names_its_position_and_symbol_and_goes_the_other_way(
    side: Side, kind: int
) -> None:
    request = trade_request(replace(CLOSE, position_side=side))
    assert request == {
        "action": 1,
        "position": 900001,
        "symbol": "XAUUSD",
        "volume": 0.3,
        "price": 1969.8,
        "type": kind,
        "deviation": 50,
        "type_filling": 1,
        "comment": "rc:12",
    }
    assert set(request) <= KNOWN


def test_doubles_are_floats_and_ids_whole_numbers() -> None:
    """The wheel refuses anything else (facts: mt5, row 6)."""
    request = trade_request(CLOSE)
    assert {type(request[key]) for key in ("volume", "price")} == {float}
    whole = ("action", "position", "type", "deviation", "type_filling")
    assert {type(request[key]) for key in whole} == {int}


def test_a_cancellation_names_its_order_and_nothing_that_could_trade() -> None:
    cancel = CancelRequest(login=1, server="Sim", ticket=800001, symbol="XAUUSD")
    assert trade_request(cancel) == {"action": 8, "order": 800001, "symbol": "XAUUSD"}


@pytest.mark.parametrize("ticket", [0, -1])
def test_a_close_without_a_position_is_refused(ticket: int) -> None:
    with pytest.raises(ValueError, match="must name a position"):
        trade_request(replace(CLOSE, ticket=ticket))


@pytest.mark.parametrize(
    ("comment", "fits"),
    [
        ("x" * 29, True),
        ("x" * 30, False),
        ("\N{GRINNING FACE}" * 14, True),
        ("\N{GRINNING FACE}" * 15, False),
    ],
)
def test_a_comment_has_29_units(*, comment: str, fits: bool) -> None:
    if fits:
        assert trade_request(replace(CLOSE, comment=comment))["comment"] == comment
        return
    with pytest.raises(ValueError, match="29"):
        trade_request(replace(CLOSE, comment=comment))


NONE = [
    # code, text, certainly not sent (facts: mt5, 1.3)
    (0, "", False),
    (1, "Success", False),
    (-1, "Terminal: Call failed", False),
    (-2, 'Invalid "comment" argument', True),
    (-2, 'Invalid "position_by" argument', True),
    (-2, "Invalid arguments", False),
    (-2, "Unnamed arguments not allowed", False),
    (-2, "Terminal: Invalid params", False),
    (-2, "", False),
    (-3, "Terminal: Out of memory", True),
    (-4, "Terminal: Not found", True),
    (-5, "Terminal: Incompatible versions", True),
    (-6, "Terminal: Authorization failed", True),
    (-7, "Terminal: Unsupported function", True),
    (-8, "Auto-Trading using Python API disabled in Terminal", True),
    (-10000, "IPC call failed", False),
    (-10001, "IPC send failed", False),
    (-10002, "IPC recv failed", False),
    (-10003, "IPC initialize failed, MetaTrader 5 x64 not found", True),
    (-10004, "No IPC connection", True),
    (-10005, "IPC timeout", False),
    (-9, "?", False),
    (-99, "?", False),
    (10006, "a retcode is no last_error", False),
]


@pytest.mark.parametrize(("code", "text", "certain"), NONE)
def test_only_what_never_left_is_certainly_not_sent(*, code: int, text: str, certain: bool) -> None:
    assert certainly_not_sent(code, text) is certain
    with pytest.raises((NotSent, OutcomeUnknown), match=f"{code} ") as told:
        _result({"result": None, "error": [code, text]})
    assert isinstance(told.value, NotSent if certain else OutcomeUnknown)
    assert told.value.code == code


def test_without_its_text_an_invalid_parameter_proves_nothing() -> None:
    assert not certainly_not_sent(-2)


ANSWER = {"retcode": 10009, "deal": 1, "order": 2, "volume": 0.3, "price": 1969.8, "comment": "ok"}


def test_an_answer_is_read_exactly() -> None:
    result = _result({"result": ANSWER})
    assert (result.retcode, result.deal, result.order) == (10009, 1, 2)
    assert (result.volume, result.price) == (Decimal("0.3"), Decimal("1969.8"))


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"result": None},
        {"result": None, "error": None},
        {"result": None, "error": []},
        {"result": None, "error": [None, None]},
        {"result": None, "error": {"code": -2}},
        {"result": None, "error": "-2"},
        {"result": []},
        {"result": "done"},
        {"result": {}},
        *[{"result": {k: v for k, v in ANSWER.items() if k != gone}} for gone in ANSWER],
        *[{"result": {**ANSWER, key: None}} for key in ANSWER if key != "comment"],
        *[
            {"result": {**ANSWER, key: wrong}}
            for key in ("retcode", "deal", "order")
            for wrong in ("10009", 10009.0, True)
        ],
        {"result": {**ANSWER, "price": float("nan")}},
        {"result": {**ANSWER, "volume": float("inf")}},
    ],
)
def test_a_malformed_answer_is_an_unknown_outcome(answer: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        _result(answer)
