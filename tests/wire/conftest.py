"""The forking process that wire tests start worlds and apps with."""

from collections.abc import AsyncIterator

import pytest

from tests.wire.stage import Zygote


@pytest.fixture
async def zygote() -> AsyncIterator[Zygote]:
    """A process with everything imported."""
    made = await Zygote.start()
    yield made
    await made.stop()
