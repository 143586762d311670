"""Histories and reports with plausible figures, and the services that answer with them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from core.domain.board import EquityPoint
from core.domain.broker import Deal
from core.domain.history import HistoryFilter, HistoryKind, HistoryLine, HistoryPage
from core.domain.people import Person
from core.domain.periods import Span, period
from core.domain.report import (
    AccountReport,
    Blind,
    Flows,
    Report,
    ReportFile,
    SignalCount,
    SlipLine,
    SymbolResult,
    TradeResult,
)
from core.domain.statement import Statement
from core.services.errors import Refused
from core.services.history import HistoryAsk
from tests.fakes.clock import START

D = Decimal
DAY = period(Span.DAY, START.date(), UTC)
SYMBOLS = ((41, "XAUUSD"), (17, "EURUSD"))


def deal(ticket: int, minutes: int = 0, **changes: Any) -> Deal:
    """A gold position opened so many minutes after noon."""
    facts: dict[str, Any] = {
        "ticket": ticket,
        "order": ticket,
        "position_id": 900001,
        "deal_type": 0,
        "entry": 0,
        "reason": 3,
        "symbol": "XAUUSD",
        "volume": D("0.10"),
        "price": D("1950.12"),
        "profit": D(0),
        "commission": D(0),
        "swap": D(0),
        "fee": D(0),
        "magic": 761000001,
        "comment": "R-1",
        "executed_at": DAY.start + timedelta(hours=12, minutes=minutes),
    }
    return Deal(**{**facts, **changes})


def line(**changes: Any) -> HistoryLine:
    """Gold closed on the phone, 12.40 won."""
    facts: dict[str, Any] = {
        "at": START - timedelta(minutes=10),
        "order": (0, 1),
        "kind": HistoryKind.CLOSED,
        "word": "client_mobile",
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": D("0.10"),
        "price": D("1951.36"),
        "amount": D("12.40"),
        "position_id": 900001,
        "signal_id": 5,
    }
    return HistoryLine(**{**facts, **changes})


def page(**changes: Any) -> HistoryPage:
    """Ann's newest page of three."""
    facts: dict[str, Any] = {
        "account_id": 7,
        "login": 50001,
        "currency": "GBP",
        "own": True,
        "filter": HistoryFilter.ALL,
        "symbol": "",
        "symbol_id": 0,
        "page": 0,
        "pages": 3,
        "total": 19,
        "is_cut": False,
        "lines": (line(),),
        "as_of": START,
        "observed_at": START - timedelta(seconds=3),
        "unavailable_since": None,
        "accounts": ((7, 50001),),
    }
    return HistoryPage(**{**facts, **changes})


def report(**changes: Any) -> Report:
    """A day with three trades, a deposit and half an hour without readings."""
    won = TradeResult(
        position_id=900001,
        symbol="XAUUSD",
        side="buy",
        volume=D("0.10"),
        result=D("120.40"),
        closed_at=START,
    )
    lost = replace(won, position_id=900002, symbol="EURUSD", side="sell", result=D("-20.15"))
    slip = SlipLine(
        symbol="XAUUSD", is_entry=True, hour=None, count=2, median=D("0.4"), worst=D("3.1")
    )
    left = replace(slip, is_entry=False, count=1, median=D("-1.2"), worst=D("-1.2"))
    facts: dict[str, Any] = {
        "period": DAY,
        "realised": D("98.25"),
        "symbols": (
            SymbolResult(symbol="XAUUSD", trades=2, result=D("120.40")),
            SymbolResult(symbol="EURUSD", trades=1, result=D("-20.15")),
        ),
        "charges": D(-2),
        "days": (D("98.25"),),
        "trades": 3,
        "won": 2,
        "lost": 1,
        "best": won,
        "worst": lost,
        "floating": (D("12.00"), START),
        "flows": Flows(deposits=D(500)),
        "flow_marks": ((START - timedelta(hours=2), D(500)),),
        "slippage": (slip, left),
        "slippage_by_hour": (
            replace(slip, hour=9, count=1, median=D("-2.3"), worst=D("-2.3")),
            replace(slip, hour=14, count=1, median=D("3.1"), worst=D("3.1")),
            replace(left, hour=14),
        ),
        "signals": SignalCount(followed=2, missed=1, rejected=1),
        "curve": curve(),
        "worst_drawdown": (D("4.2"), START - timedelta(hours=1)),
        "blind": (
            Blind(
                start=DAY.start + timedelta(hours=2),
                end=DAY.start + timedelta(hours=2, minutes=30),
                is_outage=True,
            ),
        ),
        "statement": Statement(
            start=D("9987.75"),
            end=D("10586.00"),
            unexplained=D(0),
            open_result=D("12.00"),
            equity=D("10598.00"),
            has_credit=False,
        ),
        "are_deals_cut": False,
        "are_samples_cut": False,
    }
    return Report(**{**facts, **changes})


def curve() -> tuple[EquityPoint, ...]:
    """Equity at every quarter of an hour of the morning, without the half hour from two on."""
    times = [DAY.start + timedelta(minutes=15 * n) for n in range(56)]
    seen = [at for at in times if at.hour != 2 or at.minute in {0, 30, 45}]
    return tuple(
        EquityPoint(at, D(10000) + (n * 37) % 190 + (500 if at.hour >= 12 else 0), D(10700))
        for n, at in enumerate(seen)
    )


def account_report(made: Report | None = None, **changes: Any) -> AccountReport:
    """Ann's report, read three seconds ago."""
    facts: dict[str, Any] = {
        "account_id": 7,
        "login": 50001,
        "name": "Main",
        "currency": "GBP",
        "own": True,
        "time_zone": "UTC",
        "now": START,
        "observed_at": START - timedelta(seconds=3),
        "unavailable_since": None,
        "known_from": datetime(2026, 1, 5, tzinfo=UTC),
        "sample_interval_s": 60.0,
        "report": made or report(),
        "file": ReportFile(
            deals=(
                deal(1, commission=D("-1.50")),
                deal(2, 90, deal_type=1, entry=1, reason=1, profit=D("121.90")),
            ),
            signals={900001: 5},
            slips={(900001, True): D("0.40")},
            ours=frozenset(),
        ),
    }
    return AccountReport(**{**facts, **changes})


class FakeHistories:
    """Three pages of every account; `asked` is what was asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.refusal: Exception | None = None
        self.shown = page()

    async def first_page(self, person: Person, login: int | None) -> HistoryPage:
        self.asked.append((person.telegram_id, login))
        if self.refusal is not None:
            raise self.refusal
        return replace(self.shown, own=not person.is_admin)

    async def page(self, person: Person, ask: HistoryAsk) -> HistoryPage:
        self.asked.append((person.telegram_id, ask))
        if self.refusal is not None:
            raise self.refusal
        if ask.account_id not in person.account_ids and not person.is_admin:
            raise Refused("not_yours")
        return replace(self.shown, page=ask.page, filter=ask.filter)

    async def symbols(self, person: Person, account_id: int) -> tuple[tuple[int, str], ...]:
        self.asked.append((person.telegram_id, "symbols", account_id))
        return SYMBOLS


class FakeReports:
    """The same report of every account and period."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.refusal: Exception | None = None

    async def by_login(
        self, person: Person, login: int | None, span: Span, day: date | None
    ) -> AccountReport:
        self.asked.append((person.telegram_id, login, span, day))
        if self.refusal is not None:
            raise self.refusal
        return account_report()

    async def by_account(
        self, person: Person, account_id: int, span: Span, day: date
    ) -> AccountReport:
        self.asked.append((person.telegram_id, account_id, span, day))
        if account_id not in person.account_ids and not person.is_admin:
            raise Refused("not_yours")
        return account_report()

    async def accounts(self, person: Person) -> tuple[tuple[int, int], ...]:
        return tuple((account_id, 50000 + account_id) for account_id in person.account_ids)
