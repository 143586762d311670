"""The forking process that wire tests start worlds and apps with, and a stage for a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.wire.stage import Stage, Zygote

QUICK = {
    "RECONCILIATION_SYNC_INTERVAL_S": "1",
    "DRAWDOWN_COUNTDOWN_S": "2",
    "MANUAL_SYNC_INTERVAL_S": "0",
}
"""Settings under which a scene takes seconds."""


@pytest.fixture
async def zygote() -> AsyncIterator[Zygote]:
    """A process with everything imported."""
    made = await Zygote.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A world and an app that all scenes of a module share; its ENV is added to the settings."""
    env = QUICK | getattr(request.module, "ENV", {})
    zygote = await Zygote.start()
    async with Stage(zygote, tmp_path_factory.mktemp("stage"), env=env, free_sending=True) as made:
        await made.start_world()
        await made.start_app()
        await made.ready()
        yield made
    await zygote.stop()
