"""Tables, columns, indexes and constraints are as DESIGN section 5 and the records say."""

import types
import typing

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import configure_mappers, selectinload
from sqlalchemy.sql import select

from core.adapters.sql.engine import one_connection
from core.adapters.sql.errors import InvalidRow
from core.adapters.sql.models import (
    Approval,
    ReconciliationLog,
    Signal,
    User,
    metadata,
    table_of,
)
from core.adapters.sql.store import SqlStore
from core.records import (
    RECORDS,
    AccountRow,
    AccountStateRow,
    ApprovalRow,
    ChatRow,
    CloseJobRow,
    CloseOrderRow,
    DrawdownAlertRow,
    OutboxRow,
    PressRow,
    ReconciliationLogRow,
    Record,
    SignalRow,
    TradeRow,
    UserRow,
)

MULTI_ACCOUNT = {"account_id", "currency"}

LOG_COLUMNS = {
    "id",
    "user_id",
    "signal_id",
    "approval_id",
    "mt5_position_id",
    "symbol",
    "direction",
    "volume",
    "entry_price",
    "current_price",
    "exit_price",
    "take_profit",
    "stop_loss",
    "matched",
    "divergence_reason",
    "slippage_pips",
    "close_reason",
    "pnl_gbp",
    "pnl_percent",
    "event_type",
    "status",
    "error_message",
    "created_at",
    "updated_at",
}
SNAPSHOT_COLUMNS = {
    "id",
    "user_id",
    "equity_gbp",
    "balance_gbp",
    "peak_equity_gbp",
    "drawdown_percent",
    "open_positions_count",
    "total_volume_lots",
    "open_pnl_gbp",
    "margin_used_percent",
    "last_sync_at",
    "sync_error",
    "created_at",
}
ALERT_COLUMNS = {
    "id",
    "user_id",
    "alert_type",
    "drawdown_percent",
    "equity_gbp",
    "threshold_percent",
    "action_taken",
    "positions_closed_count",
    "total_loss_gbp",
    "status",
    "created_at",
    "executed_at",
}

INDEXES = {
    "reconciliation_logs": {
        "ix_reconciliation_logs_user_id_created_at": "user_id, created_at",
        "ix_reconciliation_logs_symbol_created_at": "symbol, created_at",
        "ix_reconciliation_logs_event_type": "event_type",
        "ix_reconciliation_logs_status": "status",
        "ix_reconciliation_logs_user_id": "user_id",
        "ix_reconciliation_logs_signal_id": "signal_id",
        "ix_reconciliation_logs_approval_id": "approval_id",
    },
    "position_snapshots": {
        "ix_position_snapshots_user_id_created_at": "user_id, created_at",
        "ix_position_snapshots_user_id_created_at_desc": "user_id, created_at DESC",
        "ix_position_snapshots_user_id": "user_id",
    },
    "drawdown_alerts": {
        "ix_drawdown_alerts_user_id_created_at": "user_id, created_at",
        "ix_drawdown_alerts_alert_type": "alert_type",
        "ix_drawdown_alerts_status": "status",
        "ix_drawdown_alerts_user_id": "user_id",
    },
}


def annotations(kind: type[Record]) -> dict[str, typing.Any]:
    hints = typing.get_type_hints(kind)
    return {name: hints[name] for name in kind.__struct_fields__}


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.table)
def test_a_model_has_the_columns_of_its_record(kind: type[Record]) -> None:
    columns = table_of(kind).columns

    assert [column.name for column in columns] == list(kind.__struct_fields__)
    for name, hint in annotations(kind).items():
        optional = isinstance(hint, types.UnionType) and type(None) in hint.__args__
        assert columns[name].nullable is optional, name


def test_there_is_a_table_for_each_record_and_no_other() -> None:
    assert set(metadata.tables) == {kind.table for kind in RECORDS}
    assert len(RECORDS) == 35


@pytest.mark.parametrize(
    ("table", "listed", "account_currency"),
    [
        ("reconciliation_logs", LOG_COLUMNS, {"pnl"}),
        (
            "position_snapshots",
            SNAPSHOT_COLUMNS,
            {"equity", "balance", "peak_equity", "open_pnl", "gbp_rate", "gbp_rate_at"},
        ),
        ("drawdown_alerts", ALERT_COLUMNS, {"equity", "total_loss", "job_id"}),
    ],
)
async def test_the_first_three_tables_have_the_listed_columns(
    url: str, table: str, listed: set[str], account_currency: set[str]
) -> None:
    async with one_connection(url) as connection:
        columns = await connection.run_sync(lambda sync: inspect(sync).get_columns(table))

    assert {column["name"] for column in columns} == listed | MULTI_ACCOUNT | account_currency


async def test_the_first_three_tables_have_exactly_fourteen_indexes(
    url: str, engine_name: str
) -> None:
    if engine_name == "sqlite":
        query = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index'"
    else:
        query = (
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND indexname NOT LIKE 'pk_%'"
        )
    async with one_connection(url) as connection:
        rows = (await connection.execute(text(query))).all()

    found: dict[str, dict[str, str]] = {table: {} for table in INDEXES}
    for table, name, definition in rows:
        if table in found:
            found[table][name] = definition.rpartition("(")[2].removesuffix(")")
    assert found == INDEXES
    assert sum(len(each) for each in found.values()) == 14


async def test_every_foreign_key_and_unique_key_has_a_name(url: str) -> None:
    async with one_connection(url) as connection:

        def unnamed(sync: Connection) -> list[str]:
            inspector = inspect(sync)
            return [
                table
                for table in inspector.get_table_names()
                for key in (
                    *inspector.get_foreign_keys(table),
                    *inspector.get_unique_constraints(table),
                    *inspector.get_check_constraints(table),
                )
                if not key["name"]
            ]

        assert await connection.run_sync(unnamed) == []


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
async def test_the_hot_table_leaves_room_on_its_pages(url: str) -> None:
    async with one_connection(url) as connection:
        options = await connection.scalar(
            text("SELECT reloptions FROM pg_class WHERE relname = 'account_state'")
        )

    assert options == ["fillfactor=50"]


WRONG_WORDS: list[tuple[type[Record], dict[str, typing.Any]]] = [
    (UserRow, {"role": "root", "telegram_id": 2}),
    (AccountRow, {"margin_mode": "netted", "login": 2}),
    (SignalRow, {"side": "long", "source_key": "2"}),
    (ApprovalRow, {"status": "maybe", "account_id": 2}),
    (TradeRow, {"status": "lost", "approval_id": 2, "magic": 2}),
    (ReconciliationLogRow, {"event_type": "synced"}),
    (ReconciliationLogRow, {"status": "ok"}),
    (ReconciliationLogRow, {"direction": "long"}),
    (DrawdownAlertRow, {"alert_type": "alarm"}),
    (DrawdownAlertRow, {"action_taken": "none"}),
    (CloseJobRow, {"state": "done", "trigger_key": "2"}),
    (CloseOrderRow, {"state": "sent", "attempt": 2}),
    (CloseOrderRow, {"action": "open", "attempt": 2}),
    (OutboxRow, {"mode": "append", "dedupe_key": "2"}),
    (OutboxRow, {"priority": 3, "dedupe_key": "2"}),
    (ChatRow, {"missed": -1, "chat_id": 2}),
    (PressRow, {"state": "seen", "update_id": 2, "callback_id": None}),
]


async def test_a_word_outside_its_enumeration_is_refused(
    filled: SqlStore, example: typing.Callable[..., Record]
) -> None:
    for kind, wrong in WRONG_WORDS:
        with pytest.raises(InvalidRow, match=r"(?i)check"):  # noqa: PT012 - leaving commits
            async with filled.writing() as tx:
                await tx.insert(example(kind, **wrong))
                pytest.fail(f"{kind.table} takes {wrong}")


async def test_a_child_without_its_parent_is_refused(store: SqlStore) -> None:
    with pytest.raises(InvalidRow):
        async with store.writing() as tx:
            await tx.save_state(AccountStateRow(id=999))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_user_signal_and_approval_lead_to_their_rows(filled_url: str) -> None:
    configure_mappers()
    async with one_connection(filled_url) as connection, AsyncSession(connection) as session:
        user = (
            await session.scalars(
                select(User).options(
                    selectinload(User.reconciliation_logs).options(
                        selectinload(ReconciliationLog.signal),
                        selectinload(ReconciliationLog.approval),
                    ),
                    selectinload(User.position_snapshots),
                    selectinload(User.drawdown_alerts),
                )
            )
        ).one()
        of_signal = (
            await session.scalars(select(Signal).options(selectinload(Signal.reconciliation_logs)))
        ).one()
        of_approval = (
            await session.scalars(
                select(Approval).options(selectinload(Approval.reconciliation_logs))
            )
        ).one()

    (log,) = user.reconciliation_logs
    assert log.signal is of_signal
    assert log.approval is of_approval
    assert of_signal.reconciliation_logs == of_approval.reconciliation_logs == [log]
    assert [each.user_id for each in user.position_snapshots] == [1]
    assert [each.user_id for each in user.drawdown_alerts] == [1]
