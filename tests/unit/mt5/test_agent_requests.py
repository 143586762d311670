"""What the agent lets through: a table for each field (docs/agent-protocol.md)."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from core.adapters.mt5 import agent

LARGEST = 9_223_372_036_854_775_807  # 2^63 - 1
HEAD = {"id": 1, "epoch": 7, "owner": "host:1", "deadline_ms": 1000}
CLOSE = {"action": 1, "position": 7, "symbol": "EURUSD", "volume": 0.5, "type": 1}
FULL_CLOSE = CLOSE | {
    "price": 1.1,
    "deviation": 20,
    "type_filling": 1,
    "magic": 77,
    "comment": "RQ 1",
}
REMOVE = {"action": 8, "order": 9}
HELLO = {
    "verb": "hello",
    "terminal": {"path": "C:\\MT5\\terminal64.exe", "portable": False},
    "login": 1,
    "server": "S",
    "password": None,
    "timeout_ms": 60_000,
}
NOT_WHOLE = [True, False, "5", 5.0, None, [], {}, -1, LARGEST + 1, 10**400, float("nan")]
NOT_TEXT: list[object] = [5, True, None, [], {}, "\0", "a\0b", "\ud800", "a\udc00"]
NOT_A_DOUBLE = [
    True,
    "0.5",
    None,
    [],
    -0.01,
    -1,
    float("nan"),
    float("inf"),
    float("-inf"),
    10**400,
    -(10**400),
]
CLEF = "\N{MUSICAL SYMBOL G CLEF}"  # one character, two UTF-16 units


def refused(request: dict[str, Any]) -> str:
    """Why a request is a bad one."""
    with pytest.raises(agent.Failure) as caught:
        agent.checked(request)
    assert caught.value.kind == "bad_request"
    return caught.value.text


def refused_trade(request: object) -> str:
    """Why an order is a bad one, for `send` as for `check`."""
    texts = {refused({**HEAD, "verb": verb, "request": request}) for verb in ("send", "check")}
    assert len(texts) == 1
    with pytest.raises(agent.Failure, match=r"request"):
        agent.trade(request)
    return texts.pop()


@pytest.mark.parametrize("request_", [CLOSE, FULL_CLOSE, REMOVE, REMOVE | {"symbol": "EURUSD"}])
def test_a_close_and_a_removal_go_through_as_they_are(request_: dict[str, Any]) -> None:
    assert agent.trade(request_) == request_


@pytest.mark.parametrize(("field", "given"), [("volume", 2), ("price", 3), ("price", 0)])
def test_doubles_leave_as_float(field: str, given: int) -> None:
    """The wheel refuses an int where it wants a double (facts: mt5, row 6)."""
    sent = agent.trade(CLOSE | {field: given})[field]
    assert (type(sent), sent) == (float, given)


@pytest.mark.parametrize(
    "action", [0, 2, 3, 4, 5, 6, 7, 9, 10, -1, True, "1", 1.0, None, [], {}, LARGEST + 1]
)
def test_nothing_but_a_close_or_a_removal_is_an_order(action: object) -> None:
    assert "request.action" in refused_trade(CLOSE | {"action": action})


@pytest.mark.parametrize("order", [None, 1, "x", [], [CLOSE], True, {}])
def test_an_order_is_an_object_with_an_action(order: object) -> None:
    assert "request.action" in refused_trade(order)


@pytest.mark.parametrize("missing", ["position", "symbol", "volume", "type"])
def test_a_close_lacks_nothing(missing: str) -> None:
    order = {name: value for name, value in FULL_CLOSE.items() if name != missing}
    assert f"lacks {missing}" in refused_trade(order)


def test_a_removal_names_its_order() -> None:
    assert "lacks order" in refused_trade({"action": 8, "symbol": "EURUSD"})


@pytest.mark.parametrize(
    "key", ["positon", "Position", "sl", "tp", "stoplimit", "order", "position_by", "type_time", ""]
)
def test_a_key_that_a_close_does_not_have_is_refused(key: str) -> None:
    """The wheel ignores it: a misspelt `position` opens the opposite (facts: mt5, row 7)."""
    assert f"may not have {key}" in refused_trade(CLOSE | {key: 7})


@pytest.mark.parametrize("key", ["position", "volume", "type", "price", "magic"])
def test_a_key_that_a_removal_does_not_have_is_refused(key: str) -> None:
    assert f"may not have {key}" in refused_trade(REMOVE | {key: 1})


def test_a_misspelt_position_is_named() -> None:
    order = {("positon" if name == "position" else name): part for name, part in CLOSE.items()}
    assert "position" in refused_trade(order)


@pytest.mark.parametrize("field", ["position", "deviation", "magic", "type", "type_filling"])
@pytest.mark.parametrize("value", NOT_WHOLE, ids=repr)
def test_numbers_of_things_are_whole(field: str, value: object) -> None:
    assert f"request.{field} must be a whole number" in refused_trade(CLOSE | {field: value})


@pytest.mark.parametrize("value", NOT_WHOLE, ids=repr)
def test_an_order_to_remove_is_a_whole_number(value: object) -> None:
    assert "request.order must be a whole number" in refused_trade(REMOVE | {"order": value})


@pytest.mark.parametrize("order", [CLOSE | {"position": 0}, REMOVE | {"order": 0}])
def test_a_close_or_removal_of_nothing_is_refused(order: dict[str, Any]) -> None:
    assert "from 1 to" in refused_trade(order)


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("position", 1, LARGEST),
        ("deviation", 0, LARGEST),
        ("magic", 0, LARGEST),
        ("type", 0, 1),
        ("type_filling", 0, 3),
    ],
)
def test_whole_numbers_reach_to_their_bounds(field: str, low: int, high: int) -> None:
    for value in (low, high):
        assert agent.trade(CLOSE | {field: value})[field] == value
    for value in (low - 1, high + 1):
        refused_trade(CLOSE | {field: value})


@pytest.mark.parametrize("field", ["volume", "price"])
@pytest.mark.parametrize("value", NOT_A_DOUBLE, ids=repr)
def test_doubles_are_numbers(field: str, value: object) -> None:
    assert f"request.{field} must be a number" in refused_trade(CLOSE | {field: value})


@pytest.mark.parametrize("nothing", [0, 0.0, -0.0])
def test_a_close_has_a_volume(nothing: float) -> None:
    assert "request.volume must be a number above 0" in refused_trade(CLOSE | {"volume": nothing})


@pytest.mark.parametrize("field", ["symbol", "comment"])
@pytest.mark.parametrize("value", NOT_TEXT, ids=repr)
def test_texts_are_texts(field: str, value: object) -> None:
    assert f"request.{field} must be a text" in refused_trade(CLOSE | {field: value})
    assert f"request.{field} must be a text" in refused_trade(REMOVE | {field: value})


@pytest.mark.parametrize("field", ["symbol", "comment"])
@pytest.mark.parametrize(
    ("value", "is_allowed"),
    [
        ("x" * 29, True),
        ("x" * 30, False),
        ("ß" * 29, True),
        (CLEF * 14 + "x", True),  # 29 units of 15 characters
        (CLEF * 15, False),  # 30 units of 15 characters
    ],
)
def test_comments_and_symbols_have_29_units(field: str, value: str, *, is_allowed: bool) -> None:
    """The wheel refuses 30 UTF-16 units (facts: mt5, row 5)."""
    if is_allowed:
        assert agent.trade(CLOSE | {field: value})[field] == value
    else:
        assert "29 UTF-16 units" in refused_trade(CLOSE | {field: value})


def test_a_comment_may_be_empty_and_a_symbol_may_not() -> None:
    assert agent.trade(CLOSE | {"comment": ""})["comment"] == ""
    assert "request.symbol" in refused_trade(CLOSE | {"symbol": ""})


REQUESTS = [
    HELLO,
    {"verb": "connect"},
    {"verb": "snapshot", "deals_from_s": 1_763_800_000, "symbols": ["XAUUSD"]},
    {"verb": "symbols"},
    {"verb": "deals", "from_s": 1, "to_s": 2},
    {"verb": "deals", "position": 7},
    {"verb": "check", "request": CLOSE},
    {"verb": "send", "request": REMOVE},
    {"verb": "shutdown"},
]


@pytest.mark.parametrize("body", REQUESTS, ids=lambda body: body["verb"])
def test_each_verb_goes_through_as_it_is_documented(body: dict[str, Any]) -> None:
    assert agent.checked(HEAD | body) == HEAD | body


@pytest.mark.parametrize("body", REQUESTS, ids=lambda body: body["verb"])
def test_each_verb_lacks_no_field_and_has_no_other(body: dict[str, Any]) -> None:
    request = HEAD | body
    for missing in request:
        why = refused({name: part for name, part in request.items() if name != missing})
        assert missing in why or missing == "position", "without it, deals are of a window"
    assert "may not have more" in refused(request | {"more": 1})


@pytest.mark.parametrize("verb", [None, 1, True, "", "Send", "eval", ["send"], {}])
def test_there_are_eight_verbs(verb: object) -> None:
    assert "verb must be one of hello, connect, snapshot" in refused(HEAD | {"verb": verb})


@pytest.mark.parametrize("field", ["id", "epoch", "deadline_ms"])
@pytest.mark.parametrize("value", NOT_WHOLE, ids=repr)
def test_the_head_is_made_of_whole_numbers(field: str, value: object) -> None:
    assert f"request.{field} must be a whole number" in refused(
        HEAD | {"verb": "connect", field: value}
    )


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [("id", 1, LARGEST), ("epoch", 0, LARGEST), ("deadline_ms", 1, 600_000)],
)
def test_the_head_reaches_to_its_bounds(field: str, low: int, high: int) -> None:
    for value in (low, high):
        agent.checked(HEAD | {"verb": "connect", field: value})
    for value in (low - 1, high + 1):
        refused(HEAD | {"verb": "connect", field: value})


@pytest.mark.parametrize(
    ("owner", "is_allowed"),
    [("", True), ("x" * 300, True), ("x" * 301, False), (7, False), (None, False)],
)
def test_an_owner_is_a_text_of_at_most_300(owner: object, *, is_allowed: bool) -> None:
    request = HEAD | {"verb": "connect", "owner": owner}
    if is_allowed:
        assert agent.checked(request)["owner"] == owner
    else:
        assert "owner" in refused(request)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"terminal": None}, "terminal must be an object"),
        ({"terminal": {"path": "x"}}, "terminal lacks portable"),
        ({"terminal": {"path": "", "portable": False}}, "terminal.path"),
        ({"terminal": {"path": "x" * 1025, "portable": False}}, "terminal.path"),
        ({"terminal": {"path": "x", "portable": 1}}, "terminal.portable"),
        ({"terminal": {"path": "x", "portable": False, "dir": "x"}}, "may not have dir"),
        ({"login": 0}, "login"),
        ({"login": "1"}, "login"),
        ({"server": ""}, "server"),
        ({"server": "x" * 257}, "server"),
        ({"server": None}, "server"),
        ({"password": ""}, "password"),
        ({"password": 12345}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"timeout_ms": 0}, "timeout_ms"),
        ({"timeout_ms": 600_001}, "timeout_ms"),
        ({"timeout_ms": True}, "timeout_ms"),
    ],
)
def test_a_hello_that_is_wrong_is_told_where(changes: dict[str, Any], why: str) -> None:
    assert why in refused(HEAD | HELLO | changes)


@pytest.mark.parametrize(
    "symbols", ["XAUUSD", None, {}, [1], [""], ["x" * 30], [None], ["A", ["B"]], ["x"] * 1001]
)
def test_a_snapshot_asks_for_at_most_a_thousand_names(symbols: object) -> None:
    request = HEAD | {"verb": "snapshot", "deals_from_s": 0, "symbols": symbols}
    assert "symbols" in refused(request)
    agent.checked(request | {"symbols": ["x"] * 1000})


@pytest.mark.parametrize("line", [b"", b"\n", b"x\n", b"[]\n", b"1\n", b'"x"\n', b"null\n"])
def test_a_line_that_is_no_object_is_a_bad_request(line: bytes) -> None:
    with pytest.raises(agent.Failure) as caught:
        agent.parse(line)
    assert caught.value.kind == "bad_request"


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe{}\n",
        b'{"a": "\xff"}\n',
        b'{"a": NaN}\n',
        b'{"a": Infinity}\n',
        b'{"a": -Infinity}\n',
        b'{"position": 1, "position": 2}\n',
        b'{"a": {"b": 1, "b": 1}}\n',
        b'{"a": ' + b"1" * 5000 + b"}\n",
        b"[" * 200_000 + b"\n",
        b'{"a": 1} {"b": 2}\n',
        b'\xef\xbb\xbf{"a": 1}\n',
    ],
    ids=lambda line: line[:24].decode("latin-1"),
)
def test_a_line_that_is_not_quite_json_is_a_bad_request(line: bytes) -> None:
    with pytest.raises(agent.Failure, match="not JSON") as caught:
        agent.parse(line)
    assert caught.value.kind == "bad_request"


def test_a_number_beyond_doubles_is_no_price() -> None:
    order = json.loads(json.dumps(CLOSE)[:-1] + ', "price": 1e999}')
    assert "request.price" in refused_trade(order)


def test_the_file_keeps_to_what_python_3_9_reads() -> None:
    """A terminal's host may have an older Python than ours."""
    source = Path(agent.__file__).read_text("utf-8")
    ast.parse(source, feature_version=(3, 9))


def test_the_file_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(agent.__file__).read_text("utf-8"))
    imported = {
        (name.name if isinstance(node, ast.Import) else node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported <= {
        *("__future__", "argparse", "collections", "contextlib", "ctypes", "fcntl", "hashlib"),
        *("importlib", "json", "math", "msvcrt", "os", "pathlib", "queue", "subprocess", "sys"),
        *("threading", "time", "typing"),
    }
