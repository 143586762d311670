"""An outage in the log: its beginning, its telling, then one line a minute with the count."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from core.ports import BrokerUnavailable
from tests.engine.house import GBP, House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Read every second, so that a read fails every second."""
    intervals = ("RECONCILIATION_SYNC_INTERVAL_S", "SYNC_INTERVAL_OPEN_S", "SYNC_INTERVAL_FAST_S")
    made = House(tmp_path, **dict.fromkeys(intervals, "1"))
    await made.start()
    await made.run(1)
    yield made
    await made.close()


def _fail(_verb: str) -> None:
    raise BrokerUnavailable("the line is cut")


async def _failures_logged(house: House, seconds: float) -> list[int]:
    """The counts of one account's lines."""
    lines: list[Any]
    with structlog.testing.capture_logs() as lines:
        await house.run(seconds)
    failed = [line for line in lines if line["event"] == "read_failed"]
    assert {line["error"] for line in failed} <= {"the line is cut"}
    return [line["failures"] for line in failed if line["login"] == GBP]


async def test_an_outage_is_logged_first_when_told_and_once_a_minute(house: House) -> None:
    """A second apart: the 1st failure, the 3rd (told), then one 60 s after the last line."""
    house.gateway.before_call = _fail
    assert await _failures_logged(house, 62.5) == [1, 3]
    assert await _failures_logged(house, 1) == [63]
    assert await _failures_logged(house, 59) == []
    assert await _failures_logged(house, 1) == [123]


async def test_the_next_outage_is_logged_from_its_beginning(house: House) -> None:
    house.gateway.before_call = _fail
    await house.run(10)
    house.gateway.before_call = lambda _verb: None
    assert await _failures_logged(house, 5) == []
    house.gateway.before_call = _fail
    assert (await _failures_logged(house, 5))[:2] == [1, 3]
