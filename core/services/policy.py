"""The engine's settings as the services need them: one frozen value, built once from `Settings`."""

from msgspec import Struct

from core.domain.cadence import Cadence
from core.domain.closing import ClosePolicy
from core.domain.limits import GuardLimits
from core.domain.quotes import MarketPolicy
from core.domain.reconciliation import Policy


class EnginePolicy(Struct, frozen=True, kw_only=True):
    """Tolerances, times and addresses of speech. Durations in seconds.

    `digest_hour` is the hour of each reader's own day at which yesterday's digest is due; None for
    no digests.
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
