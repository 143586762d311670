"""The forking process that wire tests start worlds and apps with, and a stage for a module."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.wire.stage import QUICK, Stage, Zygote, staged


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """A process with everything imported, one for all workers."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    made = Zygote(folder / "zygote.sock")
    yield made
    made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, zygote: Zygote
) -> AsyncIterator[Stage]:
    """A world and an app that all scenes of a module share; its ENV is added to the settings."""
    env = QUICK | getattr(request.module, "ENV", {})
    async with staged(zygote, tmp_path_factory.mktemp("stage"), env) as made:
        yield made
