"""Play a world by its seed, from nothing to its end."""

import asyncio
import logging
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from core.adapters.sql.migrate import upgrade
from tests.simulation.loop import DrivenLoop
from tests.simulation.world import World

FAST_DISK: Final = Path("/dev/shm")  # noqa: S108 - memory, where there is such a thing
SEEDS_FILE: Final = Path(__file__).with_name("seeds.txt")
TEMPLATE: list[bytes] = []


class Played(Struct, frozen=True, kw_only=True):
    """What became of a world."""

    seed: int
    wrong: str | None
    fingerprint: str
    lasted_s: float
    took_s: float
    counts: dict[str, int]
    trace: list[str]


def template() -> bytes:
    """A migrated, empty database, made once."""
    if not TEMPLATE:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "reckoner.db"
            asyncio.run(upgrade(f"sqlite+aiosqlite:///{file}"))
            TEMPLATE.append(file.read_bytes())
    return TEMPLATE[0]


def play(seed: int, *, keeps: bool = False) -> Played:
    """Play one world; `keeps` its record, to be read."""
    made = template()
    began = time.perf_counter()
    loop = DrivenLoop(random.Random(f"{seed}:order"))  # noqa: S311 - a test's dice
    with tempfile.TemporaryDirectory(dir=FAST_DISK if FAST_DISK.is_dir() else None) as folder:
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(_play(seed, Path(folder), made, began, keeps=keeps))
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            loop.close()


async def _play(seed: int, folder: Path, made: bytes, began: float, *, keeps: bool) -> Played:
    world = World(seed, folder, made, keeps=keeps)
    try:
        await world.live()
        return Played(
            seed=seed,
            wrong=world.checks.wrong,
            fingerprint=world.fingerprint(),
            lasted_s=world.now_s(),
            took_s=time.perf_counter() - began,
            counts=dict(world.checks.counts),
            trace=world.trace,
        )
    finally:
        await world.end()


@contextmanager
def silence() -> Iterator[None]:
    """The record of a world is its own; the app's log would only slow it down."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        structlog.configure(**before)
        logging.disable(logging.NOTSET)


def known_seeds() -> list[int]:
    """Seeds that once led to something wrong."""
    lines = SEEDS_FILE.read_text("utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]
