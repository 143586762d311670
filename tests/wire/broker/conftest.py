"""Fixtures of the broker's wire tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.wire.broker.desk import App, Desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A broker with standing prices and no loops."""
    async with Desk(tmp_path) as served:
        yield served


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """A stand-in for the app, on the same data dir."""
    async with App(tmp_path) as served:
        yield served
