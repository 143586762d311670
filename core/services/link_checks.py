"""After an admin's yes: ask the broker, and guard the account where it lets us in.

The same way as `python -m bot link` and `check` go. Nothing is in force before the broker has let
the account in by this password, with the right to trade; then account, terminal and password come
into the books in one transaction, and the account is read from the next moment on.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

from core.domain import alerts_links as k
from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.domain.linking import (
    CHECK_WAIT,
    CHECKS_MAX,
    Failure,
    LinkPolicy,
    LinkState,
    LoggedIn,
    LoginFailed,
    Place,
)
from core.domain.people import Role
from core.ports import (
    BrokerUnavailable,
    Clock,
    PasswordUnreadable,
    PasswordVault,
    Store,
    TerminalLink,
    Transaction,
)
from core.records import AccountRow, TerminalRow, UserRow
from core.records_links import LinkRequestRow
from core.services import audit
from core.services.link_damage import SoundRequests
from core.services.link_places import free_place, known_as
from core.services.link_renewals import RenewPasswords
from core.services.link_requests import facts, is_renewal, moved, told_of
from core.services.policy import EnginePolicy
from core.services.speaking import speak

ACTOR = "engine"


class LogsIn(Protocol):
    """Logs an account in to its broker through its terminal."""

    async def __call__(self, link: TerminalLink) -> LoggedIn:
        """Log in, look, and leave.

        Raises LoginFailed where the broker refuses, BrokerUnavailable where nothing is known yet.
        """
        ...


class CheckLinks:
    """Asks the broker about approved requests, one after the other.

    `added` is called with the id of an account that is guarded from now on, after the commit.
    """

    def __init__(  # noqa: PLR0913 - each port is named once
        self,
        *,
        store: Store,
        clock: Clock,
        vault: PasswordVault,
        policy: LinkPolicy,
        requests: SoundRequests,
        engine_policy: EnginePolicy,
        log_in: LogsIn,
        added: Callable[[int], Awaitable[None]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._vault = vault
        self._policy = policy
        self._requests = requests
        self._engine = engine_policy
        self._log_in = log_in
        self._added = added
        self._renewals = RenewPasswords(
            store=store, clock=clock, admin_chat_id=engine_policy.admin_chat_id
        )

    async def pass_time(self) -> None:
        """Check what is due. A crash in between has it checked once more. Raises StoreUnavailable.

        Raises StaleEpoch where another owner has come.
        """
        now = self._clock.now()
        due = await self._requests.find(state=LinkState.APPROVED.value, due_at__le=now)
        for row in due:
            account_id = await self._check(row)
            if account_id is not None:
                await self._added(account_id)

    async def _check(self, row: LinkRequestRow) -> int | None:
        """Ask the broker; the new account's id where it let us in."""
        if is_renewal(row):
            await self._renew(row)
            return None
        async with self._store.reading() as tx:
            known = await known_as(tx, self._policy.places, row.login, row.server)
            place = free_place(self._policy, row.login, await tx.find(TerminalRow))
        if known:  # not even tried: the attempt may go to the terminal that guards it
            await self._failed(row, Failure.TAKEN)
            return None
        if place is None:
            await self._failed(row, Failure.NO_TERMINAL)
            return None
        found = await self._let_in(row, place)
        return None if found is None else await self._keep(row, place, found)

    async def _renew(self, row: LinkRequestRow) -> None:
        at = await self._renewals.terminal(row)
        if isinstance(at, Failure):
            await self._failed(row, at)
            return
        place = Place(path=at.path, host=at.host, portable=at.portable)
        found = await self._let_in(row, place)
        failure = None if found is None else await self._renewals.keep(row, at, found)
        if failure is not None:
            await self._failed(row, failure)

    async def _let_in(self, row: LinkRequestRow, place: Place) -> LoggedIn | None:
        """The account as its broker lets it in; None where it does not (yet), which is noted."""
        try:
            link = self._link(row, place)
            found = await self._log_in(link)
        except PasswordUnreadable:
            await self._failed(row, Failure.UNREADABLE)
        except LoginFailed as failed:
            await self._failed(row, failed.failure)
        except BrokerUnavailable:
            await self._again(row)
        else:
            if found.may_trade:
                return found
            await self._failed(row, Failure.INVESTOR)
        return None

    def _link(self, row: LinkRequestRow, place: Place) -> TerminalLink:
        return TerminalLink(
            login=row.login,
            server=row.server,
            path=place.path,
            portable=place.portable,
            host=place.host,
            password=self._vault.unseal(row.login, row.server, row.password_token or ""),
        )

    async def _again(self, row: LinkRequestRow) -> None:
        if row.checks + 1 >= CHECKS_MAX:
            await self._failed(row, Failure.UNREACHABLE)
            return
        due_at = self._clock.now() + CHECK_WAIT
        async with self._store.writing() as tx:
            held = {"id": row.id, "state": row.state}
            await tx.update(LinkRequestRow, held, checks=row.checks + 1, due_at=due_at)

    async def _failed(self, row: LinkRequestRow, failure: Failure) -> None:
        async with self._store.writing() as tx:
            user = await tx.get(UserRow, row.user_id)
            if user is not None:
                await self._end(tx, row, user, failure)

    async def _end(
        self, tx: Transaction, row: LinkRequestRow, user: UserRow, failure: Failure
    ) -> None:
        now = self._clock.now()
        why = {"failure": failure.value}
        if not await self._moved(tx, row, user, LinkState.FAILED, now, **why):
            return
        ended = k.LinkEnded(**facts(row, user, now), failure=failure.value)
        admin = self._engine.admin_chat_id
        await speak(tx, ended, client=user.telegram_id, admin=admin, now=now)

    async def _keep(self, row: LinkRequestRow, place: Place, found: LoggedIn) -> int | None:
        """Take account and terminal into the books, unless something came between."""
        now = self._clock.now()
        async with self._store.writing() as tx:
            user = await tx.get(UserRow, row.user_id)
            # Once more: its password may have got another key meanwhile.
            row = await tx.get(LinkRequestRow, row.id) or row
            if user is None or row.state != LinkState.APPROVED:
                return None
            if await known_as(tx, self._policy.places, row.login, row.server):
                await self._end(tx, row, user, Failure.TAKEN)
                return None
            if free_place(self._policy, row.login, await tx.find(TerminalRow)) != place:
                return None  # linked by an operator meanwhile: checked again at another one
            if user.role != Role.CLIENT:
                await self._moved(tx, row, user, LinkState.CANCELLED, now)
                return None
            account = _account(row, user, found, self._engine, now)
            account_id = await tx.insert(account)
            await tx.insert(_terminal(row, place, found, now))
            more = {"account_id": account_id}
            if not await self._moved(tx, row, user, LinkState.LINKED, now, **more):
                raise LookupError(f"link request {row.id} is not as it was read")
            await self._tell(tx, row, user, account, account_id, place, now)
        return account_id

    async def _tell(  # noqa: PLR0913, PLR0917 - what came into the books
        self,
        tx: Transaction,
        row: LinkRequestRow,
        user: UserRow,
        account: AccountRow,
        account_id: int,
        place: Place,
        now: datetime,
    ) -> None:
        detail = {
            **told_of(row),
            "path": place.path,
            "portable": place.portable,
            "host": place.host,
            "password_kept": True,
            "again": False,
        }
        await audit.append(tx, SYSTEM, ACTOR, words.TERMINAL_LINKED, detail, now)
        linked = k.AccountLinked(
            **facts(row, user, now),
            account_id=account_id,
            currency=account.currency,
            max_drawdown_percent=account.max_drawdown_percent,
            warn_drawdown_percent=account.warn_drawdown_percent,
            min_equity_gbp=account.min_equity_gbp,
        )
        admin = self._engine.admin_chat_id
        await speak(tx, linked, client=user.telegram_id, admin=admin, now=now)

    async def _moved(
        self,
        tx: Transaction,
        row: LinkRequestRow,
        user: UserRow,
        state: LinkState,
        now: datetime,
        **changes: Any,
    ) -> bool:
        admin = self._engine.admin_chat_id
        return await moved(tx, row, user, state, actor=ACTOR, admin=admin, now=now, **changes)


def _account(
    row: LinkRequestRow, user: UserRow, found: LoggedIn, policy: EnginePolicy, now: datetime
) -> AccountRow:
    """The account within the settings' own limits; a people file may tighten them later."""
    return AccountRow(
        user_id=user.id,
        login=row.login,
        server=row.server,
        name=f"{user.name} {found.currency}",
        currency=found.currency,
        margin_mode=found.margin_mode.value,
        max_drawdown_percent=policy.limits.max_drawdown_percent,
        warn_drawdown_percent=policy.limits.warn_drawdown_percent,
        min_equity_gbp=policy.limits.min_equity_gbp,
        countdown_s=policy.countdown_s,
        created_at=now,
    )


def _terminal(row: LinkRequestRow, place: Place, found: LoggedIn, now: datetime) -> TerminalRow:
    return TerminalRow(
        login=row.login,
        server=row.server,
        path=place.path,
        portable=place.portable,
        host=place.host,
        password_token=row.password_token,
        server_offset_s=found.server_offset_s,
        offset_at=None if found.server_offset_s is None else now,
        linked_at=now,
        changed_at=now,
    )
