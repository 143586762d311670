"""Pinned cards: sent and pinned once, edited when they change, never in an alert's way."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from bot import cards as module
from bot.cards import RENEW_S, UNREACHABLE_S, Cards
from bot.i18n import spoken
from bot.limits import GLOBAL_MAX, SendLimits
from bot.views import card as views
from bot.views.message import Voice
from bot.views.numbers import percent
from core.domain.board import AccountBoard
from core.domain.card import accounts_of
from core.domain.people import Person
from core.records import AccountRow, CardRow, OutboxRow, PreferenceRow, UserRow
from tests.fakes.clock import START, FixedClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.rows import account_row
from tests.fakes.shell import account
from tests.fakes.telegram import Answer, make_bot

ANN = 900
SOON = START + timedelta(seconds=10)
D = Decimal
INTERVAL_S = 30.0


class Desk:
    """Cards over a store, a recorded Telegram and boards that a test sets."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), FixedClock()
        self.bot, self.telegram = make_bot()
        self.board = account()
        self.disturbed = False
        self.cards = self.fresh()

    def fresh(self, rates: SendLimits | None = None, interval_s: float = INTERVAL_S) -> Cards:
        """The cards of a new process."""
        return Cards(
            bot=self.bot,
            store=self.store,
            clock=self.clock,
            boards_of=self.accounts_of,
            voice=Voice(mark="[DEMO]"),
            rates=rates or SendLimits(),
            interval_s=interval_s,
        )

    async def accounts_of(self, person: Person) -> list[AccountBoard]:
        assert person.account_ids
        if self.disturbed:  # by an alert of the guard, committed in this moment
            async with self.store.writing() as tx:
                await tx.update(CardRow, {"user_id": 1}, next_at=self.clock.now())
        return [replace(self.board, observed_at=self.clock.now())]

    async def client(self, number: int = 1, telegram_id: int = ANN) -> None:
        """Somebody with an account."""
        await self.store.put(
            UserRow(
                id=number, telegram_id=telegram_id, name="Ann", role="client", created_at=START
            ),
            account_row(user_id=number, login=50000 + number),
        )

    async def look(self, after_s: float = 0) -> list[str]:
        """Let time pass and look; answers the methods that were called."""
        if after_s:  # the chat's allowance is full again by then
            self.clock.move(after_s)
            self.cards = self.fresh()
        self.telegram.calls.clear()
        await self.cards.look()
        return [call.__api_method__ for call in self.telegram.calls]

    async def row(self) -> CardRow:
        (row,) = await self.store.all(CardRow)
        return row


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    await made.client()
    return made


async def test_a_card_is_sent_without_a_sound_pinned_once_and_then_edited(desk: Desk) -> None:
    assert await desk.look() == ["sendMessage", "pinChatMessage"]
    (card,) = desk.telegram.named("sendMessage")
    assert card.disable_notification
    pin: Any = desk.telegram.named("pinChatMessage")[0]
    assert (pin.message_id, pin.disable_notification) == ((await desk.row()).message_id, True)
    desk.board = replace(desk.board, equity=D(9500), headroom=D(1500))
    assert await desk.look(INTERVAL_S) == ["editMessageText"]
    assert "9,500 GBP, room 1,500 GBP" in desk.telegram.texts()[0]


async def test_nothing_is_edited_while_nothing_shown_has_changed_until_the_time_is_renewed(
    desk: Desk,
) -> None:
    await desk.look()
    desk.board = replace(desk.board, equity=D("9585.55"))  # less than a step of 10
    assert await desk.look(INTERVAL_S) == []
    assert await desk.look(RENEW_S - INTERVAL_S - 1) == []
    assert await desk.look(1) == ["editMessageText"]


@pytest.mark.parametrize("changes", [{"language": "es"}, {"time_zone": "Asia/Tokyo"}])
async def test_a_card_follows_at_once_when_its_reader_chooses_a_language_or_a_zone(
    desk: Desk, changes: dict[str, str]
) -> None:
    await desk.look()
    async with desk.store.writing() as tx:
        await tx.update(UserRow, {"id": 1}, **changes)
    assert await desk.look(INTERVAL_S) == ["editMessageText"]
    assert ("redondeado" if "language" in changes else "JST") in desk.telegram.texts()[0]
    assert await desk.look(INTERVAL_S) == []


async def test_a_card_that_an_older_version_kept_is_edited_once(desk: Desk) -> None:
    await desk.look()
    async with desk.store.writing() as tx:
        await tx.update(CardRow, {"user_id": 1}, shown="[]")
    assert await desk.look(INTERVAL_S) == ["editMessageText"]
    assert await desk.look(INTERVAL_S) == []


async def test_two_edits_of_a_card_are_the_interval_apart(desk: Desk) -> None:
    await desk.look()
    for positions_count in (2, 3):
        desk.board = replace(desk.board, positions_count=positions_count)
        assert await desk.look(INTERVAL_S - 1) == []
        assert await desk.look(1) == ["editMessageText"]


async def test_what_the_guard_does_while_a_card_is_being_edited_is_not_left_for_later(
    desk: Desk,
) -> None:
    """The edit has the figures from before; its own interval must not put the next look off."""
    await desk.look()

    desk.board, desk.disturbed = replace(desk.board, guard="closing"), True
    assert await desk.look(INTERVAL_S + 1) == ["editMessageText"]
    desk.disturbed = False
    desk.board = replace(desk.board, guard="latched")
    assert await desk.look(1) == ["editMessageText"]


async def test_a_card_goes_on_after_a_restart_and_is_not_pinned_again(desk: Desk) -> None:
    await desk.look()
    desk.cards = desk.fresh()
    assert await desk.look(INTERVAL_S) == []
    desk.board = replace(desk.board, guard="latched")
    assert await desk.look(1) == ["editMessageText"]


async def test_a_deleted_card_is_sent_anew_and_pinned(desk: Desk) -> None:
    await desk.look()
    gone = (await desk.row()).message_id
    desk.board = replace(desk.board, positions_count=2)
    desk.telegram.script.append(
        Answer(400, "Bad Request: message to edit not found", method="editMessageText")
    )
    assert await desk.look(INTERVAL_S) == ["editMessageText", "sendMessage", "pinChatMessage"]
    row = await desk.row()
    assert row.message_id == row.pinned_id != gone


async def test_a_card_that_could_not_be_pinned_is_kept_all_the_same(desk: Desk) -> None:
    desk.telegram.script.append(
        Answer(400, "Bad Request: not enough rights", method="pinChatMessage")
    )
    await desk.look()
    assert (await desk.row()).pinned_id is None
    desk.board = replace(desk.board, positions_count=2)
    assert await desk.look(INTERVAL_S) == ["editMessageText", "pinChatMessage"]


async def test_alerts_go_first_a_card_waits_while_anything_is_due_for_its_chat(desk: Desk) -> None:
    (row_id,) = await desk.store.put(
        OutboxRow(
            dedupe_key="k",
            chat_id=ANN,
            priority=2,
            thread="t",
            mode="new",
            kind="x",
            payload="{}",
            created_at=START,
            due_at=START,
        )
    )
    assert await desk.look() == []
    async with desk.store.writing() as tx:
        await tx.update(OutboxRow, {"id": row_id}, state="sent")
    assert await desk.look() == ["sendMessage", "pinChatMessage"]


async def test_a_card_takes_only_what_alerts_and_answers_leave(desk: Desk) -> None:
    rates = SendLimits()
    desk.cards = desk.fresh(rates)
    now_s = asyncio.get_running_loop().time()
    rates.take(ANN, now_s)
    assert await desk.look() == []  # two of the chat's burst of three are left to others
    busy = SendLimits()
    for chat_id in range(1, GLOBAL_MAX - module.OTHERS_FREE + 2):
        busy.take(-chat_id, now_s)
    desk.cards = desk.fresh(busy)
    assert await desk.look() == []


async def test_a_chat_that_cannot_be_reached_is_left_alone_for_an_hour(desk: Desk) -> None:
    desk.telegram.script.append(Answer(403, "Forbidden: bot was blocked by the user"))
    assert await desk.look() == ["sendMessage"]
    assert await desk.look(UNREACHABLE_S - 1) == []
    assert await desk.look(1) == ["sendMessage", "pinChatMessage"]


async def test_a_card_that_is_switched_off_says_so_once_and_comes_back_when_it_is_on(
    desk: Desk,
) -> None:
    await desk.look()
    await desk.store.put(PreferenceRow(user_id=1, levels={"card": "off"}, changed_at=START))
    assert await desk.look(INTERVAL_S) == ["editMessageText"]
    assert desk.telegram.texts() == [views.OFF]
    assert await desk.look(RENEW_S) == []
    async with desk.store.writing() as tx:
        await tx.update(PreferenceRow, {"user_id": 1}, levels={"card": "on"})
    assert await desk.look(1) == ["sendMessage", "pinChatMessage"]


async def test_a_card_speaks_the_language_of_whose_it_is_also_to_say_that_it_is_off(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "chosen", lambda language: language)
    monkeypatch.setattr(views, "t", lambda *_, **__: spoken())
    monkeypatch.setattr(module, "t", lambda text: f"{spoken()}, {text}")
    async with desk.store.writing() as tx:
        await tx.update(UserRow, {"id": 1}, language="es")
    await desk.look()
    assert desk.telegram.texts()[0].endswith("\nes")
    await desk.store.put(PreferenceRow(user_id=1, levels={"card": "off"}, changed_at=START))
    await desk.look(INTERVAL_S)
    assert desk.telegram.texts() == [f"es, {views.OFF}"]
    assert spoken() == "en"


async def test_whoever_has_no_account_any_more_is_not_left_with_its_figures(desk: Desk) -> None:
    await desk.look()
    async with desk.store.writing() as tx:
        await tx.update(AccountRow, {"user_id": 1}, user_id=2)
    assert await desk.look(INTERVAL_S) == ["editMessageText"]
    assert desk.telegram.texts() == [views.GONE]
    assert await desk.look(RENEW_S) == []


async def test_a_card_of_a_lost_account_is_cleared_though_telegram_says_to_wait(
    desk: Desk,
) -> None:
    await desk.look()
    async with desk.store.writing() as tx:
        await tx.update(AccountRow, {"user_id": 1}, user_id=2)
    wait = Answer(429, "Too Many Requests: retry after 5", parameters={"retry_after": 5})
    desk.telegram.script.append(wait)
    assert await desk.look(INTERVAL_S) == ["editMessageText"]
    assert await desk.look(INTERVAL_S) == ["editMessageText"]
    assert desk.telegram.texts() == [views.GONE]
    assert await desk.look(RENEW_S) == []


async def test_there_is_no_card_with_the_interval_0_nor_before_the_first_reading(
    desk: Desk,
) -> None:
    desk.cards = desk.fresh(interval_s=0)
    assert await desk.look() == []
    desk.cards = desk.fresh()
    desk.board = replace(desk.board, equity=None)
    assert await desk.look() == []


async def test_one_look_edits_so_many_and_the_next_goes_on_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2, 6):
        await desk.client(number, ANN + number)
    monkeypatch.setattr(module, "EDITS_A_LOOK_MAX", 2)
    asked = [desk.telegram.named("sendMessage") for _ in range(3) if await desk.look() or True]
    assert [[call.chat_id for call in calls] for calls in asked] == [
        [ANN, ANN + 2],
        [ANN + 3, ANN + 4],
        [ANN + 5],
    ]


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, "📌 9,580 GBP, room 1,580 GBP"),
        ({"guard": "latched"}, "🔒 50001 locked"),
        ({"guard": "countdown", "deadline_at": SOON}, "🔴 50001 closes at 14:02:21"),
        ({"guard": "closing"}, "🔴 Closing everything on 50001"),
        ({"unavailable_since": START, "guard": "latched"}, "⚠️ 50001 cannot be read now"),
    ],
)
def test_the_first_line_is_what_matters_most(changes: dict[str, Any], first: str) -> None:
    boards = [account(**changes)]
    shown = accounts_of(boards, START)
    message = views.card(shown, boards, Voice(mark="[DEMO]"), START, 15)
    assert message.headline == f"<b>[DEMO] {first}</b>"
    assert len(message.headline) - len("<b></b>") <= 60
    assert message.silent


def stamp(unix: str, text: str) -> str:
    """A time as Telegram shows it in the reader's zone."""
    return f'<tg-time unix="{unix}" format="T">{text} UTC</tg-time>'


def test_a_card_says_when_a_countdown_ends() -> None:
    boards = [account(guard="countdown", deadline_at=SOON)]
    text = views.card(accounts_of(boards, START), boards, Voice(), START, 15).html
    ends = stamp("1795356141", "14:02:21")
    assert f"🔴 The guard closes everything at {ends}" in text.splitlines()
    boards.append(account(login=50002, guard="countdown", deadline_at=START))
    text = views.card(accounts_of(boards, START), boards, Voice(), START, 15).html
    assert text.startswith("<b>🔴 2 accounts close, from 14:02:11</b>")


def test_a_card_has_the_drawdown_that_the_messages_have_and_no_loss_looks_smaller() -> None:
    """9,503.80 of 12,000.00 USD are 20.8017 % down, and 96.20 past the limit at 9,600.00."""
    drawn = D("20.8017")
    board = account(
        currency="USD",
        equity=D("9503.80"),
        peak_equity=D(12000),
        headroom=D("-96.20"),
        drawdown_percent=drawn,
        guard="closing",
    )
    lines = views.card(accounts_of([board], START), [board], Voice(), START, 15).html.splitlines()
    assert "Equity 9,500 USD, 100 USD past the limit" in lines
    assert "Drawdown 20.8 % (limit 20 %)" in lines
    assert percent(drawn, D(20)) == "20.8 %"


def test_the_whole_card() -> None:
    read, now = stamp("1795356128", "14:02:08"), stamp("1795356131", "14:02:11")
    renewed = "I edit this when it changes and at least every 15 min: if it is older, nothing is"
    boards = [account(), account(login=50002, name="Second", headroom=D("-12.5"), guard="closing")]
    boards.append(account(login=50003, unavailable_since=START, name=""))
    text = views.card(accounts_of(boards, START), boards, Voice(), START, 15).html
    assert text.splitlines() == [
        "<b>⚠️ 50003 cannot be read now</b>",
        "<b>50003</b>",
        f"⚠️ Not read since {read}, not guarded until it can. Then it was:",
        "Equity 9,580 GBP, room 1,580 GBP",
        "Drawdown 4.2 % (limit 20 %)",
        "1 open position, -20 GBP",
        "<b>50002</b> Second",
        "🔴 The guard is closing everything",
        "Equity 9,580 GBP, 20 GBP past the limit",
        "Drawdown 4.2 % (limit 20 %)",
        "1 open position, -20 GBP",
        "<b>50001</b> Main",
        "🟢 Guard watching",
        "Equity 9,580 GBP, room 1,580 GBP",
        "Drawdown 4.2 % (limit 20 %)",
        "1 open position, -20 GBP",
        "",
        f"As of {now}, rounded. {renewed} watched. Exactly: /drawdown",
    ]
