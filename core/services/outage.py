"""A failed read concludes nothing but that (law 1); an outage is told once, and once over."""

from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from core.domain import alerts_terminal as t
from core.domain.blindness import became_blind
from core.domain.linking import LOGIN_REFUSED
from core.ports import (
    BrokerUnavailable,
    Clock,
    LoginRefused,
    Store,
    TerminalGateway,
    TerminalHealth,
    TerminalStarting,
    TerminalState,
    WrongAccount,
)
from core.services import record_rules
from core.services.desk import AccountMemory
from core.services.policy import EnginePolicy
from core.services.recording import Recorder, failed_read
from core.services.terminal_block import REASON_LENGTH_MAX, TerminalBlock

log = structlog.get_logger(__name__)

FAILURES_TOLD = 3
"""Reads in a row that must fail before an outage is told (a wrong account is told at once)."""
STARTING_TOLD_AFTER = timedelta(seconds=90)
"""A terminal that is only being started is told after this long, or when a start has failed.

MetaTrader's own wait for a terminal is 60 s, and as much again for its login (facts: mt5, 2)."""
FAILURE_BACKOFF_MAX = 5
"""A failing account is read at most this many times slower than the fast interval."""
REFUSED = "refused"
"""Of `AccountUnavailable.terminal`: its owner or an operator has to give the new password."""
LOG_INTERVAL = timedelta(minutes=1)
"""An outage under way is in the log at most this often, with its count."""


class Outage:
    """What a failed read of an account calls for; answers when to read again."""

    def __init__(
        self,
        *,
        store: Store,
        gateway: TerminalGateway,
        clock: Clock,
        policy: EnginePolicy,
        block: TerminalBlock,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._policy = policy
        self._block = block
        self._logged_at: dict[int, datetime] = {}  # one an account, as the desk's memories

    async def __call__(self, memory: AccountMemory, error: BrokerUnavailable) -> datetime:
        """A failed read concludes nothing but that (law 1); an outage is told once."""
        now = self._clock.now()
        memory.failures += 1
        memory.failing_since = memory.failing_since or now
        memory.failing_reason = _said(error)
        if not isinstance(error, TerminalStarting):
            memory.failed_reads += 1
        is_news = memory.failures == 1
        if isinstance(error, WrongAccount) and await self._block(memory, str(error), reading=True):
            is_news = True
        elif memory.state.unavailable_since is None and self._is_told(memory, error, now):
            await self._tell_outage(memory, error, memory.failing_since)
            is_news = True
        elif _is_another_reason(memory, error) and self._is_told(memory, error, now):
            await self._tell_refused(memory)
            is_news = True
        await self._tell_blind(memory, error, now)
        self._log(memory, error, now, is_news=is_news)
        fast = self._policy.cadence.fast_s
        slower = min(memory.failures, FAILURE_BACKOFF_MAX)
        # To ask for a terminal on its way costs nothing, and it learns its clock by being asked.
        is_starting = isinstance(error, TerminalStarting)
        pause = fast if memory.jobs or memory.latched or is_starting else fast * slower
        return now + timedelta(seconds=min(pause, self._policy.cadence.idle_s))

    async def _tell_blind(
        self, memory: AccountMemory, error: BrokerUnavailable, now: datetime
    ) -> None:
        """Once reads have failed for long, with positions open, nothing is guarded at all."""
        since = became_blind(memory.state, now, memory.failing_since)
        if since is None:
            return
        state = replace(memory.state, blind_since=since)
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            await record_rules.told_blind(pen, state, since, _said(error)[:REASON_LENGTH_MAX])
            await tx.save_state(state)
        memory.state = state

    def _is_told(self, memory: AccountMemory, error: BrokerUnavailable, now: datetime) -> bool:
        """Whether it has lasted long enough; a terminal on its way is given time to get up."""
        health = self._health(memory)
        if isinstance(error, LoginRefused) and health is not None:
            return _start_failed(memory, health)  # a broker that is restarting refuses once
        if not isinstance(error, TerminalStarting):
            return memory.failed_reads >= FAILURES_TOLD
        start_failed = health is not None and _start_failed(memory, health)
        return start_failed or now - _since(memory, health, now) >= STARTING_TOLD_AFTER

    def _health(self, memory: AccountMemory) -> TerminalHealth | None:
        return self._gateway.health(memory.account.login, memory.account.server)

    def _log(
        self, memory: AccountMemory, error: BrokerUnavailable, now: datetime, *, is_news: bool
    ) -> None:
        """Log the first failure and the one that is told; of the others one a minute."""
        logged_at = self._logged_at.get(memory.account.id)
        if is_news or logged_at is None or now - logged_at >= LOG_INTERVAL:
            self._logged_at[memory.account.id] = now
            login = memory.account.login
            log.info("read_failed", login=login, failures=memory.failures, error=str(error))

    async def _tell_refused(self, memory: AccountMemory) -> None:
        """An outage that was told has turned out to be one that its owner can end."""
        since = memory.state.unavailable_since or self._clock.now()
        state = replace(memory.state, unavailable_reason=LOGIN_REFUSED)
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            await pen.say(self._unavailable(pen, LOGIN_REFUSED, since, way=REFUSED, changed=True))
            await tx.save_state(state)
        memory.state = state

    def _unavailable(
        self, pen: Recorder, reason: str, since: datetime, *, way: str, changed: bool = False
    ) -> t.AccountUnavailable:
        return t.AccountUnavailable(
            **pen.who,
            reason=reason[:200],
            since=since,
            positions_count=pen.memory.state.known_positions,
            terminal=way,
            renewable=way == REFUSED and self._policy.guided_linking,
            changed=changed,
        )

    async def _tell_outage(
        self, memory: AccountMemory, error: BrokerUnavailable, since: datetime
    ) -> None:
        reason = _said(error)[:REASON_LENGTH_MAX]
        health = self._health(memory)
        way = "" if health is None else _way(memory, error, health)
        if isinstance(error, LoginRefused):
            health, way = None, REFUSED
        elif health is None or not way:
            health = None
        else:
            since, reason = _since(memory, health, since), health.reason or reason
        state = replace(memory.state, unavailable_since=since, unavailable_reason=reason)
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            await failed_read(pen, reason)
            told = self._unavailable(pen, reason, since, way=way)
            if health is not None:
                told = replace(told, attempts=health.failures, next_try_at=health.next_try_at)
            await pen.say(told)
            await tx.save_state(state)
        memory.state = state


def _said(error: BrokerUnavailable) -> str:
    """The reason as everybody may read it: not whose account it was that answered."""
    if isinstance(error, WrongAccount):
        return "its terminal answers for another account"
    return LOGIN_REFUSED if isinstance(error, LoginRefused) else str(error)


def _is_another_reason(memory: AccountMemory, error: BrokerUnavailable) -> bool:
    """Whether a refused password follows upon an outage that was told with another reason."""
    return isinstance(error, LoginRefused) and memory.state.unavailable_reason != LOGIN_REFUSED


def _way(memory: AccountMemory, error: BrokerUnavailable, health: TerminalHealth) -> str:
    """Where the terminal is on its way up, as `AccountUnavailable.terminal` has it."""
    if health.state is TerminalState.UNLINKED:
        return "unlinked"
    if not isinstance(error, TerminalStarting):
        return ""
    return "failing" if _start_failed(memory, health) else "starting"


def _start_failed(memory: AccountMemory, health: TerminalHealth) -> bool:
    """Whether a start has failed: of a terminal that was up, its fall counts as the first."""
    return health.failures > (1 if memory.snapshot is not None else 0)


def _since(memory: AccountMemory, health: TerminalHealth | None, now: datetime) -> datetime:
    """Since when the account is not read: since the first failure, or the start before it."""
    since = memory.failing_since or now
    on_its_way = health is not None and health.state is not TerminalState.UP
    return min(since, health.since) if health is not None and on_its_way else since
