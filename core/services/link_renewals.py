"""A new password for a guarded account: of its owner, while the broker refuses the one we have.

Only then is it taken and tried: a wrong one would end the login of a terminal that guards. It is
tried through the account's own terminal, and the old one is replaced once the broker has let the
same account in by it, with the right to trade. Nothing new is guarded, so no admin is asked.
"""

from datetime import datetime

from core.domain import alerts_links as k
from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.domain.linking import (
    CONVERSATIONS_SPAN,
    LOGIN_REFUSED,
    REFUSED_MAX,
    Failure,
    LinkState,
    LoggedIn,
    Places,
)
from core.domain.people import Role
from core.ports import Clock, Store, Transaction
from core.records import AccountRow, AccountStateRow, TerminalRow, UserRow
from core.records_links import LinkRequestRow
from core.services import audit
from core.services.errors import Refused
from core.services.link_requests import facts, moved, told_of
from core.services.speaking import speak

ACTOR = "engine"


async def own_account(
    tx: Transaction, user_id: int, places: Places, login: int, server: str
) -> AccountRow | None:
    """The account of this person's that is meant; None where they have none such."""
    accounts = await tx.find(AccountRow, login=login, user_id=user_id)
    return next((each for each in accounts if places.are_one(each.server, server)), None)


async def refuse_needless(tx: Transaction, account: AccountRow, now: datetime) -> None:
    """Raise Refused unless the account needs a new password: no_password_asked, passwords_tried."""
    if await _terminal(tx, account) is None or not await _is_refused(tx, account):
        raise Refused("no_password_asked", login=account.login)
    since = now - CONVERSATIONS_SPAN
    login = Failure.LOGIN.value
    of_late = {"account_id": account.id, "failure": login, "ended_at__gt": since}
    if await tx.count(LinkRequestRow, **of_late) >= REFUSED_MAX:
        raise Refused("passwords_tried", login=account.login)


class RenewPasswords:
    """Says where a new password is to be tried, and keeps it after that."""

    def __init__(self, *, store: Store, clock: Clock, admin_chat_id: int) -> None:
        self._store = store
        self._clock = clock
        self._admin = admin_chat_id

    async def terminal(self, row: LinkRequestRow) -> TerminalRow | Failure:
        """The account's own terminal; or why the password is not to be tried (any more)."""
        async with self._store.reading() as tx:
            account = await tx.get(AccountRow, row.account_id or 0)
            if account is None or account.user_id != row.user_id:
                return Failure.CHANGED
            if not await _is_refused(tx, account):
                return Failure.NOT_NEEDED
            return await _terminal(tx, account) or Failure.CHANGED

    async def keep(
        self, row: LinkRequestRow, before: TerminalRow, found: LoggedIn
    ) -> Failure | None:
        """Put the password in the old one's place; why not, where something came between."""
        now = self._clock.now()
        async with self._store.writing() as tx:
            user = await tx.get(UserRow, row.user_id)
            # Once more: its password may have got another key meanwhile.
            row = await tx.get(LinkRequestRow, row.id) or row
            account = await tx.get(AccountRow, row.account_id or 0)
            if user is None or account is None or row.state != LinkState.APPROVED:
                return None
            if user.role != Role.CLIENT or account.user_id != user.id:
                return Failure.CHANGED
            if (found.currency, found.margin_mode) != (account.currency, account.margin_mode):
                return Failure.WRONG_ACCOUNT
            held = {"id": before.id, "changed_at": before.changed_at}
            token = row.password_token
            if not await tx.update(TerminalRow, held, password_token=token, changed_at=now):
                return Failure.CHANGED
            await self._tell(tx, row, user, before, now)
        return None

    async def _tell(
        self,
        tx: Transaction,
        row: LinkRequestRow,
        user: UserRow,
        at: TerminalRow,
        now: datetime,
    ) -> None:
        detail = {
            **told_of(row),
            "path": at.path,
            "portable": at.portable,
            "host": at.host,
            "password_kept": True,
            "again": True,
        }
        await audit.append(tx, SYSTEM, ACTOR, words.TERMINAL_LINKED, detail, now)
        linked = LinkState.LINKED
        if not await moved(tx, row, user, linked, actor=ACTOR, admin=self._admin, now=now):
            raise LookupError(f"link request {row.id} is not as it was read")
        renewed = k.PasswordRenewed(**facts(row, user, now))
        await speak(tx, renewed, client=user.telegram_id, admin=self._admin, now=now)


async def _terminal(tx: Transaction, account: AccountRow) -> TerminalRow | None:
    return await tx.first(TerminalRow, login=account.login, server=account.server)


async def _is_refused(tx: Transaction, account: AccountRow) -> bool:
    """Whether the account cannot be read because its broker refuses the password."""
    state = await tx.get(AccountStateRow, account.id)
    is_out = state is not None and state.unavailable_since is not None
    return is_out and state is not None and state.unavailable_reason == LOGIN_REFUSED
