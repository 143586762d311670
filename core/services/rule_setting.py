"""Bring each account's guard rules towards its profile: tighter now, looser after 24 h (law 8)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from core.domain import alerts_rules as r
from core.domain import audit_words as words
from core.domain.cycle_rules import decoded, encoded, rules_of
from core.domain.rules import NO_RULES, HeldRule, Profile, RuleSet, RulesState, align
from core.people_file import AccountEntry, PeopleFile
from core.ports import Clock, Store, Transaction
from core.records import AccountRow, AccountStateRow, RuleEventRow, UserRow
from core.services import audit
from core.services.policy import EnginePolicy
from core.services.speaking import speak
from core.services.startup import may_loosen


class AlignRules:
    """Rules in force live with the account: a looser file and a restart change nothing yet."""

    def __init__(self, *, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._entries: dict[tuple[int, str], AccountEntry] = {}

    def remember(self, people: PeopleFile | None) -> None:
        """Take the people file's profiles and modes."""
        if people is not None:
            self._entries = {(e.login, e.server): e for e in people.accounts}

    async def __call__(self) -> list[int]:
        """Align every account; answers the ids whose rules changed, to be read anew."""
        async with self._store.reading() as tx:
            accounts = await tx.find(AccountRow, enabled=True)
            states = {state.id: state for state in await tx.find(AccountStateRow)}
        now = self._clock.now()
        changed: list[int] = []
        for account in accounts:
            before, wanted = _kept(account), self._wanted(account)
            loose = may_loosen(states.get(account.id), now)
            after = align(before, wanted, now, may_loosen=loose)
            if after != before:
                async with self._store.writing() as tx:
                    await self._change(tx, account, before, after)
                changed.append(account.id)
        return changed

    def _wanted(self, account: AccountRow) -> RuleSet:
        """What the files say; what is in force where they say nothing of the account."""
        entry = self._entries.get((account.login, account.server))
        if entry is None:
            return rules_of(account)
        return wanted_rules(self._policy.profiles, entry) or rules_of(account)

    async def _change(
        self, tx: Transaction, account: AccountRow, before: RulesState, after: RulesState
    ) -> None:
        now = self._clock.now()
        columns: dict[str, Any] = {
            "rules": encoded(after.in_force),
            "pending_rules": None if after.pending is None else msgspec.to_builtins(after.pending),
            "pending_rules_effective_at": after.effective_at,
        }
        await tx.update(AccountRow, {"id": account.id}, **columns)
        gone = _names(before.in_force) - _names(after.in_force)
        for name in sorted(gone):
            open_one = {"account_id": account.id, "rule": name, "resolved_at": None}
            await tx.update(RuleEventRow, open_one, resolved_at=now)
        await audit.append(
            tx,
            account.id,
            "settings",
            words.RULES_CHANGED,
            {"before": msgspec.to_builtins(before), "after": msgspec.to_builtins(after)},
            now,
        )
        user = await tx.get(UserRow, account.user_id)
        same = (before.in_force.rules, before.pending) == (after.in_force.rules, after.pending)
        if user is None or same:
            return
        told = after.pending or after.in_force
        alert = r.RulesChanged(
            account_id=account.id,
            login=account.login,
            client=user.name,
            currency=account.currency,
            profile=told.profile,
            rules=tuple((held.spec.title, held.mode.value) for held in told.rules),
            pending=after.pending is not None,
            effective_at=after.effective_at,
            at=now,
        )
        admin = self._policy.admin_chat_id
        await speak(tx, alert, client=user.telegram_id, admin=admin, now=now)


def wanted_rules(profiles: Mapping[str, Profile], entry: AccountEntry) -> RuleSet | None:
    """The rules an entry of the people file means; None where its profile is not known.

    The rules that always enforce are not among them: the account's limits say what they are.
    """
    if entry.profile is None:
        return NO_RULES
    profile = profiles.get(entry.profile)
    if profile is None:
        return None
    own = [spec for spec in profile.rules if not spec.always]
    return RuleSet(
        profile=profile.name,
        initial=entry.initial_balance if own else None,
        rules=tuple(HeldRule(spec, entry.modes.get(spec.name, entry.mode)) for spec in own),
    )


def _kept(account: AccountRow) -> RulesState:
    pending = account.pending_rules
    return RulesState(
        in_force=rules_of(account),
        pending=None if pending is None else decoded(pending),
        effective_at=account.pending_rules_effective_at,
    )


def _names(rules: RuleSet) -> set[str]:
    return {held.spec.name for held in rules.rules}
