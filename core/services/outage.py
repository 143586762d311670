"""A failed read concludes nothing but that (law 1); an outage is told once, and once over."""

from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from core.domain import alerts as a
from core.ports import BrokerUnavailable, Clock, Store, WrongAccount
from core.records import PositionSnapshotRow
from core.services.desk import AccountMemory
from core.services.policy import EnginePolicy
from core.services.recording import Recorder

log = structlog.get_logger(__name__)

FAILURES_TOLD = 3
"""Reads in a row that must fail before an outage is told (a wrong account is told at once)."""
FAILURE_BACKOFF_MAX = 5
"""A failing account is read at most this many times slower than the fast interval."""
REASON_LENGTH_MAX = 500
LOG_INTERVAL = timedelta(minutes=1)
"""An outage under way is in the log at most this often, with its count."""


class Outage:
    """What a failed read of an account calls for; answers when to read again."""

    def __init__(self, *, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._logged_at: dict[int, datetime] = {}

    async def __call__(self, memory: AccountMemory, error: BrokerUnavailable) -> datetime:
        """A failed read concludes nothing but that (law 1); an outage is told once."""
        now = self._clock.now()
        memory.failures += 1
        memory.failing_since = memory.failing_since or now
        told = memory.failures >= FAILURES_TOLD or isinstance(error, WrongAccount)
        is_news = memory.failures == 1
        if told and memory.state.unavailable_since is None:
            await self._tell_outage(memory, str(error), memory.failing_since)
            is_news = True
        self._log(memory, error, now, is_news=is_news)
        fast = self._policy.cadence.fast_s
        slower = min(memory.failures, FAILURE_BACKOFF_MAX)
        pause = fast if memory.jobs or memory.latched else fast * slower
        return now + timedelta(seconds=min(pause, self._policy.cadence.idle_s))

    def _log(
        self, memory: AccountMemory, error: BrokerUnavailable, now: datetime, *, is_news: bool
    ) -> None:
        """Log the first failure and the one that is told; of the others one a minute."""
        logged_at = self._logged_at.get(memory.account.id)
        if is_news or logged_at is None or now - logged_at >= LOG_INTERVAL:
            self._logged_at[memory.account.id] = now
            login = memory.account.login
            log.info("read_failed", login=login, failures=memory.failures, error=str(error))

    async def _tell_outage(self, memory: AccountMemory, reason: str, since: datetime) -> None:
        state = replace(
            memory.state, unavailable_since=since, unavailable_reason=reason[:REASON_LENGTH_MAX]
        )
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            await tx.insert(
                PositionSnapshotRow(
                    user_id=memory.user.id,
                    account_id=memory.account.id,
                    currency=memory.account.currency,
                    sync_error=reason[:REASON_LENGTH_MAX],
                    created_at=pen.now,
                )
            )
            await pen.log(
                matched=False,
                event_type="sync",
                status="failed",
                error_message=reason[:REASON_LENGTH_MAX],
            )
            await pen.say(
                a.AccountUnavailable(
                    **pen.who,
                    reason=reason[:200],
                    since=since,
                    positions_count=memory.state.positions_count,
                )
            )
            await tx.save_state(state)
        memory.state = state
