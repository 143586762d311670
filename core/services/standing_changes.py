"""What else changes when somebody's standing or an account's owner does, whoever decided it."""

from datetime import datetime
from typing import Any

from core.domain import alerts_people as p
from core.domain import audit_words as words
from core.ports import Transaction
from core.records import AccountRow, UserRow
from core.records_people import AccessRequestRow
from core.services import audit
from core.services.speaking import speak

WAITING = "waiting"
APPROVED = "approved"
BLOCKED = "blocked"


async def end_request(
    tx: Transaction, user: UserRow, *, approved: bool, by: str, now: datetime, admin: int
) -> AccessRequestRow | None:
    """End the request of somebody who waits for an answer, and show it; None where none waits."""
    request = await tx.first(AccessRequestRow, user_id=user.id, state=WAITING)
    if request is None:
        return None
    await tx.update(
        AccessRequestRow,
        {"id": request.id},
        state=APPROVED if approved else BLOCKED,
        decided_at=now,
        decided_by=by,
    )
    answered = p.AccessAnswered(
        request_id=request.id,
        telegram_id=user.telegram_id,
        name=user.name,
        username=request.username,
        approved=approved,
        by=by,
        asked_at=request.asked_at,
        at=now,
    )
    await speak(tx, answered, client=user.telegram_id, admin=admin, now=now)
    return request


async def hand_over(  # noqa: PLR0913 - the account, from whom to whom, and who says so
    tx: Transaction,
    account: AccountRow,
    before: UserRow,
    user: UserRow,
    *,
    actor: str,
    now: datetime,
    admin: int,
    **more: Any,
) -> dict[str, Any]:
    """Make an account somebody's from now on, with its link; both its owners are told.

    `more` goes into the link. Answers what the link says.
    """
    await tx.update(AccountRow, {"id": account.id}, user_id=user.id, owned_since=now)
    detail = {
        **more,
        "login": account.login,
        "person": user.telegram_id,
        "name": user.name,
        "before": before.telegram_id,
    }
    await audit.append(tx, account.id, actor, words.ACCOUNT_HANDED_OVER, detail, now)
    facts: dict[str, Any] = {
        "account_id": account.id,
        "login": account.login,
        "currency": account.currency,
        "client": user.name,
        "at": now,
    }
    given = p.AccountGiven(**facts, before=before.name)
    await speak(tx, given, client=user.telegram_id, admin=admin, now=now)
    if before.id != user.id:
        await speak(tx, p.AccountTaken(**facts), client=before.telegram_id, admin=admin, now=now)
    return detail
