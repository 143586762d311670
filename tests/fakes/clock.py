"""A clock that a test moves."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 14, 2, 11, tzinfo=UTC)


class FixedClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        """The instant it shows."""
        return self.at

    def steady_s(self) -> float:
        """As it is moved."""
        return self.now().timestamp()

    async def rest_until(self, due: datetime) -> bool:
        """Moves to `due`."""
        self.at = max(self.at, due)
        return True

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)
