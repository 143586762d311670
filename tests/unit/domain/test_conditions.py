"""The life of a mismatch and of still prices: begun, worse, over; never twice the same."""

from datetime import datetime

import pytest

from core.domain.conditions import (
    PNL_MISMATCH,
    STALE_DATA,
    Begun,
    Condition,
    Over,
    Worse,
    amount_of,
    follow,
    mismatch,
    since_of,
)
from core.domain.ledger import LedgerMemory
from core.records import EpisodeRow
from tests.unit.domain.make import NOW, D, at


def ledger(written_off: str, since: datetime | None = None) -> LedgerMemory:
    """A ledger in which this much was written off."""
    return LedgerMemory(booked=D(10000), written_off=D(written_off), unexplained_since=since)


def episode(
    material: str = "-100", kind: str = PNL_MISMATCH, subject: str = "account"
) -> EpisodeRow:
    """An open one, of 10:00."""
    return EpisodeRow(
        id=5,
        account_id=1,
        kind=kind,
        subject=subject,
        material=material,
        detail={"since": at(-10).isoformat(), "amount": "-100"},
        opened_at=NOW,
        changed_at=NOW,
    )


def seen(
    written_off: str, before: EpisodeRow | None, s: float = 0, *, awaited: bool = False
) -> Condition | None:
    """The mismatch of a reading `s` seconds from the present."""
    was = ledger("0", at(-10))
    return mismatch(ledger(written_off), was, before, at(s), deals_awaited=awaited)


def test_a_write_off_is_a_mismatch_since_it_was_first_seen() -> None:
    found = seen("-100", None)
    assert found == Condition(kind=PNL_MISMATCH, since=at(-10), material="-100", amount=D(-100))
    assert follow({}, [found]) == (Begun(found),)
    assert seen("0", None) is None


def test_the_same_mismatch_twice_is_no_second_change() -> None:
    found = seen("-100.00", episode(), 60)
    assert found is not None
    assert follow({found.key: episode()}, [found]) == ()


def test_a_mismatch_of_another_amount_is_told_again() -> None:
    found = seen("-250", episode(), 60)
    assert found is not None
    assert follow({found.key: episode()}, [found]) == (Worse(episode(), found),)


@pytest.mark.parametrize(("seconds", "again"), [(14399.999, False), (14400, True)])
def test_a_mismatch_of_four_hours_is_told_once_more(*, seconds: float, again: bool) -> None:
    found = seen("-100", episode(), seconds)
    assert found is not None
    changes = follow({found.key: episode()}, [found])
    assert changes == ((Worse(episode(), found),) if again else ())
    told = episode(found.material)
    later = seen("-100", told, seconds + 1e6 if again else seconds)
    assert later is not None
    assert follow({later.key: told}, [later]) == ()


def test_a_mismatch_is_over_when_deals_explain_it() -> None:
    key = (PNL_MISMATCH, "account")
    assert follow({key: episode()}, []) == (Over(episode()),)
    assert (amount_of(episode()), since_of(episode())) == (D(-100), at(-10))


def test_deals_of_our_own_close_are_awaited_in_silence_but_an_open_mismatch_stays_open() -> None:
    assert seen("-100", None, awaited=True) is None
    assert seen("-100", episode(), awaited=True) is not None


def test_differences_from_the_signals_are_left_alone() -> None:
    other = episode("x", "unknown_position", "900001")
    still = Condition(kind=STALE_DATA, since=NOW, material="still")
    assert follow({(other.kind, other.subject): other}, [still]) == (Begun(still),)
