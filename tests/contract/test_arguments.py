"""The simulated module takes and refuses arguments as the official wheel does, word for word.

wheel_arguments.txt holds what the wheel itself answered under Wine; test_wine.py asks it again.
"""

import pytest

from core.sim import metatrader5
from core.sim.metatrader5 import _Wheel
from tests.contract import ask_arguments
from tests.contract.wheel import RECORDED


@pytest.fixture
def _unconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after the import: no pipe, and no call made yet."""
    monkeypatch.setattr(metatrader5, "_wheel", _Wheel())


@pytest.mark.usefixtures("_unconnected")
def test_the_simulated_module_answers_every_argument_as_the_wheel_does() -> None:
    recorded = RECORDED.read_text("utf-8").splitlines()
    assert len(recorded) > 300
    assert ask_arguments.answers(metatrader5) == recorded


@pytest.mark.usefixtures("_unconnected")
@pytest.mark.parametrize(
    ("call", "answer"),
    [
        # facts: mt5, rows 5 and 6, and 1.1, as they are printed there
        ("last_error()", "(0, '')"),
        ("order_send({**CLOSE, 'comment': 'x'*30})", "-2, 'Invalid \"comment\" argument'"),
        ("order_send({**CLOSE, 'comment': 'x'*29})", "-10004, 'No IPC connection'"),
        ("order_send({**CLOSE, 'volume': 1})", "-2, 'Invalid \"volume\" argument'"),
        ("order_send({**CLOSE, 'position': '5'})", "-2, 'Invalid \"position\" argument'"),
        ("order_send({**CLOSE, 'position': True})", "-10004, 'No IPC connection'"),
        ("order_send({**CLOSE, 'positon': 5})", "-10004, 'No IPC connection'"),
        ("order_send({**CLOSE, 'magic': BIG})", "SystemError"),
        ("positions_get('X')", "-2, 'Unnamed arguments not allowed'"),
        ("history_deals_get(date_from=1, date_to=2)", "-2, 'Invalid arguments'"),
        ("version()", "(0, 0, '')"),
        ("market_book_add('X')", "False | (1, 'Success')"),
    ],
)
def test_the_recording_says_what_the_facts_say(call: str, answer: str) -> None:
    lines = RECORDED.read_text("utf-8").splitlines()
    (line,) = [each for each in lines if each.startswith(f"{call} -> ")][:1]
    assert answer in line
