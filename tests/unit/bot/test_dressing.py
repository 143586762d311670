"""Whether a message rings, and who has its alarm, is decided when it is sent."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.dressing import Dresser
from bot.views.message import Message, Voice
from core.domain.alerts import Priority
from core.records import AlarmRow, OutboxRow, PreferenceRow, UserRow
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
    dressed = await Dresser(store, clock, admin_chat_id=ADMIN_CHAT)(
        asked, Message(html="x"), Voice()
    )
    assert dressed.silent is silent


async def test_what_is_silent_by_itself_stays_so_and_a_stranger_hears_all() -> None:
    store, clock = MemoryStore(), FixedClock()
    dresser = Dresser(store, clock, admin_chat_id=ADMIN_CHAT)
    assert (await dresser(row(), Message(html="x", silent=True), Voice())).silent
    assert not (await dresser(row(), Message(html="x"), Voice())).silent


ALARM = AlarmRow(
    id=5,
    outbox_id=1,
    account_id=7,
    thread="t",
    kind="GuardBreached",
    opened_at=START,
    told_at=START,
)


async def dressed(alarm: AlarmRow, asked: OutboxRow) -> Message:
    store = MemoryStore()
    await store.put(alarm, row(chat_id=ADMIN_CHAT, kind="GuardBreached"))
    dresser = Dresser(store, FixedClock(), admin_chat_id=ADMIN_CHAT)
    return await dresser(asked, Message(html="<b>Closing</b>"), Voice(mark="[DEMO]"))


async def test_an_alarm_has_a_button_while_nobody_has_it() -> None:
    message = await dressed(ALARM, row(chat_id=ADMIN_CHAT))
    assert message.html == "<b>Closing</b>"
    assert [(b.label, b.data) for each in message.keyboard for b in each] == [
        ("I have it", "al1:5")
    ]


@pytest.mark.parametrize("mode", ["new", "reply"])
async def test_a_repeat_says_first_for_how_long_nobody_had_it(mode: str) -> None:
    later = START + timedelta(minutes=5)
    copy = replace(row(), thread="alarm:5", mode=mode, created_at=later)
    message = await dressed(ALARM, copy)
    assert message.headline == "<b>[DEMO] \U0001f534 Nobody has this for 5 min</b>"
    assert message.keyboard


@pytest.mark.parametrize(
    "asked", [row(chat_id=ADMIN_CHAT), replace(row(), thread="alarm:5:1", mode="edit")]
)
async def test_who_has_it_and_since_when_stands_on_every_copy_without_a_button(
    asked: OutboxRow,
) -> None:
    taken = replace(ALARM, taken_by="Anna & Co", taken_at=START, told_at=None)
    message = await dressed(taken, asked)
    assert "\n\u270b Anna &amp; Co has it, since" in message.html
    assert "14:02:11 UTC" in message.html
    assert message.keyboard == ()


async def test_what_is_over_has_no_button_and_what_took_its_place_says_who_had_it() -> None:
    over = replace(ALARM, kind="GuardBlind", over_at=START)
    message = await dressed(over, replace(row(), thread="alarm:5:1", mode="edit"))
    assert message.html.startswith("<b>Closing</b>\nOver at ")
    assert message.keyboard == ()
    breach = replace(over, kind="GuardBreached")  # says so by itself, to everybody
    copy = replace(row(), thread="alarm:5:1", mode="edit")
    assert (await dressed(breach, copy)).html == "<b>Closing</b>"
    end = replace(row(chat_id=ADMIN_CHAT, kind="AccountRecovered"), id=9, mode="edit")
    assert (await dressed(over, end)).html == "<b>Closing</b>"
    had = replace(over, taken_by="Anna", taken_at=START)
    assert "Anna has it" in (await dressed(had, end)).html
    client = replace(end, chat_id=ANN)
    assert "Anna" not in (await dressed(had, client)).html
