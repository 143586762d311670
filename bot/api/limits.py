"""How often one token, or one address without a good one, may ask."""

from collections import OrderedDict
from typing import Final

PER_TOKEN_PER_MINUTE: Final = 120
BURST: Final = 30
FAILURES_PER_MINUTE: Final = 30
BUCKETS_MAX: Final = 10_000
"""Askers remembered; past it the one longest silent is forgotten, and begins anew."""


class Buckets:
    """A token bucket for each asker: `burst` at once, refilled at `per_minute`."""

    def __init__(
        self, per_minute: int, burst: int = BURST, *, askers_max: int = BUCKETS_MAX
    ) -> None:
        self._rate = per_minute / 60
        self._burst = float(max(burst, per_minute // 4))
        self._max = askers_max
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, asker: str, now_s: float) -> float:
        """Take one; 0 where it may go on, else in how many seconds it may."""
        left, at = self._kept.pop(asker, (self._burst, now_s))
        left = min(self._burst, left + max(0.0, now_s - at) * self._rate)
        wait_s = 0.0 if left >= 1 else (1 - left) / self._rate
        self._kept[asker] = (left - 1 if wait_s == 0 else left, now_s)
        while len(self._kept) > self._max:
            self._kept.popitem(last=False)
        return wait_s
