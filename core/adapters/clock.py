"""The computer's clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Follows the machine's time, UTC; it cannot make time pass."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)

    def steady_s(self) -> float:
        """Seconds since some moment; no setting of the machine's time moves them."""
        return time.monotonic()

    async def rest_until(self, due: datetime) -> bool:  # noqa: ARG002 - it only follows time
        """Answer that time passes by itself."""
        return False
