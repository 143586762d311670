"""What one member of a group sees alone: who gets it, when, and who never does."""

from pathlib import Path
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    BufferedInputFile,
    EphemeralMessageParameters,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    ReplyParameters,
)

from bot.sandbox.people import ADMIN_CHAT_ID, BOT_ID
from bot.sandbox.telegram import limits
from bot.sandbox.world import World, WorldOptions
from tests.wire.telegram.conftest import PNG, Side

ADA, OMAR, ALICE, BEN = 11, 12, 101, 102
KEYBOARD = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="y")]]
)


def only(user_id: int, **more: Any) -> EphemeralMessageParameters:
    """The parameters of a message for one person."""
    return EphemeralMessageParameters(receiver_user_id=user_id, **more)


async def tell(bot: Bot, user_id: int, text: str = "psst", **more: Any) -> Message:
    """Tell one person something in the desk's group."""
    parameters = only(user_id, **more)
    return await bot.send_message(ADMIN_CHAT_ID, text, ephemeral_message_parameters=parameters)


async def seen(side: Side, user_id: int | None = None) -> list[str]:
    """What the desk's group shows somebody; without anybody, what it shows everybody."""
    viewer = "" if user_id is None else f"?user_id={user_id}"
    chat = await side.get(f"/sim/chat/{ADMIN_CHAT_ID}{viewer}")
    return [message["text"] for message in chat["messages"]]


async def press(side: Side, user_id: int, **more: Any) -> dict[str, Any]:
    """Press the button under the newest message that somebody sees in the group."""
    tap = {"user_id": user_id, "chat_id": ADMIN_CHAT_ID, "label": "Yes", **more}
    found: dict[str, Any] = await side.post("/sim/callback", tap)
    return found


async def test_only_the_receiver_sees_it_in_its_place(bot: Bot, side: Side) -> None:
    await bot.send_message(ADMIN_CHAT_ID, "before")
    sent = await tell(bot, OMAR)
    await bot.send_message(ADMIN_CHAT_ID, "after")
    assert sent.message_id == 0
    assert sent.ephemeral_message_id == 1
    assert sent.receiver_user is not None
    assert sent.receiver_user.id == OMAR
    assert await seen(side, OMAR) == ["before", "psst", "after"]
    assert await seen(side, ADA) == await seen(side) == ["before", "after"]
    (view,) = [
        message
        for message in (await side.get(f"/sim/chat/{ADMIN_CHAT_ID}?user_id={OMAR}"))["messages"]
        if "only_for" in message
    ]
    assert (view["id"], view["ephemeral_id"], view["after"], view["only_for"]) == (0, 1, 1, "Omar")
    (desk,) = [c for c in (await side.get("/sim/chats"))["chats"] if c["chat_id"] < 0]
    assert desk["last"]["text"] == "after"


async def test_a_private_chat_has_none(bot: Bot) -> None:
    with pytest.raises(TelegramBadRequest, match="BOT_NOT_ADMIN"):
        await bot.send_message(ALICE, "x", ephemeral_message_parameters=only(ALICE))


@pytest.mark.parametrize("status", ["left", "kicked", None])
async def test_whoever_is_no_member_gets_none(bot: Bot, side: Side, status: str | None) -> None:
    if status is not None:
        body = {"chat_id": ADMIN_CHAT_ID, "user_id": BEN, "status": status}
        await side.post("/sim/member", body)
    for user_id in (BEN, BOT_ID, 4242):
        with pytest.raises(TelegramBadRequest, match="USER_NOT_PARTICIPANT"):
            await tell(bot, user_id)
    assert await seen(side, BEN) == []


async def test_a_bot_that_administrates_nothing_answers_a_press_within_15_seconds(
    bot: Bot, side: Side, world: World
) -> None:
    await bot.send_message(ADMIN_CHAT_ID, "Sure?", reply_markup=KEYBOARD)
    body = {"chat_id": ADMIN_CHAT_ID, "user_id": BOT_ID, "status": "member"}
    await side.post("/sim/member", body)
    with pytest.raises(TelegramBadRequest, match="BOT_NOT_ADMIN"):
        await tell(bot, ADA)
    state = world.telegram.state
    state.now_s = lambda: 5_000.0
    query_id = (await press(side, ADA))["callback_query_id"]
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await tell(bot, OMAR, callback_query_id=query_id)  # not his press
    state.now_s = lambda: 5_015.0
    await tell(bot, ADA, "in time", callback_query_id=query_id)
    state.now_s = lambda: 5_015.1
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await tell(bot, ADA, callback_query_id=query_id)
    assert await seen(side, ADA) == ["Sure?", "in time"]


async def test_it_may_stand_where_the_pressed_message_stands_for_others(
    bot: Bot, side: Side
) -> None:
    await bot.send_message(ADMIN_CHAT_ID, "Sure?", reply_markup=KEYBOARD)
    await bot.send_message(ADMIN_CHAT_ID, "later")
    query_id = (await press(side, ADA))["callback_query_id"]
    with pytest.raises(TelegramBadRequest, match="MESSAGE_ID_INVALID"):
        await tell(bot, ADA, replace_callback_query_message=True)  # names no press
    await tell(bot, ADA, "Yours", callback_query_id=query_id, replace_callback_query_message=True)
    assert await seen(side, ADA) == ["Yours", "later"]
    assert await seen(side, OMAR) == ["Sure?", "later"]


async def test_it_is_edited_and_deleted_by_methods_of_its_own(bot: Bot, side: Side) -> None:
    sent = await tell(bot, OMAR)
    assert sent.ephemeral_message_id is not None
    whose: dict[str, Any] = {
        "chat_id": ADMIN_CHAT_ID,
        "receiver_user_id": OMAR,
        "ephemeral_message_id": sent.ephemeral_message_id,
    }
    others = whose | {"receiver_user_id": ADA}
    assert await bot.edit_ephemeral_message_text(text="better", **whose)
    assert await seen(side, OMAR) == ["better"]
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_ephemeral_message_text(text="better", **whose)
    assert await bot.edit_ephemeral_message_reply_markup(reply_markup=KEYBOARD, **whose)
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_ephemeral_message_text(text="x", **others)
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("x", chat_id=ADMIN_CHAT_ID, message_id=0)
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await bot.send_message(
            ADMIN_CHAT_ID,
            "x",
            ephemeral_message_parameters=only(OMAR),
            reply_parameters=ReplyParameters(message_id=4242, allow_sending_without_reply=True),
        )
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await bot.delete_ephemeral_message(**others)
    assert await bot.delete_ephemeral_message(**whose)
    assert await seen(side, OMAR) == []


async def test_a_picture_and_its_caption_too(bot: Bot, side: Side) -> None:
    sent = await bot.send_photo(
        ADMIN_CHAT_ID,
        BufferedInputFile(PNG, "c.png"),
        caption="one",
        ephemeral_message_parameters=only(OMAR),
    )
    assert sent.ephemeral_message_id is not None
    assert await bot.edit_ephemeral_message_caption(
        chat_id=ADMIN_CHAT_ID,
        receiver_user_id=OMAR,
        ephemeral_message_id=sent.ephemeral_message_id,
        caption="two",
    )
    assert (await seen(side, OMAR), await seen(side, ADA)) == (["two"], [])


async def test_its_button_is_pressed_by_its_receiver_and_nobody_else(bot: Bot, side: Side) -> None:
    sent = await bot.send_message(
        ADMIN_CHAT_ID,
        "Sure?",
        reply_markup=KEYBOARD,
        ephemeral_message_parameters=only(OMAR),
    )
    number = sent.ephemeral_message_id
    tap = {"user_id": ADA, "chat_id": ADMIN_CHAT_ID, "label": "Yes"}
    await side.post("/sim/callback", tap, status=404)
    await side.post("/sim/callback", tap | {"ephemeral_message_id": number}, status=404)
    await press(side, OMAR, ephemeral_message_id=number)
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    pressed = update.callback_query.message
    assert isinstance(pressed, Message)
    assert (pressed.message_id, pressed.ephemeral_message_id) == (0, number)


async def test_of_the_oldest_no_more_than_the_bound_is_held(
    bot: Bot, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EPHEMERALS_PER_PERSON_MAX", 2)
    for text in ("1", "2", "3"):
        await tell(bot, OMAR, text)
    await tell(bot, ADA, "hers")
    assert await seen(side, OMAR) == ["2", "3"]
    await side.post("/sim/reset", {})
    assert await seen(side, OMAR) == await seen(side, ADA) == []


async def test_it_is_gone_with_the_world_that_held_it(
    bot: Bot, side: Side, world: World, tmp_path: Path
) -> None:
    await bot.send_message(ADMIN_CHAT_ID, "stays")
    await tell(bot, OMAR)
    await world.stop()
    again = World(tmp_path, 0, WorldOptions(market="manual"))
    await again.start()
    try:
        assert await seen(Side(side.http, again.base_url), OMAR) == ["stays"]
    finally:
        await again.stop()


@pytest.mark.parametrize("options", [WorldOptions(market="manual")])
async def test_it_counts_as_a_send_and_its_edit_too(side: Side, options: WorldOptions) -> None:
    assert options.flood_limits
    body = {"chat_id": ADMIN_CHAT_ID, "ephemeral_message_parameters": {"receiver_user_id": OMAR}}
    whose = {"chat_id": ADMIN_CHAT_ID, "receiver_user_id": OMAR, "ephemeral_message_id": 1}
    for number in range(19):
        assert (await side.raw("sendMessage", body | {"text": str(number)}))[0] == 200
    assert (await side.raw("editEphemeralMessageText", whose | {"text": "x"}))[0] == 200
    assert (await side.raw("editEphemeralMessageText", whose | {"text": "y"}))[0] == 429
    assert (await side.raw("sendMessage", {"chat_id": ADMIN_CHAT_ID, "text": "z"}))[0] == 429
