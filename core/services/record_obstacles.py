"""Tell what keeps an account from being closed: when it appears, changes, lasts, and ends."""

from datetime import datetime

from msgspec.structs import replace

from core.domain import alerts_terminal as t
from core.domain import audit_words as words
from core.domain.closing import ACCOUNT_SCOPE
from core.domain.permissions import News, explain
from core.records import AccountStateRow, CloseJobRow
from core.services.recording import Recorder

LATCHED = "latched"
"""Why something that re-appeared is closed: no breach told of that."""


def told(state: AccountStateRow, news: News, now: datetime) -> AccountStateRow:
    """The state as it is once the news is told."""
    if news is News.ENDED:
        return replace(state, obstacles_told_at=None)
    return replace(state, obstacles_told_at=now) if state.positions_count else state


def is_told(state: AccountStateRow, job: CloseJobRow) -> bool:
    """Whether a guard's close is held up by what its own message, or one since, told already."""
    stands = explain(state.obstacles or (), job.trouble or "")
    return stands and job.scope == ACCOUNT_SCOPE and job.reason != LATCHED


async def obstacles(pen: Recorder, state: AccountStateRow, news: News, *, breached: bool) -> None:
    """Write down and say what is new about the obstacles; `state` is the account's next.

    What the message of a breach says in the same commit (`breached`), or that of a close they hold
    up has said before, is not said again.
    """
    found = state.obstacles or []
    if news in {News.APPEARED, News.CHANGED, News.ENDED}:
        before = pen.memory.state.obstacles or []
        await pen.audit(words.OBSTACLES_CHANGED, before=before, after=found)
    if news is News.ENDED:
        since = pen.memory.state.obstacles_since or pen.now
        await pen.say(t.CanCloseAgain(**pen.who, since=since, at=pen.now))
        return
    appeared = news is News.APPEARED
    if breached or (appeared and any(explain(found, j.trouble or "") for j in pen.memory.jobs)):
        return
    await pen.say(
        t.CannotClose(
            **pen.who,
            obstacles=tuple(found),
            news=news.value,
            positions_count=state.positions_count,
            since=state.obstacles_since or pen.now,
            at=pen.now,
        )
    )
