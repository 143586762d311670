"""A house for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.house import House
from tests.engine.linked import Linked


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Everything running, three flat accounts, gold at 1970.00 / 1970.30."""
    made = House(tmp_path)
    await made.start()
    await made.run(1)
    yield made
    await made.close()


@pytest.fixture
def linked(house: House) -> Linked:
    """What links accounts in the chat."""
    return Linked(house)
