"""Every method the local Bot API serves, called by the real aiogram client."""

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
    ReactionTypeEmoji,
    ReplyParameters,
)

from bot.sandbox.people import ADMIN_CHAT_ID
from bot.sandbox.telegram.limits import DELETE_AGE_S_MAX
from bot.sandbox.world import World
from tests.wire.telegram.conftest import PNG, Side

ALICE, ADA, OMAR, SAM, BOT_ID = 101, 11, 12, 999, 42
CHART = BufferedInputFile(PNG, "chart.png")
OTHER_CHART = BufferedInputFile(PNG + b"more", "chart.png")
YES_NO = InlineKeyboardMarkup(
    inline_keyboard=[
        [
            InlineKeyboardButton(text="Yes", callback_data="y"),
            InlineKeyboardButton(text="No", callback_data="n"),
        ]
    ]
)


async def test_the_bot_knows_itself_and_may_leave(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.is_bot, me.username) == (BOT_ID, True, "reckoner_demo_bot")
    assert await bot.log_out()


async def test_html_becomes_text_and_entities(bot: Bot, side: Side) -> None:
    sent = await bot.send_message(ALICE, "a <b>b</b> &lt; <code>c</code>", parse_mode="HTML")
    assert sent.text == "a b < c"
    assert [(e.type, e.offset, e.length) for e in sent.entities or []] == [
        ("bold", 2, 1),
        ("code", 6, 1),
    ]
    assert sent.html_text == "a <b>b</b> &lt; <code>c</code>"
    assert await side.text(ALICE) == "[1] bot: a b < c\n"


async def test_the_transcript_shows_buttons_by_label(bot: Bot, side: Side) -> None:
    await side.post("/sim/message", {"user_id": ALICE, "text": "/start"})
    await bot.send_message(ALICE, "Pick one\nsoon", reply_markup=YES_NO)
    assert await side.text(ALICE) == (
        "[1] Alice: /start\n[2] bot: Pick one\n    soon\n    [Yes] [No]\n"
    )
    chat = await side.get(f"/sim/chat/{ALICE}")
    assert chat["messages"][1]["buttons"] == [
        [{"label": "Yes", "data": "y"}, {"label": "No", "data": "n"}]
    ]


async def test_text_can_be_edited_and_its_buttons_go(bot: Bot, side: Side) -> None:
    sent = await bot.send_message(ALICE, "one", reply_markup=YES_NO)
    edited = await bot.edit_message_text("two", chat_id=ALICE, message_id=sent.message_id)
    assert isinstance(edited, Message)
    assert (edited.text, edited.reply_markup) == ("two", None)
    assert edited.edit_date is not None
    assert await side.text(ALICE) == "[1] bot (edited): two\n"


async def test_buttons_alone_can_be_edited_without_a_mark(bot: Bot, side: Side) -> None:
    sent = await bot.send_message(ALICE, "one")
    await bot.edit_message_reply_markup(
        chat_id=ALICE, message_id=sent.message_id, reply_markup=YES_NO
    )
    assert await side.text(ALICE) == "[1] bot: one\n    [Yes] [No]\n"


async def test_a_photo_is_kept_and_can_be_fetched_both_ways(bot: Bot, side: Side) -> None:
    sent = await bot.send_photo(ALICE, CHART, caption="<i>x</i>", parse_mode="HTML")
    assert sent.photo is not None
    assert (sent.photo[-1].width, sent.photo[-1].height) == (4, 3)
    assert (sent.caption, sent.photo[-1].file_size) == ("x", len(PNG))
    found = await bot.download(sent.photo[-1].file_id)
    assert found is not None
    assert found.read() == PNG
    async with side.http.get(f"{side.base_url}/sim/file/{sent.photo[-1].file_id}") as answer:
        assert (answer.content_type, await answer.read()) == ("image/png", PNG)
    again = await bot.send_photo(ALICE, sent.photo[-1].file_id)
    assert again.photo is not None
    assert again.photo[-1].file_id == sent.photo[-1].file_id


async def test_a_document_keeps_its_name_and_is_never_a_page(bot: Bot, side: Side) -> None:
    page = BufferedInputFile(b"<script>1</script>", "a.html")
    sent = await bot.send_document(ALICE, page)
    assert sent.document is not None
    assert sent.document.file_name == "a.html"
    async with side.http.get(f"{side.base_url}/sim/file/{sent.document.file_id}") as answer:
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["Content-Security-Policy"] == "sandbox"


async def test_an_album_is_one_message_per_picture(bot: Bot) -> None:
    sent = await bot.send_media_group(
        ALICE, [InputMediaPhoto(media=CHART, caption="1"), InputMediaPhoto(media=OTHER_CHART)]
    )
    assert [one.caption for one in sent] == ["1", None]
    assert sent[0].media_group_id == sent[1].media_group_id


async def test_a_picture_and_its_caption_can_be_replaced(bot: Bot) -> None:
    sent = await bot.send_photo(ALICE, CHART, caption="old")
    caption = await bot.edit_message_caption(
        chat_id=ALICE, message_id=sent.message_id, caption="new"
    )
    assert isinstance(caption, Message)
    assert caption.caption == "new"
    media = await bot.edit_message_media(
        InputMediaPhoto(media=OTHER_CHART, caption="c"), chat_id=ALICE, message_id=sent.message_id
    )
    assert isinstance(media, Message)
    assert media.photo is not None
    assert sent.photo is not None
    assert media.photo[-1].file_id != sent.photo[-1].file_id


async def test_a_persons_message_can_be_deleted_for_two_days(
    bot: Bot, side: Side, world: World
) -> None:
    state = world.telegram.state
    said = (await side.post("/sim/message", {"user_id": ALICE, "text": "a"}))["message_id"]
    late = (await side.post("/sim/message", {"user_id": ALICE, "text": "b"}))["message_id"]
    sent_s = state.book.messages[ALICE][late]["date"]
    state.now_s = lambda: sent_s + DELETE_AGE_S_MAX - 1.0
    assert await bot.delete_message(ALICE, said)
    state.now_s = lambda: float(sent_s + DELETE_AGE_S_MAX)
    with pytest.raises(TelegramBadRequest, match="message can't be deleted for everyone"):
        await bot.delete_message(ALICE, late)
    assert await bot.delete_messages(ALICE, [late])
    assert late in state.book.messages[ALICE]


async def test_in_a_group_only_an_administrator_deletes_what_others_wrote(
    bot: Bot, side: Side
) -> None:
    hers = {"user_id": ADA, "text": "a", "chat_id": ADMIN_CHAT_ID}
    first = (await side.post("/sim/message", hers))["message_id"]
    second = (await side.post("/sim/message", hers))["message_id"]
    own = await bot.send_message(ADMIN_CHAT_ID, "own")
    assert await bot.delete_message(ADMIN_CHAT_ID, first)
    body = {"chat_id": ADMIN_CHAT_ID, "user_id": BOT_ID, "status": "member"}
    await side.post("/sim/member", body)
    with pytest.raises(TelegramBadRequest, match=r"message can't be deleted$"):
        await bot.delete_message(ADMIN_CHAT_ID, second)
    assert await bot.delete_message(ADMIN_CHAT_ID, own.message_id)


async def test_messages_can_be_deleted_one_or_many(bot: Bot, side: Side) -> None:
    ids = [(await bot.send_message(ALICE, str(n))).message_id for n in range(4)]
    assert await bot.delete_message(ALICE, ids[0])
    assert await bot.delete_messages(ALICE, [ids[1], ids[2], 777])
    assert await side.text(ALICE) == f"[{ids[3]}] bot: 3\n"


async def test_pins_are_shown_and_taken_down(bot: Bot, side: Side) -> None:
    ids = [(await bot.send_message(ADMIN_CHAT_ID, str(n))).message_id for n in range(2)]
    for message_id in ids:
        await bot.pin_chat_message(ADMIN_CHAT_ID, message_id)
    pinned = (await bot.get_chat(ADMIN_CHAT_ID)).pinned_message
    assert pinned is not None
    assert pinned.message_id == ids[1]
    await bot.unpin_chat_message(ADMIN_CHAT_ID)
    assert await side.text(ADMIN_CHAT_ID) == "[1] bot (pinned): 0\n[2] bot: 1\n"
    await bot.unpin_all_chat_messages(ADMIN_CHAT_ID)
    assert await side.text(ADMIN_CHAT_ID) == "[1] bot: 0\n[2] bot: 1\n"


async def test_replies_reactions_copies_and_forwards(bot: Bot, side: Side) -> None:
    first = await bot.send_message(ALICE, "one")
    reply = await bot.send_message(
        ALICE, "two", reply_parameters=ReplyParameters(message_id=first.message_id)
    )
    assert reply.reply_to_message is not None
    assert reply.reply_to_message.text == "one"
    await bot.set_message_reaction(ALICE, first.message_id, [ReactionTypeEmoji(emoji="👀")])
    chat = await side.get(f"/sim/chat/{ALICE}")
    assert chat["messages"][0]["reactions"] == ["👀"]
    copied = await bot.copy_message(ADMIN_CHAT_ID, ALICE, first.message_id)
    forwarded = await bot.forward_message(ADMIN_CHAT_ID, ALICE, first.message_id)
    assert (copied.message_id, forwarded.text) == (1, "one")
    assert forwarded.forward_origin is not None


async def test_typing_shows_until_the_message_comes(bot: Bot, side: Side) -> None:
    await bot.send_chat_action(ALICE, "typing")
    assert (await side.get(f"/sim/chat/{ALICE}"))["typing"] is True
    await bot.send_message(ALICE, "done")
    assert (await side.get(f"/sim/chat/{ALICE}"))["typing"] is False


async def test_members_of_the_desk(bot: Bot) -> None:
    members = await bot.get_chat_administrators(ADMIN_CHAT_ID)
    assert [(one.user.id, one.status) for one in members] == [
        (ADA, "creator"),
        (OMAR, "administrator"),
        (BOT_ID, "administrator"),
    ]
    assert (await bot.get_chat_member(ADMIN_CHAT_ID, OMAR)).status == "administrator"
    assert (await bot.get_chat_member(ADMIN_CHAT_ID, SAM)).status == "left"
    assert (await bot.get_chat_member(ALICE, ALICE)).status == "member"
    assert (await bot.get_chat(ALICE)).first_name == "Alice"


async def test_command_menus_by_scope(bot: Bot, side: Side) -> None:
    def menu(name: str) -> list[BotCommand]:
        return [BotCommand(command=name, description="does it")]

    await bot.set_my_commands(menu("start"))
    await bot.set_my_commands(menu("positions"), scope=BotCommandScopeAllPrivateChats())
    await bot.set_my_commands(menu("signal"), scope=BotCommandScopeAllChatAdministrators())
    alice = BotCommandScopeChat(chat_id=ALICE)
    await bot.set_my_commands(menu("mine"), scope=alice)

    async def seen(user_id: int, chat_id: int) -> str:
        found = await side.get(f"/sim/commands?user_id={user_id}&chat_id={chat_id}")
        return str(found["commands"][0]["command"])

    assert await seen(ALICE, ALICE) == "mine"
    assert await seen(102, 102) == "positions"
    assert await seen(ADA, ADMIN_CHAT_ID) == "signal"
    assert await seen(ALICE, ADMIN_CHAT_ID) == "start"
    assert [one.command for one in await bot.get_my_commands(scope=alice)] == ["mine"]
    await bot.delete_my_commands(scope=alice)
    assert await bot.get_my_commands(scope=alice) == []
    assert await seen(ALICE, ALICE) == "positions"


async def test_the_webhook_is_remembered(bot: Bot) -> None:
    await bot.set_webhook("https://example.org/hook", allowed_updates=["message"])
    info = await bot.get_webhook_info()
    assert (info.url, info.allowed_updates) == ("https://example.org/hook", ["message"])
    await bot.delete_webhook()
    assert (await bot.get_webhook_info()).url == ""


@pytest.mark.parametrize("shape", ["query", "form", "json", "multipart", "shouted"])
async def test_every_way_of_passing_parameters(side: Side, shape: str) -> None:
    url = f"{side.base_url}/bot42:SANDBOX/{'SENDMESSAGE' if shape == 'shouted' else 'sendMessage'}"
    params = {"chat_id": str(ALICE), "text": "x"}
    if shape == "query":
        request = side.http.get(url, params=params)
    elif shape == "json":
        request = side.http.post(url, json={"chat_id": ALICE, "text": "x"})
    elif shape == "multipart":
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in params.items():
            form.add_field(name, value)
        request = side.http.post(url, data=form)
    else:
        request = side.http.post(url, data=params)
    async with request as answer:
        assert (answer.status, (await answer.json())["result"]["text"]) == (200, "x")
