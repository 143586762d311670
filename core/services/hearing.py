"""What a person wants to hear, from the store; and messages put into the outbox as they want it.

A message that is switched off is kept as one that failed, with the reason: none vanishes without
one. A message that stands in the chat already is kept current all the same.
"""

from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from core.domain.alerts import Priority
from core.domain.hearing import GROUPS, Group, Hearing, Level, QuietHours, is_off
from core.domain.people import Role
from core.domain.speech import EDIT, NEW
from core.ports import Transaction
from core.records import OutboxRow, PreferenceRow, UserRow
from core.services.telling import audit_fate

FAILED: Final = "failed"
MUTED_BLOCKED: Final = "muted: its reader is blocked"
TOLD_THE_BLOCKED: Final = frozenset(
    {"AccessAnswered", "AccessDecided", "StandingChanged", "WordsLeft"}
)
"""Kinds that tell somebody that they are blocked, or what they must do all the same."""
ALIVE: Final = ("due", "sending", "sent")
MUTED: Final = "muted: its reader switched {group} off"
MUTED_WITH: Final = "muted: so was the message that it would change"
FOLDED: Final = "folded: too many messages at once, counted in a summary"
FOLDED_WITH: Final = "folded: so was the message that it would change"
QUESTIONS: Final = frozenset({"PositionQuestion"})
"""Kinds that ask in the place of what told of it: they are shown though that was folded."""
BY_CHOICE: Final = ("muted: its reader switched", MUTED_WITH)
"""How the errors begin of what a reader's own choice muted."""


async def hearing_of(tx: Transaction, chat_id: int) -> Hearing | None:
    """What whoever reads this chat alone wants to hear; None where it is a group or nobody's."""
    user = None if chat_id < 0 else await tx.first(UserRow, telegram_id=chat_id)
    if user is None:
        return None
    return hearing_from(user, await tx.first(PreferenceRow, user_id=user.id))


def hearing_from(user: UserRow, chosen: PreferenceRow | None) -> Hearing:
    """The rows as a value. Words that no version knows any more count as not chosen."""
    if chosen is None:
        return Hearing(time_zone=user.time_zone)
    groups, known = set(Group), set(Level)
    start_min, end_min = chosen.quiet_start_min, chosen.quiet_end_min
    return Hearing(
        levels={
            Group(group): Level(level)
            for group, level in chosen.levels.items()
            if group in groups and level in known
        },
        quiet=None if start_min is None or end_min is None else QuietHours(start_min, end_min),
        time_zone=user.time_zone,
    )


async def put(tx: Transaction, row: OutboxRow, *, admin: int) -> int | None:
    """Insert a message, muted where its reader switched it off; its id, None where it is there.

    The admin chat hears everything, also where it is one person's own.
    """
    return await insert(tx, row, await why_not(tx, row, admin=admin))


async def why_not(tx: Transaction, row: OutboxRow, *, admin: int) -> str | None:
    """Why a message is not sent; None where it is."""
    why = None if row.chat_id == admin else await _why_muted(tx, row)
    return why or await _why_folded(tx, row)


async def insert(tx: Transaction, row: OutboxRow, why: str | None) -> int | None:
    """Insert a message, given up from the start where there is a reason; its id, None if known."""
    if why is None:
        return await tx.insert_new(row)
    muted = replace(row, state=FAILED, error=why)
    row_id = await tx.insert_new(muted)
    if row_id is not None:
        told = replace(muted, id=row_id)
        await audit_fate(tx, told, row.created_at, message_id=None, error=why)
    return row_id


async def mute_blocked(tx: Transaction, chat_id: int, now: datetime, *, admin: int) -> None:
    """Take back what waits to be sent to somebody who is blocked now.

    The admin chat hears everything, also where it is one person's own.
    """
    if chat_id == admin:
        return
    for row in await tx.find(OutboxRow, chat_id=chat_id, state="due"):
        muted = {"state": FAILED, "error": MUTED_BLOCKED}
        if await tx.update(OutboxRow, {"id": row.id, "state": "due"}, **muted):
            await audit_fate(tx, row, now, message_id=None, error=MUTED_BLOCKED)


async def _why_muted(tx: Transaction, row: OutboxRow) -> str | None:
    user = None if row.chat_id < 0 else await tx.first(UserRow, telegram_id=row.chat_id)
    if user is None:
        return None
    if user.role == Role.BLOCKED and row.kind not in TOLD_THE_BLOCKED:
        return MUTED_BLOCKED  # no figure goes there, in an edit either
    hearing = hearing_from(user, await tx.first(PreferenceRow, user_id=user.id))
    thread: dict[str, Any] = {"chat_id": row.chat_id, "thread": row.thread}
    follows = row.mode != NEW and bool(row.thread)
    stands = follows and await tx.first(OutboxRow, state=ALIVE, **thread) is not None
    if stands:
        return None
    if is_off(hearing, row.kind, row.priority):
        return MUTED.format(group=GROUPS[row.kind].value)
    if follows and row.mode == EDIT and row.priority != Priority.CRITICAL:
        first = await tx.first(OutboxRow, state=FAILED, **thread)
        if first is not None and (first.error or "").startswith(BY_CHOICE):
            return MUTED_WITH
    return None


async def _why_folded(tx: Transaction, row: OutboxRow) -> str | None:
    """A change to what was only counted in a summary changes nothing that anybody sees."""
    changes = row.mode == EDIT and row.about_id is None and row.kind not in QUESTIONS
    if not changes or not row.thread or row.priority == Priority.CRITICAL:
        return None
    thread: dict[str, Any] = {"chat_id": row.chat_id, "thread": row.thread}
    folded = await tx.first(OutboxRow, state=FAILED, error=(FOLDED, FOLDED_WITH), **thread)
    if folded is None or await tx.first(OutboxRow, state=ALIVE, **thread) is not None:
        return None
    return FOLDED_WITH
