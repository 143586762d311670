"""What the local Bot API refuses, with Telegram's status, words and aiogram exception."""

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramUnauthorizedError,
)
from aiogram.methods import GetAvailableGifts
from aiogram.types import BufferedInputFile

from bot.sandbox.people import ADMIN_CHAT_ID
from bot.sandbox.world import World
from tests.wire.telegram.conftest import PNG, Side, make_bot
from tests.wire.telegram.test_methods import YES_NO

ALICE, SAM = 101, 999
FOUR_BYTES = "🔴"
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)

Call = dict[str, object]


def _key(**button: object) -> Call:
    return {"chat_id": ALICE, "text": "x", "reply_markup": {"inline_keyboard": [[button]]}}


REFUSED: list[tuple[str, str, Call, str]] = [
    ("no chat", "sendMessage", {"text": "x"}, "chat_id is empty"),
    ("unknown chat", "sendMessage", {"chat_id": 7, "text": "x"}, "chat not found"),
    ("no number", "sendMessage", {"chat_id": "@nobody", "text": "x"}, "chat not found"),
    ("who never wrote", "sendMessage", {"chat_id": SAM, "text": "x"}, "chat not found"),
    ("no text", "sendMessage", {"chat_id": ALICE}, "message text is empty"),
    ("white text", "sendMessage", {"chat_id": ALICE, "text": " \n "}, "message text is empty"),
    ("long text", "sendMessage", {"chat_id": ALICE, "text": "x" * 4097}, "message is too long"),
    (
        "long text in UTF-16 units",
        "sendMessage",
        {"chat_id": ALICE, "text": FOUR_BYTES * 2048 + "x"},
        "message is too long",
    ),
    (
        "markdown",
        "sendMessage",
        {"chat_id": ALICE, "text": "x", "parse_mode": "MarkdownV2"},
        "unsupported parse_mode",
    ),
    ("65 bytes", "sendMessage", _key(text="a", callback_data="x" * 65), "BUTTON_DATA_INVALID"),
    ("empty data", "sendMessage", _key(text="a", callback_data=""), "BUTTON_DATA_INVALID"),
    (
        "33 letters of two bytes",
        "sendMessage",
        _key(text="a", callback_data="é" * 33),
        "BUTTON_DATA_INVALID",
    ),
    (
        "a button that does nothing",
        "sendMessage",
        _key(text="a"),
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ),
    ("bad address", "sendMessage", _key(text="a", url="javascript:1"), "BUTTON_URL_INVALID"),
    (
        "reply to nothing",
        "sendMessage",
        {"chat_id": ALICE, "text": "x", "reply_parameters": {"message_id": 9}},
        "message to be replied not found",
    ),
    (
        "edit of nothing",
        "editMessageText",
        {"chat_id": ALICE, "message_id": 9, "text": "x"},
        "message to edit not found",
    ),
    (
        "edit of another's",
        "editMessageText",
        {"chat_id": ALICE, "message_id": 1, "text": "x"},
        "message can't be edited",
    ),
    (
        "same text",
        "editMessageText",
        {"chat_id": ALICE, "message_id": 2, "text": "own"},
        NOT_MODIFIED,
    ),
    (
        "caption of a text",
        "editMessageCaption",
        {"chat_id": ALICE, "message_id": 2, "caption": "x"},
        "there is no caption in the message to edit",
    ),
    (
        "delete of nothing",
        "deleteMessage",
        {"chat_id": ALICE, "message_id": 9},
        "message to delete not found",
    ),
    (
        "pin of nothing",
        "pinChatMessage",
        {"chat_id": ALICE, "message_id": 9},
        "message to pin not found",
    ),
    (
        "answer to nothing",
        "answerCallbackQuery",
        {"callback_query_id": "1"},
        "query is too old and response timeout expired or query ID is invalid",
    ),
    (
        "long answer",
        "answerCallbackQuery",
        {"callback_query_id": "1", "text": "x" * 201},
        "MESSAGE_TOO_LONG",
    ),
    ("no photo", "sendPhoto", {"chat_id": ALICE}, "there is no photo in the request"),
    (
        "unknown file",
        "sendPhoto",
        {"chat_id": ALICE, "photo": "AAA"},
        "wrong file identifier/HTTP URL specified",
    ),
    (
        "a photo from the net",
        "sendPhoto",
        {"chat_id": ALICE, "photo": "https://example.org/a.png"},
        "failed to get HTTP URL content",
    ),
    ("unknown file id", "getFile", {"file_id": "AAA"}, "invalid file_id"),
    (
        "a private chat's admins",
        "getChatAdministrators",
        {"chat_id": ALICE},
        "there are no administrators in the private chat",
    ),
    (
        "bad command",
        "setMyCommands",
        {"commands": [{"command": "Bad-Name", "description": "x"}]},
        "BOT_COMMAND_INVALID",
    ),
    (
        "bad action",
        "sendChatAction",
        {"chat_id": ALICE, "action": "dance"},
        "wrong parameter action in request",
    ),
]


@pytest.mark.parametrize(
    ("method", "params", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_bad_requests(side: Side, method: str, params: Call, words: str) -> None:
    await side.post("/sim/message", {"user_id": ALICE, "text": "hello"})
    await side.raw("sendMessage", {"chat_id": ALICE, "text": "own"})
    before = await side.text(ALICE)
    status, envelope = await side.raw(method, params)
    assert (status, envelope) == (
        400,
        {"ok": False, "error_code": 400, "description": f"Bad Request: {words}"},
    )
    assert await side.text(ALICE) == before
    assert (await side.calls(method))[-1]["description"] == f"Bad Request: {words}"


@pytest.mark.parametrize("text", ["x" * 4096, FOUR_BYTES * 2048, "<b>" + "x" * 4096 + "</b>"])
async def test_text_at_the_limit_passes(bot: Bot, text: str) -> None:
    await bot.send_message(ALICE, text, parse_mode="HTML")


async def test_captions_and_data_at_and_past_their_limits(bot: Bot, side: Side) -> None:
    chart = BufferedInputFile(PNG, "c.png")
    await bot.send_photo(ALICE, chart, caption="x" * 1024)
    with pytest.raises(TelegramBadRequest, match="message caption is too long"):
        await bot.send_photo(ALICE, chart, caption="x" * 1025)
    status, _ = await side.raw("sendMessage", _key(text="a", callback_data="x" * 64))
    assert status == 200


async def test_what_is_no_picture_is_no_photo(bot: Bot) -> None:
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await bot.send_photo(ALICE, BufferedInputFile(b"text", "c.png"))
    with pytest.raises(TelegramBadRequest, match="file must be non-empty"):
        await bot.send_document(ALICE, BufferedInputFile(b"", "c.csv"))


async def test_the_same_keyboard_is_not_modified_either(bot: Bot) -> None:
    sent = await bot.send_message(ALICE, "x", reply_markup=YES_NO)
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_reply_markup(
            chat_id=ALICE, message_id=sent.message_id, reply_markup=YES_NO
        )


async def test_a_blocked_bot_may_not_write_until_the_person_writes(bot: Bot, side: Side) -> None:
    await side.post("/sim/block", {"user_id": ALICE, "blocked": True})
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(ALICE, "x")
    blocked = (await bot.get_updates())[-1].my_chat_member
    assert blocked is not None
    assert blocked.new_chat_member.status == "kicked"
    await side.post("/sim/message", {"user_id": ALICE, "text": "/start"})
    await bot.send_message(ALICE, "x")


async def test_a_stranger_can_be_written_to_once_they_wrote(bot: Bot, side: Side) -> None:
    await side.post("/sim/message", {"user_id": SAM, "text": "/start"})
    assert (await bot.send_message(SAM, "Who are you?")).chat.id == SAM


async def test_a_wrong_token_and_an_unknown_method(world: World, bot: Bot, side: Side) -> None:
    foreign = make_bot(world.base_url, "43:OTHER")
    with pytest.raises(TelegramUnauthorizedError, match="Unauthorized"):
        await foreign.get_me()
    await foreign.session.close()
    with pytest.raises(TelegramNotFound, match="method not found"):
        await bot(GetAvailableGifts())
    assert [(one["method"], one["status"]) for one in await side.calls()] == [
        ("getMe", 401),
        ("getAvailableGifts", 404),
    ]


async def test_a_body_that_is_no_json(side: Side) -> None:
    url = f"{side.base_url}/bot42:SANDBOX/sendMessage"
    headers = {"Content-Type": "application/json"}
    async with side.http.post(url, data=b"{", headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["description"] == "Bad Request: can't parse request body"


async def test_a_tap_is_answered_once(bot: Bot, side: Side) -> None:
    await bot.send_message(ADMIN_CHAT_ID, "x", reply_markup=YES_NO)
    tap = {"user_id": 11, "chat_id": ADMIN_CHAT_ID, "label": "Yes"}
    query_id = (await side.post("/sim/callback", tap))["callback_query_id"]
    assert await bot.answer_callback_query(query_id)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query(query_id)
