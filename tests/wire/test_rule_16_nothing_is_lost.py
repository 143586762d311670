"""Rule 16: no alert is lost to formatting, length, 429, block or restart.

The outbox in a real database, sent over HTTP to the local Telegram. What the whole app makes of a
block, a 429 and a restart stands in `test_journey_robustness.py` and
`test_kill_at_every_effect.py`.
"""

import asyncio
import itertools
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from msgspec import Struct

from bot import notifier as module
from bot.notifier import Notifier
from bot.outbox import SUPERSEDED
from bot.sandbox.part import WorldOptions
from bot.sandbox.people import ADMIN_CHAT_ID
from bot.sandbox.telegram.group_side import Migration, NewGroup, migrate, open_group
from bot.sandbox.world import World
from bot.views import alerts as alert_views
from bot.views.message import Message, Voice
from core.adapters.clock import SystemClock
from core.adapters.sql.migrate import upgrade
from core.adapters.sql.store import SqlStore
from core.domain import alerts as a
from core.records import OutboxRow, UserRow
from tests.fakes.alerts import breach, closed, confirmed, tickets
from tests.fakes.rows import outbox_row
from tests.wire.rush import DATABASE, address, opened_store
from tests.wire.telegram.conftest import make_bot

ALICE, BEN = 101, 102
PATIENCE_S = 10.0


class Desk(Struct):
    """The outbox, what sends it, and what people see."""

    world: World
    bot: Bot
    store: SqlStore
    http: aiohttp.ClientSession
    notifier: Notifier
    numbers: Any

    async def tells(self, alert: a.Alert, chat_id: int = ALICE, **changes: Any) -> int:
        """Commit an alert; answers its row."""
        now = SystemClock().now()
        number = next(self.numbers)
        own = {"dedupe_key": f"k{number}", "thread": f"t{number}", "created_at": now, "due_at": now}
        critical = int(a.Priority.CRITICAL)
        row = outbox_row(alert, chat_id=chat_id, priority=critical, **{**own, **changes})
        async with self.store.writing() as tx:
            return await tx.insert(row)

    async def row(self, row_id: int) -> OutboxRow:
        """The row as it is."""
        async with self.store.reading() as tx:
            found = await tx.get(OutboxRow, row_id)
        assert found is not None
        return found

    async def fails(self, **fault: Any) -> None:
        """Telegram misbehaves at the next calls."""
        async with self.http.post(f"{self.world.base_url}/sim/fault", json=fault) as answer:
            assert answer.status == 200, await answer.text()

    async def shown(self, chat_id: int = ALICE) -> list[dict[str, Any]]:
        """The messages a person sees, oldest first."""
        async with self.http.get(f"{self.world.base_url}/sim/chat/{chat_id}") as answer:
            messages: list[dict[str, Any]] = (await answer.json())["messages"]
        return messages

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """The notifier at work."""
        task = asyncio.create_task(self.notifier.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until_sent(self, row_id: int) -> None:
        """Wait for the row to be sent by whoever runs."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.row(row_id)).state != "sent":
                await asyncio.sleep(0.01)

    def fresh(self, admin_chat_id: int = ADMIN_CHAT_ID) -> Notifier:
        """The notifier of a new process."""
        return Notifier(self.bot, self.store, SystemClock(), Voice(), admin_chat_id=admin_chat_id)

    async def all_sent(self) -> None:
        """Send until nothing is due."""
        assert await self.notifier.drain(PATIENCE_S)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to be copied: making one takes as long as a test."""
    folder = tmp_path_factory.mktemp("migrated")
    asyncio.run(upgrade(address(folder)))
    with sqlite3.connect(folder / DATABASE) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return folder / DATABASE


@pytest.fixture
async def desk(
    tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    monkeypatch.setattr(module, "POLL_S", 0.02)
    monkeypatch.setattr(module, "BACKOFF_S", (0.02, 0.02))
    world = World(tmp_path / "world", 0, WorldOptions(market="manual", flood_limits=False))
    await world.start()
    bot = make_bot(world.base_url)
    shutil.copy(migrated, tmp_path / DATABASE)
    async with opened_store(tmp_path) as store, aiohttp.ClientSession() as http:
        notifier = Notifier(bot, store, SystemClock(), Voice(), admin_chat_id=ADMIN_CHAT_ID)
        yield Desk(world, bot, store, http, notifier, itertools.count())
    await bot.session.close()
    await world.stop()


@pytest.mark.parametrize(
    "fault",
    [
        {"code": 500},
        {"code": 502},
        {"code": "html"},
        {"code": "drop"},
        {"code": "drop_after"},
        {"code": "truncated"},
    ],
    ids=lambda fault: str(fault["code"]),
)
async def test_a_send_of_unknown_outcome_is_repeated_once_and_says_so(
    desk: Desk, fault: dict[str, Any]
) -> None:
    row_id = await desk.tells(breach())
    await desk.fails(method="sendMessage", **fault)
    await desk.all_sent()
    arrived_before = fault["code"] in {"drop_after", "truncated"}
    shown = await desk.shown()
    assert [("(repeat)" in message["text"]) for message in shown] == [False] * arrived_before + [
        True
    ]
    row = await desk.row(row_id)
    assert (row.state, row.attempts, row.message_id) == ("sent", 2, shown[-1]["id"])


async def test_an_edit_of_unknown_outcome_is_made_again_without_a_mark(desk: Desk) -> None:
    await desk.tells(closed(), thread="t")
    await desk.all_sent()
    await desk.tells(breach(), thread="t", mode="edit")
    await desk.fails(method="editMessageText", code="drop_after")
    await desk.all_sent()
    (message,) = await desk.shown()
    assert "Closing 50001 in" in message["text"]
    assert "(repeat)" not in message["text"]


async def test_of_twenty_edits_of_one_message_only_the_newest_is_made(desk: Desk) -> None:
    await desk.tells(closed(), thread="t")
    await desk.all_sent()
    edits = [
        await desk.tells(breach(positions_count=n), thread="t", mode="edit") for n in range(2, 22)
    ]
    await desk.all_sent()
    (message,) = await desk.shown()
    assert "21 positions" in message["text"]
    async with desk.http.get(f"{desk.world.base_url}/sim/outbox?method=editMessageText") as answer:
        assert len((await answer.json())["calls"]) == 1
    rows = [await desk.row(row_id) for row_id in edits]
    assert [row.error for row in rows] == [SUPERSEDED] * 19 + [None]


async def test_what_was_under_way_when_the_app_died_comes_again_and_says_so(desk: Desk) -> None:
    row_id = await desk.tells(breach(), state="sending", attempts=1)
    async with desk.sending():
        await desk.until_sent(row_id)
    (message,) = await desk.shown()
    assert message["text"].endswith("(repeat)")


async def test_a_429_is_waited_out_as_long_as_telegram_says_and_not_marked(desk: Desk) -> None:
    await desk.tells(breach())
    await desk.fails(method="sendMessage", code=429, retry_after=1)
    began_s = asyncio.get_running_loop().time()
    await desk.all_sent()
    assert asyncio.get_running_loop().time() - began_s >= 1.0
    (message,) = await desk.shown()
    assert "(repeat)" not in message["text"]


async def test_markup_that_telegram_refuses_is_sent_in_plain_words(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(*_: object) -> Message:
        return Message(html="🔴 <b>Closing everything</i> &lt;50001&gt;")

    monkeypatch.setattr(alert_views, "render", spoiled)
    await desk.tells(breach())
    await desk.all_sent()
    (message,) = await desk.shown()
    assert message["text"] == "🔴 Closing everything <50001>"


async def test_an_alert_longer_than_a_message_is_split_between_its_rows(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"<b>{number:03}</b> &lt;closed&gt; {'x' * 80}" for number in range(120)]

    def long(*_: object) -> Message:
        return Message(html="\n".join(rows))

    monkeypatch.setattr(alert_views, "render", long)
    row_id = await desk.tells(breach())
    await desk.all_sent()
    shown = await desk.shown()
    # 93 units and a line break each: 43 rows are 4,041 units, 44 would be 4,135.
    lines = [message["text"].split("\n") for message in shown]
    assert [len(each) for each in lines] == [43, 43, 34]
    assert [line[:3] for page in lines for line in page] == [f"{n:03}" for n in range(120)]
    assert all(
        len(message["entities"]) == len(page) for message, page in zip(shown, lines, strict=True)
    )
    assert [message.get("reply_to") for message in shown] == [None, shown[0]["id"], shown[0]["id"]]
    assert (await desk.row(row_id)).message_id == shown[0]["id"]


async def test_a_split_alert_that_stops_in_the_middle_comes_again_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def long(*_: object) -> Message:
        return Message(html="\n".join(["a" * 4000, "b" * 4000]))

    monkeypatch.setattr(alert_views, "render", long)
    await desk.tells(breach())
    await desk.fails(method="sendMessage", code=429, retry_after=1, contains="bbb")
    await desk.all_sent()
    assert [message["text"][:1] for message in await desk.shown()] == ["a", "a", "b"]
    assert (await desk.shown())[-1]["text"].endswith("(repeat)")


async def test_more_closed_tickets_than_a_message_holds_are_counted(desk: Desk) -> None:
    await desk.tells(confirmed(results=tickets(400)))
    await desk.all_sent()
    (message,) = await desk.shown()
    shown = message["text"].count("#")
    assert f"and {400 - shown} more" in message["text"]


async def test_somebody_who_blocked_the_bot_is_told_of_to_the_admins_and_back_when_reached(
    desk: Desk,
) -> None:
    now = SystemClock().now()
    async with desk.store.writing() as tx:
        await tx.insert(UserRow(telegram_id=BEN, name="Ben", role="client", created_at=now))
    desk.world.telegram.state.set_blocked(BEN, blocked=True)
    lost = [await desk.tells(closed(), BEN), await desk.tells(closed(), BEN)]
    await desk.all_sent()
    assert [(await desk.row(row_id)).state for row_id in lost] == ["failed", "failed"]
    (told,) = await desk.shown(ADMIN_CHAT_ID)
    assert "Ben cannot be reached" in told["text"]
    assert "bot was blocked by the user" in told["text"]
    desk.world.telegram.state.set_blocked(BEN, blocked=False)
    await desk.tells(breach(), BEN)
    await desk.all_sent()
    (told,) = await desk.shown(ADMIN_CHAT_ID)
    assert "Ben can be reached again" in told["text"]
    urgent, back = await desk.shown(BEN)
    assert "Closing 50001 in" in urgent["text"]
    assert "2 messages could not be delivered since" in back["text"]


async def test_a_group_that_became_a_supergroup_gets_everything_there_also_after_a_restart(
    desk: Desk,
) -> None:
    state = desk.world.telegram.state
    group = open_group(state, NewGroup(title="Desk", members=[11], basic=True))
    desk.notifier = desk.fresh(group.id)
    await desk.tells(closed(), group.id)
    await desk.all_sent()
    new_id = migrate(state, Migration(chat_id=group.id)).id
    await desk.tells(breach(), group.id)
    await desk.all_sent()
    texts = [message["text"] for message in await desk.shown(new_id)]
    assert "Closing 50001 in" in texts[1]
    assert f"Please set ADMIN_CHAT_ID={new_id} in the settings (it was {group.id})." in texts[2]
    desk.notifier = desk.fresh(group.id)
    row_id = await desk.tells(confirmed(), group.id)
    async with desk.sending():
        await desk.until_sent(row_id)
    assert "50001 is flat" in (await desk.shown(new_id))[-1]["text"]
    assert (await desk.row(row_id)).attempts == 1, "sent to the new id at once"
