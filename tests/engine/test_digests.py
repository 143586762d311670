"""Each person's daily digest, at their own hour, of a whole house."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from core.domain.alerts import Alert
from core.domain.alerts_digest import DailyDigest
from core.records import (
    AccountRow,
    OutboxRow,
    ReconciliationLogRow,
    UserRow,
)
from core.services import digest as digests
from tests.engine.house import ALICE, BEN, GBP, USD, D, House

WEDNESDAY = date(2026, 3, 4)


@pytest.fixture
async def morning(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose Alice lives in New York; it runs since ten on Wednesday."""
    made = House(tmp_path)
    await made.start()
    await made.run(1)
    async with made.store.writing() as tx:
        await tx.update(UserRow, {"telegram_id": ALICE}, time_zone="America/New_York")
    yield made
    await made.close()


async def sent(house: House) -> list[tuple[int, DailyDigest]]:
    """The digests in the outbox, with their chats."""
    alerts = [
        (row.chat_id, msgspec.json.decode(row.payload, type=Alert))
        for row in await house.rows(OutboxRow)
    ]
    return [(chat, alert) for chat, alert in alerts if isinstance(alert, DailyDigest)]


async def told(house: House) -> list[tuple[int, date]]:
    """To whom, of which day."""
    return [(chat, digest.day) for chat, digest in await sent(house)]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def test_each_person_is_told_at_seven_of_their_own_morning_once(morning: House) -> None:
    """Ben and Carla live by UTC; seven in New York is noon there. The admin has no account."""
    house = morning
    for instant, count in (
        ("2026-03-04T12:00", 0),  # of Tuesday nothing is known
        ("2026-03-05T06:59", 0),
        ("2026-03-05T07:00", 2),
        ("2026-03-05T07:01", 0),
        ("2026-03-05T11:59", 0),
        ("2026-03-05T12:00", 1),
        ("2026-03-05T12:01", 0),
    ):
        house.clock.instant = at(instant)
        assert await house.engine.send_digests() == count, instant
    chats = [chat for chat, _ in await told(house)]
    assert chats == [BEN, 103, ALICE]
    assert {day for _, day in await told(house)} == {WEDNESDAY}


async def test_a_restart_sends_no_digest_twice(house: House) -> None:
    house.clock.instant = at("2026-03-05T07:00")
    assert await house.engine.send_digests() == 3
    await house.restart()
    assert await house.engine.send_digests() == 0


async def test_a_missed_digest_is_made_up_for_and_not_past_twelve_hours(morning: House) -> None:
    morning.clock.instant = at("2026-03-05T19:00") + timedelta(seconds=1)
    assert await morning.engine.send_digests() == 1, "New York's, due at noon"
    assert [chat for chat, _ in await told(morning)] == [ALICE]
    morning.clock.instant = at("2026-03-06T19:00")
    assert await morning.engine.send_digests() == 3
    assert (BEN, date(2026, 3, 5)) in await told(morning)


async def test_a_digest_says_what_the_day_brought(morning: House) -> None:
    house = morning
    ticket = house.open(USD, "buy", "0.1")
    house.price("1980.00", "1980.30")
    house.close_position(USD, ticket)
    house.cash(USD, "250")
    await house.run(10)
    (state,) = [await house.state(USD)]
    house.clock.instant = at("2026-03-05T07:00")
    await house.engine.send_digests()
    (line,) = next(digest.accounts for chat, digest in await sent(house) if chat == BEN)
    assert state.balance is not None
    assert line.realised == state.balance - D(12250)
    assert (line.trades, line.won, line.deposits) == (1, 1, D(12250))
    # The last reading kept is that of ten o'clock: of the 14 hours after it nothing is known.
    assert line.unread_s == 14 * 3600


async def test_digests_can_be_switched_off(tmp_path: Path) -> None:
    house = House(tmp_path, DIGEST_HOUR="none")
    await house.start()
    await house.run(1)
    house.clock.instant = at("2026-03-05T07:00")
    assert await house.engine.send_digests() == 0
    assert await told(house) == []
    await house.close()


async def test_many_digests_are_made_a_few_at_a_time(
    morning: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "USERS_AT_ONCE", 1)
    morning.clock.instant = at("2026-03-05T07:00")
    assert [await morning.engine.send_digests() for _ in range(3)] == [1, 1, 0]


async def test_a_digest_has_room_for_so_many_accounts(
    morning: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ben gets Carla's account too: two accounts, room for two, then for one."""
    async with morning.store.writing() as tx:
        (ben,) = await tx.find(UserRow, telegram_id=BEN)
        await tx.update(AccountRow, {"login": 50003}, user_id=ben.id)
    for most, day in ((2, "2026-03-05"), (1, "2026-03-06")):
        monkeypatch.setattr(digests, "ACCOUNTS_MAX", most)
        morning.clock.instant = at(f"{day}T07:00")
        await morning.engine.send_digests()
        digest = [digest for chat, digest in await sent(morning) if chat == BEN][-1]
        assert (len(digest.accounts), digest.left_out) == (most, 2 - most)


async def test_the_rows_a_slippage_report_reads_are_those_of_first_matches(house: House) -> None:
    await house.follow(ALICE, GBP)
    rows = await house.rows(ReconciliationLogRow, event_type="sync", divergence_reason=None)
    assert [row.slippage_pips is not None for row in rows if row.matched] == [True]
