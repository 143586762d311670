"""Letting people in: somebody unknown asks, an admin approves or blocks, once."""

from datetime import datetime

from core.domain import alerts_people as p
from core.domain import audit_words as words
from core.domain.access import (
    REQUESTS_WAITING_MAX,
    AccessDecision,
    Requester,
    shown_name,
)
from core.domain.audit import SYSTEM
from core.domain.people import Person, Role
from core.ports import Clock, Store, Transaction
from core.records import UserRow
from core.records_people import AccessRequestRow
from core.services import audit
from core.services.errors import Refused
from core.services.policy import EnginePolicy
from core.services.speaking import speak
from core.services.standing_changes import WAITING, end_request


class Access:
    """Keeps requests and decides them. All that follows from one is in one transaction.

    Every method raises StoreUnavailable.
    """

    def __init__(
        self, *, store: Store, clock: Clock, policy: EnginePolicy, links: bool = False
    ) -> None:
        """`links`: whether clients may link accounts in the chat, which they are then told."""
        self._store = store
        self._clock = clock
        self._policy = policy
        self._links = links

    async def ask(self, asker: Requester) -> None:
        """Ask to be let in; the admins read it.

        Raises Refused: already_known of whoever is in the books, and so of a second request;
        requests_full.
        """
        now = self._clock.now()
        async with self._store.writing() as tx:
            if await tx.first(UserRow, telegram_id=asker.telegram_id) is not None:
                raise Refused("already_known")
            waiting = await tx.count(AccessRequestRow, state=WAITING)
            if waiting >= REQUESTS_WAITING_MAX:
                raise Refused("requests_full")
            name, username = shown_name(asker.name), asker.username
            user_id = await tx.insert(
                UserRow(
                    telegram_id=asker.telegram_id,
                    name=name,
                    role=Role.PENDING.value,
                    created_at=now,
                )
            )
            request_id = await tx.insert(
                AccessRequestRow(user_id=user_id, username=username, state=WAITING, asked_at=now)
            )
            alert = p.AccessAsked(
                request_id=request_id,
                telegram_id=asker.telegram_id,
                name=name,
                username=username,
                waiting=waiting + 1,
                at=now,
            )
            await self._speak(tx, alert, asker.telegram_id, now)
            detail = {"request": request_id, "name": name, "username": username}
            actor = f"telegram:{asker.telegram_id}"
            await audit.append(tx, SYSTEM, actor, words.ACCESS_ASKED, detail, now)

    async def answer(self, actor: Person, request_id: int, *, approve: bool) -> AccessDecision:
        """Let somebody in as a client, or block them.

        Raises Refused: not_admin, not_found, request_answered, listed_in_file.
        """
        if not actor.is_admin:
            raise Refused("not_admin")
        now = self._clock.now()
        async with self._store.writing() as tx:
            request, user = await _request(tx, request_id)
            if request.state != WAITING:
                raise Refused(
                    "request_answered",
                    state=request.state,
                    by=request.decided_by,
                    at=request.decided_at,
                )
            if user.file_role is not None or user.role != Role.PENDING:
                raise Refused("listed_in_file", name=user.name, role=user.role)
            await tx.update(
                UserRow,
                {"id": user.id},
                role=(Role.CLIENT if approve else Role.BLOCKED).value,
                blocked_at=None if approve else now,
            )
            admin = self._policy.admin_chat_id
            await end_request(tx, user, approved=approve, by=actor.name, now=now, admin=admin)
            news = p.AccessDecided(
                request_id=request.id, approved=approve, links=self._links, at=now
            )
            await self._speak(tx, news, user.telegram_id, now)
            detail = {
                "request": request.id,
                "person": user.telegram_id,
                "name": user.name,
                "by": actor.telegram_id,
            }
            word = words.ACCESS_GIVEN if approve else words.PERSON_BLOCKED
            await audit.append(tx, SYSTEM, actor.name, word, detail, now)
        return AccessDecision(
            telegram_id=user.telegram_id, name=user.name, approved=approve, at=now
        )

    async def _speak(
        self, tx: Transaction, alert: p.PeopleAlert, telegram_id: int, now: datetime
    ) -> None:
        admin = self._policy.admin_chat_id
        await speak(tx, alert, client=telegram_id, admin=admin, now=now)


async def _request(tx: Transaction, request_id: int) -> tuple[AccessRequestRow, UserRow]:
    request = await tx.get(AccessRequestRow, request_id)
    user = None if request is None else await tx.get(UserRow, request.user_id)
    if request is None or user is None:
        raise Refused("not_found")
    return request, user
