"""What a part of the world is, and what the whole can be asked for.

The world (`bot/sandbox/world.py`) is one process and one HTTP application made of parts: Telegram,
and the broker. A part brings routes; if it also lives on its own (a walking market, executors, a
narrator) it is `Looping`, and the world, which alone creates tasks, runs its loops.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol, runtime_checkable

from aiohttp import web

CLOCK_PATH: Final = "/clock"
"""GET answers market time, `{"now_ms": <true UTC>, ...}`; served by the broker part."""

Loop = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldOptions:
    """How this world behaves; every field has the default of a plain `demo`."""

    market: Literal["walk", "manual"] = "walk"
    """`manual`: prices move only when told to and accounts start flat."""
    narrate: bool = False
    """Play the story on its own."""
    seed: int = 1
    flood_limits: bool = True
    """Answer 429 past Telegram's rates."""
    ticks_file: Path | None = None
    """Replay these recorded ticks; market time is then the file's."""
    ticks_symbol: str | None = None
    ticks_speed: float | None = None
    """Times real time; None and 0 are as fast as whoever reads the clock lets it pass."""
    ticks_date: str | None = None
    """YYYY-MM-DD, for files that carry no date."""
    ticks_utc_offset_s: int | None = None
    agents: bool = False
    """The app reaches accounts through agents; only the words that start it again say so."""


class Part(Protocol):
    """A part of the world: routes, a start before the first request and a stop after the last."""

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Answer the routes to register; asked once."""
        ...

    async def start(self) -> None:
        """Get ready; the store is open, nobody asks anything yet."""
        ...

    async def stop(self) -> None:
        """End what waits, at once; the store is still open and committed afterwards."""
        ...


@runtime_checkable
class Looping(Protocol):
    """A part with loops of its own."""

    def loops(self, base_url: str) -> Iterable[Loop]:
        """Answer endless coroutine functions; run once listening, cancelled before `stop`.

        A loop that raises is a bug: it stops the world, which then exits with the error.
        """
        ...


@runtime_checkable
class Telling(Protocol):
    """A part that has something to say in `GET /sim/state`."""

    def told(self) -> Mapping[str, Any]:
        """Answer fields of its own, JSON values."""
        ...
