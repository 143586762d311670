"""What an agent's refusal means, held against the protocol's own table."""

import re
from pathlib import Path

import pytest

from core.adapters.mt5.answers import (
    KINDS,
    MT5,
    Failure,
    Fault,
    Refusal,
    Refused,
    Then,
    Verdict,
    refusal_of,
    send_failure,
    verdict,
)
from core.adapters.mt5.channel import Lost, LostHow, NotAsked
from core.ports import (
    BrokerUnavailable,
    NotSent,
    OutcomeUnknown,
    StaleEpoch,
    TerminalStarting,
    WrongAccount,
)
from tests.fakes.agents import LOGIN, SERVER

PROTOCOL = (Path(__file__).parents[3] / "docs" / "agent-protocol.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| .* \| ([^|]+) \|$", PROTOCOL, re.MULTILINE)
TABLE = {kind: left for kind, left in ROWS if kind != "kind"}
NOT_SENT = (NotSent, WrongAccount, StaleEpoch)


def test_every_kind_of_the_protocol_is_known_and_no_other() -> None:
    assert KINDS.keys() | {MT5} == TABLE.keys()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_whether_a_send_left_is_as_the_protocol_says(kind: str) -> None:
    failure = send_failure(Refusal(kind=kind, text="", elsewhere=kind == "wrong_account"))

    if TABLE[kind].startswith("unknown"):
        assert isinstance(failure, OutcomeUnknown)
    else:
        assert TABLE[kind] in {"no", "-"}
        assert isinstance(failure, NOT_SENT)


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": False},
        {"ok": False, "error": None},
        {"ok": False, "error": "timeout"},
        {"ok": False, "error": {"text": "no kind"}},
        {"ok": False, "error": {"kind": 5}},
    ],
)
def test_a_refusal_that_says_nothing_is_no_answer(answer: dict[str, object]) -> None:
    with pytest.raises(Lost):
        refusal_of(answer, LOGIN, SERVER)


def test_a_refusal_reads_as_one_line() -> None:
    lost = Refusal(kind="mt5", text="IPC recv failed", code=-10002, call="order_send")

    assert str(lost) == "order_send failed: IPC recv failed (-10002)"
    assert str(Refusal(kind="not_connected", text="")) == "not_connected"


GO_ON, RECONNECT, RESTART = Then.GO_ON, Then.RECONNECT, Then.RESTART


def refused(kind: str, code: int | None = None, *, elsewhere: bool = False) -> Refused:
    return Refused(Refusal(kind=kind, text="", code=code, elsewhere=elsewhere))


@pytest.mark.parametrize(
    ("error", "then", "counted", "fault"),
    [
        # The request's own fault, or the account's: the agent is well.
        (refused("bad_request"), GO_ON, "", TerminalStarting),
        (refused("refused"), GO_ON, "", TerminalStarting),
        (refused("unstable"), GO_ON, "", TerminalStarting),
        (refused("internal"), GO_ON, "", TerminalStarting),
        (refused("after_send"), GO_ON, "", TerminalStarting),
        (refused("mt5", -1), GO_ON, "", TerminalStarting),
        (refused("mt5", -9999), GO_ON, "", TerminalStarting),
        (NotAsked("too long"), GO_ON, "", TerminalStarting),
        (BrokerUnavailable("the clock is not known"), GO_ON, "", TerminalStarting),
        # The child's, or the terminal's.
        (refused("mt5", -10000), RECONNECT, "", TerminalStarting),
        (refused("mt5", -10004), RECONNECT, "", TerminalStarting),
        (refused("mt5"), RECONNECT, "", TerminalStarting),
        (refused("not_connected"), RECONNECT, "", TerminalStarting),
        (refused("timeout"), RECONNECT, "timeout", TerminalStarting),
        (refused("child_died"), RECONNECT, "died", TerminalStarting),
        # The agent's.
        (refused("terminal_locked"), RESTART, "", TerminalStarting),
        (refused("module_missing"), RESTART, "", TerminalStarting),
        (refused("something_new"), RESTART, "malformed", TerminalStarting),
        (Lost(LostHow.FROZEN, ""), RESTART, "frozen", TerminalStarting),
        (Lost(LostHow.DIED, ""), RESTART, "died", TerminalStarting),
        (Lost(LostHow.MALFORMED, ""), RESTART, "malformed", TerminalStarting),
        # A newer owner, and another account.
        (refused("stale_epoch"), RESTART, "", StaleEpoch),
        (refused("wrong_account", elsewhere=True), RESTART, "wrong_account", WrongAccount),
        (refused("mt5", -1, elsewhere=True), RESTART, "wrong_account", WrongAccount),
        (refused("timeout", elsewhere=True), RESTART, "wrong_account", WrongAccount),
        (WrongAccount("it has 5"), RESTART, "wrong_account", WrongAccount),
    ],
)
def test_what_becomes_of_a_terminal(error: Failure, then: Then, counted: str, fault: Fault) -> None:
    assert verdict(error) == Verdict(then, counted, fault)
