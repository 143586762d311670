"""The settings of linking in the chat: off, or whole."""

import pytest

from core.config import SettingsError, load
from core.config_linking import PATH_CHARS_MAX
from core.domain.linking import SERVERS_MAX, TERMINALS_MAX, Place

ON = {"GUIDED_LINKING": "true", "GUIDED_SERVERS": "Broker-Live"}
SPARE = "C:/MT5/7/terminal64.exe"


def mistakes(**env: str) -> list[str]:
    """The lines that stop the start."""
    with pytest.raises(SettingsError) as caught:
        load(env, dotenv=None)
    return caught.value.lines


def test_it_is_off_unless_it_is_asked_for() -> None:
    settings = load({"GUIDED_SERVERS": "Broker-Live"}, dotenv=None)
    assert settings.link_policy(None) is None


def test_what_it_lacks_is_said_in_a_line_each() -> None:
    servers, terminals = mistakes(GUIDED_LINKING="true")
    assert servers.startswith("GUIDED_SERVERS: expected with GUIDED_LINKING")
    assert terminals.startswith("GUIDED_TERMINALS: expected with GUIDED_LINKING")


def test_terminals_that_answer_over_http_need_no_list() -> None:
    base = "http://127.0.0.1:8090"
    settings = load({**ON, "TERMINAL_BASE_URL": base}, dotenv=None)
    policy = settings.link_policy(settings.terminal_base_url)
    assert policy is not None
    assert policy.places.base_url == base


def test_servers_and_terminals_are_read_as_they_are_written() -> None:
    spare = f"{SPARE} /portable, C:/MT5/8/t.exe@second-host,"
    settings = load(
        {**ON, "GUIDED_SERVERS": "Broker-Live, Broker Demo", "GUIDED_TERMINALS": spare}, dotenv=None
    )
    policy = settings.link_policy(None)
    assert policy is not None
    assert policy.servers == ("Broker-Live", "Broker Demo")
    assert policy.places.spare == (
        Place(path=SPARE, portable=True),
        Place(path="C:/MT5/8/t.exe", host="second-host"),
    )


@pytest.mark.parametrize(
    "servers",
    [
        "A,a",
        "A/B",
        ",".join(f"S{n}" for n in range(SERVERS_MAX + 1)),
        "x" * 64,
    ],
)
def test_servers_that_cannot_be_are_refused(servers: str) -> None:
    (line,) = mistakes(**{**ON, "GUIDED_TERMINALS": SPARE, "GUIDED_SERVERS": servers})
    assert line.startswith("GUIDED_SERVERS: expected at most 20 names")


@pytest.mark.parametrize(
    "terminals",
    [
        "@host",
        f"{SPARE}@",
        f"{SPARE}@-oProxyCommand",
        ",".join(f"C:/{n}/t.exe" for n in range(TERMINALS_MAX + 1)),
        "C" * (PATH_CHARS_MAX + 1),
    ],
)
def test_terminals_that_cannot_be_are_refused(terminals: str) -> None:
    (line,) = mistakes(**{**ON, "GUIDED_TERMINALS": terminals})
    assert line.startswith("GUIDED_TERMINALS: expected at most 200 terminals")


def test_as_many_as_there_may_be_are_taken() -> None:
    most = load(
        {
            **ON,
            "GUIDED_SERVERS": ",".join(f"S{n}" for n in range(SERVERS_MAX)),
            "GUIDED_TERMINALS": ",".join(f"C:/{n}/t.exe" for n in range(TERMINALS_MAX)),
        },
        dotenv=None,
    )
    assert (len(most.guided_servers), len(most.guided_terminals)) == (SERVERS_MAX, TERMINALS_MAX)
    longest = load({**ON, "GUIDED_TERMINALS": "C" * PATH_CHARS_MAX}, dotenv=None)
    assert [len(place.path) for place in longest.guided_terminals] == [PATH_CHARS_MAX]
