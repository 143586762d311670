"""What is brought in line before anything runs: people, accounts, limits."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain.access import role_after_enrolment
from core.domain.limits import GuardLimits, LimitState, align, tightest
from core.domain.people import Role
from core.people_file import AccountEntry, PeopleFile, UserEntry
from core.ports import Clock, Store, Transaction
from core.records import AccountRow, AccountStateRow, PreferenceRow, UserRow
from core.services import audit
from core.services.hearing import mute_blocked
from core.services.policy import EnginePolicy
from core.services.speaking import speak
from core.services.standing_changes import end_request, hand_over

FLAT_READING_AGE_MAX = timedelta(minutes=2)
"""Limits are loosened on a reading of at most this age (law 8)."""

BY_FILE = "the people file"


class Enrolled(Struct, frozen=True):
    """How many people and accounts are known after enrolment."""

    users: int
    accounts: int


class Enrol:
    """Take the people file into the store. What is no longer in it stays as it was."""

    def __init__(self, *, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    async def __call__(self, people: PeopleFile) -> Enrolled:
        """Add or update users and accounts."""
        now = self._clock.now()
        async with self._store.writing() as tx:
            ids = {entry.telegram_id: await enrol_user(tx, entry, now) for entry in people.users}
            for user_id in ids.values():
                await self._settled(tx, user_id, now)
            await _unlisted(tx, ids.keys())
            for entry in people.accounts:
                await self._account(tx, entry, ids[entry.owner], now)
            return Enrolled(await tx.count(UserRow), await tx.count(AccountRow, enabled=True))

    async def _settled(self, tx: Transaction, user_id: int, now: datetime) -> None:
        """What the file decided of somebody, as a button would have: nobody waits for it any more.

        Whoever is blocked is sent nothing more.
        """
        user, admin = await tx.get(UserRow, user_id), self._policy.admin_chat_id
        if user is None or user.role == Role.PENDING:
            return
        blocked = user.role == Role.BLOCKED
        await end_request(tx, user, approved=not blocked, by=BY_FILE, now=now, admin=admin)
        if blocked:
            await mute_blocked(tx, user.telegram_id, now, admin=admin)

    async def _account(
        self, tx: Transaction, entry: AccountEntry, user_id: int, now: datetime
    ) -> None:
        known = await tx.first(AccountRow, login=entry.login, server=entry.server)
        if known is not None:
            owner = known.user_id if known.file_owner == entry.owner else user_id
            if owner != known.user_id:
                before, user = await tx.get(UserRow, known.user_id), await tx.get(UserRow, owner)
                assert before is not None and user is not None  # noqa: S101, PT018 - foreign keys
                admin = self._policy.admin_chat_id
                await hand_over(tx, known, before, user, actor=BY_FILE, now=now, admin=admin)
            await tx.update(
                AccountRow,
                {"id": known.id},
                # Who brought an invitation owns it until the file names another owner than it did.
                file_owner=entry.owner,
                name=entry.name,
                countdown_s=_countdown(entry, self._policy),
            )
            return
        limits = wanted_limits(self._policy, entry)
        await tx.insert(
            AccountRow(
                user_id=user_id,
                login=entry.login,
                server=entry.server,
                name=entry.name,
                currency=entry.currency,
                margin_mode=entry.margin_mode.value,
                max_drawdown_percent=limits.max_drawdown_percent,
                warn_drawdown_percent=limits.warn_drawdown_percent,
                min_equity_gbp=limits.min_equity_gbp,
                countdown_s=_countdown(entry, self._policy),
                created_at=now,
                file_owner=entry.owner,
            )
        )


class AlignLimits:
    """Bring each account's limits towards the settings: tighter now, looser after 24 h (law 8)."""

    def __init__(self, *, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._entries: dict[tuple[int, str], AccountEntry] = {}

    def remember(self, people: PeopleFile | None) -> None:
        """Take the people file's own tighter limits into account."""
        if people is not None:
            self._entries = {(e.login, e.server): e for e in people.accounts}

    async def __call__(self) -> list[int]:
        """Align every account; answers the ids whose limits changed, to be read anew."""
        changed: list[int] = []
        async with self._store.reading() as tx:
            accounts = await tx.find(AccountRow, enabled=True)
        for account in accounts:
            async with self._store.writing() as tx:
                if await self._align(tx, account.id):
                    changed.append(account.id)
        return changed

    async def _align(self, tx: Transaction, account_id: int) -> bool:
        account = await tx.get(AccountRow, account_id)
        if account is None:
            return False
        state = await tx.get(AccountStateRow, account_id)
        entry = self._entries.get((account.login, account.server))
        wanted = wanted_limits(self._policy, entry)
        now = self._clock.now()
        before = _limit_state(account)
        after = align(before, wanted, now, may_loosen=may_loosen(state, now))
        if after == before:
            return False
        await tx.update(AccountRow, {"id": account.id}, **_columns(after))
        await audit.append(
            tx,
            account.id,
            "settings",
            words.LIMITS_CHANGED,
            {"before": _plain(before), "after": _plain(after)},
            now,
        )
        await self._say(tx, account, after, now)
        return True

    async def _say(
        self, tx: Transaction, account: AccountRow, after: LimitState, now: datetime
    ) -> None:
        user = await tx.get(UserRow, account.user_id)
        if user is None:
            return
        told = after.pending or after.in_force
        alert = a.LimitsChanged(
            account_id=account.id,
            login=account.login,
            client=user.name,
            currency=account.currency,
            max_drawdown_percent=told.max_drawdown_percent,
            warn_drawdown_percent=told.warn_drawdown_percent,
            min_equity_gbp=told.min_equity_gbp,
            pending=after.pending is not None,
            effective_at=after.effective_at,
            at=now,
        )
        admin = self._policy.admin_chat_id
        await speak(tx, alert, client=user.telegram_id, admin=admin, now=now)


def wanted_limits(policy: EnginePolicy, entry: AccountEntry | None) -> GuardLimits:
    """The settings' limits, tightened by the account's own entry where it has any."""
    base = policy.limits
    if entry is None:
        return base
    own = GuardLimits(
        max_drawdown_percent=_or(entry.max_drawdown_percent, base.max_drawdown_percent),
        warn_drawdown_percent=_or(entry.warn_drawdown_percent, base.warn_drawdown_percent),
        min_equity_gbp=_or(entry.min_equity_gbp, base.min_equity_gbp),
    )
    return tightest(base, own)


def _or(given: Decimal | None, default: Decimal) -> Decimal:
    return default if given is None else given


def _countdown(entry: AccountEntry, policy: EnginePolicy) -> int:
    if entry.countdown_s is None:
        return policy.countdown_s
    return min(entry.countdown_s, policy.countdown_s)


def may_loosen(state: AccountStateRow | None, now: datetime) -> bool:
    """Whether the account is flat and unlatched now: what an old reading showed proves nothing."""
    if state is None or state.observed_at is None:
        return False
    if now - state.observed_at > FLAT_READING_AGE_MAX:
        return False
    flat = state.positions_count == 0 and (state.margin or 0) == 0
    return flat and state.latched_at is None and state.unavailable_since is None


def _limit_state(account: AccountRow) -> LimitState:
    pending = None
    if account.pending_max_drawdown_percent is not None:
        pending = GuardLimits(
            max_drawdown_percent=account.pending_max_drawdown_percent,
            warn_drawdown_percent=_or(
                account.pending_warn_drawdown_percent, account.warn_drawdown_percent
            ),
            min_equity_gbp=_or(account.pending_min_equity_gbp, account.min_equity_gbp),
        )
    return LimitState(
        in_force=GuardLimits(
            max_drawdown_percent=account.max_drawdown_percent,
            warn_drawdown_percent=account.warn_drawdown_percent,
            min_equity_gbp=account.min_equity_gbp,
        ),
        pending=pending,
        effective_at=account.pending_effective_at,
    )


def _columns(state: LimitState) -> dict[str, Decimal | datetime | None]:
    force, pending = state.in_force, state.pending
    return {
        "max_drawdown_percent": force.max_drawdown_percent,
        "warn_drawdown_percent": force.warn_drawdown_percent,
        "min_equity_gbp": force.min_equity_gbp,
        "pending_max_drawdown_percent": pending.max_drawdown_percent if pending else None,
        "pending_warn_drawdown_percent": pending.warn_drawdown_percent if pending else None,
        "pending_min_equity_gbp": pending.min_equity_gbp if pending else None,
        "pending_effective_at": state.effective_at,
    }


def _plain(state: LimitState) -> dict[str, str | None]:
    return {name: None if value is None else str(value) for name, value in _columns(state).items()}


async def enrol_user(tx: Transaction, entry: UserEntry, now: datetime) -> int:
    """Add or update one person; answers their id. A time zone that they chose themselves stays."""
    known = await tx.first(UserRow, telegram_id=entry.telegram_id)
    if known is None:
        return await tx.insert(
            UserRow(
                telegram_id=entry.telegram_id,
                name=entry.name,
                role=entry.role.value,
                time_zone=entry.time_zone,
                created_at=now,
                file_role=entry.role.value,
            )
        )
    role = role_after_enrolment(
        in_file=entry.role,
        file_role_before=known.file_role,
        blocked_by_hand=known.blocked_at is not None,
    )
    chosen = await tx.first(PreferenceRow, user_id=known.id)
    await tx.update(
        UserRow,
        {"id": known.id},
        name=entry.name,
        role=role.value,
        time_zone=(chosen.time_zone if chosen else "") or entry.time_zone,
        file_role=entry.role.value,
        blocked_at=known.blocked_at if role is Role.BLOCKED else None,
    )
    return known.id


async def _unlisted(tx: Transaction, listed: Collection[int]) -> None:
    """Remember of whom the file says nothing (any more): they stay as they are."""
    for user in await tx.find(UserRow, file_role__ne=None):
        if user.telegram_id not in listed:
            await tx.update(UserRow, {"id": user.id}, file_role=None)
