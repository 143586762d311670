"""Broker server time: wall-clock time encoded as if UTC, ahead of UTC by an offset that changes.

Each server has its own. Instants already past keep the offset they had, as a broker's history does.
"""

from bisect import bisect_right
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from core.sim.ledger import Journal

OFFSET_S: Final = 10_800
"""Server time minus UTC where nothing else is said."""
OFFSET_S_MAX: Final = 14 * 3600
STEPS_MAX: Final = 1_000
"""Changes of one server's offset that are remembered; the oldest goes first."""
DAY_S: Final = 86_400


class Step(Struct, frozen=True):
    """From an instant (true UTC, milliseconds) on: so far ahead of UTC, or of a zone's own time."""

    from_ms: int
    offset_s: int
    zone: str = ""


class ServerTime(Struct):
    """One server's clock."""

    steps: list[Step]

    def offset_s(self, utc_ms: int) -> int:
        """Server time minus UTC at an instant."""
        at = bisect_right(self.steps, utc_ms, key=lambda step: step.from_ms)
        step = self.steps[max(at - 1, 0)]
        if not step.zone:
            return step.offset_s
        moment = datetime.fromtimestamp(utc_ms // 1000, UTC)
        ahead = moment.astimezone(ZoneInfo(step.zone)).utcoffset()
        return step.offset_s + (int(ahead.total_seconds()) if ahead is not None else 0)

    def ms(self, utc_ms: int) -> int:
        """Server time of an instant, milliseconds."""
        return utc_ms + self.offset_s(utc_ms) * 1000

    def s(self, utc_ms: int) -> int:
        """Server time of an instant, seconds."""
        return self.ms(utc_ms) // 1000

    def utc_ms(self, server_ms: int) -> int:
        """The instant of a server time; of an hour that comes twice, the later one."""
        near_ms = server_ms - self.offset_s(server_ms) * 1000
        return server_ms - self.offset_s(near_ms) * 1000

    def day(self, utc_ms: int) -> int:
        """Which day the server has at an instant, counted from 1 January 1970, a Thursday."""
        return self.s(utc_ms) // DAY_S


class ServerTimes:
    """The clock of every server, journalled uncommitted at every change."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        kept = journal.load("sim.server_time")
        self._servers = {name: msgspec.convert(body, ServerTime) for name, body in kept.items()}
        self._usual = ServerTime([Step(0, OFFSET_S)])

    def of(self, server: str) -> ServerTime:
        """The clock of a server."""
        return self._servers.get(server, self._usual)

    def change(self, server: str, offset_s: int, from_ms: int, zone: str = "") -> None:
        """Let a server's offset be another from an instant on; earlier instants keep theirs.

        With a `zone` the offset is added to that zone's own, and follows its summer time:
        25,200 s and America/New_York is the clock of brokers whose day ends at New York's close.
        Raises ValueError for an offset that no clock has.
        """
        if abs(offset_s) > OFFSET_S_MAX:
            raise ValueError(f"offset_s: expected at most {OFFSET_S_MAX} either way")
        before = [step for step in self.of(server).steps if step.from_ms < from_ms]
        self._keep(server, [*before, Step(from_ms, offset_s, zone)])

    def always(self, server: str, offset_s: int, zone: str = "") -> None:
        """Let a server have had this offset from the beginning."""
        self._keep(server, [Step(0, offset_s, zone)])

    def _keep(self, server: str, steps: list[Step]) -> None:
        clock = ServerTime(steps[-STEPS_MAX:])
        self._servers[server] = clock
        self._journal.put("sim.server_time", server, msgspec.to_builtins(clock))
