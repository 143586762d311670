"""What is done to a keyed chain is named; without the key nothing that holds can be made."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain import audit_check
from core.domain import audit_words as words
from core.domain.audit import GENESIS, AuditKey, digest, vouched
from core.domain.audit_check import FINDINGS_MAX, PLACES_MAX, ChainCheck, Tampering
from core.records import AuditRow
from tests.fakes.audit_keys import Ring

NOW = datetime(2026, 3, 6, 13, 30, 0, 5, tzinfo=UTC)
RING = Ring(2, 1)
NEW, OLD = RING.keys
ATTACKER = AuditKey(b"x" * 32)
Rows = list[AuditRow]


def link(rows: Rows, key: AuditKey | None, action: str = "looked", **detail: Any) -> AuditRow:
    """The next link of a chain, signed, or unkeyed."""
    row = AuditRow(
        account_id=7,
        sequence=len(rows) + 1,
        actor="engine",
        action=action,
        detail={"n": len(rows) + 1, **detail},
        created_at=NOW,
        prev_hash=rows[-1].hash if rows else GENESIS,
        hash="",
        version=1 if key is None else 2,
        key_id=None if key is None else key.id,
    )
    return replace(row, hash=digest(row, key))


def chain(length: int, key: AuditKey | None = OLD) -> Rows:
    rows: Rows = []
    for _ in range(length):
        rows.append(link(rows, key))
    return rows


def look(
    rows: Iterable[AuditRow], heads: dict[int, str] | None = None
) -> list[tuple[Tampering, int, int | None]]:
    check = ChainCheck(7, RING, heads)
    for row in sorted(rows, key=lambda r: r.sequence):
        check.feed(row)
    check.finish()
    return [(found.kind, found.sequence, found.other) for found in check.findings]


def test_a_keyed_hash_is_the_hmac_of_the_canonical_json() -> None:
    row = AuditRow(
        account_id=7,
        sequence=1,
        actor="user:1",
        action="limit_set",
        detail={"to": "20"},
        created_at=NOW,
        prev_hash=GENESIS,
        hash="",
        version=2,
        key_id="k",
    )
    by_hand = (
        '{"account_id":7,"action":"limit_set","actor":"user:1",'
        '"created_at":"2026-03-06T13:30:00.000005+00:00","detail":{"to":"20"},"key_id":"k",'
        '"prev_hash":"' + "0" * 64 + '","sequence":1,"version":2}'
    )
    secret = bytes([1]) * 32

    expected = hmac.new(secret, by_hand.encode(), hashlib.sha256).hexdigest()
    assert digest(row, AuditKey(secret)) == expected
    with pytest.raises(ValueError, match="needs its key"):
        digest(row)
    with pytest.raises(ValueError, match="32 bytes"):
        AuditKey(b"short")
    assert secret.hex() not in repr(AuditKey(secret))


def test_a_sound_chain_has_no_findings_and_its_head_is_its_last_link() -> None:
    rows = chain(5)
    check = ChainCheck(7, RING, {3: rows[2].hash[:16], 5: rows[4].hash})
    assert all(check.feed(row) for row in rows)
    check.finish()
    assert check.findings == ()
    assert (check.head.sequence, check.head.hash, check.links) == (5, rows[4].hash, 5)


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "user:2"},
        {"action": "released"},
        {"detail": {"n": 4}},
        {"detail": {"n": 3.0}},
        {"created_at": NOW + timedelta(microseconds=1)},
        {"prev_hash": "1" * 64},
        {"hash": "1" * 64},
        {"version": 1},
        {"key_id": NEW.id},
    ],
    ids=str,
)
def test_a_changed_column_is_named_and_nothing_else_is(change: dict[str, Any]) -> None:
    rows = chain(5)
    rows[2] = replace(rows[2], **change)
    assert look(rows) == [(Tampering.CHANGED, 3, None)]


@pytest.mark.parametrize("change", [{"version": 3}, {"key_id": None}, {"key_id": "other"}], ids=str)
def test_a_link_of_a_key_that_is_not_there_is_named(change: dict[str, Any]) -> None:
    rows = chain(5)
    rows[2] = replace(rows[2], **change)
    assert look(rows) == [(Tampering.KEY_UNKNOWN, 3, None)]


def test_a_link_signed_with_a_wrong_key_is_named() -> None:
    rows = chain(5)
    forged = replace(rows[2], detail={"n": 99})
    rows[2] = replace(forged, hash=digest(forged, ATTACKER))
    assert look(rows) == [(Tampering.CHANGED, 3, None)]


def renumbered(rows: Rows, by: int) -> Rows:
    return [replace(row, sequence=row.sequence + by) for row in rows]


def inserted(rows: Rows) -> Rows:
    extra = replace(rows[2], actor="nobody", prev_hash=rows[1].hash)
    extra = replace(extra, hash=digest(extra, ATTACKER))
    return [*rows[:2], extra, *renumbered(rows[2:], 1)]


M = Tampering.MOVED
CASES: dict[str, tuple[Callable[[Rows], Rows], list[tuple[Tampering, int, int | None]]]] = {
    "removed": (lambda rows: rows[:2] + rows[3:], [(Tampering.MISSING, 3, 3)]),
    "several removed": (lambda rows: rows[:1] + rows[3:], [(Tampering.MISSING, 2, 3)]),
    "beheaded": (lambda rows: rows[1:], [(Tampering.MISSING, 1, 1)]),
    "swapped": (
        lambda rows: [
            rows[0],
            replace(rows[2], sequence=2),
            replace(rows[1], sequence=3),
            *rows[3:],
        ],
        [(M, 2, 3), (M, 3, 2)],
    ),
    "removed and renumbered": (
        lambda rows: rows[:2] + renumbered(rows[3:], -1),
        [(M, 3, 4), (Tampering.MISSING, 3, 3), (M, 4, 5)],
    ),
    "inserted": (inserted, [(Tampering.INSERTED, 3, None), (M, 4, 3), (M, 5, 4), (M, 6, 5)]),
    "put far away": (
        lambda rows: [*rows[:2], *rows[3:], replace(rows[2], sequence=90)],
        [(M, 90, 3)],
    ),
    "another account's": (
        lambda rows: [*rows, replace(rows[4], account_id=8, sequence=6)],
        [(Tampering.CHANGED, 6, None)],
    ),
}


@pytest.mark.parametrize(("tamper", "named"), CASES.values(), ids=CASES)
def test_what_was_done_to_the_order_is_named(
    tamper: Callable[[Rows], Rows], named: list[tuple[Tampering, int, int | None]]
) -> None:
    assert look(tamper(chain(5))) == named


def test_a_removed_end_is_told_by_a_head_that_was_kept() -> None:
    rows = chain(5)
    assert look(rows[:3]) == []
    assert look(rows[:3], {5: rows[4].hash[:16]}) == [(Tampering.TRUNCATED, 5, 3)]
    other = [*rows[:3], link(rows[:3], OLD, "another"), link(rows[:4], OLD)]
    assert look(other[:4], {4: rows[3].hash[:16]}) == [(Tampering.HEAD_DIFFERS, 4, None)]


def test_a_link_that_holds_after_another_one_than_stands_there_is_named() -> None:
    """Only who has the key can make one: an insider's rewrite of the past, up to a point."""
    rows = chain(5)
    other = link(rows[:2], OLD, "another")
    assert look([*rows[:2], other, *rows[3:]]) == [(Tampering.UNLINKED, 4, None)]


def test_a_link_of_another_account_has_no_place_though_it_holds_there() -> None:
    rows = chain(5)
    foreign = replace(rows[2], account_id=8)
    rows[2] = replace(foreign, hash=digest(foreign, OLD))
    assert look(rows) == [(Tampering.CHANGED, 3, None)]


def keyed_over(unkeyed: Rows) -> Rows:
    rows = [*unkeyed, link(unkeyed, OLD, words.AUDIT_KEYED)]
    return [*rows, link(rows, OLD)]


def test_unkeyed_links_are_vouched_for_by_the_first_key() -> None:
    rows = keyed_over(chain(3, None))
    assert look(rows) == []
    forged = replace(rows[1], actor="nobody")
    assert look([rows[0], forged, *rows[2:]]) == [(Tampering.CHANGED, 2, None)]
    # Signed anew by anybody, as an unkeyed chain can be, it is not what the key vouched for.
    forged = replace(forged, hash=digest(forged))
    third = replace(rows[2], prev_hash=forged.hash)
    third = replace(third, hash=digest(third))
    assert look([rows[0], forged, third, *rows[3:]]) == [(Tampering.UNLINKED, 4, None)]


def test_a_chain_that_no_key_vouches_for_is_not_sound() -> None:
    assert look(chain(3, None)) == [(Tampering.UNKEYED, 3, None)]
    unkeyed = chain(3, None)
    assert look([*unkeyed, link(unkeyed, OLD)]) == [(Tampering.UNVOUCHED, 4, None)]
    keyed = chain(3)
    stripped = [*keyed, link(keyed, None)]
    assert look(stripped) == [(Tampering.UNKEYED, 4, None)]


def changed_key(rows: Rows, voucher: AuditKey = OLD, action: str = words.AUDIT_KEY_CHANGED) -> Rows:
    says = vouched(7, len(rows) + 1, rows[-1].hash, voucher, NEW.id)
    rows = [*rows, link(rows, NEW, action, vouched=says)]
    return [*rows, link(rows, NEW)]


def test_a_key_changes_where_the_one_before_vouches_for_it() -> None:
    assert look(changed_key(chain(3))) == []
    assert look(changed_key(chain(3), ATTACKER)) == [(Tampering.UNVOUCHED, 4, None)]
    assert look(changed_key(chain(3), action="looked")) == [(Tampering.UNVOUCHED, 4, None)]
    # A voucher of another place, and the old key after the change.
    rows = chain(3)
    says = vouched(7, 5, rows[-1].hash, OLD, NEW.id)
    moved = link(rows, NEW, words.AUDIT_KEY_CHANGED, vouched=says)
    assert look([*rows, moved]) == [(Tampering.UNVOUCHED, 4, None)]
    rows = changed_key(chain(3))
    assert look([*rows, link(rows, OLD)]) == [(Tampering.UNVOUCHED, 6, None)]


@pytest.mark.parametrize(("far", "kind"), [(PLACES_MAX, M), (PLACES_MAX + 1, Tampering.CHANGED)])
def test_a_link_is_looked_for_so_far_away(far: int, kind: Tampering) -> None:
    """One renumbered downwards, its own place filled: no gap tells where it came from."""
    rows = chain(30)
    filled = replace(rows[4 + far], detail={"n": 0})
    strayed = replace(rows[4 + far], sequence=5)
    check = look([*rows[:4], strayed, *rows[5 : 4 + far], filled, *rows[5 + far :]])
    assert check[-1][:2] == (Tampering.CHANGED, 5 + far)
    assert (kind, 5) in [found[:2] for found in check]


def test_findings_are_bounded_and_the_rest_counted() -> None:
    rows = [replace(row, actor="x") for row in chain(FINDINGS_MAX + 3)]
    check = ChainCheck(7, RING)
    for row in rows:
        check.feed(row)
    check.finish()
    assert (len(check.findings), check.left_out) == (FINDINGS_MAX, 3)


def test_gaps_past_the_bound_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_check, "PENDING_MAX", 1)
    rows = chain(6)
    expected = [(Tampering.MISSING, 2, 2), (Tampering.MISSING, 4, 4)]
    assert look([rows[0], rows[2], rows[4], rows[5]]) == expected
