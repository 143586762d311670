"""What `/rules` shows of an account, as values."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from core.domain.headroom import RuleLine


class RuleEvent(Struct, frozen=True, kw_only=True):
    """One line of the log: a rule was broken at `equity`, and what came of it.

    `mode` and `severity` say what it did, or would have done. `result`: by how much equity changed
    until it was over, without cash flows.
    """

    title: str
    mode: str
    severity: str
    equity: Decimal
    worst_equity: Decimal | None
    result: Decimal
    opened_at: datetime
    resolved_at: datetime | None


class PendingRules(Struct, frozen=True):
    """Looser rules that wait: (title, mode) of each, and when they take effect."""

    rules: tuple[tuple[str, str], ...]
    effective_at: datetime


class RuleBoard(Struct, frozen=True, kw_only=True):
    """An account's rules as last read. `waiting` are the titles of those not begun yet.

    `countdown_s`: how long a client has from a breach to the close, seconds. `locked_since`: the
    account was closed, and nothing may be opened before its release.
    """

    account_id: int
    login: int
    client: str
    currency: str
    currency_digits: int
    countdown_s: int
    locked_since: datetime | None
    profile: str
    observed_at: datetime | None
    blind_since: datetime | None
    rules: tuple[RuleLine, ...]
    waiting: tuple[str, ...]
    pending: PendingRules | None
    events: tuple[RuleEvent, ...]
