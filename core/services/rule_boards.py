"""Answers about an account's rules: where each ends, how much room there is, what it did."""

from core.domain.broker import ZERO
from core.domain.cycle import limits_in_force
from core.domain.cycle_rules import decoded, of_state
from core.domain.headroom import RuleLine, always_rules, line, lines
from core.domain.people import Person
from core.domain.rule_board import PendingRules, RuleBoard, RuleEvent
from core.ports import Clock, Store
from core.records import AccountRow, RuleEventRow
from core.services.desk import AccountMemory, Desk, load_memory
from core.services.errors import Refused

EVENTS_MAX = 5
"""Lines of the log that are shown."""


class RuleBoards:
    """Read-only: the rules of accounts."""

    def __init__(self, *, store: Store, clock: Clock, desk: Desk, countdown_s: int) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk
        self._countdown_s = countdown_s

    async def of(self, person: Person, login: int | None) -> list[RuleBoard]:
        """The person's accounts, or the one with this login; an admin may name any.

        Raises Refused (not_found) where there is no such account, or it is not theirs.
        """
        ids = list(person.account_ids)
        if login is not None:
            async with self._store.reading() as tx:
                named = [account.id for account in await tx.find(AccountRow, login=login)]
            ids = [i for i in named if person.is_admin or i in person.account_ids]
            if not ids:
                raise Refused("not_found")
        return [await self.board(account_id) for account_id in ids]

    async def board(self, account_id: int) -> RuleBoard:
        """One account's rules."""
        memory = self._desk.peek(account_id)
        async with self._store.reading() as tx:
            if memory is None:
                memory = await load_memory(tx, account_id, self._clock.now())
            events = await tx.find(
                RuleEventRow, account_id=account_id, order_by="-opened_at", limit=EVENTS_MAX
            )
        return board_of(memory, tuple(_event(row) for row in events), self._countdown_s)


def board_of(memory: AccountMemory, events: tuple[RuleEvent, ...], countdown_s: int) -> RuleBoard:
    """An account's rules as its memory has them."""
    account, pending = memory.account, None
    if account.pending_rules is not None and account.pending_rules_effective_at is not None:
        waits = decoded(account.pending_rules)
        told = tuple((held.spec.title, held.mode.value) for held in waits.rules)
        pending = PendingRules(told, account.pending_rules_effective_at)
    snapshot = memory.snapshot
    return RuleBoard(
        account_id=account.id,
        login=account.login,
        client=memory.user.name,
        currency=account.currency,
        currency_digits=snapshot.state.currency_digits if snapshot else 2,
        countdown_s=countdown_s,
        locked_since=memory.state.latched_at,
        profile=memory.guard_rules.profile,
        observed_at=memory.state.observed_at,
        blind_since=memory.state.blind_since,
        rules=rule_lines(memory),
        waiting=tuple(
            held.spec.title
            for held in memory.guard_rules.rules
            if held.spec.name not in memory.rule_memories
        ),
        pending=pending,
        events=events,
    )


def rule_lines(memory: AccountMemory) -> tuple[RuleLine, ...]:
    """Every rule of an account, those that always enforce first; none before the first reading."""
    state, snapshot = memory.state, memory.snapshot
    reading = of_state(state, snapshot)
    if reading is None:
        return ()
    limits = limits_in_force(memory.account, state.gbp_rate)
    always = always_rules(limits, state.peak_equity, reading)
    return (
        *(line(held, kept, reading, snapshot) for held, kept in always),
        *lines(memory.guard_rules, memory.rule_memories, reading, snapshot),
    )


def _event(row: RuleEventRow) -> RuleEvent:
    return RuleEvent(
        title=row.title,
        mode=row.mode,
        severity=row.severity,
        equity=row.equity,
        worst_equity=row.worst_equity,
        result=row.result or ZERO,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
    )
