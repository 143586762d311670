"""When the guard is blind: no trustworthy reading for a while, with positions open."""

from datetime import datetime, timedelta

from core.records import AccountStateRow

BLIND_AFTER = timedelta(seconds=90)
"""Without a trustworthy reading for this long, and with positions open, the guard is blind."""
START_GRACE = timedelta(seconds=30)
"""Where readings fail, they must have failed for this long since the start: terminals get up."""


def became_blind(
    state: AccountStateRow, now: datetime, failing_since: datetime | None
) -> datetime | None:
    """Since when nothing is seen, where that is to be told now; None where it is not.

    `failing_since`: since when reads of this start fail; None where they succeed and are not to be
    trusted.
    """
    since = state.trusted_at or state.observed_at
    if state.blind_since is not None or since is None or not state.known_positions:
        return None
    if failing_since is not None and now - failing_since < START_GRACE:
        return None
    return since if now - since >= BLIND_AFTER else None
