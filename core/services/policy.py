"""The engine's settings as the services need them: one frozen value, built once from `Settings`."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from core.domain.audit import canonical
from core.domain.cadence import Cadence
from core.domain.closing import ClosePolicy
from core.domain.drill import Slot
from core.domain.limits import GuardLimits
from core.domain.quotes import MarketPolicy
from core.domain.reappearing import Reappeared
from core.domain.reconciliation import Policy
from core.domain.rules import Profile


class EnginePolicy(Struct, frozen=True, kw_only=True):
    """Tolerances, times and addresses of speech. Durations in seconds.

    `digest_hour` is the hour of each reader's own day at which yesterday's digest is due; None for
    no digests. `alarm_repeat_s`: after how long an alarm that nobody has is told to the
    next admin. `reappeared`: what is done with what re-appears on a latched account. `profiles` are
    the rule profiles that accounts may have, by name. `drill`: when closing is rehearsed each week,
    None for never. `guided_linking`: clients link accounts, and renew passwords, in the chat.
    """

    reconciliation: Policy
    closing: ClosePolicy
    market: MarketPolicy
    cadence: Cadence
    limits: GuardLimits
    countdown_s: int
    explanation_wait_s: float
    snapshot_row_interval_s: float
    signal_expires_s: float
    trade_deadline_s: float
    manual_sync_interval_s: float
    magic_base: int
    admin_chat_id: int
    digest_hour: int | None = None
    reappeared: Reappeared = Reappeared.CLOSE
    profiles: Mapping[str, Profile] = {}
    alarm_repeat_s: float = 300.0
    drill: Slot | None = None
    guided_linking: bool = False

    def shown(self) -> dict[str, Any]:
        """The settings as an audit link can keep them: figures as text, no address."""
        shown: dict[str, Any] = msgspec.to_builtins(self)
        del shown["admin_chat_id"]
        return {name: _shown(value) for name, value in shown.items()}

    def version(self) -> str:
        """A name for these settings: the same settings have the same, others another."""
        return hashlib.sha256(canonical(self.shown())).hexdigest()[:VERSION_DIGITS]


VERSION_DIGITS = 12


def _shown(value: object) -> object:
    if isinstance(value, dict):
        return {str(name): _shown(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return str(value) if isinstance(value, float) else value
