"""A terminal that answered for another account: nothing is traded on it until an admin says so.

Reads go on, so that it is seen when the right account is back; what was scheduled stays scheduled.
"""

from collections.abc import Callable

from msgspec.structs import replace

from core.domain import alerts_terminal as t
from core.domain import audit_words as words
from core.domain.answers import TerminalUnblocked, blocked_ms
from core.domain.people import Person
from core.ports import Clock, Store
from core.records import AccountRow, AccountStateRow
from core.services.desk import AccountMemory, Desk
from core.services.errors import Refused
from core.services.policy import EnginePolicy
from core.services.recording import Recorder, failed_read

REASON_LENGTH_MAX = 500


class TerminalBlock:
    """Blocks an account's terminal, once, and tells it."""

    def __init__(self, *, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    async def __call__(self, memory: AccountMemory, reason: str, *, reading: bool) -> bool:
        """Block; answers whether it was not blocked before. `reading` where a read was refused."""
        if memory.state.terminal_blocked_at is not None:
            return False
        reason = reason[:REASON_LENGTH_MAX]
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            state = replace(
                memory.state, terminal_blocked_at=pen.now, terminal_blocked_reason=reason
            )
            if reading and state.unavailable_since is None:
                # The outage that begins with the block is told by it, and known by its instant.
                state = replace(state, unavailable_since=pen.now, unavailable_reason=None)
                await failed_read(pen, reason)
            await pen.audit(words.TERMINAL_BLOCKED, reason=reason)
            await pen.say(_blocked(pen, state, right_again=False))
            await tx.save_state(state)
        memory.state = state
        return True


class ClearTerminal:
    """An admin clears a blocked terminal once it answers for the right account again."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        desk: Desk,
        policy: EnginePolicy,
        wake: Callable[[int], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk
        self._policy = policy
        self._wake = wake

    async def __call__(
        self, actor: Person, account_id: int, of_ms: int | None = None
    ) -> TerminalUnblocked:
        """Clear one account's terminal; closes that wait for it go on at once.

        `of_ms` (`blocked_ms`) says of which block, None of whichever stands. Raises Refused:
        not_admin, not_found, not_blocked, newer_block, still_unreadable, not_read_since.
        """
        if not actor.is_admin:
            raise Refused("not_admin")
        async with self._store.reading() as tx:
            if await tx.get(AccountRow, account_id) is None:
                raise Refused("not_found")
        async with self._desk.holding(account_id) as memory:
            _check_clearable(memory, of_ms)
            await self._clear(memory, actor)
            answer = TerminalUnblocked(login=memory.account.login, closing=_closing(memory))
        self._wake(account_id)
        return answer

    async def by_login(self, actor: Person, login: int) -> TerminalUnblocked:
        """The same by login, of its blocked account where several servers know that login."""
        if not actor.is_admin:
            raise Refused("not_admin")
        async with self._store.reading() as tx:
            accounts = await tx.find(AccountRow, login=login, enabled=True)
        if not accounts:
            raise Refused("not_found", login=login)
        for account in accounts:
            async with self._desk.holding(account.id) as memory:
                is_blocked = memory.state.terminal_blocked_at is not None
            if is_blocked:
                return await self(actor, account.id)
        raise Refused("not_blocked", login=login)

    async def _clear(self, memory: AccountMemory, actor: Person) -> None:
        state = replace(memory.state, terminal_blocked_at=None, terminal_blocked_reason=None)
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            since = memory.state.terminal_blocked_at or pen.now
            await pen.audit(
                words.TERMINAL_CLEARED,
                actor=actor.name,
                blocked_at=since,
                reason=memory.state.terminal_blocked_reason,
                read_at=state.observed_at,
            )
            await pen.say(
                t.TerminalCleared(
                    **pen.who, by=actor.name, closing=_closing(memory), blocked_at=since, at=pen.now
                )
            )
            await tx.save_state(state)
        memory.state = state


def _blocked(pen: Recorder, state: AccountStateRow, *, right_again: bool) -> t.TerminalBlocked:
    """The account's block, as its state tells it, as an alert."""
    return t.TerminalBlocked(
        **pen.who,
        reason=(state.terminal_blocked_reason or "")[:200],
        positions_count=state.known_positions,
        closing=_closing(pen.memory),
        right_again=right_again,
        blocked_at=state.terminal_blocked_at or pen.now,
        at=pen.now,
    )


def recovered(pen: Recorder) -> t.AccountRecovered | t.TerminalBlocked:
    """What is said when an account can be read again.

    Where its outage began with the block, the message is that it may be cleared now.
    """
    state = pen.memory.state
    since, blocked_at = state.unavailable_since or pen.now, state.terminal_blocked_at
    if blocked_at == since:
        return _blocked(pen, state, right_again=True)
    return t.AccountRecovered(**pen.who, since=since, at=pen.now, blocked=blocked_at is not None)


def _closing(memory: AccountMemory) -> str:
    job = memory.job
    return "" if job is None else job.scope


def _check_clearable(memory: AccountMemory, of_ms: int | None) -> None:
    state, login = memory.state, memory.account.login
    if state.terminal_blocked_at is None:
        raise Refused("not_blocked", login=login)
    if of_ms not in {None, blocked_ms(state.terminal_blocked_at)}:
        # What the old message told is not what stands now: that has not been looked at.
        raise Refused("newer_block", login=login, since=state.terminal_blocked_at)
    if memory.failures:
        raise Refused(
            "still_unreadable",
            login=login,
            reason=memory.failing_reason or "it does not answer",
            since=memory.failing_since,
        )
    snapshot = memory.snapshot
    if snapshot is None or snapshot.began_at <= state.terminal_blocked_at:
        raise Refused("not_read_since", login=login, since=state.terminal_blocked_at)
