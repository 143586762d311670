"""Each person's daily digest, at their own hour: once, and made up for where it was missed."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from core.domain import periods
from core.domain.alerts_digest import DailyDigest, DigestAccount
from core.domain.audit_check import HEAD_DIGITS
from core.domain.people import Role
from core.domain.report import Report
from core.domain.speech import deliver
from core.ports import Clock, Store
from core.records import AccountRow, AuditRow, OutboxRow, UserRow
from core.services.audit import newest
from core.services.hearing import put
from core.services.policy import EnginePolicy
from core.services.reports import Reports

MAKE_UP: Final = timedelta(hours=12)
"""A digest missed for longer than this is left out: the next one is nearer."""
ACCOUNTS_MAX: Final = 8
"""Accounts in one digest; it says how many more there are."""
USERS_AT_ONCE: Final = 20
"""Digests made in one run: the next one follows within a minute."""
CURVE_POINTS: Final = 24
ACTIVE: Final = (Role.CLIENT.value, Role.ADMIN.value, Role.OWNER.value)


class SendDigests:
    """Puts the digests that are due into the outbox; the key of a row makes each be sent once."""

    def __init__(self, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._reports = Reports(store, clock, policy)
        self._done: dict[int, date] = {}

    async def __call__(self) -> int:
        """Commit what is due now; answers how many digests that were. Raises StoreUnavailable."""
        hour = self._policy.digest_hour
        if hour is None:
            return 0
        async with self._store.reading() as tx:
            users = await tx.find(UserRow, role=ACTIVE)
        sent = 0
        for user in users:
            zone = ZoneInfo(user.time_zone)
            day = periods.digest_day(self._clock.now(), hour, zone, MAKE_UP)
            if day is None or self._done.get(user.id) == day:
                continue
            if sent >= USERS_AT_ONCE:
                break
            sent += await self._send(user, day)
            self._done[user.id] = day
        return sent

    async def _send(self, user: UserRow, day: date) -> int:
        """Commit one person's digest, unless it was before or there is nothing to be in it."""
        key = f"{DailyDigest.__name__}:{user.id}:{day.isoformat()}"
        wanted = periods.period(periods.Span.DAY, day, ZoneInfo(user.time_zone))
        async with self._store.reading() as tx:
            told = await tx.first(OutboxRow, dedupe_key=key)
            accounts = await tx.find(AccountRow, user_id=user.id, enabled=True)
        known = [account for account in accounts if account.created_at < wanted.end]
        if told is not None or not known:
            return 0
        lines = []
        for account in known[:ACCOUNTS_MAX]:
            made = await self._reports.of_period(account, wanted, user.time_zone, own=True)
            async with self._store.reading() as tx:
                head = await newest(tx, account.id)
            lines.append(_line(account, made.report, head))
        now = self._clock.now()
        digest = DailyDigest(
            user_id=user.id,
            day=day,
            time_zone=user.time_zone,
            accounts=tuple(lines),
            left_out=len(known) - len(lines),
            at=now,
        )
        delivery = deliver(digest)
        row = OutboxRow(
            dedupe_key=key,
            chat_id=user.telegram_id,
            priority=int(delivery.priority),
            thread=delivery.thread,
            mode=delivery.mode,
            kind=DailyDigest.__name__,
            payload=msgspec.json.encode(digest).decode(),
            created_at=now,
            due_at=now,
        )
        async with self._store.writing() as tx:
            admin = self._policy.admin_chat_id
            return 1 if await put(tx, row, admin=admin) is not None else 0


def _line(account: AccountRow, made: Report, head: AuditRow | None) -> DigestAccount:
    unread = sum((span.end - span.start for span in made.blind), timedelta())
    return DigestAccount(
        login=account.login,
        currency=account.currency,
        realised=made.realised,
        floating=made.floating[0] if made.floating else None,
        trades=made.trades,
        won=made.won,
        lost=made.lost,
        followed=made.signals.followed,
        missed=made.signals.missed,
        rejected=made.signals.rejected,
        expired=made.signals.expired,
        deposits=made.flows.deposits,
        withdrawals=made.flows.withdrawals,
        credit=made.flows.credit,
        worst_drawdown_percent=made.worst_drawdown[0] if made.worst_drawdown else None,
        unread_s=int(unread.total_seconds()),
        curve=_thinned([point.equity for point in made.curve]),
        head_sequence=head.sequence if head else None,
        head_hash=head.hash[:HEAD_DIGITS] if head else "",
    )


def _thinned(equity: list[Decimal]) -> tuple[Decimal, ...]:
    """At most CURVE_POINTS figures, the first and the last among them."""
    if len(equity) <= CURVE_POINTS:
        return tuple(equity)
    last = len(equity) - 1
    return tuple(equity[at * last // (CURVE_POINTS - 1)] for at in range(CURVE_POINTS))
