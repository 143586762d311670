"""Whether a message rings is decided when it is sent."""

from datetime import timedelta

import pytest

from bot.dressing import Dresser
from bot.views.message import Message
from core.domain.alerts import Priority
from core.records import OutboxRow, PreferenceRow, UserRow
from tests.fakes.clock import START, FixedClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.telegram import ADMIN_CHAT

ANN = 900
TO_2200 = timedelta(hours=7, minutes=57, seconds=49)
"""From START, 14:02:11 UTC."""


def row(
    chat_id: int = ANN, kind: str = "TradeOpened", priority: int = Priority.WARNING
) -> OutboxRow:
    return OutboxRow(
        id=1,
        dedupe_key="k",
        chat_id=chat_id,
        priority=priority,
        thread="t",
        mode="new",
        kind=kind,
        payload="{}",
        created_at=START,
        due_at=START,
    )


@pytest.mark.parametrize(
    ("after_start", "asked", "silent"),
    [
        (timedelta(0), row(), False),
        (TO_2200 - timedelta(seconds=1), row(), False),
        # Committed at 14:02 and held up until the night: it does not ring then.
        (TO_2200, row(), True),
        (TO_2200, row(kind="GuardBreached", priority=Priority.CRITICAL), False),
        (TO_2200, row(kind="DrawdownWarning"), False),
        (TO_2200, row(chat_id=ADMIN_CHAT), False),
        (timedelta(0), row(kind="MarketCloseAhead"), True),
    ],
)
async def test_a_message_is_quiet_where_its_reader_wants_it_so_at_that_moment(
    after_start: timedelta,
    asked: OutboxRow,
    silent: bool,  # noqa: FBT001 - a column of the table
) -> None:
    store, clock = MemoryStore(), FixedClock(START + after_start)
    await store.put(
        UserRow(id=1, telegram_id=ANN, name="Ann", role="client", created_at=START),
        PreferenceRow(
            user_id=1,
            levels={"market": "silent", "guard": "off"},
            quiet_start_min=22 * 60,
            quiet_end_min=7 * 60,
            changed_at=START,
        ),
    )
    dressed = await Dresser(store, clock, admin_chat_id=ADMIN_CHAT)(asked, Message(html="x"))
    assert dressed.silent is silent


async def test_what_is_silent_by_itself_stays_so_and_a_stranger_hears_all() -> None:
    store, clock = MemoryStore(), FixedClock()
    dresser = Dresser(store, clock, admin_chat_id=ADMIN_CHAT)
    assert (await dresser(row(), Message(html="x", silent=True))).silent
    assert not (await dresser(row(), Message(html="x"))).silent
