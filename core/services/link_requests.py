"""What changes with a link request, whoever changes it: its end, and what is told of it."""

from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from core.domain import alerts_links as k
from core.domain import audit_words as words
from core.domain.access import shown_name
from core.domain.audit import SYSTEM
from core.domain.linking import (
    ANSWER_TIME,
    CONVERSATIONS_MAX,
    CONVERSATIONS_SPAN,
    OPEN,
    REQUESTS_WAITING_MAX,
    WRONG_MAX,
    Failure,
    LinkAsk,
    LinkState,
    Problem,
)
from core.ports import Transaction
from core.records import UserRow
from core.records_links import LinkRequestRow
from core.services import audit
from core.services.errors import Refused
from core.services.link_damage import sound
from core.services.speaking import speak

BY_WORD: Final = {
    LinkState.APPROVED: words.LINK_APPROVED,
    LinkState.REFUSED: words.LINK_REFUSED,
    LinkState.CANCELLED: words.LINK_CANCELLED,
    LinkState.EXPIRED: words.LINK_EXPIRED,
    LinkState.FAILED: words.LINK_FAILED,
    LinkState.LINKED: words.ACCOUNT_LINKED,
}
TOLD_IN_PLACE: Final = (
    LinkState.APPROVED,
    LinkState.REFUSED,
    LinkState.CANCELLED,
    LinkState.EXPIRED,
)
"""States that take the place of the admins' question; what the broker said is news instead."""


async def newest(tx: Transaction, user_id: int) -> LinkRequestRow | None:
    """Somebody's last request, open or ended. Raises UnreadableRow."""
    return sound(await tx.first(LinkRequestRow, user_id=user_id, order_by="-id"))


def is_renewal(row: LinkRequestRow) -> bool:
    """Whether an account that is guarded already gets its new password; no admin is asked."""
    return row.account_id is not None and row.asked_at is None


async def refuse_too_many(tx: Transaction, user: UserRow, now: datetime) -> None:
    """Raise Refused where somebody has begun too many conversations of late: too_many_links."""
    since = now - CONVERSATIONS_SPAN
    begun = await tx.count(LinkRequestRow, user_id=user.id, begun_at__gt=since)
    if begun >= CONVERSATIONS_MAX:
        raise Refused("too_many_links")


async def refuse_full(tx: Transaction) -> None:
    """Raise Refused where too many requests wait for an admin: links_full."""
    waiting = await tx.count(LinkRequestRow, state=LinkState.WAITING.value)
    if waiting >= REQUESTS_WAITING_MAX:
        raise Refused("links_full")


async def begin(tx: Transaction, user: UserRow, now: datetime, **asks: Any) -> LinkRequestRow:
    """Begin a conversation with the question that these values stand for."""
    row = LinkRequestRow(user_id=user.id, begun_at=now, due_at=now + ANSWER_TIME, **asks)
    row = replace(row, id=await tx.insert(row))
    detail = {"request": row.id, "person": user.telegram_id}
    if is_renewal(row):
        detail |= told_of(row)
    await audit.append(tx, SYSTEM, actor_of(user), words.LINK_BEGUN, detail, now)
    return row


async def rivals(tx: Transaction, row: LinkRequestRow) -> tuple[str, ...]:
    """The others whose request for the same account waits for an admin, or for the broker."""
    asked = [LinkState.WAITING.value, LinkState.APPROVED.value]
    others = await tx.find(LinkRequestRow, login=row.login, state=asked, order_by="id")
    server = row.server.casefold()
    same = [other for other in others if other.id != row.id and other.server.casefold() == server]
    users = [await tx.get(UserRow, other.user_id) for other in same]
    return tuple(shown_name(user.name) for user in users if user is not None)


async def moved(  # noqa: PLR0913 - the request, to what, by whom, and who is told
    tx: Transaction,
    row: LinkRequestRow,
    user: UserRow,
    state: LinkState,
    *,
    actor: str,
    by: str = "",
    admin: int,
    now: datetime,
    **changes: Any,
) -> bool:
    """Bring a request to another state, if it is still as it was read; whether it was.

    At an end its password is forgotten. The admins see what became of a question they were asked.
    """
    if state not in OPEN:
        changes |= {"password_token": None, "ended_at": now}
    held = {"id": row.id, "state": row.state}
    if not await tx.update(LinkRequestRow, held, state=state.value, **changes):
        return False
    detail: dict[str, Any] = {**told_of(row), "person": user.telegram_id, "from": row.state}
    renewed = state is LinkState.LINKED and is_renewal(row)
    word = words.PASSWORD_RENEWED if renewed else BY_WORD[state]
    if changes.get("failure"):
        detail["failure"] = changes["failure"]
    await audit.append(tx, SYSTEM, actor, word, detail, now)
    if row.asked_at is not None and state in TOLD_IN_PLACE:
        answered = k.LinkAnswered(
            **facts(row, user, now), state=state.value, by=by, asked_at=row.asked_at
        )
        await speak(tx, answered, client=None, admin=admin, now=now)
    return True


async def tell_client(
    tx: Transaction,
    row: LinkRequestRow,
    user: UserRow,
    state: LinkState,
    *,
    admin: int,
    now: datetime,
) -> None:
    """What became of it, as news to whoever asked."""
    news = k.LinkNews(**facts(row, user, now), state=state.value)
    await speak(tx, news, client=user.telegram_id, admin=admin, now=now)


def told_of(row: LinkRequestRow) -> dict[str, Any]:
    """What an audit link says of a request; never a secret."""
    return {"request": row.id, "login": row.login, "server": row.server}


def facts(row: LinkRequestRow, user: UserRow, now: datetime) -> dict[str, Any]:
    """What every alert about a request says."""
    return {
        "request_id": row.id,
        "login": row.login,
        "server": row.server,
        "client": user.name,
        "telegram_id": user.telegram_id,
        "at": now,
        "renewal": is_renewal(row),
    }


def shown(row: LinkRequestRow, servers: tuple[str, ...]) -> LinkAsk:
    """The request as its person is told of it."""
    return LinkAsk(
        request_id=row.id,
        state=LinkState(row.state),
        servers=servers,
        server=row.server,
        login=row.login,
        problem=Problem(row.problem) if row.problem else None,
        failure=Failure(row.failure) if row.failure else None,
        tries_left=max(0, WRONG_MAX - row.wrong),
        renewal=is_renewal(row),
    )


def actor_of(user: UserRow) -> str:
    """Who somebody is in the audit, where they act by themselves."""
    return f"telegram:{user.telegram_id}"
