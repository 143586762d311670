"""Rehearse closing: the requests that would be sent are made, and checked instead of sent.

The account's own lock is not taken: a terminal that does not answer must hold up no guard.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from core.domain import audit_words as words
from core.domain import closing, drill
from core.domain.alert_parts import Blocked
from core.domain.alerts_closing import DrillBlocked
from core.domain.audit import SYSTEM
from core.domain.broker import AccountSnapshot, Position
from core.domain.close_request import CLOSE, Attempt, filling_modes
from core.domain.drill import Drilled
from core.domain.people import Person
from core.domain.permissions import standing
from core.domain.retcodes import INVALID_FILL
from core.ports import (
    BrokerUnavailable,
    CheckResult,
    Clock,
    SnapshotRequest,
    Store,
    TerminalGateway,
)
from core.records import AccountRow, AccountStateRow, AuditRow, CloseJobRow, CloseOrderRow, UserRow
from core.services import audit
from core.services.close_requests import close_request
from core.services.desk import ACTIVE_JOB_STATES
from core.services.errors import Refused
from core.services.policy import EnginePolicy
from core.services.speaking import speak

ACCOUNTS_MAX: Final = 500
"""Accounts of one rehearsal."""
ACCOUNT_LONGEST: Final = timedelta(seconds=20)
"""One account's checks; what is not tried by then is counted."""
SENDS_LOOKED_AT: Final = 50
LINES_TOLD_MAX: Final = 10
"""Accounts in the message about a rehearsal by schedule; it says how many more there are."""
BLOCKS_KEPT_MAX: Final = 20
WARM_UP: Final = timedelta(minutes=5)
"""A rehearsal by schedule waits for this long after the start: terminals are on their way up."""


class Drill:
    """Rehearses closing, for an admin or by schedule."""

    def __init__(
        self, *, store: Store, gateway: TerminalGateway, clock: Clock, policy: EnginePolicy
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._policy = policy
        self._since: datetime | None = None
        self._done: datetime | None = None

    async def __call__(self, actor: Person, login: int | None) -> tuple[Drilled, ...]:
        """Rehearse one account, or all. Raises Refused: not_admin, not_found."""
        if not actor.is_admin:
            raise Refused("not_admin")
        where = {"enabled": True} if login is None else {"enabled": True, "login": login}
        async with self._store.reading() as tx:
            accounts = await tx.find(AccountRow, limit=ACCOUNTS_MAX, **where)
        if not accounts:
            raise Refused("not_found", login=login)
        return tuple([await self._one(account, actor.name) for account in accounts])

    async def by_schedule(self) -> int:
        """Rehearse all accounts where that is due, and tell of those that could not be closed.

        Answers how many were rehearsed. Raises StoreUnavailable.
        """
        now = self._clock.now()
        self._since = self._since or now
        slot = drill.due_slot(self._policy.drill, now)
        if slot is None or slot == self._done or now - self._since < WARM_UP:
            return 0
        async with self._store.reading() as tx:
            last = await tx.first(
                AuditRow, account_id=SYSTEM, action=words.DRILL_RUN, order_by="-sequence"
            )
            accounts = await tx.find(AccountRow, enabled=True, limit=ACCOUNTS_MAX)
        self._done = slot
        if last is not None and last.detail.get("slot") == slot.isoformat():
            return 0
        made = [await self._one(account, "schedule") for account in accounts]
        await self._tell(slot, made)
        return len(made)

    async def _tell(self, slot: datetime, made: list[Drilled]) -> None:
        blocked = [each for each in made if not each.ready]
        now = self._clock.now()
        async with self._store.writing() as tx:
            if blocked:
                alert = DrillBlocked(
                    accounts=tuple(blocked[:LINES_TOLD_MAX]),
                    more=max(0, len(blocked) - LINES_TOLD_MAX),
                    rehearsed=len(made),
                    at=now,
                )
                await speak(tx, alert, client=None, admin=self._policy.admin_chat_id, now=now)
            detail = {
                "slot": slot.isoformat(),
                "rehearsed": len(made),
                "blocked": [each.login for each in blocked],
            }
            await audit.append(tx, SYSTEM, "schedule", words.DRILL_RUN, detail, now)

    async def _one(self, account: AccountRow, actor: str) -> Drilled:
        made = await self._rehearse(account)
        async with self._store.writing() as tx:
            detail = msgspec.to_builtins(dict(drill.audited(made)))
            await audit.append(
                tx, account.id, actor, words.CLOSE_REHEARSED, detail, self._clock.now()
            )
        return made

    async def _rehearse(self, account: AccountRow) -> Drilled:
        async with self._store.reading() as tx:
            user = await tx.get(UserRow, account.user_id)
            state = await tx.get(AccountStateRow, account.id)
            job = await tx.first(CloseJobRow, account_id=account.id, state=ACTIVE_JOB_STATES)
            sent = await tx.find(
                CloseOrderRow,
                account_id=account.id,
                answered_at__ne=None,
                order_by="-id",
                limit=SENDS_LOOKED_AT,
            )
        made = Drilled(
            account_id=account.id, login=account.login, client="" if user is None else user.name
        )
        if job is not None:  # not disturbed; its own messages say what holds it up
            word = "closing_now"
            return msgspec.structs.replace(made, blocks=(Blocked(word=word),))
        began = self._clock.now()
        try:
            snapshot = await self._read(account)
        except BrokerUnavailable as error:
            found = (Blocked(word="unreadable", detail=str(error)[:200]),)
            return msgspec.structs.replace(made, blocks=found)
        read_s = (self._clock.now() - began).total_seconds()
        blocked = () if state is None or state.terminal_blocked_at is None else standing(state)[:1]
        return await self._closes(made, snapshot, read_s, _seconds(sent), blocked)

    async def _read(self, account: AccountRow) -> AccountSnapshot:
        return await self._gateway.snapshot(
            SnapshotRequest(
                account_id=account.id,
                login=account.login,
                server=account.server,
                deals_since=self._clock.now(),
            )
        )

    async def _closes(
        self,
        made: Drilled,
        snapshot: AccountSnapshot,
        read_s: float,
        sends_s: list[float],
        blocked: tuple[str, ...],
    ) -> Drilled:
        """Check every close of the first round, and put together what there is to say."""
        blocks = [Blocked(word=word) for word in (*blocked, *snapshot.obstacles)]
        attempts = self._attempts(snapshot)
        end = self._clock.now() + ACCOUNT_LONGEST
        checks_s: list[float] = []
        tried = 0
        for attempt, position in attempts:
            began = self._clock.now()
            if began >= end:
                break
            try:
                answer = await self._check(attempt, snapshot)
            except BrokerUnavailable as error:
                blocks.append(Blocked(word="check_failed", detail=str(error)[:200]))
                break
            tried += 1
            checks_s.append((self._clock.now() - began).total_seconds())
            found = drill.refused(position, answer.retcode, answer.comment)
            blocks += [] if found is None else [found]
        told = {block.symbol for block in blocks if block.word == "market_closed"}
        resting = [symbol for symbol in drill.resting(snapshot) if symbol not in told]
        blocks += drill.by_symbol(resting)
        count, longest = drill.requests(snapshot)
        timing = drill.timing(read_s, sends_s, checks_s)
        return msgspec.structs.replace(
            made,
            blocks=tuple(blocks[:BLOCKS_KEPT_MAX]),
            positions=len(snapshot.positions),
            orders=len(snapshot.orders),
            requests=count,
            split=sum(1 for attempt, _ in attempts if attempt.volume < attempt.held),
            untried=len(snapshot.positions) - tried,
            fifo=snapshot.state.fifo_close,
            close_s=drill.closing_s(count, longest, timing) if count else None,
            proof_s=drill.proof_s(timing) if count else None,
            from_sends=timing.from_sends,
            margin_level_percent=_plain(snapshot.state.margin_level_percent),
            stop_out_percent=_plain(snapshot.state.stop_out_level_percent),
            opens_at=drill.opens_at(snapshot, [*told, *resting]),
        )

    def _attempts(self, snapshot: AccountSnapshot) -> list[tuple[Attempt, Position]]:
        """The closes that a job would send first, by the very plan that a job goes by."""
        now = self._clock.now()
        job = CloseJobRow(
            account_id=snapshot.account_id,
            trigger_key="drill",
            reason="drill",
            scope=closing.ACCOUNT_SCOPE,
            state="closing",
            deadline_at=now,
            epoch=0,
            created_at=now,
        )
        plan = closing.plan(job, (), snapshot, now, self._policy.closing)
        held = {position.ticket: position for position in snapshot.positions}
        return [(x, held[x.ticket]) for x in plan.attempts if x.action == CLOSE]

    async def _check(self, attempt: Attempt, snapshot: AccountSnapshot) -> CheckResult:
        """Check it, in the next filling mode where one is refused, as closing does."""
        modes = filling_modes(snapshot.symbols.get(attempt.symbol))
        answer = CheckResult(retcode=INVALID_FILL, comment="")
        for filling in modes:
            tried = msgspec.structs.replace(attempt, filling=filling)
            answer = await self._gateway.check(close_request(tried, "", snapshot))
            if answer.retcode != INVALID_FILL:
                break
        return answer


def _seconds(orders: list[CloseOrderRow]) -> list[float]:
    """How long the account's own closes took to be answered."""
    return [
        (order.answered_at - order.created_at).total_seconds()
        for order in orders
        if order.answered_at is not None and order.answered_at >= order.created_at
    ]


def _plain(percent: Decimal | None) -> str | None:
    return None if percent is None else str(percent)
