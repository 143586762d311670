"""Telegram's sending rates: one message a second to a person, 20 a minute to a group, 30 a second.

The last is over all chats. Edits count as messages, an album counts as many as it holds. A refused
send is not counted; the answer names whole seconds after which it would pass.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.telegram import limits
from bot.sandbox.telegram.errors import too_many_requests


@dataclass(slots=True)
class _Bucket:
    """Tokens of one private chat, refilled continuously up to the burst."""

    tokens: float
    at_s: float


class FloodGate:
    """Counts sends per chat and overall. ``now_s`` is a monotonic clock, in seconds."""

    def __init__(self, now_s: Callable[[], float], *, enforced: bool = True) -> None:
        self._now_s = now_s
        self._enforced = enforced
        self._private: dict[int, _Bucket] = {}
        self._groups: dict[int, deque[float]] = {}
        self._overall: deque[float] = deque()

    def take(self, chat_id: int, count: int = 1) -> None:
        """Count ``count`` sends to the chat, or raise the 429 that refuses them."""
        if not self._enforced:
            return
        now_s = self._now_s()
        group = self._groups.setdefault(chat_id, deque()) if chat_id < 0 else None
        waits_s = [
            _window_wait_s(
                self._overall,
                now_s,
                count,
                limits.FLOOD_OVERALL_MAX,
                limits.FLOOD_OVERALL_WINDOW_S,
            )
        ]
        if group is not None:
            waits_s.append(
                _window_wait_s(
                    group, now_s, count, limits.FLOOD_GROUP_MAX, limits.FLOOD_GROUP_WINDOW_S
                )
            )
        else:
            waits_s.append(self._private_wait_s(chat_id, now_s, count))
        wait_s = max(waits_s)
        if wait_s > 0:
            raise too_many_requests(max(1, math.ceil(wait_s)))
        self._overall.extend([now_s] * count)
        if group is not None:
            group.extend([now_s] * count)
        else:
            self._private[chat_id].tokens -= count

    def _private_wait_s(self, chat_id: int, now_s: float, count: int) -> float:
        burst = float(limits.FLOOD_PRIVATE_BURST)
        bucket = self._private.setdefault(chat_id, _Bucket(burst, now_s))
        refill = (now_s - bucket.at_s) * limits.FLOOD_PRIVATE_PER_S
        bucket.tokens = min(burst, bucket.tokens + refill)
        bucket.at_s = now_s
        # An album larger than the burst passes from a full bucket and leaves a debt.
        needed = min(float(count), burst)
        return (needed - bucket.tokens) / limits.FLOOD_PRIVATE_PER_S

    def forget(self) -> None:
        """Start afresh, as after a reset."""
        self._private.clear()
        self._groups.clear()
        self._overall.clear()


def _window_wait_s(
    sent: deque[float], now_s: float, count: int, sends_max: int, window_s: float
) -> float:
    while sent and now_s - sent[0] >= window_s:
        sent.popleft()
    over = len(sent) + min(count, sends_max) - sends_max
    return 0.0 if over <= 0 else sent[over - 1] + window_s - now_s
