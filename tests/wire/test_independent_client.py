"""The local Telegram through another client library: it is the protocol that is kept here.

python-telegram-bot shares nothing with the library the app is built on: another HTTP client, other
encodings of parameters, stricter types. What both understand is Telegram's own.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    ChatMemberAdministrator,
    ChatMemberLeft,
    ChatMemberMember,
    ChatMemberOwner,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    ReplyParameters,
)
from telegram.constants import ChatType, MessageEntityType, ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
)
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
)
from telegram.request import HTTPXRequest

from bot.sandbox.part import WorldOptions
from bot.sandbox.people import ADMIN_CHAT_ID, BOT_ID, BOT_TOKEN, BOT_USERNAME
from bot.sandbox.world import World
from tests.wire.telegram.conftest import PNG, Side

ADA, OMAR, ALICE, BEN, SAM = 11, 12, 101, 102, 999
PATIENCE_S = 10


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    running = World(tmp_path, 0, WorldOptions(market="manual"))
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def side(world: World) -> AsyncIterator[Side]:
    async with aiohttp.ClientSession() as http:
        yield Side(http, world.base_url)


def client(world: World) -> Bot:
    """The other library's client, pointed at the world."""
    base = world.base_url
    return Bot(BOT_TOKEN, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot")


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Bot]:
    async with client(world) as made:
        yield made


async def test_it_knows_itself_and_a_wrong_token_is_no_bot(world: World, bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.username) == (BOT_ID, True, BOT_USERNAME)
    assert me.can_join_groups
    async with HTTPXRequest() as request:
        with pytest.raises(InvalidToken):
            await Bot("43:OTHER", base_url=f"{world.base_url}/bot", request=request).get_me()


async def test_html_and_buttons_arrive_as_entities_and_a_keyboard(bot: Bot, side: Side) -> None:
    keyboard = InlineKeyboardMarkup(
        [
            [InlineKeyboardButton("Yes", callback_data="y:1")],
            [InlineKeyboardButton("Docs", url="https://example.org")],
        ]
    )
    sent = await bot.send_message(
        ALICE,
        "\U0001f534 <b>Close</b> <code>50001</code>",
        parse_mode=ParseMode.HTML,
        reply_markup=keyboard,
        disable_notification=True,
    )
    assert sent.text == "\U0001f534 Close 50001"
    # UTF-16: the circle counts two, the space one.
    assert [(e.type, e.offset, e.length) for e in sent.entities] == [
        (MessageEntityType.BOLD, 3, 5),
        (MessageEntityType.CODE, 9, 5),
    ]
    assert sent.text_html == "\U0001f534 <b>Close</b> <code>50001</code>"
    assert sent.reply_markup == keyboard
    assert sent.chat.type == ChatType.PRIVATE
    assert abs(datetime.now(UTC) - sent.date) < timedelta(seconds=PATIENCE_S)
    assert "[Yes]" in await side.text(ALICE)


async def test_an_answer_an_edit_a_pin_and_a_deletion(bot: Bot, side: Side) -> None:
    first = await bot.send_message(ALICE, "one")
    answer = await bot.send_message(
        ALICE, "two", reply_parameters=ReplyParameters(message_id=first.message_id)
    )
    assert answer.reply_to_message is not None
    assert answer.reply_to_message.message_id == first.message_id
    edited = await bot.edit_message_text("three", chat_id=ALICE, message_id=first.message_id)
    assert not isinstance(edited, bool)
    assert edited.edit_date is not None
    assert await bot.pin_chat_message(ALICE, first.message_id)
    chat = await bot.get_chat(ALICE)
    assert chat.pinned_message is not None
    assert chat.pinned_message.text == "three"
    assert await bot.unpin_chat_message(ALICE, first.message_id)
    assert (await bot.get_chat(ALICE)).pinned_message is None
    assert await bot.delete_message(ALICE, answer.message_id)
    assert await side.text(ALICE) == f"[{first.message_id}] bot (edited): three\n"


async def test_a_document_and_a_picture_are_kept_and_can_be_fetched(bot: Bot) -> None:
    sent = await bot.send_document(ALICE, b"a;b\n1;2\n", filename="trades.csv", caption="Trades")
    assert sent.document is not None
    assert (sent.document.file_name, sent.document.file_size) == ("trades.csv", 8)
    file = await bot.get_file(sent.document.file_id)
    assert bytes(await file.download_as_bytearray()) == b"a;b\n1;2\n"
    picture = await bot.send_photo(ALICE, PNG, caption="<i>chart</i>", parse_mode=ParseMode.HTML)
    assert (picture.photo[-1].width, picture.photo[-1].height) == (4, 3)
    assert picture.caption_html == "<i>chart</i>"
    again = await bot.send_photo(BEN, picture.photo[-1].file_id)
    assert again.photo[-1].file_unique_id == picture.photo[-1].file_unique_id
    album = await bot.send_media_group(BEN, [InputMediaPhoto(PNG), InputMediaPhoto(PNG)])
    assert len({message.media_group_id for message in album}) == 1


async def test_each_refusal_is_an_error_of_its_own_kind(bot: Bot, side: Side) -> None:
    sent = await bot.send_message(ALICE, "x")
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("x", chat_id=ALICE, message_id=sent.message_id)
    with pytest.raises(BadRequest, match="Can't parse entities"):
        await bot.send_message(BEN, "<b>x", parse_mode=ParseMode.HTML)
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(4242, "x")
    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message(BEN, "x" * 4097)
    await side.post("/sim/block", {"user_id": BEN})
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(BEN, "x")
    for code in (500, 502):
        await side.post("/sim/fault", {"method": "sendMessage", "code": code})
        with pytest.raises(NetworkError):
            await bot.send_message(ALICE, "x")


async def test_past_the_rate_it_says_how_long_to_wait(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # its next major version's type, without a warning
    for number in range(3):
        await bot.send_message(ALICE, str(number))
    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(ALICE, "3")
    assert refused.value.retry_after == timedelta(seconds=1)


async def test_updates_come_once_confirmed_by_the_next_offset(bot: Bot, side: Side) -> None:
    await side.post("/sim/message", {"user_id": ALICE, "text": "/start now"})
    (update,) = await bot.get_updates(timeout=1)
    assert update.message is not None
    assert update.message.from_user is not None
    assert (update.message.from_user.id, update.message.text) == (ALICE, "/start now")
    assert update.message.entities[0].type == MessageEntityType.BOT_COMMAND
    assert await bot.get_updates(timeout=0) == (update,)
    assert await bot.get_updates(offset=update.update_id + 1, timeout=0) == ()


async def test_a_second_poller_is_a_conflict(world: World, bot: Bot) -> None:
    async with client(world) as other:
        waiting = asyncio.create_task(bot.get_updates(timeout=PATIENCE_S))
        while not world.telegram.state.updates._poll:  # noqa: SLF001 - that it waits is not told
            await asyncio.sleep(0)
        assert await other.get_updates(timeout=0) == ()
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await waiting


async def test_topics_of_a_forum(bot: Bot, side: Side) -> None:
    with pytest.raises(BadRequest, match="not a forum"):
        await bot.create_forum_topic(ADMIN_CHAT_ID, "Alerts")
    await side.post("/sim/forum", {"chat_id": ADMIN_CHAT_ID})
    assert (await bot.get_chat(ADMIN_CHAT_ID)).is_forum
    topic = await bot.create_forum_topic(ADMIN_CHAT_ID, "Alerts")
    thread_id = topic.message_thread_id
    sent = await bot.send_message(ADMIN_CHAT_ID, "gap", message_thread_id=thread_id)
    assert (sent.message_thread_id, sent.is_topic_message) == (thread_id, True)
    answer = await bot.send_message(
        ADMIN_CHAT_ID, "calm", reply_parameters=ReplyParameters(message_id=sent.message_id)
    )
    assert answer.message_thread_id == thread_id
    general = await bot.send_message(ADMIN_CHAT_ID, "started")
    assert general.message_thread_id is None
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(ADMIN_CHAT_ID, "x", message_thread_id=4242)
    assert await bot.edit_forum_topic(ADMIN_CHAT_ID, thread_id, name="Critical")
    assert await bot.close_forum_topic(ADMIN_CHAT_ID, thread_id)
    with pytest.raises(BadRequest, match=r"(?i)topic_closed"):
        await bot.send_message(ADMIN_CHAT_ID, "x", message_thread_id=thread_id)
    assert await bot.reopen_forum_topic(ADMIN_CHAT_ID, thread_id)
    told = await side.post(
        "/sim/message",
        {"user_id": ADA, "chat_id": ADMIN_CHAT_ID, "text": "seen", "message_thread_id": thread_id},
    )
    (update,) = await bot.get_updates(timeout=1)
    assert update.message is not None
    assert (update.message.message_id, update.message.message_thread_id) == (
        told["message_id"],
        thread_id,
    )
    assert "#Critical: gap" in await side.text(ADMIN_CHAT_ID)
    assert await bot.delete_forum_topic(ADMIN_CHAT_ID, thread_id)
    assert (await side.text(ADMIN_CHAT_ID)).endswith("bot: started\n")


async def test_a_message_for_one_member_alone(bot: Bot, side: Side) -> None:
    parameters = {"ephemeral_message_parameters": {"receiver_user_id": OMAR}}
    sent = await bot.send_message(ADMIN_CHAT_ID, "psst", api_kwargs=parameters)
    assert (sent.message_id, sent.api_kwargs["ephemeral_message_id"]) == (0, 1)
    assert sent.api_kwargs["receiver_user"]["id"] == OMAR
    assert await side.text(ADMIN_CHAT_ID) == ""
    whose = {"chat_id": ADMIN_CHAT_ID, "receiver_user_id": OMAR, "ephemeral_message_id": 1}
    assert await bot.do_api_request("editEphemeralMessageText", whose | {"text": "x"})
    with pytest.raises(BadRequest, match=r"(?i)bot_not_admin"):
        await bot.send_message(ALICE, "psst", api_kwargs=parameters)


async def test_members_and_their_roles(bot: Bot, side: Side) -> None:
    async def role(user_id: int) -> type[Any]:
        return type(await bot.get_chat_member(ADMIN_CHAT_ID, user_id))

    assert await role(ADA) is ChatMemberOwner
    assert await role(OMAR) is ChatMemberAdministrator
    assert await role(SAM) is ChatMemberLeft
    assert await bot.get_chat_member_count(ADMIN_CHAT_ID) == 3
    for status in ("member", "administrator"):
        await side.post("/sim/member", {"chat_id": ADMIN_CHAT_ID, "user_id": SAM, "status": status})
    admins = await bot.get_chat_administrators(ADMIN_CHAT_ID)
    assert [one.user.id for one in admins] == [ADA, OMAR, SAM, BOT_ID]
    await side.post("/sim/member", {"chat_id": ADMIN_CHAT_ID, "user_id": SAM, "status": "left"})
    await side.post("/sim/member", {"chat_id": ADMIN_CHAT_ID, "user_id": OMAR, "status": "member"})
    assert await role(OMAR) is ChatMemberMember
    assert await role(SAM) is ChatMemberLeft
    await side.post(
        "/sim/member", {"chat_id": ADMIN_CHAT_ID, "user_id": BOT_ID, "status": "kicked"}
    )
    with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
        await bot.send_message(ADMIN_CHAT_ID, "x")
    (update,) = await bot.get_updates(timeout=1)
    assert update.my_chat_member is not None
    assert update.my_chat_member.new_chat_member.status == "kicked"


async def test_a_group_becomes_a_supergroup_with_another_id(bot: Bot, side: Side) -> None:
    made = await side.post("/sim/group", {"title": "Desk", "members": [ADA, OMAR], "basic": True})
    old_id = made["chat_id"]
    assert (await bot.send_message(old_id, "before")).chat.type == ChatType.GROUP
    new_id = (await side.post("/sim/migrate", {"chat_id": old_id}))["chat_id"]
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(old_id, "after")
    assert moved.value.new_chat_id == new_id
    assert (await bot.send_message(new_id, "after")).chat.type == ChatType.SUPERGROUP
    first, second = await bot.get_updates(timeout=1)
    assert first.message is not None
    assert first.message.migrate_to_chat_id == new_id
    assert second.message is not None
    assert second.message.migrate_from_chat_id == old_id


async def test_command_menus_by_scope(bot: Bot, side: Side) -> None:
    assert await bot.set_my_commands([BotCommand("help", "What I can do")])
    scope = BotCommandScopeChat(ALICE)
    assert await bot.set_my_commands([BotCommand("positions", "What is open")], scope=scope)
    assert await bot.get_my_commands(scope=scope) == (BotCommand("positions", "What is open"),)
    seen = await side.get(f"/sim/commands?user_id={BEN}")
    assert [one["command"] for one in seen["commands"]] == ["help"]
    assert await bot.delete_my_commands(scope=scope)
    assert await bot.get_my_commands(scope=scope) == ()


Context = ContextTypes.DEFAULT_TYPE


async def test_its_own_polling_and_dispatching_work_from_command_to_answered_press(
    world: World, side: Side
) -> None:
    """The library's whole application: it polls, confirms, dispatches by itself."""

    async def start(update: Any, _: Context) -> None:  # noqa: ANN401 - the library's Update
        keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Press", callback_data="p")]])
        await update.message.reply_text("Press it", reply_markup=keyboard)

    async def press(update: Any, _: Context) -> None:  # noqa: ANN401 - the same
        await update.callback_query.answer("Pressed", show_alert=True)
        await update.callback_query.edit_message_text("Done")

    base = world.base_url
    app: Application[Any, Any, Any, Any, Any, Any] = (
        ApplicationBuilder().token(BOT_TOKEN).base_url(f"{base}/bot").build()
    )
    app.add_handler(CommandHandler("start", start))
    app.add_handler(CallbackQueryHandler(press))
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(timeout=1)
        await side.post("/sim/message", {"user_id": ALICE, "text": "/start"})
        async with asyncio.timeout(PATIENCE_S):
            while "[Press]" not in await side.text(ALICE):
                await asyncio.sleep(0.01)
        tap = {"user_id": ALICE, "chat_id": ALICE, "label": "Press", "wait_s": PATIENCE_S}
        answer = await side.post("/sim/callback", tap)
        assert (answer["text"], answer["show_alert"]) == ("Pressed", True)
        async with asyncio.timeout(PATIENCE_S):
            while "bot (edited): Done" not in await side.text(ALICE):
                await asyncio.sleep(0.01)
        await app.updater.stop()
        await app.stop()
    assert len(world.telegram.state.updates) == 0, "all confirmed"
