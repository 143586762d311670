"""The computer's clock."""

from datetime import UTC, datetime


class SystemClock:
    """Follows the machine's time, UTC; it cannot make time pass."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)

    async def rest_until(self, due: datetime) -> bool:  # noqa: ARG002 - it only follows time
        """Answer that time passes by itself."""
        return False
