"""Gateways over agents in memory."""

from collections.abc import AsyncIterator

import pytest

from core.adapters.mt5.shared import Limits
from tests.unit.mt5.bench import Bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.close()


@pytest.fixture
async def impatient() -> AsyncIterator[Bench]:
    """Nobody waits for a start."""
    bench = Bench(Limits(read_s=10, send_s=20, start_s=120, patience_s=0))
    yield bench
    await bench.close()
