"""The services behind the conversations, as fakes that remember what they were asked."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from aiogram import Bot, Dispatcher

from bot.charts import Charts
from bot.limits import SendLimits
from bot.routers import Shell, build_dispatcher
from bot.views.message import Voice
from core.domain.alerts_market import MarketWarning
from core.domain.answers import (
    ApprovalDecided,
    SignalPosted,
    SyncReport,
    TerminalUnblocked,
    WarningAnswered,
)
from core.domain.board import (
    AccountBoard,
    DrawdownBoard,
    EquityPoint,
    OverrideLine,
    PendingLine,
    PositionLine,
    SystemBoard,
)
from core.domain.people import Person, Role
from core.domain.rule_board import RuleBoard
from core.domain.signals import SignalDraft
from core.services.alarms import Alarms
from core.services.api_tokens import ApiTokens
from core.services.errors import Refused
from core.services.preferences import Preferences
from core.services.signal_boards import SignalBoards
from tests.fakes.access import FakeAccess, FakeInvitations, FakeUsers
from tests.fakes.audits import FakeAudits
from tests.fakes.clock import START, FixedClock
from tests.fakes.drill import FakeDrill
from tests.fakes.incidents import FakeIncidents
from tests.fakes.memory_store import MemoryStore
from tests.fakes.pauses import FakePauses
from tests.fakes.questions import FakeQuestions
from tests.fakes.reports import FakeHistories, FakeReports
from tests.fakes.telegram import ADMIN_CHAT, RecordingSession, make_bot, update

ANN, BO, OLGA, STRANGER, PENDING, BLOCKED = 900, 901, 902, 903, 904, 905


def person(telegram_id: int, role: Role, *accounts: int) -> Person:
    """Somebody known."""
    return Person(
        user_id=telegram_id % 100 + 1,
        telegram_id=telegram_id,
        name=f"P{telegram_id}",
        role=role,
        time_zone="UTC",
        account_ids=accounts,
    )


EVERYBODY = {
    ANN: person(ANN, Role.CLIENT, 7),
    BO: person(BO, Role.CLIENT, 8),
    OLGA: person(OLGA, Role.ADMIN),
    PENDING: person(PENDING, Role.PENDING),
    BLOCKED: person(BLOCKED, Role.BLOCKED),
}


def account(**changes: Any) -> AccountBoard:
    """Ann's account with one position, 4.2 % below its peak."""
    facts: dict[str, Any] = {
        "account_id": 7,
        "login": 50001,
        "server": "Reckoner-Demo",
        "name": "Main",
        "client": "Ann Smith",
        "currency": "GBP",
        "currency_digits": 2,
        "observed_at": START - timedelta(seconds=3),
        "unavailable_since": None,
        "unavailable_reason": None,
        "balance": Decimal(9600),
        "credit": Decimal(0),
        "equity": Decimal(9580),
        "profit": Decimal(-20),
        "margin_level_percent": Decimal(900),
        "equity_gbp": Decimal(9580),
        "gbp_rate_at": START,
        "peak_equity": Decimal(10000),
        "drawdown_percent": Decimal("4.2"),
        "warn_percent": Decimal(15),
        "limit_percent": Decimal(20),
        "minimum_equity": Decimal(100),
        "min_equity_gbp": Decimal(100),
        "floor": Decimal(8000),
        "headroom": Decimal(1580),
        "guard": "clear",
        "guard_since": None,
        "guard_reason": None,
        "deadline_at": None,
        "release_requested_at": None,
        "obstacles": (),
        "obstacles_since": None,
        "positions_count": len(changes.get("positions", (None,))),
        "terminal": None,
        "open_divergences": 0,
        "positions": (position(),),
        "pending": (),
    }
    return AccountBoard(**{**facts, **changes})


def position(**changes: Any) -> PositionLine:
    """A gold position."""
    facts: dict[str, Any] = {
        "ticket": 900001,
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": Decimal("0.10"),
        "price_open": Decimal("1950.12"),
        "price_current": Decimal("1948.12"),
        "stop_loss": Decimal(1945),
        "take_profit": None,
        "profit": Decimal(-20),
        "signal_id": 5,
        "opened_at": START,
    }
    return PositionLine(**{**facts, **changes})


def expected_line() -> PendingLine:
    """An approved trade that is not placed yet."""
    return PendingLine(
        symbol="EURUSD",
        side="sell",
        volume=Decimal("0.2"),
        price=None,
        expected=True,
        deadline_at=START + timedelta(seconds=60),
    )


def history(points: int = 3) -> tuple[EquityPoint, ...]:
    """An equity curve, a minute a point."""
    return tuple(
        EquityPoint(START + timedelta(minutes=n), Decimal(10000 - 10 * n), Decimal(10000))
        for n in range(points)
    )


def warning_line(**changes: Any) -> MarketWarning:
    """An open gap."""
    facts: dict[str, Any] = {
        "warning_id": 21,
        "version": 1,
        "warning": "gap",
        "symbol": "XAUUSD",
        "server": "Reckoner-Demo",
        "state": "open",
        "figure": Decimal("5.4"),
        "limit": Decimal(5),
        "worst": Decimal("5.4"),
        "accounts": ("Ann Smith 50001",),
        "opened_at": START,
        "deadline_at": START + timedelta(seconds=120),
        "hold_until": None,
        "answered_by": "",
        "at": START,
        "action": "close",
    }
    return MarketWarning(**{**facts, **changes})


def system() -> SystemBoard:
    """All is well."""
    return SystemBoard(
        version="0.1.0",
        started_at=START - timedelta(hours=2),
        now=START,
        accounts=4,
        unavailable=0,
        latched=0,
        unfinished_closes=0,
        open_warnings=0,
        outbox_due=0,
        oldest_due_at=None,
        epoch=3,
    )


class Services:
    """Every service; `calls` is what they were asked, `refusal` or `fault` what they raise."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.turned_away: list[tuple[int, str]] = []
        self.refused: list[tuple[int, str]] = []
        self.refusal: Exception | None = None
        self.boards = {7: account()}
        self.lines = [warning_line()]
        self.override_lines: list[OverrideLine] = []

    def asked(self, *call: Any) -> None:
        """Note a call, and raise what is to be raised."""
        self.calls.append(call)
        if self.refusal is not None:
            raise self.refusal

    async def identify(self, telegram_id: int) -> Person | None:
        return EVERYBODY.get(telegram_id)

    async def seen(self, person: Person, app_language: str = "") -> None:
        del person

    async def turn_away(self, telegram_id: int, what: str) -> None:
        self.turned_away.append((telegram_id, what))

    async def refuse(self, telegram_id: int, what: str) -> None:
        self.refused.append((telegram_id, what))

    async def post_signal(self, actor: Person, draft: SignalDraft, source_key: str) -> SignalPosted:
        self.asked("post_signal", actor.telegram_id, draft, source_key)
        return SignalPosted(
            signal_id=5,
            draft=draft,
            offered=3,
            skipped=("50004 is locked: an approval would be refused",),
            expires_at=START + timedelta(minutes=5),
            repeated=False,
        )

    async def decide_approval(
        self,
        actor: Person,
        approval_id: int,
        approve: bool,  # noqa: FBT001 - as the service
    ) -> ApprovalDecided:
        self.asked("decide_approval", actor.telegram_id, approval_id, approve)
        return ApprovalDecided(
            approval_id=approval_id,
            approved=approve,
            symbol="XAUUSD",
            side="buy",
            volume=Decimal("0.10"),
            expected_entry=Decimal("1950.12") if approve else None,
            deadline_at=None,
        )

    async def accounts_of(self, person: Person) -> list[AccountBoard]:
        self.asked("accounts_of", person.telegram_id)
        return [board for key, board in self.boards.items() if key in person.account_ids]

    async def all_accounts(self) -> list[AccountBoard]:
        self.asked("all_accounts")
        return list(self.boards.values())

    async def drawdown(self, person: Person) -> list[DrawdownBoard]:
        self.asked("drawdown", person.telegram_id)
        own = [board for key, board in self.boards.items() if key in person.account_ids]
        return [DrawdownBoard(account=board, history=history()) for board in own]

    async def warnings(self) -> list[MarketWarning]:
        self.asked("warnings")
        return self.lines

    async def warning(self, warning_id: int) -> MarketWarning | None:
        return next((line for line in self.lines if line.warning_id == warning_id), None)

    async def overrides(self) -> list[OverrideLine]:
        self.asked("overrides")
        return self.override_lines

    async def system(self) -> SystemBoard:
        self.asked("system")
        return system()

    async def sync_now(self, actor: Person, login: int | None) -> SyncReport:
        self.asked("sync_now", actor.telegram_id, login)
        return SyncReport(
            synced=(50001,), failed=((50002, "no connection"),), limited=((50003, 7),)
        )

    async def answer_warning(
        self, actor: Person, warning_id: int, version: int | None, verb: str, reason: str
    ) -> WarningAnswered:
        if not reason and self.refusal is None:
            raise Refused("reason_missing")
        self.asked("answer_warning", actor.telegram_id, warning_id, version, verb, reason)
        return WarningAnswered(state="dismissed", symbol="XAUUSD", hold_until=None)

    async def ask_release(self, actor: Person, account_id: int) -> None:
        self.asked("ask_release", actor.telegram_id, account_id)
        if account_id not in actor.account_ids:
            raise Refused("not_yours")

    async def answer_release(
        self,
        actor: Person,
        account_id: int,
        grant: bool,  # noqa: FBT001 - as the service
    ) -> None:
        self.asked("answer_release", actor.telegram_id, account_id, grant)


class FakeRules:
    """The service that tells of rules."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.boards: list[RuleBoard] = []

    async def of(self, person: Person, login: int | None) -> list[RuleBoard]:
        self._services.asked("rules", person.telegram_id, login)
        return self.boards


class Clearing:
    """The service that unblocks terminals."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(
        self, actor: Person, account_id: int, of_ms: int | None = None
    ) -> TerminalUnblocked:
        self._services.asked("clear_terminal", actor.telegram_id, account_id, of_ms)
        return TerminalUnblocked(login=50001, closing="account")

    async def by_login(self, actor: Person, login: int) -> TerminalUnblocked:
        self._services.asked("clear_by_login", actor.telegram_id, login)
        return TerminalUnblocked(login=login, closing="")


class Answering:
    """The service that answers who asks for release."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(
        self,
        actor: Person,
        account_id: int,
        grant: bool,  # noqa: FBT001 - as the service
    ) -> None:
        await self._services.answer_release(actor, account_id, grant)

    async def by_login(
        self,
        actor: Person,
        login: int,
        grant: bool,  # noqa: FBT001 - as the service
    ) -> None:
        found = [b.account_id for b in self._services.boards.values() if b.login == login]
        if not found:
            raise Refused("not_found", login=login)
        await self._services.answer_release(actor, found[0], grant)


class Conversation:
    """The real dispatcher over fake services and a recorded Telegram."""

    def __init__(self) -> None:
        self.services = Services()
        self.invitations = FakeInvitations(self.services.asked)
        self.audits = FakeAudits(self.services.asked)
        self.pauses = FakePauses(self.services.asked)
        self.users = FakeUsers(self.services.asked)
        self.access = FakeAccess(self.services.asked)
        self.questions = FakeQuestions(self.services.asked)
        self.histories = FakeHistories()
        self.reports = FakeReports()
        self.incidents = FakeIncidents()
        self.rule_boards = FakeRules(self.services)
        self.bot: Bot
        self.telegram: RecordingSession
        self.bot, self.telegram = make_bot()
        self.clock = FixedClock()
        self.rates = SendLimits()
        self.store = MemoryStore()
        self.dispatcher: Dispatcher = build_dispatcher(
            Shell(
                people=self.services,
                access=self.access,
                use_invitation=self.invitations,
                users=self.users,
                post_signal=self.services.post_signal,
                decide_approval=self.services.decide_approval,
                boards=self.services,
                sync_now=self.services.sync_now,
                drill=FakeDrill(self.services.asked),
                answer_warning=self.services.answer_warning,
                pause_desk=self.pauses,
                signal_boards=SignalBoards(self.store, self.clock),
                audit_look=self.audits,
                ask_release=self.services.ask_release,
                answer_release=Answering(self.services),
                clear_terminal=Clearing(self.services),
                api_tokens=ApiTokens(self.store, self.clock),
                questions=self.questions,
                adopt_position=self.questions.adopt,
                disown_position=self.questions.disown,
                histories=self.histories,
                reports=self.reports,
                incidents=self.incidents,
                rule_boards=self.rule_boards,
                preferences=Preferences(self.store, self.clock),
                alarms=Alarms(self.store, self.clock, ADMIN_CHAT, 300),
                clock=self.clock,
                voice=Voice(mark="[DEMO]"),
                admin_chat_id=ADMIN_CHAT,
                symbols=("XAUUSD", "EURUSD"),
                charts=Charts(enabled=False),
                rates=self.rates,
            )
        )

    async def feed(self, body: dict[str, Any], **known: Any) -> object:
        """Handle one update; what was sent before is forgotten. `known`: what comes with it."""
        self.telegram.calls.clear()
        self.services.calls.clear()
        self.services.refused.clear()
        self.services.turned_away.clear()
        return await self.dispatcher.feed_update(self.bot, update(body, self.bot), **known)

    @property
    def said(self) -> str:
        """Everything said in answer to the last update."""
        return "\n".join(self.telegram.texts())

    @property
    def popup(self) -> str:
        """The one answer to the last press."""
        ((text, _),) = self.telegram.popups()
        return text or ""
