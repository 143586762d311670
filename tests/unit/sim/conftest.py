"""Fixtures of the simulated broker's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sim.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A broker with a hedging GBP, a hedging USD and a netting EUR account, prices standing."""
    made = Bench(tmp_path)
    yield made
    made.store.close()
