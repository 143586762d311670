"""What rules need of a reading, and what of them is kept with the account's state."""

from collections.abc import Mapping

import msgspec

from core.domain.broker import ZERO, AccountSnapshot
from core.domain.headroom import exposure_of
from core.domain.ledger import LedgerStep
from core.domain.rule_floor import RuleMemory, RuleReading, Trusted
from core.domain.rule_guard import Memories
from core.domain.rules import NO_RULES, RuleSet
from core.records import AccountRow, AccountStateRow, JsonObject


def rule_reading(
    snapshot: AccountSnapshot, step: LedgerStep, rules: RuleSet, *, doubtful: bool
) -> RuleReading:
    """A reading as rules take it; money that no deal explains is no gain (law 9)."""
    state, gain = snapshot.state, max(ZERO, step.memory.written_off)
    return RuleReading(
        at=snapshot.observed_at,
        equity=state.equity - gain,
        balance=state.balance - gain,
        flow=step.flow,
        trusted=step.trusted,
        doubtful=doubtful,
        margin_level_percent=state.margin_level_percent,
        positions=len(snapshot.positions),
        exposure=exposure_of(snapshot) if rules.rules else None,
    )


def last_trusted(state: AccountStateRow) -> Trusted | None:
    """The last reading that could be believed; None before the first."""
    if state.trusted_at is None or state.trusted_equity is None or state.trusted_balance is None:
        return None
    return Trusted(state.trusted_at, state.trusted_equity, state.trusted_balance)


def of_state(state: AccountStateRow, snapshot: AccountSnapshot | None = None) -> RuleReading | None:
    """The last reading as it is known of the state; None before the first."""
    if state.observed_at is None or state.equity is None or state.balance is None:
        return None
    gain = max(ZERO, state.written_off)
    return RuleReading(
        at=state.observed_at,
        equity=state.equity - gain,
        balance=state.balance - gain,
        margin_level_percent=state.margin_level_percent,
        positions=state.positions_count,
        exposure=None if snapshot is None else exposure_of(snapshot),
    )


def rules_of(account: AccountRow) -> RuleSet:
    """The rules in force for an account."""
    return NO_RULES if account.rules is None else decoded(account.rules)


def decoded(kept: JsonObject) -> RuleSet:
    """A rule set as it was kept."""
    return msgspec.convert(kept, RuleSet, strict=False)


def encoded(rules: RuleSet) -> JsonObject | None:
    """A rule set as it is kept: None where it has no rules."""
    return msgspec.to_builtins(rules) if rules.rules else None


def memories_of(state: AccountStateRow) -> Memories:
    """What is remembered of each rule."""
    if state.rule_memory is None:
        return {}
    return msgspec.convert(state.rule_memory, dict[str, RuleMemory], strict=False)


def kept(memories: Memories, before: Memories, state: AccountStateRow) -> JsonObject | None:
    """The column that keeps the memories; the same object where nothing changed."""
    if memories == before:
        return state.rule_memory
    return _builtins(memories) or None


def _builtins(memories: Mapping[str, RuleMemory]) -> JsonObject:
    return {name: msgspec.to_builtins(memory) for name, memory in memories.items()}
