"""Releasing the latch: the client asks, an admin grants, the account is confirmed flat (law 8)."""

from collections.abc import Callable

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import audit_words as words
from core.domain.broker import ZERO
from core.domain.cycle import limits_in_force
from core.domain.people import Person
from core.ports import Clock, Store
from core.services.desk import AccountMemory, Desk
from core.services.errors import Refused
from core.services.owning import account_with
from core.services.policy import EnginePolicy
from core.services.recording import Recorder


class AskRelease:
    """A client asks for the latch of their own account to be released."""

    def __init__(self, *, store: Store, clock: Clock, desk: Desk, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk
        self._policy = policy

    async def __call__(self, actor: Person, account_id: int) -> None:
        """Ask.

        Raises Refused: not_yours, nothing_to_release, account_closing, release_already_asked,
        below_minimum.
        """
        if account_id not in actor.account_ids:
            raise Refused("not_yours")
        async with self._desk.holding(account_id) as memory:
            _check_releasable(memory)
            asked = memory.state.release_requested_at
            if asked is not None:
                raise Refused("release_already_asked", at=asked)
            now = self._clock.now()
            state = replace(memory.state, release_requested_at=now)
            async with self._store.writing() as tx:
                pen = Recorder(tx, memory, now, self._policy.admin_chat_id)
                await pen.say(
                    a.ReleaseAsked(
                        **pen.who,
                        equity=state.equity or ZERO,
                        peak_equity=state.peak_equity,
                        minimum_equity=limits_in_force(
                            memory.account, state.gbp_rate
                        ).minimum_equity,
                        latch_reason=state.latch_reason or "",
                        latched_at=state.latched_at or now,
                        at=now,
                    )
                )
                await pen.audit(
                    words.RELEASE_ASKED,
                    actor=actor.name,
                    actor_id=actor.telegram_id,
                    equity=state.equity,
                )
                await tx.save_state(state)
            memory.state = state


class AnswerRelease:
    """An admin grants or refuses; the engine releases once the account is confirmed flat."""

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

    async def by_login(self, actor: Person, login: int, grant: bool) -> None:  # noqa: FBT001 - the verdict is the argument
        """The same by login. Raises Refused: not_yours, not_found, same_login too."""
        async with self._store.reading() as tx:
            account = await account_with(tx, actor, login)
        await self(actor, account.id, grant)

    async def __call__(self, actor: Person, account_id: int, grant: bool) -> None:  # noqa: FBT001 - the verdict is the argument
        """Answer.

        Raises Refused: not_admin, nothing_to_release, release_not_asked, account_closing,
        below_minimum, not_flat, stale_button.
        """
        if not actor.is_admin:
            raise Refused("not_admin")
        async with self._desk.holding(account_id) as memory:
            if memory.state.latched_at is None:
                raise Refused("nothing_to_release")
            if memory.state.release_requested_at is None:
                raise Refused("release_not_asked")
            if memory.state.release_granted_at is not None:
                raise Refused(
                    "stale_button", state="granted", by="", at=memory.state.release_granted_at
                )
            if grant:
                _check_releasable(memory)
                _check_flat(memory)
            await self._record(memory, actor, grant=grant)
        self._wake(account_id)

    async def _record(self, memory: AccountMemory, actor: Person, *, grant: bool) -> None:
        now = self._clock.now()
        if grant:
            state = replace(memory.state, release_granted_at=now, release_granted_by=actor.user_id)
        else:
            state = replace(memory.state, release_requested_at=None)
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, now, self._policy.admin_chat_id)
            word = words.RELEASE_GRANTED if grant else words.RELEASE_REFUSED
            await pen.say(
                a.ReleaseAnswered(
                    **pen.who,
                    state="granted" if grant else "refused",
                    by=actor.name,
                    asked_at=memory.state.release_requested_at or now,
                    equity=state.equity or ZERO,
                    peak_equity=state.peak_equity,
                    at=now,
                )
            )
            await pen.audit(word, actor=actor.name, actor_id=actor.telegram_id, equity=state.equity)
            await tx.save_state(state)
        memory.state = state
        memory.release_flat_at = None


def _check_releasable(memory: AccountMemory) -> None:
    state = memory.state
    if state.latched_at is None:
        raise Refused("nothing_to_release")
    if memory.jobs:
        raise Refused("account_closing")
    minimum = limits_in_force(memory.account, state.gbp_rate).minimum_equity
    equity = state.equity
    if equity is not None and minimum is not None and equity < minimum:
        raise Refused(
            "below_minimum", equity=equity, minimum=minimum, currency=memory.account.currency
        )


def _check_flat(memory: AccountMemory) -> None:
    snapshot = memory.snapshot
    if snapshot is None or memory.failures:
        raise Refused(
            "account_unavailable",
            reason=memory.state.unavailable_reason or "not read yet",
            since=memory.failing_since,
        )
    if snapshot.positions or snapshot.orders:
        raise Refused("not_flat", positions=len(snapshot.positions), orders=len(snapshot.orders))
