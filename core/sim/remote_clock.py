"""The app's clock in a replay: market time, which passes when the app says it has nothing to do.

After the file's end it is real time from there on, here as in the world.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
import msgspec

REQUEST_TIMEOUT_S: Final = 120.0
"""One answer: a paced advance is held for seconds, a fast one may feed hours of ticks."""
ATTEMPTS_MAX: Final = 10
RETRY_PAUSE_S: Final = 0.5
CLOCK_PATH: Final = "/clock"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


class ClockLost(Exception):
    """The world did not answer for `ATTEMPTS_MAX` attempts: time cannot pass."""


class RemoteClock:
    """Implements `core.ports.Clock` over the world's `/clock`. `start` before anything else.

    `base_url` is the world's address, or that of its clock.
    """

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        self._url = f"{base_url.rstrip('/').removesuffix(CLOCK_PATH)}{CLOCK_PATH}"
        self._session = session
        self._now: datetime | None = None
        self._ended = False
        self._heard_s = 0.0

    async def start(self) -> None:
        """Read where market time stands. Raises ClockLost."""
        self._take(await self._ask(self._session.get, self._url))

    def now(self) -> datetime:
        """Market time as last heard, UTC; past the file's end with the real time since then."""
        if self._now is None:
            raise ClockLost("the clock was not started")
        if self._ended:
            return self._now + timedelta(seconds=time.monotonic() - self._heard_s)
        return self._now

    def steady_s(self) -> float:
        """Market time never goes back or jumps."""
        return self.now().timestamp()

    async def rest_until(self, due: datetime) -> bool:
        """Let market time pass until `due`, or the file's end; False when it had ended before.

        Raises ClockLost.
        """
        if self._ended:
            return False
        until_ms = -((EPOCH - due) // _MS)
        while self.now() < due and not self._ended:
            self._take(
                await self._ask(
                    self._session.post, f"{self._url}/advance", json={"until_ms": until_ms}
                )
            )
        return True

    def _take(self, answer: dict[str, Any]) -> None:
        now = EPOCH + timedelta(milliseconds=answer["now_ms"])
        # A world that was restarted may stand a little behind; time never goes back here.
        self._now = now if self._now is None else max(now, self._now)
        self._ended = answer["ended"]
        self._heard_s = time.monotonic()

    async def _ask(self, method: Any, url: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        for _ in range(ATTEMPTS_MAX):
            try:
                async with method(url, timeout=timeout, **body) as answer:
                    answer.raise_for_status()
                    found: dict[str, Any] = msgspec.json.decode(await answer.read())
                    return found
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(RETRY_PAUSE_S)
        raise ClockLost(f"no answer from {url}")
