"""What the shell asks of the engine's services, as protocols: handlers and views build on these.

`core.services` implements them; every call may raise `core.services.errors.Refused`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Protocol

from core.domain.board import AccountBoard, DrawdownBoard, SystemBoard, WarningLine
from core.domain.people import Person
from core.domain.signals import SignalDraft


class Posted(Protocol):
    """A signal that went out (or had gone out already: `repeated`)."""

    @property
    def signal_id(self) -> int:
        """The signal's number."""
        ...

    @property
    def draft(self) -> SignalDraft:
        """What was posted."""
        ...

    @property
    def offered(self) -> int:
        """How many accounts were asked."""
        ...

    @property
    def skipped(self) -> tuple[str, ...]:
        """Why other accounts were not, a sentence each."""
        ...

    @property
    def expires_at(self) -> datetime:
        """Until when it may be approved."""
        ...

    @property
    def repeated(self) -> bool:
        """Whether the same command had posted it before."""
        ...


class Decided(Protocol):
    """An answered offer."""

    @property
    def approval_id(self) -> int:
        """The offer's number."""
        ...

    @property
    def approved(self) -> bool:
        """Approved, or rejected."""
        ...

    @property
    def symbol(self) -> str:
        """The broker's name."""
        ...

    @property
    def side(self) -> str:
        """Buy or sell."""
        ...

    @property
    def volume(self) -> Decimal:
        """Lots."""
        ...

    @property
    def expected_entry(self) -> Decimal | None:
        """The ask (buy) or bid (sell) at the commit of the approval."""
        ...


class Synced(Protocol):
    """What a reading by hand gave."""

    @property
    def synced(self) -> tuple[int, ...]:
        """Logins that were read."""
        ...

    @property
    def failed(self) -> tuple[tuple[int, str], ...]:
        """Logins that could not be read, and why."""
        ...

    @property
    def limited(self) -> tuple[tuple[int, int], ...]:
        """Logins read a moment ago, and the seconds to wait."""
        ...


class Answered(Protocol):
    """An answered market warning."""

    @property
    def state(self) -> str:
        """The warning's state now."""
        ...

    @property
    def symbol(self) -> str:
        """The symbol it warns of."""
        ...

    @property
    def hold_until(self) -> datetime | None:
        """Until when nothing is done."""
        ...


class People(Protocol):
    """Who is who (`core.services.people`)."""

    async def identify(self, telegram_id: int) -> Person | None:
        """The person behind a Telegram id; None for a stranger."""
        ...

    async def refuse(self, telegram_id: int, what: str) -> None:
        """Audit that something was refused."""
        ...


class PostSignal(Protocol):
    """`core.services.signals`."""

    async def __call__(self, actor: Person, draft: SignalDraft, source_key: str) -> Posted:
        """Post a signal, once per `source_key`."""
        ...


class DecideApproval(Protocol):
    """`core.services.approvals`."""

    async def __call__(self, actor: Person, approval_id: int, approve: bool) -> Decided:  # noqa: FBT001 - the service's signature
        """Answer an offer."""
        ...


class Boards(Protocol):
    """`core.services.boards`."""

    async def accounts_of(self, person: Person) -> list[AccountBoard]:
        """The person's own accounts."""
        ...

    async def all_accounts(self) -> list[AccountBoard]:
        """Every account, the least headroom first."""
        ...

    async def drawdown(self, person: Person) -> list[DrawdownBoard]:
        """The person's own accounts with their history."""
        ...

    async def warnings(self) -> list[WarningLine]:
        """Unresolved market warnings."""
        ...

    async def system(self) -> SystemBoard:
        """How Reckoner is."""
        ...


class SyncNow(Protocol):
    """`core.services.sync_now`."""

    async def __call__(self, actor: Person, login: int | None) -> Synced:
        """Read one account, or all of them, now."""
        ...


class AnswerWarning(Protocol):
    """`core.services.warnings`."""

    async def __call__(self, actor: Person, warning_id: int, version: int, verb: str) -> Answered:
        """Close, hold or dismiss."""
        ...


class AskRelease(Protocol):
    """`core.services.release`, the client's side."""

    async def __call__(self, actor: Person, account_id: int) -> None:
        """Ask for an account's release."""
        ...


class AnswerRelease(Protocol):
    """`core.services.release`, the admin's side."""

    async def __call__(self, actor: Person, account_id: int, grant: bool) -> None:  # noqa: FBT001 - the service's signature
        """Grant or refuse it."""
        ...
