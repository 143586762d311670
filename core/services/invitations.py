"""Invitations: made at the machine, used in the private chat by whoever is to own the account.

An account has one owner: signals are offered to them and alerts go to them. So a code hands the
account over; until its client comes it is somebody else's, as the people file says. What was
recorded of an account before is nobody's but the admins' from then on.
"""

import secrets
from collections.abc import Callable
from datetime import datetime

from core.domain import audit_words as words
from core.domain.access import Requester, shown_name
from core.domain.audit import SYSTEM
from core.domain.invitations import (
    CODE_BYTES,
    LIFETIME,
    Attempts,
    Invited,
    Redeemed,
    code_digest,
    is_code,
)
from core.domain.people import Role
from core.ports import Clock, Store, Transaction
from core.records import AccountRow, UserRow
from core.records_people import InvitationRow
from core.services import audit
from core.services.errors import Refused
from core.services.policy import EnginePolicy
from core.services.standing_changes import end_request, hand_over

OPEN = "open"
USED = "used"
VOID = "void"
BY_INVITATION = "an invitation"


class Invite:
    """Makes invitations. Raises StoreUnavailable."""

    def __init__(self, *, store: Store, clock: Clock, actor: str) -> None:
        self._store = store
        self._clock = clock
        self._actor = actor

    async def __call__(self, login: int, server: str) -> Invited:
        """Invite to own this account; an older invitation to it is void from now on.

        Raises Refused not_found of an account that is not in the books.
        """
        code, now = secrets.token_urlsafe(CODE_BYTES), self._clock.now()
        async with self._store.writing() as tx:
            account = await tx.first(AccountRow, login=login, server=server, enabled=True)
            owner = None if account is None else await tx.get(UserRow, account.user_id)
            if account is None or owner is None:
                raise Refused("not_found", login=login)
            await tx.update(
                InvitationRow,
                {"account_id": account.id, "state": OPEN},
                state=VOID,
                ended_at=now,
            )
            row = InvitationRow(
                account_id=account.id,
                digest=code_digest(code),
                state=OPEN,
                made_by=self._actor,
                made_at=now,
                expires_at=now + LIFETIME,
            )
            number = await tx.insert(row)
            detail = {"invitation": number, "login": login, "server": server}
            await audit.append(tx, SYSTEM, self._actor, words.INVITATION_MADE, detail, now)
        return Invited(
            code=code, login=login, server=server, owner=owner.name, expires_at=row.expires_at
        )


class UseInvitation:
    """Takes codes. `moved` is called with an account that has another owner now.

    Every method raises StoreUnavailable.
    """

    def __init__(
        self, *, store: Store, clock: Clock, policy: EnginePolicy, moved: Callable[[int], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._moved = moved
        self._attempts = Attempts()

    async def __call__(self, who: Requester, code: str) -> Redeemed:
        """Make whoever brings the code a client, unless they are more, and the account's owner.

        Raises Refused: code_wrong, code_used, code_expired, too_many_codes, person_blocked,
        listed_in_file.
        """
        now = self._clock.now()
        if self._attempts.is_over(who.telegram_id, now):
            raise Refused("too_many_codes")
        account: AccountRow | None = None
        try:
            async with self._store.writing() as tx:
                row, account = await _open(tx, code, now)
                user, is_new = await self._let_in(tx, who, now)
                await self._hand_over(tx, row, account, user, now)
        except Refused as refused:
            self._attempts.note(who.telegram_id, now)
            if refused.code == "person_blocked":
                await self.void(code, who.telegram_id)
            raise
        finally:  # a commit that is called failed may have been made all the same
            if account is not None:
                self._moved(account.id)
        return Redeemed(login=account.login, name=user.name, is_new=is_new)

    async def void(self, code: str, telegram_id: int) -> bool:
        """End a code that others have seen; whether it was good until now."""
        if not is_code(code):
            return False
        now, mine = self._clock.now(), {"digest": code_digest(code), "state": OPEN}
        async with self._store.reading() as tx:
            row = await tx.first(InvitationRow, **mine)
        if row is None or now >= row.expires_at:
            return False
        async with self._store.writing() as tx:
            if not await tx.update(InvitationRow, mine, state=VOID, ended_at=now):
                return False  # it was used at the same moment
            actor, detail = f"telegram:{telegram_id}", {"invitation": row.id}
            await audit.append(tx, SYSTEM, actor, words.INVITATION_VOID, detail, now)
        return True

    async def _let_in(self, tx: Transaction, who: Requester, now: datetime) -> tuple[UserRow, bool]:
        """The person, with a client's rights at least; whether they had none before."""
        user = await tx.first(UserRow, telegram_id=who.telegram_id)
        if user is None:
            new = UserRow(
                telegram_id=who.telegram_id,
                name=shown_name(who.name),
                role=Role.CLIENT.value,
                created_at=now,
            )
            return await _found(tx, await tx.insert(new)), True
        if user.role == Role.BLOCKED:
            raise Refused("person_blocked")
        if user.role != Role.PENDING:
            return user, False
        if user.file_role is not None:
            raise Refused("listed_in_file", name=user.name, role=user.role)
        await tx.update(UserRow, {"id": user.id}, role=Role.CLIENT.value)
        admin = self._policy.admin_chat_id
        await end_request(tx, user, approved=True, by=BY_INVITATION, now=now, admin=admin)
        return await _found(tx, user.id), True

    async def _hand_over(
        self,
        tx: Transaction,
        row: InvitationRow,
        account: AccountRow,
        user: UserRow,
        now: datetime,
    ) -> None:
        before = await _found(tx, account.user_id)
        await tx.update(InvitationRow, {"id": row.id}, state=USED, ended_at=now, user_id=user.id)
        actor = f"telegram:{user.telegram_id}"
        detail = await hand_over(
            tx,
            account,
            before,
            user,
            actor=actor,
            now=now,
            admin=self._policy.admin_chat_id,
            invitation=row.id,
        )
        await audit.append(tx, SYSTEM, actor, words.INVITATION_USED, detail, now)


async def _open(tx: Transaction, code: str, now: datetime) -> tuple[InvitationRow, AccountRow]:
    row = None
    if is_code(code):
        row = await tx.first(InvitationRow, digest=code_digest(code))
    account = None if row is None else await tx.get(AccountRow, row.account_id)
    if row is None or account is None or not account.enabled:
        raise Refused("code_wrong")
    if row.state != OPEN:
        raise Refused("code_used")
    if now >= row.expires_at:
        raise Refused("code_expired", at=row.expires_at)
    return row, account


async def _found(tx: Transaction, user_id: int) -> UserRow:
    user = await tx.get(UserRow, user_id)
    if user is None:
        raise LookupError(f"user {user_id} does not exist")
    return user
