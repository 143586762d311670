"""Two thousand alerts due at once, to many chats, through the real outbox, store and Bot API.

The world holds to Telegram's rates, so that whoever sends faster is answered 429.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from aiogram import Bot
from msgspec import Struct

from bot.notifier import Notifier
from bot.sandbox.part import WorldOptions
from bot.sandbox.people import DEMO_PEOPLE, People, Person
from bot.sandbox.world import World
from bot.views.message import Voice
from core.adapters.sql.migrate import upgrade
from core.adapters.sql.store import SqlStore
from core.domain.alerts import Alert, Priority
from core.ports import Clock, Store
from core.records import OutboxRow
from tests.fakes.alerts import breach, closed, finding
from tests.fakes.audit_keys import AUDIT_KEYS
from tests.fakes.rows import outbox_row
from tests.wire.telegram.conftest import make_bot

CHATS = range(10_001, 11_001)
CRITICALS, WARNINGS, NEWS = 125, 300, 1_575
ALERTS = CRITICALS + WARNINGS + NEWS
DATABASE = "reckoner.db"
STATES = ("due", "sending", "sent", "failed")
ADMIN_CHAT_NEVER = -1
"""No alert of the rush goes to the admin chat, whose own allowance is another test's."""

N = TypeVar("N", bound=Notifier)


class Send(Struct, frozen=True):
    """A send as the world answered it; `message_id` is None where it was refused."""

    status: int
    chat_id: int
    message_id: int | None
    at: datetime


def crowd() -> People:
    """The demo's admins, and a thousand people who have pressed Start."""
    everyone = tuple(Person(n, f"Client {n}", f"client{n}", "client") for n in CHATS)
    return People(admins=DEMO_PEOPLE.admins, clients=(), strangers=everyone)


def rush_world(folder: Path) -> World:
    """A world with the crowd in it, that holds to Telegram's rates."""
    return World(folder, 0, WorldOptions(market="manual"), crowd())


def _alerts() -> list[tuple[int, Alert, Priority]]:
    """Who is told what, in the order of writing: the least urgent first."""
    people = list(CHATS)
    news = [(people[n % len(people)], closed(), Priority.INFO) for n in range(NEWS)]
    warnings = [(n, finding("sl_mismatch"), Priority.WARNING) for n in people[:WARNINGS]]
    # The people of the criticals have no warning and are, among others, those of second news.
    criticals = [(n, breach(), Priority.CRITICAL) for n in people[-CRITICALS:]]
    return [*news, *warnings, *criticals]


async def fill(store: Store, now: datetime) -> None:
    """Commit all of them, due at this moment."""
    rows = [
        outbox_row(
            alert,
            dedupe_key=f"rush{number}",
            chat_id=chat_id,
            priority=int(priority),
            thread=f"rush{number}",
            created_at=now,
            due_at=now,
        )
        for number, (chat_id, alert, priority) in enumerate(_alerts())
    ]
    async with store.writing() as tx:
        await tx.insert_many(rows)


def address(folder: Path) -> str:
    """The database's address."""
    return f"sqlite+aiosqlite:///{folder / DATABASE}"


@asynccontextmanager
async def fresh_store(folder: Path) -> AsyncIterator[SqlStore]:
    """A migrated SQLite database of its own."""
    await upgrade(address(folder))
    async with opened_store(folder) as store:
        yield store


@asynccontextmanager
async def opened_store(folder: Path) -> AsyncIterator[SqlStore]:
    """The database there."""
    store = await SqlStore.open(address(folder), audit_keys=AUDIT_KEYS)
    try:
        yield store
    finally:
        await store.close()


class Ledger:
    """What the world says of the sends, read in pieces: it answers only so many at a time."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/sim/outbox?method=sendMessage&since="
        self._seen = 0
        self.sends: list[Send] = []

    async def read_on(self, http: aiohttp.ClientSession) -> None:
        """Read what is new."""
        async with http.get(f"{self._url}{self._seen}") as answer:
            calls: list[dict[str, Any]] = (await answer.json())["calls"]
        for call in calls:
            self._seen = call["id"]
            result = call.get("result") or {}
            self.sends.append(
                Send(
                    call["status"],
                    int(call["params"]["chat_id"]),
                    result.get("message_id"),
                    datetime.fromisoformat(call["at"]),
                )
            )

    def accepted(self) -> list[Send]:
        """Those that were not refused."""
        return [send for send in self.sends if send.message_id is not None]


async def priorities(store: Store, ledger: Ledger) -> list[int]:
    """The priority of every accepted send, in the order of acceptance."""
    async with store.reading() as tx:
        rows = await tx.find(OutboxRow, state="sent")
    by_message = {(row.chat_id, row.message_id): row.priority for row in rows}
    return [by_message[send.chat_id, send.message_id] for send in ledger.accepted()]


def rush_notifier(bot: Bot, store: Store, clock: Clock, kind: type[N]) -> N:
    """The real sender, or one that a test has an eye on."""
    return kind(bot, store, clock, Voice(mark="[DEMO]"), admin_chat_id=ADMIN_CHAT_NEVER)


async def counted(store: Store) -> dict[str, int]:
    """How many alerts are in each state that there is one in."""
    async with store.reading() as tx:
        counts = {state: await tx.count(OutboxRow, state=state) for state in STATES}
    return {state: count for state, count in counts.items() if count}


@asynccontextmanager
async def talking(base_url: str) -> AsyncIterator[tuple[Bot, aiohttp.ClientSession]]:
    """The real client, and a person's HTTP."""
    bot = make_bot(base_url)
    try:
        async with aiohttp.ClientSession() as http:
            yield bot, http
    finally:
        await bot.session.close()
        await asyncio.sleep(0)
