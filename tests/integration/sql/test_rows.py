"""Rows go in and come out as records; filters, orders and keys mean the same on both databases."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from core.adapters.sql.errors import InvalidRow, ReadOnly, TransactionFailed
from core.adapters.sql.statements import IN_VALUES_MAX
from core.adapters.sql.store import SqlStore
from core.domain.broker import Side
from core.ports import DuplicateRow, StoreUnavailable
from core.records import (
    AccountRow,
    AccountStateRow,
    ApprovalRow,
    AuditRow,
    CashFlowRow,
    ChatRow,
    CloseJobRow,
    CloseOrderRow,
    DealRow,
    EpisodeRow,
    LeaseRow,
    MarketWarningRow,
    OutboxRow,
    PressRow,
    Record,
    SignalRow,
    TradeRow,
    UserRow,
)

Example = Callable[..., Any]

BEFORE_THE_DATABASE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""Refused before a database is asked: one of the two suffices."""


async def test_every_kind_of_row_comes_back_equal(
    filled: SqlStore, examples: tuple[Record, ...]
) -> None:
    async with filled.reading() as tx:
        for row in examples:
            expected = msgspec.structs.replace(row, id=1)
            assert await tx.get(type(row), 1) == expected
            assert await tx.find(type(row)) == [expected]
            assert await tx.count(type(row)) == 1


async def test_an_accounts_state_is_one_row_rewritten(filled: SqlStore, now: datetime) -> None:
    first = AccountStateRow(id=1, equity=Decimal("1000.25"), autotrading=False)
    second = AccountStateRow(id=1, equity=Decimal("999.99999999"), latched_at=now)

    async with filled.writing() as tx:
        await tx.save_state(first)
    async with filled.writing() as tx:
        assert await tx.get(AccountStateRow, 1) == first
        await tx.save_state(second)

    async with filled.reading() as tx:
        assert await tx.find(AccountStateRow) == [second]


@BEFORE_THE_DATABASE
async def test_an_accounts_state_needs_the_accounts_id(filled: SqlStore) -> None:
    with pytest.raises(ValueError, match="account's"):
        async with filled.writing() as tx:
            await tx.insert(AccountStateRow())


async def test_a_member_of_an_enumeration_is_stored_as_its_word(
    filled: SqlStore, example: Example
) -> None:
    async with filled.writing() as tx:
        row_id = await tx.insert(example(SignalRow, side=Side.SELL, source_key="2"))
        found = await tx.find(SignalRow, side=Side.SELL)

    assert [row.id for row in found] == [row_id]
    assert type(found[0].side) is str


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3, 4]),
    ({"retcode": 10}, [2]),
    ({"retcode": None}, [1]),
    ({"retcode": [10, 30]}, [2, 4]),
    ({"retcode": (20,)}, [3]),
    ({"retcode": []}, []),
    ({"retcode__ge": 20}, [3, 4]),
    ({"retcode__gt": 20}, [4]),
    ({"retcode__le": 20}, [2, 3]),
    ({"retcode__lt": 20}, [2]),
    ({"retcode__ne": 20}, [1, 2, 4]),  # A row without a value is not 20.
    ({"retcode__ne": None}, [2, 3, 4]),
    ({"retcode__ne": [20, 30]}, [1, 2]),
    ({"attempt__ne": 2}, [1, 3, 4]),
    ({"attempt__ne": (2, 3)}, [1, 4]),
    ({"volume__gt": Decimal("0.2")}, [3, 4]),
    ({"volume": Decimal("0.20")}, [2]),
    ({"retcode__gt": 5, "volume__lt": Decimal("0.35")}, [2, 3]),
    ({"created_at__ge": timedelta(seconds=1), "created_at__lt": timedelta(seconds=3)}, [2, 3]),
]


async def test_a_filter_gives_the_rows_that_match(
    filled: SqlStore, example: Example, now: datetime
) -> None:
    rows = [
        example(
            CloseOrderRow,
            attempt=number,
            retcode=retcode,
            volume=Decimal(number) / 10,
            created_at=now + timedelta(seconds=number - 1),
        )
        for number, retcode in [(1, None), (2, 10), (3, 20), (4, 30)]
    ]
    async with filled.writing() as tx:
        await tx.delete(CloseOrderRow, id=1)
        await tx.insert_many(rows)

        for where, expected in FILTERS:
            asked: dict[str, Any] = {
                key: now + value if isinstance(value, timedelta) else value
                for key, value in where.items()
            }
            found = await tx.find(CloseOrderRow, order_by="attempt", **asked)
            assert [row.attempt for row in found] == expected, where
            assert await tx.count(CloseOrderRow, **asked) == len(expected), where


ORDERS: list[tuple[str, list[int]]] = [
    ("id", [2, 3, 4, 5]),
    ("-id", [5, 4, 3, 2]),
    ("attempt", [5, 4, 3, 2]),
    ("retcode", [3, 5, 2, 4]),  # None is lowest, equals in the order of ids.
    ("-retcode", [4, 2, 5, 3]),
]


async def test_rows_come_in_the_order_asked_for(filled: SqlStore, example: Example) -> None:
    retcodes = {2: 7, 3: None, 4: 7, 5: 5}
    async with filled.writing() as tx:
        for row_id, retcode in retcodes.items():
            await tx.insert(example(CloseOrderRow, attempt=10 - row_id, retcode=retcode))

        for order_by, expected in ORDERS:
            rows = await tx.find(CloseOrderRow, order_by=order_by, id__gt=1)
            assert [row.id for row in rows] == expected, order_by
            two = await tx.find(CloseOrderRow, order_by=order_by, limit=2, id__gt=1)
            assert two == rows[:2]
            assert await tx.first(CloseOrderRow, order_by=order_by, id__gt=1) == rows[0]


@BEFORE_THE_DATABASE
async def test_an_unknown_field_or_filter_is_an_attribute_error(store: SqlStore) -> None:
    async with store.writing() as tx:
        for where in ({"nome": 1}, {"name__like": "A"}, {"nome__ne": 1}, {"__ge": 1}):
            with pytest.raises(AttributeError):
                await tx.find(UserRow, **where)
            with pytest.raises(AttributeError):
                await tx.count(UserRow, **where)
            with pytest.raises(AttributeError):
                await tx.delete(UserRow, **where)
            with pytest.raises(AttributeError):
                await tx.update(UserRow, where, name="B")
        with pytest.raises(AttributeError):
            await tx.find(UserRow, order_by="-nome")
        with pytest.raises(AttributeError):
            await tx.update(UserRow, {}, nome="B")


@BEFORE_THE_DATABASE
async def test_an_order_compares_with_one_value(store: SqlStore) -> None:
    async with store.reading() as tx:
        for value in (None, [1]):
            with pytest.raises(ValueError, match="one value"):
                await tx.find(UserRow, telegram_id__ge=value)


async def test_a_filter_lists_a_bounded_number_of_values(filled: SqlStore) -> None:
    async with filled.reading() as tx:
        at_the_bound = list(range(7001, 7001 + IN_VALUES_MAX))
        assert await tx.count(UserRow, telegram_id=at_the_bound) == 1

        with pytest.raises(ValueError, match=str(IN_VALUES_MAX)):
            await tx.count(UserRow, telegram_id=[*at_the_bound, 1])


async def test_an_update_says_how_many_rows_it_changed(filled: SqlStore, now: datetime) -> None:
    async with filled.writing() as tx:
        changed = await tx.update(
            CloseJobRow,
            {"id": 1, "state": "countdown"},
            state="closing",
            started_at=now,
            equity_at_trigger=Decimal("0.5"),
        )
        again = await tx.update(CloseJobRow, {"id": 1, "state": "countdown"}, state="flat")
        job = await tx.get(CloseJobRow, 1)

    assert (changed, again) == (1, 0)
    assert job is not None
    assert (job.state, job.started_at, job.equity_at_trigger) == ("closing", now, Decimal("0.5"))


async def test_a_delete_says_how_many_rows_it_removed(filled: SqlStore, example: Example) -> None:
    async with filled.writing() as tx:
        await tx.insert(example(PressRow, update_id=2, callback_id=None, state="handled"))
        assert await tx.delete(PressRow, state="handled") == 1
        assert await tx.delete(PressRow, state="handled") == 0
        assert await tx.count(PressRow) == 1


async def test_the_id_of_a_removed_row_is_never_given_out_again(
    filled: SqlStore, example: Example
) -> None:
    async with filled.writing() as tx:
        second = await tx.insert(example(OutboxRow, dedupe_key="k2"))
        await tx.delete(OutboxRow, id=second)
        assert await tx.insert(example(OutboxRow, dedupe_key="k3")) > second


async def test_a_row_that_names_its_id_gets_it(filled: SqlStore, example: Example) -> None:
    async with filled.writing() as tx:
        assert await tx.insert(example(UserRow, id=77, telegram_id=2)) == 77


KEYS: list[tuple[type[Record], dict[str, Any]]] = [
    (UserRow, {"telegram_id": 2}),
    (AccountRow, {"login": 2}),
    (AccountRow, {"server": "Demo-2"}),
    (SignalRow, {"source_key": "2"}),
    (TradeRow, {"approval_id": 2, "magic": 2}),
    (EpisodeRow, {"subject": "901"}),
    (EpisodeRow, {"kind": "volume_changed"}),
    (DealRow, {"ticket": 2}),
    (CashFlowRow, {"deal_ticket": 2}),
    (CloseJobRow, {"trigger_key": "2"}),
    (CloseOrderRow, {"attempt": 2}),
    (CloseOrderRow, {"ticket": 901}),
    (MarketWarningRow, {"kind": "spread"}),
    (OutboxRow, {"dedupe_key": "2"}),
    (ChatRow, {"chat_id": 2}),
    (PressRow, {"update_id": 2, "callback_id": None}),
    (LeaseRow, {"shard": 2}),
    (LeaseRow, {"host_group": "other"}),
]


async def test_an_account_answers_a_signal_once(filled: SqlStore, example: Example) -> None:
    async with filled.writing() as tx:
        other = await tx.insert(example(AccountRow, login=9))
        assert await tx.insert_new(example(ApprovalRow, status="rejected")) is None
        assert await tx.insert_new(example(ApprovalRow, account_id=other)) is not None


async def test_a_unique_key_holds_one_row(filled: SqlStore, example: Example) -> None:
    async with filled.writing() as tx:
        await tx.insert(example(AccountRow, login=9))
        await tx.insert(example(ApprovalRow, account_id=2))

        for kind, other in KEYS:
            with pytest.raises(DuplicateRow):
                await tx.insert(example(kind))
            assert await tx.insert_new(example(kind)) is None, kind
            assert await tx.insert_new(example(kind, **other)) is not None, (kind, other)


@pytest.mark.parametrize("partly", [{"magic": 2}, {"approval_id": 2}], ids=str)
async def test_a_trade_has_an_approval_and_a_magic_number_of_its_own(
    filled: SqlStore, example: Example, partly: dict[str, Any]
) -> None:
    async with filled.writing() as tx:
        assert await tx.insert_new(example(TradeRow, **partly)) is None


async def test_a_callback_is_journalled_once_and_messages_have_none(
    filled: SqlStore, example: Example
) -> None:
    async with filled.writing() as tx:
        assert await tx.insert_new(example(PressRow, update_id=2)) is None
        assert await tx.insert_new(example(PressRow, update_id=3, callback_id=None)) is not None
        assert await tx.insert_new(example(PressRow, update_id=4, callback_id=None)) is not None


@pytest.mark.parametrize(
    ("kind", "state"), [(EpisodeRow, {}), (MarketWarningRow, {"state": "resolved"})]
)
async def test_what_is_resolved_may_begin_anew(
    filled: SqlStore, example: Example, now: datetime, kind: type[Record], state: dict[str, Any]
) -> None:
    async with filled.writing() as tx:
        assert await tx.insert_new(example(kind)) is None
        await tx.update(kind, {"id": 1}, resolved_at=now, **state)
        second = await tx.insert(example(kind))
        assert await tx.insert_new(example(kind)) is None
        await tx.update(kind, {"id": second}, resolved_at=now, **state)

        assert await tx.count(kind, resolved_at=None) == 0
        assert await tx.count(kind, resolved_at__ne=None) == 2


async def test_a_refused_duplicate_leaves_the_transaction_usable(
    filled: SqlStore, example: Example
) -> None:
    async with filled.writing() as tx:
        await tx.insert(example(UserRow, telegram_id=2))
        with pytest.raises(DuplicateRow):
            await tx.insert(example(UserRow, telegram_id=2))
        await tx.insert(example(UserRow, telegram_id=3))

    async with filled.reading() as tx:
        assert await tx.count(UserRow) == 3


async def test_after_any_other_failed_statement_nothing_is_committed(
    filled: SqlStore, example: Example
) -> None:
    """PostgreSQL would answer the COMMIT of a failed transaction with a silent ROLLBACK."""
    with pytest.raises(TransactionFailed):  # noqa: PT012 - leaving the block commits
        async with filled.writing() as tx:
            await tx.insert(example(UserRow, telegram_id=2))
            with pytest.raises(InvalidRow):
                await tx.insert(example(UserRow, telegram_id=3, role="root"))
            with pytest.raises(TransactionFailed):
                await tx.count(UserRow)

    async with filled.reading() as tx:
        assert await tx.count(UserRow) == 1


@pytest.mark.parametrize("changes", [{"telegram_id": 2}, {"role": "root"}], ids=str)
async def test_an_update_that_breaks_a_rule_changes_nothing(
    filled: SqlStore, example: Example, changes: dict[str, Any]
) -> None:
    async with filled.writing() as tx:
        await tx.insert(example(UserRow, telegram_id=2))

    with pytest.raises((DuplicateRow, InvalidRow)):
        async with filled.writing() as tx:
            await tx.update(UserRow, {"id": 1}, **changes)

    async with filled.reading() as tx:
        user = await tx.get(UserRow, 1)
    assert user == example(UserRow, id=1)


async def test_many_rows_go_in_with_one_statement_or_not_at_all(
    filled: SqlStore, example: Example
) -> None:
    with pytest.raises(DuplicateRow):
        async with filled.writing() as tx:
            await tx.insert_many([example(DealRow, ticket=number) for number in (1, 2, 1)])

    async with filled.writing() as tx:
        statements: list[str] = []
        event.listen(
            filled._writer.sync_engine,  # noqa: SLF001 - what it sends is what is tested
            "before_cursor_execute",
            lambda *sent: statements.append(sent[2]),
        )
        await tx.insert_many([example(DealRow, ticket=number) for number in range(1, 101)])
        assert len(statements) == 1
        assert await tx.count(DealRow) == 101


@BEFORE_THE_DATABASE
async def test_many_rows_are_of_one_kind(store: SqlStore, example: Example) -> None:
    async with store.writing() as tx:
        await tx.insert_many([])
        with pytest.raises(ValueError, match="one kind"):
            await tx.insert_many([example(UserRow), example(LeaseRow)])
        with pytest.raises(ValueError, match="id"):
            await tx.insert_many([example(UserRow), example(UserRow, id=5, telegram_id=2)])


@BEFORE_THE_DATABASE
async def test_a_reading_transaction_refuses_to_write(filled: SqlStore, example: Example) -> None:
    async with filled.reading() as tx:
        with pytest.raises(ReadOnly):
            await tx.insert(example(UserRow, telegram_id=2))
        with pytest.raises(ReadOnly):
            await tx.update(UserRow, {}, name="B")
        with pytest.raises(ReadOnly):
            await tx.delete(UserRow)
        with pytest.raises(ReadOnly):
            await tx.save_state(AccountStateRow(id=1))


async def test_an_inexact_amount_is_refused(filled: SqlStore, example: Example) -> None:
    with pytest.raises(ValueError, match="decimals"):
        async with filled.writing() as tx:
            await tx.insert(example(SignalRow, source_key="2", volume=Decimal("0.000000001")))
    with pytest.raises(ValueError, match="aware"):
        async with filled.writing() as tx:
            await tx.update(SignalRow, {"id": 1}, created_at=datetime(2026, 1, 1))  # noqa: DTZ001


async def test_the_database_itself_refuses_to_change_the_audit_log(
    filled: SqlStore, now: datetime
) -> None:
    link = AuditRow(
        account_id=0,
        sequence=1,
        actor="a",
        action="b",
        detail={},
        created_at=now,
        prev_hash="0",
        hash="1",
    )
    async with filled.writing() as tx:
        await tx.insert(link)

    with pytest.raises(InvalidRow, match="append-only"):
        async with filled.writing() as tx:
            await tx.update(AuditRow, {"sequence": 1}, actor="c")
    with pytest.raises(InvalidRow, match="append-only"):
        async with filled.writing() as tx:
            await tx.delete(AuditRow, sequence=1)

    async with filled.writing() as tx:
        assert await tx.find(AuditRow) == [msgspec.structs.replace(link, id=1)]
        assert await tx.insert_new(link) is None


def test_a_failed_transaction_counts_as_unavailable() -> None:
    assert issubclass(TransactionFailed, StoreUnavailable)
