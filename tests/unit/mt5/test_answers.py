"""What an agent's refusal means, held against the protocol's own table."""

import re
from pathlib import Path

import pytest

from core.adapters.mt5.answers import KINDS, MT5, Refusal, refusal_of, send_failure
from core.adapters.mt5.channel import Lost
from core.ports import NotSent, OutcomeUnknown, StaleEpoch, WrongAccount
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
