"""Whoever may write the database but has no key is found out, on both databases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.adapters.sql.engine import one_connection
from core.adapters.sql.store import SqlStore
from core.domain import audit_words as words
from core.domain.audit import SYSTEM, AuditKey, digest
from core.domain.audit_check import Tampering
from core.ports import KeysUnusable, Transaction
from core.records import AuditRow, CloseJobRow, CloseOrderRow, DrawdownAlertRow
from core.services import audit_verify
from core.services.audit import append
from core.services.audit_keys import change_key, put_under_first
from core.services.audit_verify import VerifyAudit
from tests.fakes.audit_keys import AUDIT_KEYS, Ring

NOW = datetime(2026, 3, 6, 13, 30, 0, 5, tzinfo=UTC)
OURS, OTHER = 1, 8
LINKS = 6
TABLES = ("audit_log", "drawdown_alerts", "close_orders", "close_jobs")
T = Tampering
Found = list[tuple[int, Tampering, int]]

CASES: dict[str, tuple[list[str], Found]] = {
    "actor": (
        ["UPDATE audit_log SET actor = 'x' WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.CHANGED, 3)],
    ),
    "action": (
        ["UPDATE audit_log SET action = 'x' WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.CHANGED, 3)],
    ),
    "detail": (
        ["UPDATE audit_log SET detail = '{\"n\": 4}' WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.CHANGED, 3)],
    ),
    "created_at": (
        [
            (
                "UPDATE audit_log SET created_at = (SELECT max(created_at) FROM audit_log)"
                " WHERE account_id = 1 AND sequence = 3"
            )
        ],
        [(OURS, T.CHANGED, 3)],
    ),
    "prev_hash": (
        ["UPDATE audit_log SET prev_hash = 'x' WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.CHANGED, 3)],
    ),
    "hash": (
        ["UPDATE audit_log SET hash = 'x' WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.CHANGED, 3)],
    ),
    "version": (
        ["UPDATE audit_log SET version = 1 WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.CHANGED, 3)],
    ),
    "key_id": (
        ["UPDATE audit_log SET key_id = 'x' WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.KEY_UNKNOWN, 3)],
    ),
    "account": (
        ["UPDATE audit_log SET account_id = 9 WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.MISSING, 3), (9, T.MISSING, 1), (9, T.CHANGED, 3)],
    ),
    "sequence": (
        ["UPDATE audit_log SET sequence = 12 WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.MOVED, 12)],
    ),
    "deleted": (
        ["DELETE FROM audit_log WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.MISSING, 3)],
    ),
    "swapped": (
        [
            "UPDATE audit_log SET sequence = 99 WHERE account_id = 1 AND sequence = 3",
            "UPDATE audit_log SET sequence = 3 WHERE account_id = 1 AND sequence = 4",
            "UPDATE audit_log SET sequence = 4 WHERE account_id = 1 AND sequence = 99",
        ],
        [(OURS, T.MOVED, 3), (OURS, T.MOVED, 4)],
    ),
    "truncated, and told by a recorded head": (
        ["DELETE FROM audit_log WHERE account_id = 1 AND sequence > 4"],
        [(OURS, T.TRUNCATED, LINKS)],
    ),
    "the other account's links replayed": (
        [
            (
                "INSERT INTO audit_log (account_id, sequence, actor, action, detail, created_at,"
                " prev_hash, hash, version, key_id) SELECT 1, sequence + 6, actor, action, detail,"
                " created_at, prev_hash, hash, version, key_id FROM audit_log"
                " WHERE account_id = 8 AND sequence <= 2"
            )
        ],
        [(OURS, T.CHANGED, 7), (OURS, T.CHANGED, 8)],
    ),
    "inserted": (
        [
            "UPDATE audit_log SET sequence = sequence + 100 WHERE account_id = 1 AND sequence > 2",
            "UPDATE audit_log SET sequence = sequence - 99 WHERE account_id = 1 AND sequence > 100",
            (
                "INSERT INTO audit_log (account_id, sequence, actor, action, detail, created_at,"
                " prev_hash, hash, version, key_id) SELECT 1, 3, 'x', action, detail, created_at,"
                " hash, 'forged', version, key_id FROM audit_log"
                " WHERE account_id = 1 AND sequence = 2"
            ),
        ],
        [(OURS, T.INSERTED, 3)]
        + [(OURS, T.MOVED, n) for n in range(4, LINKS + 2)]
        + [(OURS, T.HEAD_DIFFERS, LINKS)],
    ),
    "a close order's answer": (
        ["UPDATE close_orders SET retcode = 10013"],
        [(OURS, T.TABLE, 3)],
    ),
    "a close order's volume": (["UPDATE close_orders SET volume = 5"], [(OURS, T.TABLE, 2)]),
    "a close order nobody audited": (
        [
            (
                "INSERT INTO close_orders (job_id, account_id, ticket, position_id, action,"
                " attempt, symbol, side, volume, filling, state, epoch, created_at)"
                " SELECT job_id, account_id, 901, 901, action, attempt, symbol, side, volume,"
                " filling, state, epoch, created_at FROM close_orders"
            )
        ],
        [(OURS, T.TABLE, 0)],
    ),
    "a close job's equity": (
        ["UPDATE close_jobs SET equity_at_trigger = 1"],
        [(OURS, T.TABLE, 1)],
    ),
    "an execution's result": (
        ["UPDATE drawdown_alerts SET total_loss = 0"],
        [(OURS, T.TABLE, 4)],
    ),
    "an execution's row": (["DELETE FROM drawdown_alerts"], [(OURS, T.TABLE, 1)]),
}


UNREADABLE: dict[str, tuple[list[str], Found]] = {
    "a detail that is none": (
        ["UPDATE audit_log SET detail = '{' WHERE account_id = 1 AND sequence = 3"],
        [(OURS, T.UNREADABLE, 3)],
    ),
    "an instant that is none": (
        ["UPDATE audit_log SET created_at = 'x' WHERE account_id = 1 AND sequence >= 5"],
        [(OURS, T.UNREADABLE, 5), (OURS, T.UNREADABLE, 6)],
    ),
    "a number that is none": (
        ["UPDATE audit_log SET sequence = 'x' WHERE account_id = 1 AND sequence = 6"],
        [(OURS, T.UNREADABLE, 6)],
    ),
    "an execution's figure that is none": (
        ["UPDATE drawdown_alerts SET equity = 'x'"],
        [(OURS, T.TABLE, 3), (OURS, T.TABLE, LINKS)],
    ),
}
"""What only SQLite lets a column hold."""


async def act(tx: Transaction) -> None:
    """Fill the chain of account 1 with a close, that of account 8 with six links, and record."""
    job = await tx.insert(
        CloseJobRow(
            account_id=OURS,
            trigger_key="drawdown:1",
            reason="drawdown",
            scope="account",
            state="flat",
            deadline_at=NOW,
            epoch=1,
            equity_at_trigger=Decimal(795),
            drawdown_percent=Decimal("20.5"),
            created_at=NOW,
        )
    )
    order = await tx.insert(
        CloseOrderRow(
            job_id=job,
            account_id=OURS,
            ticket=900,
            position_id=900,
            action="close",
            attempt=1,
            symbol="XAUUSD",
            side="buy",
            volume=Decimal("0.1"),
            filling=1,
            state="settled",
            retcode=10009,
            epoch=1,
            created_at=NOW,
        )
    )
    await tx.insert(
        DrawdownAlertRow(
            user_id=1,
            account_id=OURS,
            job_id=job,
            alert_type="execution",
            drawdown_percent=Decimal("20.5"),
            currency="GBP",
            equity=Decimal(795),
            threshold_percent=Decimal(20),
            action_taken="positions_closed",
            positions_closed_count=1,
            total_loss=Decimal("-12.50"),
            status="success",
            created_at=NOW,
        )
    )
    details: list[tuple[str, dict[str, Any]]] = [
        (
            words.GUARD_BREACHED,
            {
                "job": job,
                "equity": Decimal(795),
                "drawdown_percent": Decimal("20.50"),
                "limit_percent": Decimal(20),
            },
        ),
        (
            words.CLOSE_INTENDED,
            {
                "job": job,
                "order": order,
                "action": "close",
                "ticket": 900,
                "attempt": 1,
                "volume": Decimal("0.10"),
            },
        ),
        (
            words.CLOSE_ANSWERED,
            {"order": order, "ticket": 900, "retcode": 10009, "error": None},
        ),
        (
            words.CLOSE_CONFIRMED,
            {"job": job, "tickets": [{"outcome": "closed", "profit": "-12.5"}]},
        ),
        ("looked", {}),
        ("looked", {}),
    ]
    last = None
    for action, detail in details:
        last = await append(tx, OURS, "engine", action, detail, NOW)
        await append(tx, OTHER, "engine", "looked", {}, NOW)
    assert last is not None
    heads = {str(OURS): [last.sequence, last.hash]}
    await append(tx, SYSTEM, "engine", words.HEADS_RECORDED, {"heads": heads}, NOW.replace(hour=14))


@asynccontextmanager
async def anybody(url: str, engine_name: str) -> AsyncIterator[AsyncConnection]:
    """A connection for whoever may write, with the triggers dropped; all is put back at the end."""
    names = ("no_update", "no_delete") if engine_name == "sqlite" else ("no_change",)
    of = "" if engine_name == "sqlite" else " ON audit_log"
    async with one_connection(url) as connection:
        for name in names:
            await connection.execute(text(f"DROP TRIGGER audit_log_{name}{of}"))
        for table in TABLES:
            await connection.execute(text(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}"))  # noqa: S608 - names of this file
        await connection.commit()
        yield connection


async def put_back(connection: AsyncConnection) -> None:
    for table in TABLES:
        await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names of this file
    for table in reversed(TABLES):
        await connection.execute(text(f"INSERT INTO {table} SELECT * FROM kept_{table}"))  # noqa: S608 - as above
    await connection.commit()


async def look(store: SqlStore, ring: Ring = AUDIT_KEYS) -> Found:
    verified = await VerifyAudit(store, ring).all()
    return sorted((f.account_id, f.kind, f.sequence) for v in verified for f in v.findings)


async def test_what_is_done_to_the_database_is_named(
    filled: SqlStore, filled_url: str, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test for all, because a database for each would take a minute; read CASES."""
    monkeypatch.setattr(audit_verify, "ROWS_AT_ONCE", 3)  # a chain of two pages and an empty one
    async with filled.writing() as tx:
        for kind in (DrawdownAlertRow, CloseOrderRow, CloseJobRow):
            await tx.delete(kind)
        await act(tx)
    assert await look(filled) == []
    async with anybody(filled_url, engine_name) as connection:
        cases = CASES | (UNREADABLE if engine_name == "sqlite" else {})
        for name, (statements, named) in cases.items():
            for statement in statements:
                await connection.execute(text(statement))
            await connection.commit()
            assert (name, await look(filled)) == (name, sorted(named))
            await put_back(connection)
    assert await look(filled) == []


async def test_a_chain_written_anew_with_another_key_does_not_hold(
    store: SqlStore, url: str, engine_name: str
) -> None:
    attacker = AuditKey(b"x" * 32)
    async with store.writing() as tx:
        last = await append(tx, OURS, "engine", "looked", {}, NOW)
        for _ in range(2):
            last = await append(tx, OURS, "engine", "looked", {}, NOW)
    async with anybody(url, engine_name) as connection:
        await connection.execute(text("DELETE FROM audit_log WHERE sequence = 3"))
        await connection.commit()
    for claimed, kind in ((attacker.id, T.KEY_UNKNOWN), (last.key_id, T.CHANGED)):
        forged = replace(last, detail={"n": 99}, key_id=claimed)
        forged = replace(forged, hash=digest(forged, attacker))
        async with store.writing() as tx:
            await tx.delete(AuditRow, sequence=3)
            await tx.insert(forged)
        assert await look(store) == [(OURS, kind, 3)]


async def test_links_of_before_there_was_a_key_are_vouched_for_once(store: SqlStore) -> None:
    async with store.writing() as tx:
        rows: list[AuditRow] = []
        for sequence in (1, 2):
            row = AuditRow(
                account_id=OURS,
                sequence=sequence,
                actor="engine",
                action="looked",
                detail={},
                created_at=NOW,
                prev_hash=rows[-1].hash if rows else "0" * 64,
                hash="",
            )
            rows.append(replace(row, hash=digest(row)))
            await tx.insert(rows[-1])
    assert await look(store) == [(OURS, T.UNKEYED, 2)]

    key = AUDIT_KEYS.newest()
    assert await put_under_first(store, key, "engine", NOW) == 2
    assert await put_under_first(store, key, "engine", NOW) == 0, "a second start adds nothing"
    assert await look(store) == []
    with pytest.raises(KeysUnusable, match="which is not there"):
        await put_under_first(store, AuditKey(b"y" * 32), "engine", NOW)


async def test_a_new_key_is_vouched_for_in_every_chain_at_once(store: SqlStore) -> None:
    ring = Ring(1)
    async with store.writing() as tx:
        for account_id in (SYSTEM, OURS, OTHER):
            await append(tx, account_id, "engine", "looked", {}, NOW)
    ring.keys.insert(0, AuditKey(b"n" * 32))

    assert await change_key(store, ring, ring.newest(), "operator:ada", NOW) == 3
    AUDIT_KEYS.keys.append(ring.newest())  # as a store that reads the file again
    try:
        async with store.writing() as tx:
            after = await append(tx, OURS, "engine", "looked", {}, NOW)
    finally:
        AUDIT_KEYS.keys.pop()
    assert (after.sequence, after.key_id) == (3, ring.newest().id)
    assert await look(store, ring) == []
    lost = Ring(0)
    assert {(kind, n) for _, kind, n in await look(store, lost)} == {
        (T.KEY_UNKNOWN, 1),
        (T.KEY_UNKNOWN, 2),
    }
    with pytest.raises(KeysUnusable, match="new-key"):
        await change_key(store, lost, lost.newest(), "operator:ada", NOW)
    assert await change_key(store, lost, lost.newest(), "operator:ada", NOW, lost=True) == 3
