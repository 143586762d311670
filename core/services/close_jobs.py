"""Begin close jobs: one for each trigger, however often or by whom the trigger is found.

The key of a trigger names its cause, not the moment it was seen: the same breach found twice (a
cycle that is run again, a second process) is one job.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from core.records import CloseJobRow
from core.services.desk import ACTIVE_JOB_STATES
from core.services.recording import Recorder


def breach_key(rule: str, peak_at: datetime | None) -> str:
    """Of a breach: the rule, and when the peak was set. A release sets the peak anew (law 8)."""
    return f"{rule}:{'never' if peak_at is None else peak_at.isoformat()}"


def reappeared_key(latched_at: datetime | None, tickets: Iterable[int]) -> str:
    """Of something on a latched account: the latch, and the newest ticket there."""
    since = "never" if latched_at is None else latched_at.isoformat()
    return f"latched:{since}:{max(tickets)}"


async def begin(pen: Recorder, job: CloseJobRow) -> CloseJobRow:
    """Insert the job and take it into memory, or take the unfinished one of the same trigger.

    A trigger whose job is over has come true again, which its key cannot tell: it is closed all the
    same, under a key of its own.
    """
    new_id = await pen.tx.insert_new(job)
    if new_id is None:
        known = await pen.tx.first(
            CloseJobRow, account_id=job.account_id, trigger_key=job.trigger_key
        )
        if known is not None and known.state in ACTIVE_JOB_STATES:
            if all(each.id != known.id for each in pen.memory.jobs):
                pen.memory.jobs.append(known)
            return known
        job = replace(job, trigger_key=f"{job.trigger_key}@{pen.now.isoformat()}")
        new_id = await pen.tx.insert(job)
    made = replace(job, id=new_id)
    pen.memory.jobs.append(made)
    return made
