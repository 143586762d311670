"""Fixtures of the simulated broker's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.sim import metatrader5
from core.sim.metatrader5 import _Wheel
from tests.unit.sim.bench import HEDGING_USD, Bench
from tests.unit.sim.surface import Surface


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A broker with a hedging GBP, a hedging USD and a netting EUR account, prices standing."""
    made = Bench(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def mt5(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Surface:
    """The module's surface, connected to the terminal of the hedging USD account."""
    monkeypatch.setattr(metatrader5, "_wheel", _Wheel())
    made = Surface(bench)
    made.plug(HEDGING_USD)
    assert made.initialize(made.path(HEDGING_USD))
    return made
