"""When a close that makes no progress is told as that, and again while it lasts."""

from datetime import datetime, timedelta

from core.records import CloseJobRow

MARKS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""How long without progress it is told first, ..."""
EVERY = timedelta(hours=1)
"""... and from then on each time this much has passed."""
PARKED_EVERY = timedelta(hours=6)
"""How often while a market is closed and nobody knows until when: the client cannot change it."""


def stalled_since(job: CloseJobRow) -> datetime:
    """Since when the job makes no progress: a market that is closed till a known hour begins it."""
    began = job.progress_at or job.started_at or job.deadline_at
    return max(began, job.opens_at) if job.opens_at is not None else began


def is_due(job: CloseJobRow, now: datetime) -> bool:
    """Whether it is to be told now that the job makes no progress. A clock set back tells later."""
    since, told = stalled_since(job), job.stalled_told_at
    lasts = now - since
    if job.trouble == "market_closed" and job.opens_at is None:
        before = since if told is None else max(told, since)
        return now - before >= PARKED_EVERY
    passed = [mark for mark in MARKS if lasts >= mark]
    if not passed:
        return False
    if told is None or told < since:
        return True
    if len(passed) < len(MARKS):
        return told - since < passed[-1]
    return told - since < MARKS[-1] or now - told >= EVERY
