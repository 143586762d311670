"""The list of people, and an admin's changes to it: at once, or after a preview is confirmed."""

from datetime import datetime, timedelta

from core.domain import alerts_people as p
from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.domain.people import Person, Role
from core.domain.standing import (
    ADMINS,
    CONFIRM_S_MAX,
    USERS_PER_PAGE,
    Change,
    Preview,
    UserLine,
    UsersPage,
    in_order,
    refusal,
    role_when_unblocked,
)
from core.ports import Clock, Store, Transaction
from core.records import AccountRow, UserRow
from core.records_people import AccessRequestRow, ConfirmationRow
from core.services import audit
from core.services.errors import Refused
from core.services.hearing import mute_blocked
from core.services.policy import EnginePolicy
from core.services.speaking import speak
from core.services.standing_changes import WAITING, end_request

OPEN = "open"
DONE = "done"
CANCELLED = "cancelled"


class Users:
    """Shows people and changes their standing. Who may is asked anew inside each transaction.

    Every method raises Refused not_admin and StoreUnavailable.
    """

    def __init__(self, *, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    async def page(self, actor: Person, page: int) -> UsersPage:
        """One page; past the last one the last."""
        async with self._store.reading() as tx:
            await _role(tx, actor)
            lines = in_order(await _lines(tx))
        pages = max(1, -(-len(lines) // USERS_PER_PAGE))
        page = min(page, pages - 1)
        first = page * USERS_PER_PAGE
        counts = {role.value: sum(1 for line in lines if line.role is role) for role in Role}
        return UsersPage(
            lines=tuple(lines[first : first + USERS_PER_PAGE]),
            page=page,
            pages=pages,
            counts=counts,
        )

    async def one(self, actor: Person, user_id: int) -> UserLine:
        """One of them. Raises Refused not_found."""
        async with self._store.reading() as tx:
            await _role(tx, actor)
            return await _line(tx, user_id)

    async def preview_block(self, actor: Person, user_id: int) -> Preview:
        """Ask for the block of somebody, to be confirmed within CONFIRM_S_MAX.

        Raises Refused: not_found, not_yourself, owners_only, blocked_already, last_admin.
        """
        now = self._clock.now()
        async with self._store.writing() as tx:
            line = await _line(tx, user_id)
            await _check(tx, Change.BLOCK, actor, line)
            row = ConfirmationRow(
                asker_id=actor.user_id,
                change=Change.BLOCK.value,
                user_id=user_id,
                state=OPEN,
                made_at=now,
                expires_at=now + timedelta(seconds=CONFIRM_S_MAX),
            )
            number = await tx.insert(row)
        return Preview(confirmation_id=number, line=line, expires_at=row.expires_at)

    async def confirm(self, actor: Person, confirmation_id: int) -> UserLine:
        """Do what was previewed, once.

        Raises Refused: not_found, not_yours, confirmed_already, confirm_expired, and what
        preview_block raises.
        """
        now = self._clock.now()
        async with self._store.writing() as tx:
            row = await self._take(tx, actor, confirmation_id, DONE)
            line = await _line(tx, row.user_id)
            await _check(tx, Change.BLOCK, actor, line)
            await tx.update(UserRow, {"id": line.user_id}, role=Role.BLOCKED.value, blocked_at=now)
            admin = self._policy.admin_chat_id
            await mute_blocked(tx, line.telegram_id, now, admin=admin)
            await self._record(tx, actor, line, words.PERSON_BLOCKED, now)
            user = await tx.get(UserRow, line.user_id)
            if user is not None:
                await end_request(tx, user, approved=False, by=actor.name, now=now, admin=admin)
            return await _line(tx, line.user_id)

    async def cancel(self, actor: Person, confirmation_id: int) -> UserLine:
        """Leave it. Raises Refused: not_found, not_yours, confirmed_already, confirm_expired."""
        async with self._store.writing() as tx:
            row = await self._take(tx, actor, confirmation_id, CANCELLED)
            return await _line(tx, row.user_id)

    async def unblock(self, actor: Person, user_id: int) -> UserLine:
        """Give somebody back what the people file gives them, else a client's rights.

        Raises Refused: not_found, not_yourself, owners_only, not_blocked_person, listed_in_file.
        """
        now = self._clock.now()
        async with self._store.writing() as tx:
            line = await _line(tx, user_id)
            await _check(tx, Change.UNBLOCK, actor, line)
            role = role_when_unblocked(line)
            await tx.update(UserRow, {"id": user_id}, role=role.value, blocked_at=None)
            await self._record(tx, actor, line, words.PERSON_UNBLOCKED, now)
            return await _line(tx, user_id)

    async def _take(
        self, tx: Transaction, actor: Person, confirmation_id: int, state: str
    ) -> ConfirmationRow:
        row = await tx.get(ConfirmationRow, confirmation_id)
        if row is None:
            raise Refused("not_found")
        if row.asker_id != actor.user_id:
            raise Refused("not_yours")
        if row.state != OPEN:
            raise Refused("confirmed_already", state=row.state)
        if self._clock.now() >= row.expires_at:
            raise Refused("confirm_expired", limit=CONFIRM_S_MAX)
        await tx.update(ConfirmationRow, {"id": row.id}, state=state)
        return row

    async def _record(
        self, tx: Transaction, actor: Person, line: UserLine, word: str, now: datetime
    ) -> None:
        detail = {
            "person": line.telegram_id,
            "name": line.name,
            "role": line.role.value,
            "by": actor.telegram_id,
        }
        await audit.append(tx, SYSTEM, actor.name, word, detail, now)
        alert = p.StandingChanged(
            telegram_id=line.telegram_id,
            name=line.name,
            blocked=word == words.PERSON_BLOCKED,
            by=actor.name,
            at=now,
        )
        admin = self._policy.admin_chat_id
        await speak(tx, alert, client=line.telegram_id, admin=admin, now=now)


async def _role(tx: Transaction, actor: Person) -> Role:
    """What the actor is at this moment. Raises Refused not_admin."""
    user = await tx.get(UserRow, actor.user_id)
    role = Role.BLOCKED if user is None else Role(user.role)
    if role not in ADMINS:
        raise Refused("not_admin")
    return role


async def _check(tx: Transaction, change: Change, actor: Person, line: UserLine) -> None:
    code = refusal(
        change,
        actor_id=actor.user_id,
        actor_role=await _role(tx, actor),
        line=line,
        active_admins=await tx.count(UserRow, role=tuple(role.value for role in ADMINS)),
    )
    if code is not None:
        raise Refused(code, name=line.name, role=line.role.value)


async def _line(tx: Transaction, user_id: int) -> UserLine:
    user = await tx.get(UserRow, user_id)
    if user is None:
        raise Refused("not_found")
    accounts = await tx.find(AccountRow, user_id=user_id, enabled=True)
    request = await tx.first(AccessRequestRow, user_id=user_id, state=WAITING)
    return _shown(user, [a.login for a in accounts], None if request is None else request.id)


async def _lines(tx: Transaction) -> list[UserLine]:
    logins: dict[int, list[int]] = {}
    for account in await tx.find(AccountRow, enabled=True):
        logins.setdefault(account.user_id, []).append(account.login)
    waiting = {row.user_id: row.id for row in await tx.find(AccessRequestRow, state=WAITING)}
    return [
        _shown(user, logins.get(user.id, []), waiting.get(user.id))
        for user in await tx.find(UserRow)
    ]


def _shown(user: UserRow, logins: list[int], request_id: int | None) -> UserLine:
    return UserLine(
        user_id=user.id,
        telegram_id=user.telegram_id,
        name=user.name,
        role=Role(user.role),
        file_role=None if user.file_role is None else Role(user.file_role),
        logins=tuple(sorted(logins)),
        seen_at=user.seen_at,
        blocked_at=user.blocked_at,
        request_id=request_id,
    )
