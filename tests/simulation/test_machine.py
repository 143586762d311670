"""The same rules, followed by hypothesis: what it finds, it makes as short as it can."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.simulation.actions import RULES, Rule, step
from tests.simulation.stage import Stage


class DrawnDice:
    """Draws what hypothesis wants to try."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._data.draw(st.integers(low, high))


class Machine(RuleBasedStateMachine):
    """One stage; its rules are added below, from the one list that there is."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.stage = Stage(Path(self.folder.name))
        self.runner.run(self.stage.start())

    def follow(self, one: Rule, data: st.DataObject) -> None:
        """Let it happen, and compare."""
        self.runner.run(step(self.stage, one, DrawnDice(data)))

    def teardown(self) -> None:
        """Nothing stays of it."""
        self.runner.run(self.stage.close())
        self.runner.close()
        self.folder.cleanup()


def _as_rule(one: Rule) -> Any:  # noqa: ANN401 - hypothesis' own kind of rule
    def follow(self: Machine, data: st.DataObject) -> None:
        self.follow(one, data)

    follow.__name__ = one.name
    able = precondition(lambda machine: one.can(machine.stage))
    return rule(data=st.data())(able(follow))


for each in RULES:
    setattr(Machine, each.name, _as_rule(each))

TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=8,
    stateful_step_count=14,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
