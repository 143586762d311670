"""What is an answer in the conversation that links an account, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.linking import (
    LOGIN_DIGITS_MAX,
    PASSWORD_UNITS_MAX,
    LinkPolicy,
    LinkState,
    Place,
    Places,
    Problem,
    is_password,
    is_server_name,
    parse_login,
    parse_server,
)
from core.ports import Secret
from core.services.link_hearing import judged

SERVERS = ("Broker-Live", "Broker Demo 2")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Broker-Live", "Broker-Live"),
        ("  broker-LIVE ", "Broker-Live"),
        ("broker  demo 2", "Broker Demo 2"),
        ("Broker-Liv", None),
        ("Broker-Live2", None),
        ("Sup3r-Secret!", None),
        ("", None),
    ],
)
def test_a_server_is_one_that_is_offered_as_it_is_offered(text: str, meant: str | None) -> None:
    assert parse_server(text, SERVERS) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("50005", 50005),
        (" 50005 ", 50005),
        ("0050005", 50005),
        ("9" * LOGIN_DIGITS_MAX, int("9" * LOGIN_DIGITS_MAX)),
        ("9" * (LOGIN_DIGITS_MAX + 1), None),
        ("0", None),
        ("-5", None),
        ("5_0", None),
        ("5.0", None),
        ("\N{ARABIC-INDIC DIGIT FIVE}", None),
        ("50005 Sup3r", None),
        ("", None),
    ],
)
def test_a_login_is_digits_and_nothing_else(text: str, meant: int | None) -> None:
    assert parse_login(text) == meant


@pytest.mark.parametrize(
    ("text", "can_be"),
    [
        ("x", True),
        ("pa ss/word", True),
        ("x" * PASSWORD_UNITS_MAX, True),
        ("x" * (PASSWORD_UNITS_MAX + 1), False),
        ("😀" * (PASSWORD_UNITS_MAX // 2), True),
        ("😀" * (PASSWORD_UNITS_MAX // 2) + "x", False),
        ("two\nlines", False),
        ("", False),
    ],
)
def test_a_password_is_one_printable_line_that_a_terminal_takes(
    text: str,
    *,
    can_be: bool,
) -> None:
    assert is_password(text) is can_be


@pytest.mark.parametrize(
    ("text", "can_be"),
    [("A", True), ("A" * 63, True), ("A" * 64, False), (" A", False), ("A,B", False), ("", False)],
)
def test_a_servers_name_is_short_and_plain(text: str, *, can_be: bool) -> None:
    assert is_server_name(text) is can_be


@given(
    state=st.sampled_from([LinkState.SERVER, LinkState.LOGIN, LinkState.PASSWORD]),
    text=st.one_of(st.none(), st.text(max_size=400), st.from_regex(r"[0-9]{0,25}")),
)
def test_whatever_is_written_is_an_answer_or_one_of_the_problems(
    state: LinkState, text: str | None
) -> None:
    """What is kept readable is a server of the operator's list, or a number; never the words."""
    given_ = judged(state, None if text is None else Secret(text), SERVERS)
    if isinstance(given_, Problem):
        return
    if state is LinkState.SERVER:
        assert given_ in SERVERS
    elif state is LinkState.LOGIN:
        assert isinstance(given_, int)
        assert 0 < given_ < 2**63
    else:
        assert isinstance(given_, Secret)
        assert given_.reveal() == text
        assert str(text) not in repr(given_) or not text or text in "Secret(***)"


def test_the_first_terminal_that_nobody_has_is_taken() -> None:
    one, two = (
        Place(path="C:/MT5/1/terminal64.exe"),
        Place(path="C:/MT5/1/terminal64.exe", host="b"),
    )
    places = Places(spare=(one, two))
    assert places.free(50005, []) == one
    assert places.free(50005, [Place(path=r"c:\MT5\2\..\1\Terminal64.exe")]) == two
    assert places.free(50005, [one, two]) is None


def test_over_http_each_login_has_a_terminal_of_its_own() -> None:
    places = LinkPolicy(servers=SERVERS, places=Places(base_url="http://h:1")).places
    assert places.free(50005, [Place(path="http://h:1/terminal/50005")]) == Place(
        path="http://h:1/terminal/50005"
    )
