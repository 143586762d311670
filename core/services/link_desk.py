"""An admin's answer to a client who asks for an account to be guarded."""

from datetime import datetime

from msgspec import Struct

from core.domain.linking import LinkPolicy, LinkState
from core.domain.people import Person, Role
from core.ports import Clock, Store, Transaction
from core.records import TerminalRow, UserRow
from core.records_links import LinkRequestRow
from core.services.errors import Refused
from core.services.link_places import free_place, known_as
from core.services.link_requests import moved, tell_client


class LinkDecision(Struct, frozen=True, kw_only=True):
    """What an admin decided."""

    login: int
    name: str
    approved: bool


class LinkDesk:
    """Decides requests, once each. All that follows from one is in one transaction."""

    def __init__(
        self, *, store: Store, clock: Clock, policy: LinkPolicy, admin_chat_id: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._admin = admin_chat_id

    async def answer(self, actor: Person, request_id: int, *, approve: bool) -> LinkDecision:
        """Have the broker asked, or refuse. Raises StoreUnavailable.

        Raises Refused: not_admin, not_found, link_answered, own_link, link_gone, link_known,
        no_terminal_left. After the last three the request still waits, and can be refused.
        """
        if not actor.is_admin:
            raise Refused("not_admin")
        now = self._clock.now()
        async with self._store.writing() as tx:
            row, user = await self._waiting(tx, request_id)
            if row.user_id == actor.user_id:
                raise Refused("own_link")
            if approve:
                await self._refuse_impossible(tx, row, user)
            state = LinkState.APPROVED if approve else LinkState.REFUSED
            await self._decide(tx, row, user, state, actor, now)
        return LinkDecision(login=row.login, name=user.name, approved=approve)

    async def _waiting(self, tx: Transaction, request_id: int) -> tuple[LinkRequestRow, UserRow]:
        row = await tx.get(LinkRequestRow, request_id)
        user = None if row is None else await tx.get(UserRow, row.user_id)
        if row is None or user is None or row.asked_at is None:
            raise Refused("not_found")
        if row.state != LinkState.WAITING:
            at = row.decided_at or row.ended_at
            raise Refused("link_answered", state=row.state, by=row.decided_by, at=at)
        return row, user

    async def _refuse_impossible(self, tx: Transaction, row: LinkRequestRow, user: UserRow) -> None:
        if user.role != Role.CLIENT:
            raise Refused("link_gone", name=user.name)
        owner = await known_as(tx, self._policy.places, row.login, row.server)
        if owner:
            raise Refused("link_known", login=row.login, owner=owner)
        if free_place(self._policy, row.login, await tx.find(TerminalRow)) is None:
            raise Refused("no_terminal_left")

    async def _decide(
        self,
        tx: Transaction,
        row: LinkRequestRow,
        user: UserRow,
        state: LinkState,
        actor: Person,
        now: datetime,
    ) -> None:
        decided = await moved(
            tx,
            row,
            user,
            state,
            actor=actor.name,
            by=actor.name,
            admin=self._admin,
            now=now,
            decided_at=now,
            decided_by=actor.name,
            due_at=now,
            problem="",
        )
        if not decided:  # cannot be: writers take turns
            raise Refused("link_answered", state=row.state, by="", at=now)
        await tell_client(tx, row, user, state, admin=self._admin, now=now)
