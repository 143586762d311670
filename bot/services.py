"""What the shell asks of the engine's services, as protocols: handlers and views build on these.

`core.services` implements them; every call may raise `core.services.errors.Refused`.
"""

from datetime import date, timedelta
from typing import Protocol

from core.domain.access import AccessDecision, Requester
from core.domain.alerts_adoption import PositionQuestion
from core.domain.alerts_market import MarketWarning
from core.domain.answers import (
    ApiToken,
    ApprovalDecided,
    AuditSeen,
    MintedToken,
    QuestionAnswered,
    SignalPosted,
    SyncReport,
    TerminalUnblocked,
    WarningAnswered,
)
from core.domain.board import AccountBoard, DrawdownBoard, OverrideLine, SystemBoard
from core.domain.drill import Drilled
from core.domain.hearing import Choices, Group, Level, QuietHours
from core.domain.history import HistoryPage
from core.domain.incident import Incident, IncidentLine
from core.domain.invitations import Redeemed
from core.domain.linking import LinkAsk
from core.domain.pauses import Pausable, Pause
from core.domain.people import Person
from core.domain.periods import Span
from core.domain.report import AccountReport
from core.domain.rule_board import RuleBoard
from core.domain.signal_board import OwnSignals, SignalLine
from core.domain.signals import SignalDraft
from core.domain.standing import Preview, UserLine, UsersPage
from core.records import AlarmRow
from core.services.answering import Answer
from core.services.history import HistoryAsk
from core.services.link_desk import LinkDecision
from core.services.questions import OpenQuestions


class People(Protocol):
    """Who is who (`core.services.people`)."""

    async def identify(self, telegram_id: int) -> Person | None:
        """The person behind a Telegram id; None for a stranger."""
        ...

    async def seen(self, person: Person, app_language: str = "") -> None:
        """Remember that somebody was here."""
        ...

    async def turn_away(self, telegram_id: int, what: str) -> None:
        """Audit that somebody without rights was refused."""
        ...

    async def refuse(self, telegram_id: int, what: str) -> None:
        """Audit that something was refused."""
        ...


class Access(Protocol):
    """`core.services.access`."""

    async def ask(self, asker: Requester) -> None:
        """Ask to be let in."""
        ...

    async def answer(self, actor: Person, request_id: int, *, approve: bool) -> AccessDecision:
        """Let somebody in, or block them."""
        ...


class Users(Protocol):
    """`core.services.users`."""

    async def page(self, actor: Person, page: int) -> UsersPage:
        """One page of the people."""
        ...

    async def one(self, actor: Person, user_id: int) -> UserLine:
        """One of them."""
        ...

    async def preview_block(self, actor: Person, user_id: int) -> Preview:
        """Ask for a block."""
        ...

    async def confirm(self, actor: Person, confirmation_id: int) -> UserLine:
        """Do what was previewed."""
        ...

    async def cancel(self, actor: Person, confirmation_id: int) -> UserLine:
        """Leave it."""
        ...

    async def unblock(self, actor: Person, user_id: int) -> UserLine:
        """Lift a block."""
        ...


class UseInvitation(Protocol):
    """`core.services.invitations`."""

    async def __call__(self, who: Requester, code: str) -> Redeemed:
        """Take a code."""
        ...

    async def void(self, code: str, telegram_id: int) -> bool:
        """End a code that others have seen."""
        ...


class LinkTalks(Protocol):
    """`core.services.link_talks`."""

    async def current(self, person: Person) -> LinkAsk:
        """Where the person's newest request stands."""
        ...

    async def choose(self, person: Person, request_id: int, number: int) -> LinkAsk:
        """Take a server by its number."""
        ...

    async def renew(self, person: Person, account_id: int) -> LinkAsk:
        """Ask for the new password of an account of theirs."""
        ...

    async def cancel(self, person: Person, request_id: int) -> LinkAsk:
        """End it."""
        ...


class LinkDesk(Protocol):
    """`core.services.link_desk`."""

    async def answer(self, actor: Person, request_id: int, *, approve: bool) -> LinkDecision:
        """Have the broker asked, or refuse."""
        ...


class PostSignal(Protocol):
    """`core.services.signals`."""

    async def __call__(self, actor: Person, draft: SignalDraft, source_key: str) -> SignalPosted:
        """Post a signal, once per `source_key`."""
        ...


class DecideApproval(Protocol):
    """`core.services.approvals`."""

    async def __call__(self, actor: Person, approval_id: int, approve: bool) -> ApprovalDecided:  # noqa: FBT001 - the service's signature
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

    async def warnings(self) -> list[MarketWarning]:
        """Unresolved market warnings."""
        ...

    async def warning(self, warning_id: int) -> MarketWarning | None:
        """One market warning, resolved or not; None where there is none."""
        ...

    async def overrides(self) -> list[OverrideLine]:
        """Admins' decisions over market warnings: those of a day, and those that still last."""
        ...

    async def system(self) -> SystemBoard:
        """How Reckoner is."""
        ...


class RuleBoards(Protocol):
    """`core.services.rule_boards`."""

    async def of(self, person: Person, login: int | None) -> list[RuleBoard]:
        """The rules of the person's accounts, or of the one with this login."""
        ...


class SyncNow(Protocol):
    """`core.services.sync_now`."""

    async def __call__(self, actor: Person, login: int | None) -> SyncReport:
        """Read one account, or all of them, now."""
        ...


class Drill(Protocol):
    """`core.services.drill`."""

    async def __call__(self, actor: Person, login: int | None) -> tuple[Drilled, ...]:
        """Rehearse closing one account, or all of them, now."""
        ...


class AnswerWarning(Protocol):
    """`core.services.warnings`."""

    async def __call__(
        self, actor: Person, warning_id: int, version: int | None, verb: str, reason: str
    ) -> WarningAnswered:
        """Close, hold or dismiss, of the version that was seen (None: as it stands now)."""
        ...


class PauseDesk(Protocol):
    """`core.services.pausing`."""

    def now(self) -> tuple[Pause, ...]:
        """What is paused."""
        ...

    async def pause(self, actor: Person, what: Pausable, lasts: timedelta, reason: str) -> Pause:
        """Pause it, so long."""
        ...

    async def resume(self, actor: Person, what: Pausable, began_ms: int | None = None) -> Pause:
        """Go on now, if the pause is the one that was seen."""
        ...


class SignalBoards(Protocol):
    """`core.services.signal_boards`."""

    async def own(self, person: Person) -> OwnSignals:
        """The person's own offers."""
        ...

    async def last(self, actor: Person) -> tuple[SignalLine, ...]:
        """The newest signals, for admins."""
        ...

    async def offers_of(self, person: Person, signal_id: int) -> tuple[int, ...]:
        """The person's offers of one signal."""
        ...


class AuditLook(Protocol):
    """`core.services.audit_look`."""

    async def __call__(self, actor: Person, login: int | None) -> AuditSeen:
        """Verify one account's part of the audit, or the system's."""
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

    async def by_login(self, actor: Person, login: int, grant: bool) -> None:  # noqa: FBT001 - as above
        """The same by login."""
        ...


class ClearTerminal(Protocol):
    """`core.services.terminal_block`."""

    async def __call__(
        self, actor: Person, account_id: int, of_ms: int | None = None
    ) -> TerminalUnblocked:
        """Unblock one account, of the block that began then."""
        ...

    async def by_login(self, actor: Person, login: int) -> TerminalUnblocked:
        """Unblock the account with this login."""
        ...


class ApiTokens(Protocol):
    """`core.services.api_tokens`."""

    async def mint(self, actor: Person, label: str) -> MintedToken:
        """Make a token."""
        ...

    async def list_of(self, actor: Person) -> tuple[ApiToken, ...]:
        """The person's good tokens."""
        ...

    async def revoke(self, actor: Person, token_id: int) -> ApiToken:
        """End one."""
        ...


class Questions(Protocol):
    """`core.services.questions`."""

    async def waiting(self, actor: Person) -> OpenQuestions:
        """Those that wait for an answer."""
        ...

    async def card(self, actor: Person, question_id: int) -> PositionQuestion:
        """One, as it stands."""
        ...

    async def find(self, actor: Person, position_id: int) -> PositionQuestion:
        """The one about a position."""
        ...

    async def trade_of(self, question_id: int, signal_id: int) -> int:
        """The trade by which the question's account follows a signal."""
        ...


class AnswerQuestion(Protocol):
    """`core.services.adoption`, and `core.services.disown`, which takes an answer back."""

    async def __call__(self, actor: Person, question_id: int, said: Answer) -> QuestionAnswered:
        """Do what was said."""
        ...


class Histories(Protocol):
    """`core.services.history`."""

    async def first_page(self, person: Person, login: int | None) -> HistoryPage:
        """The newest page of an account, the person's first without a login."""
        ...

    async def page(self, person: Person, ask: HistoryAsk) -> HistoryPage:
        """One page."""
        ...

    async def symbols(self, person: Person, account_id: int) -> tuple[tuple[int, str], ...]:
        """The symbols last traded, each with a deal that had it."""
        ...


class Reports(Protocol):
    """`core.services.reports`."""

    async def by_login(
        self, person: Person, login: int | None, span: Span, day: date | None
    ) -> AccountReport:
        """A report on the account with this login; without a day, on today."""
        ...

    async def by_account(
        self, person: Person, account_id: int, span: Span, day: date
    ) -> AccountReport:
        """The same by the account's id."""
        ...

    async def accounts(self, person: Person) -> tuple[tuple[int, int], ...]:
        """The person's own accounts: (id, login)."""
        ...


class Incidents(Protocol):
    """`core.services.incidents`."""

    async def latest(self, person: Person) -> tuple[IncidentLine, ...]:
        """The newest incidents that this person may see."""
        ...

    async def one(self, person: Person, number: int) -> Incident:
        """One of them with everything known of it."""
        ...


class Alarms(Protocol):
    """`core.services.alarms`."""

    async def take(self, actor: Person, alarm_id: int) -> AlarmRow:
        """The actor has it."""
        ...

    async def take_all(self, actor: Person) -> int:
        """The actor has all of them."""
        ...

    async def open(self, actor: Person) -> tuple[int, tuple[tuple[AlarmRow, int | None], ...]]:
        """How many alarms nobody has, and the oldest, each with the login it is about."""
        ...


class Preferences(Protocol):
    """`core.services.preferences`; changes are of the version that was seen, None for any."""

    async def of(self, person: Person) -> Choices:
        """What they have chosen."""
        ...

    async def set_level(
        self, person: Person, group: Group, level: Level, version: int | None = None
    ) -> Choices:
        """Hear a group so."""
        ...

    async def set_quiet(
        self, person: Person, quiet: QuietHours | None, version: int | None = None
    ) -> Choices:
        """Quiet hours, or none."""
        ...

    async def set_zone(self, person: Person, zone: str, version: int | None = None) -> Choices:
        """A time zone."""
        ...

    async def set_language(
        self, person: Person, language: str, version: int | None = None
    ) -> Choices:
        """Be spoken to in a language; empty: in what their Telegram speaks."""
        ...
