"""The audit chain holds through the database, and tells where it was tampered with."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from msgspec.structs import replace

from core.adapters.sql.store import SqlStore
from core.domain.audit import GENESIS, SYSTEM, digest, plain
from core.domain.audit_check import verify
from core.domain.broker import Side
from core.records import AuditRow
from core.services.audit import append
from tests.fakes.audit_keys import AUDIT_KEYS

NOW = datetime(2026, 3, 6, 13, 30, 0, 5, tzinfo=UTC)


def chain(length: int, account_id: int = 7) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for sequence in range(1, length + 1):
        row = AuditRow(
            account_id=account_id,
            sequence=sequence,
            actor="user:1",
            action="latched",
            detail={"n": sequence},
            created_at=NOW,
            prev_hash=rows[-1].hash if rows else GENESIS,
            hash="",
        )
        rows.append(replace(row, hash=digest(row)))
    return rows


def test_a_hash_is_of_the_canonical_json_of_all_other_fields() -> None:
    row = AuditRow(
        account_id=7,
        sequence=1,
        actor="user:1",
        action="limit_set",
        detail={"to": "20", "from": 25, "who": "é"},
        created_at=datetime(2026, 3, 6, 15, 30, tzinfo=timezone(timedelta(hours=2))),
        prev_hash="0" * 64,
        hash="",
    )
    written_by_hand = (
        '{"account_id":7,"action":"limit_set","actor":"user:1",'
        '"created_at":"2026-03-06T13:30:00.000000+00:00",'
        '"detail":{"from":25,"to":"20","who":"\\u00e9"},'
        '"prev_hash":"' + "0" * 64 + '","sequence":1}'
    )

    assert digest(row) == hashlib.sha256(written_by_hand.encode()).hexdigest()


def test_a_sound_chain_verifies() -> None:
    assert verify(chain(5)) is None
    assert verify([]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"account_id": 8},
        {"actor": "user:2"},
        {"action": "released"},
        {"detail": {"n": 4}},
        {"detail": {"n": 3, "m": 1}},
        {"detail": {"n": 3.0}},
        {"created_at": NOW + timedelta(microseconds=1)},
        {"prev_hash": "1" * 64},
        {"hash": "1" * 64},
    ],
    ids=str,
)
def test_a_changed_link_is_named(change: dict[str, Any]) -> None:
    rows = chain(5)
    rows[2] = replace(rows[2], **change)

    assert verify(rows) == 3


def test_a_link_changed_and_signed_anew_breaks_the_next() -> None:
    rows = chain(5)
    forged = replace(rows[2], actor="nobody")
    rows[2] = replace(forged, hash=digest(forged))

    assert verify(rows) == 4


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (lambda rows: rows[:2] + rows[3:], 3),  # The third is gone.
        (lambda rows: rows[1:], 1),  # The first is gone.
        (lambda rows: [rows[0], rows[2], rows[1]], 2),
        (lambda rows: [*rows[:3], rows[2], *rows[3:]], 3),  # The third stands twice.
        (lambda rows: [*rows[:3], *chain(5, account_id=8)[3:]], 4),
    ],
    ids=["removed", "beheaded", "reordered", "doubled", "grafted"],
)
def test_a_tampered_chain_names_its_first_bad_place(
    tamper: Callable[[list[AuditRow]], list[AuditRow]], named: int
) -> None:
    assert verify(tamper(chain(5))) == named


def test_what_is_removed_from_the_end_leaves_a_sound_chain() -> None:
    """A limit of every hash chain: only a hash kept elsewhere tells."""
    assert verify(chain(5)[:3]) is None


class Code(IntEnum):
    """A code that is a number."""

    DONE = 10009


def test_values_become_plain_json() -> None:
    detail = {
        "money": Decimal("1E+3"),
        "price": Decimal("1963.370"),
        "side": Side.SELL,
        "code": Code.DONE,
        "at": datetime(2026, 3, 6, 15, 30, tzinfo=timezone(timedelta(hours=2))),
        "tickets": (1, 2),
        "none": None,
        "yes": True,
        "nested": {"deep": [Decimal("0.1")]},
    }

    assert plain(detail) == {
        "money": "1000",
        "price": "1963.370",
        "side": "sell",
        "code": 10009,
        "at": "2026-03-06T13:30:00.000000+00:00",
        "tickets": [1, 2],
        "none": None,
        "yes": True,
        "nested": {"deep": ["0.1"]},
    }


@pytest.mark.parametrize(
    "value",
    [0.1, {1: "a"}, {"deep": [1.0]}, NOW.replace(tzinfo=None), {1, 2}, b"bytes", object],
    ids=str,
)
def test_what_a_database_would_rewrite_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"no place in an audit row|not an aware instant"):
        plain(value)


async def test_each_account_and_the_system_have_a_chain_of_their_own(store: SqlStore) -> None:
    async with store.writing() as tx:
        first = await append(tx, 7, "user:1", "armed", {"limit": Decimal(20)}, NOW)
        await append(tx, SYSTEM, "system", "started", {"epoch": 3}, NOW)
        second = await append(tx, 7, "system", "latched", {"why": ["drawdown", None]}, NOW)

    assert (first.sequence, first.prev_hash) == (1, GENESIS)
    assert (second.sequence, second.prev_hash) == (2, first.hash)
    async with store.reading() as tx:
        of_account = await tx.find(AuditRow, account_id=7, order_by="sequence")
        of_system = await tx.find(AuditRow, account_id=SYSTEM, order_by="sequence")
    assert [row.action for row in of_account] == ["armed", "latched"]
    assert [row.action for row in of_system] == ["started"]
    assert verify(of_account, AUDIT_KEYS) is None
    assert verify(of_system, AUDIT_KEYS) is None


async def test_a_chain_does_not_fork_when_many_write(store: SqlStore) -> None:
    async def act(number: int) -> None:
        async with store.writing() as tx:
            await append(tx, 7, f"user:{number}", "looked", {"n": number}, NOW)

    await asyncio.gather(*(act(number) for number in range(30)))

    async with store.reading() as tx:
        rows = await tx.find(AuditRow, account_id=7, order_by="sequence")
    assert [row.sequence for row in rows] == list(range(1, 31))
    assert verify(rows, AUDIT_KEYS) is None


async def test_what_was_rolled_back_was_never_in_the_chain(store: SqlStore) -> None:
    with pytest.raises(KeyError, match="unlucky"):  # noqa: PT012 - raised inside the block
        async with store.writing() as tx:
            await append(tx, 7, "user:1", "armed", {}, NOW)
            raise KeyError("unlucky")
    async with store.writing() as tx:
        row = await append(tx, 7, "user:1", "armed", {}, NOW)

    assert row.sequence == 1
