"""What the services answer a person who asked for something, as values."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from core.domain.audit_check import TamperFinding
from core.domain.signals import SignalDraft

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SignalPosted(Struct, frozen=True, kw_only=True):
    """A signal that went out (or had gone out already: `repeated`).

    `skipped` are sentences about accounts that were asked and may not approve as they are.
    """

    signal_id: int
    draft: SignalDraft
    offered: int
    skipped: tuple[str, ...]
    expires_at: datetime
    repeated: bool = False


class ApprovalDecided(Struct, frozen=True, kw_only=True):
    """An answered offer; where approved, the expected entry and the executor's deadline."""

    approval_id: int
    approved: bool
    symbol: str
    side: str
    volume: Decimal
    expected_entry: Decimal | None
    deadline_at: datetime | None


class AuditSeen(Struct, frozen=True, kw_only=True):
    """What a look at one chain of the audit found; `name` is a login, or `system`.

    `findings` are the links that do not hold, `left_out` says how many more there are.
    """

    name: str
    links: int
    head: str
    findings: tuple[TamperFinding, ...]
    left_out: int


class SyncReport(Struct, frozen=True, kw_only=True):
    """Logins read, logins that failed with the reason, logins to wait for in seconds."""

    synced: tuple[int, ...]
    failed: tuple[tuple[int, str], ...]
    limited: tuple[tuple[int, int], ...]


class WarningAnswered(Struct, frozen=True, kw_only=True):
    """What a press on a market warning did."""

    state: str
    symbol: str
    hold_until: datetime | None


class QuestionAnswered(Struct, frozen=True, kw_only=True):
    """What an answer to a question did. `state`: adopted, declined or disowned.

    `signal_id` is None for a trade that no signal called for, and where it was declined.
    """

    question_id: int
    login: int
    position_id: int
    symbol: str
    side: str
    volume: Decimal
    state: str
    signal_id: int | None = None


def blocked_ms(blocked_at: datetime) -> int:
    """Which block of an account's terminal is meant: when it began, UTC, milliseconds."""
    return (blocked_at - _EPOCH) // timedelta(milliseconds=1)


class TerminalUnblocked(Struct, frozen=True, kw_only=True):
    """A terminal that was cleared; `closing` is the scope of a close that goes on now, or empty."""

    login: int
    closing: str


class ApiToken(Struct, frozen=True, kw_only=True):
    """A token that is good, without its text: that was shown once."""

    token_id: int
    label: str
    created_at: datetime


class MintedToken(Struct, frozen=True, kw_only=True):
    """A new token. `text` is shown once and kept nowhere."""

    token: ApiToken
    text: str
