"""Rows to test with: one user, one account, and what hangs on them."""

import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec.structs import replace

from core.adapters.sql.store import SqlStore
from core.records import (
    AccountRow,
    AlarmRow,
    ApprovalRow,
    CardRow,
    CashFlowRow,
    ChatRow,
    CloseJobRow,
    CloseOrderRow,
    DealRow,
    DrawdownAlertRow,
    EpisodeRow,
    LeaseRow,
    MarketQuoteRow,
    MarketWarningRow,
    OutboxRow,
    OverrideRow,
    PauseRow,
    PositionSnapshotRow,
    PreferenceRow,
    PressRow,
    QuestionRow,
    ReconciliationLogRow,
    Record,
    SignalRow,
    TradeRow,
    UserRow,
)
from tests.fakes.audit_keys import AUDIT_KEYS

RunApart = Callable[[Coroutine[Any, Any, None]], None]


class Postgres(Protocol):
    """What these tests use of the server in the conftest above."""

    def url(self, name: str) -> str:
        """Give the address of a database."""
        ...

    async def execute(self, *statements: str) -> None:
        """Run statements outside of any transaction."""
        ...

    async def new(self, template: str = "template0") -> str:
        """Make a database and give its address."""
        ...


NOW = datetime(2026, 3, 6, 13, 30, 0, 123456, tzinfo=UTC)

EXAMPLES: tuple[Record, ...] = (
    UserRow(telegram_id=7001, name="Ada", role="client", created_at=NOW),
    AccountRow(
        user_id=1,
        login=5001,
        server="Demo-1",
        name="Ada's",
        currency="GBP",
        margin_mode="hedging",
        max_drawdown_percent=Decimal(20),
        warn_drawdown_percent=Decimal(15),
        min_equity_gbp=Decimal(100),
        countdown_s=10,
        created_at=NOW,
    ),
    SignalRow(
        author_user_id=1,
        symbol="XAUUSD",
        side="buy",
        volume=Decimal("0.10"),
        stop_loss=Decimal(1950),
        take_profit=None,
        source_key="update:1",
        created_at=NOW,
        expires_at=NOW,
    ),
    ApprovalRow(signal_id=1, user_id=1, account_id=1, created_at=NOW),
    TradeRow(
        approval_id=1,
        signal_id=1,
        user_id=1,
        account_id=1,
        symbol="XAUUSD",
        side="buy",
        volume=Decimal("0.10"),
        stop_loss=Decimal(1950),
        take_profit=None,
        expected_entry=Decimal("1963.37"),
        expected_at=NOW,
        magic=2**62,
        comment="rc:1",
        deadline_at=NOW,
        created_at=NOW,
        other_position_ids=[2**53 + 1],
        stop_seen=False,
        adopted_by=1,
        adopted_at=NOW,
    ),
    EpisodeRow(
        account_id=1,
        kind="entry_slippage",
        subject="900",
        trade_id=1,
        material="5",
        detail={"pips": "5.2", "nested": [1, None, True]},
        opened_at=NOW,
        changed_at=NOW,
    ),
    QuestionRow(
        account_id=1,
        position_id=2**53 + 1,
        episode_id=1,
        state="open",
        about="buy 0.1",
        candidates=[1],
        detail={"choices": [{"trade_id": 1}]},
        created_at=NOW,
        changed_at=NOW,
    ),
    DealRow(
        account_id=1,
        ticket=2**53 + 1,
        position_id=900,
        deal_type=0,
        entry=0,
        reason=3,
        symbol="XAUUSD",
        volume=Decimal("0.1"),
        price=Decimal("1963.37"),
        profit=Decimal("-0.01"),
        commission=Decimal(0),
        swap=Decimal(0),
        fee=Decimal(0),
        magic=2**62,
        comment="",
        executed_at=NOW,
        seen_at=NOW,
    ),
    CashFlowRow(
        account_id=1,
        deal_ticket=77,
        kind="withdrawal",
        amount=Decimal(-50),
        currency="GBP",
        peak_before=Decimal(1000),
        peak_after=Decimal(950),
        executed_at=NOW,
        created_at=NOW,
    ),
    CloseJobRow(
        account_id=1,
        trigger_key="drawdown:1",
        reason="drawdown",
        scope="account",
        state="countdown",
        deadline_at=NOW,
        epoch=1,
        created_at=NOW,
    ),
    CloseOrderRow(
        job_id=1,
        account_id=1,
        ticket=900,
        position_id=900,
        action="close",
        attempt=1,
        symbol="XAUUSD",
        side="buy",
        volume=Decimal("0.1"),
        filling=1,
        state="intended",
        epoch=1,
        created_at=NOW,
    ),
    MarketWarningRow(
        server="Demo-1",
        symbol="XAUUSD",
        kind="gap",
        state="open",
        figure=Decimal("5.1"),
        limit=Decimal(5),
        worst=Decimal("5.1"),
        account_ids=[1, 2],
        opened_at=NOW,
        deadline_at=NOW,
    ),
    OverrideRow(
        warning_id=1, user_id=1, verb="hold", reason="news", created_at=NOW, expires_at=None
    ),
    MarketQuoteRow(
        server="Demo-1",
        symbol="XAUUSD",
        bid=Decimal("1970.00"),
        ask=Decimal("1970.30"),
        quoted_at=NOW,
        seen_at=NOW,
        server_offset_s=10800,
        moves=[120, 95],
        spreads={"13": [30, 31]},
    ),
    ReconciliationLogRow(
        user_id=1,
        account_id=1,
        signal_id=1,
        approval_id=1,
        mt5_position_id=2**40,
        matched=True,
        currency="GBP",
        event_type="sync",
        status="success",
        created_at=NOW,
        updated_at=NOW,
    ),
    PositionSnapshotRow(user_id=1, account_id=1, currency="GBP", created_at=NOW),
    DrawdownAlertRow(
        user_id=1,
        account_id=1,
        job_id=1,
        alert_type="execution",
        drawdown_percent=Decimal("20.5"),
        currency="GBP",
        equity=Decimal(795),
        threshold_percent=Decimal(20),
        action_taken="positions_closed",
        status="success",
        created_at=NOW,
    ),
    OutboxRow(
        dedupe_key="k1",
        chat_id=-100123,
        priority=0,
        thread="job:1",
        mode="new",
        kind="closing",
        payload="{}",
        created_at=NOW,
        due_at=NOW,
    ),
    PauseRow(
        what="market",
        user_id=1,
        reason="broker at work",
        created_at=NOW,
        until=NOW + timedelta(hours=1),
        ended_at=NOW,
        ended_by=1,
    ),
    PreferenceRow(
        user_id=1,
        levels={"market": "silent"},
        quiet_start_min=1320,
        quiet_end_min=420,
        time_zone="Europe/London",
        changed_at=NOW,
    ),
    AlarmRow(
        outbox_id=1,
        account_id=1,
        thread="job:1:1",
        kind="GuardBreached",
        opened_at=NOW,
        told_at=None,
        repeats=2,
        taken_by="Ada",
        taken_at=NOW,
        over_at=NOW,
    ),
    CardRow(user_id=1, message_id=7, pinned_id=7, shown="[]", edited_at=NOW, next_at=NOW),
    ChatRow(chat_id=7001, unreachable_since=NOW, missed=2, moved_to=-100777, changed_at=NOW),
    PressRow(
        update_id=1,
        callback_id="c1",
        telegram_id=7001,
        chat_id=7001,
        body="{}",
        received_at=NOW,
    ),
    LeaseRow(shard=3, host_group="vps", owner="host:1", epoch=4, expires_at=None),
)
"""One row of each kind but account_state and audit_log, parents first; their ids are all 1."""


@pytest.fixture(scope="session")
def now() -> datetime:
    """An instant with microseconds."""
    return NOW


@pytest.fixture(scope="session")
def examples() -> tuple[Record, ...]:
    """One row of each kind but account_state and audit_log, parents first."""
    return EXAMPLES


@pytest.fixture(scope="session")
def example() -> Callable[..., Any]:
    """Give the example of a kind, with some fields changed."""

    def make(kind: type[Record], /, **changes: Any) -> Record:
        (found,) = [row for row in EXAMPLES if type(row) is kind]
        return replace(found, **changes)

    return make


async def fill(url: str) -> None:
    """Put every example into an empty database."""
    store = await SqlStore.open(url)
    async with store.writing() as tx:
        for row in EXAMPLES:
            assert await tx.insert(row) == 1
    await store.close()


@pytest.fixture(scope="session")
def filled_file(sqlite_template: Path, run_apart: RunApart) -> Path:
    """A SQLite file that holds every example, to be copied."""
    path = sqlite_template.with_name("filled.db")
    shutil.copy(sqlite_template, path)
    run_apart(fill(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def filled_database(postgres: Postgres, run_apart: RunApart) -> str:
    """The name of a PostgreSQL database that holds every example, to be copied."""
    run_apart(postgres.execute("CREATE DATABASE filled TEMPLATE migrated"))
    run_apart(fill(postgres.url("filled")))
    return "filled"


@pytest.fixture
async def filled_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that holds every example."""
    if engine_name == "sqlite":
        path = tmp_path / "filled.db"
        shutil.copy(request.getfixturevalue("filled_file"), path)
        return f"sqlite+aiosqlite:///{path}"
    server: Postgres = request.getfixturevalue("postgres")
    return await server.new(request.getfixturevalue("filled_database"))


@pytest.fixture
async def filled(filled_url: str) -> AsyncIterator[SqlStore]:
    """A store that holds every example."""
    store = await SqlStore.open(filled_url, audit_keys=AUDIT_KEYS)
    yield store
    await store.close()
