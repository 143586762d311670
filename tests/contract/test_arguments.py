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
