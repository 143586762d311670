"""How far apart two readings lie that are to prove an account flat (law 7)."""

from datetime import datetime, timedelta

from core.domain.broker import AccountSnapshot


def apart(snapshot: AccountSnapshot, first_at: datetime, first_s: float | None) -> timedelta | None:
    """How long after the end of the first flat reading this one began.

    By the clock that nobody sets: one put forward would bring two readings as near together as it
    likes. None where the first was another process's, whose clock is not this one's.
    """
    if snapshot.began_s is None:
        return snapshot.began_at - first_at
    return None if first_s is None else timedelta(seconds=snapshot.began_s - first_s)
