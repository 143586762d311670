"""The person's side: writing, tapping, reading, resetting, and refusals that name the field."""

import asyncio
from typing import Any

import pytest
from aiogram import Bot
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup

from bot.sandbox.people import ADMIN_CHAT_ID
from bot.sandbox.telegram import limits
from tests.wire.telegram.conftest import Side
from tests.wire.telegram.test_methods import YES_NO

ALICE, BEN, ADA = 101, 102, 11


def keyboard(button: InlineKeyboardButton) -> InlineKeyboardMarkup:
    """Make a keyboard of one button."""
    return InlineKeyboardMarkup(inline_keyboard=[[button]])


LATER = InlineKeyboardButton(text="Later", callback_data="d")
SITE = InlineKeyboardButton(text="Site", url="https://example.org")


async def test_a_command_in_the_group_reaches_the_bot_with_its_entity(bot: Bot, side: Side) -> None:
    said = await side.post(
        "/sim/message", {"user_id": ADA, "chat_id": ADMIN_CHAT_ID, "text": "🔴 /signal now"}
    )
    message = (await bot.get_updates())[0].message
    assert message is not None
    assert message.from_user is not None
    assert (message.message_id, message.from_user.id) == (said["message_id"], ADA)
    assert (message.chat.id, message.chat.type) == (ADMIN_CHAT_ID, "supergroup")
    assert [(e.type, e.offset, e.length) for e in message.entities or []] == [("bot_command", 3, 7)]


async def test_the_newest_keyboard_with_the_label_is_tapped(bot: Bot, side: Side) -> None:
    old = await bot.send_message(ALICE, "old", reply_markup=YES_NO)
    new = await bot.send_message(ALICE, "new", reply_markup=YES_NO)
    await bot.send_message(ALICE, "other", reply_markup=keyboard(LATER))
    tap = {"user_id": ALICE, "chat_id": ALICE, "label": "Yes"}
    assert (await side.post("/sim/callback", tap))["message_id"] == new.message_id
    tap["message_id"] = old.message_id
    assert (await side.post("/sim/callback", tap))["message_id"] == old.message_id


async def test_a_label_that_is_not_there_names_those_that_are(bot: Bot, side: Side) -> None:
    tap = {"user_id": ALICE, "chat_id": ALICE, "label": "Maybe"}
    nothing = await side.post("/sim/callback", tap, status=404)
    assert nothing["error"] == "no button with label 'Maybe'; there is no keyboard"
    sent = await bot.send_message(ALICE, "x", reply_markup=YES_NO)
    missing = await side.post("/sim/callback", tap, status=404)
    assert missing == {
        "error": "no button with label 'Maybe'",
        "labels": ["Yes", "No"],
        "keyboards": [{"message_id": sent.message_id, "labels": ["Yes", "No"]}],
    }


async def test_a_tap_can_wait_for_its_answer(bot: Bot, side: Side) -> None:
    await bot.send_message(ALICE, "x", reply_markup=YES_NO)

    async def answer() -> None:
        updates = await bot.get_updates(timeout=5, allowed_updates=["callback_query"])
        query = updates[0].callback_query
        assert query is not None
        await bot.answer_callback_query(query.id, "Noted", show_alert=True)

    answering = asyncio.create_task(answer())
    tap = {"user_id": ALICE, "chat_id": ALICE, "label": "Yes", "wait_s": 5}
    found = await side.post("/sim/callback", tap)
    await answering
    assert (found["answered"], found["text"], found["show_alert"]) == (True, "Noted", True)
    toasts = (await side.get(f"/sim/chat/{ALICE}"))["toasts"]
    assert [(t["text"], t["label"]) for t in toasts[str(ALICE)]] == [("Noted", "Yes")]


async def test_a_tap_nobody_answers_says_so_after_its_wait(bot: Bot, side: Side) -> None:
    await bot.send_message(ALICE, "x", reply_markup=YES_NO)
    tap = {"user_id": ALICE, "chat_id": ALICE, "label": "Yes", "wait_s": 0.05}
    assert (await side.post("/sim/callback", tap))["answered"] is False


async def test_anyone_may_tap_and_the_bot_must_judge(bot: Bot, side: Side) -> None:
    sent = await bot.send_message(ALICE, "x", reply_markup=YES_NO)
    await side.post("/sim/callback", {"user_id": BEN, "chat_id": ALICE, "label": "Yes"})
    forged = {"user_id": 5, "chat_id": ALICE, "message_id": sent.message_id, "data": "forged"}
    await side.post("/sim/callback", forged)
    queries = [one.callback_query for one in await bot.get_updates()]
    assert [(q.from_user.id, q.data) for q in queries if q] == [(BEN, "y"), (5, "forged")]


async def test_a_link_cannot_be_tapped(bot: Bot, side: Side) -> None:
    await bot.send_message(ALICE, "x", reply_markup=keyboard(SITE))
    tap = {"user_id": ALICE, "chat_id": ALICE, "label": "Site"}
    assert "does not call the bot" in (await side.post("/sim/callback", tap, status=409))["error"]


async def test_reset_empties_chats_outbox_and_faults_only(bot: Bot, side: Side) -> None:
    await bot.set_my_commands([])
    await side.post("/sim/block", {"user_id": BEN})
    sent = await bot.send_message(ALICE, "x")
    await side.post("/sim/fault", {"code": 500, "method": "getMe", "times": 5})
    await side.post("/sim/reset", {})
    assert await side.text(ALICE) == ""
    assert await side.calls() == []
    assert (await bot.get_me()).id == 42
    assert (await bot.send_message(ALICE, "y")).message_id == sent.message_id + 1
    chats = (await side.get("/sim/chats"))["chats"]
    assert [one["chat_id"] for one in chats if one["blocked"]] == [BEN]


async def test_the_outbox_is_read_by_method_and_from_an_id(bot: Bot, side: Side) -> None:
    await bot.get_me()
    await bot.send_message(ALICE, "x")
    await bot.get_me()
    assert [one["method"] for one in await side.calls()] == ["getMe", "sendMessage", "getMe"]
    sends = await side.calls("sendmessage")
    assert sends[0]["params"] == {"chat_id": "101", "text": "x"}
    later = (await side.get(f"/sim/outbox?since={sends[0]['id']}"))["calls"]
    assert [one["method"] for one in later] == ["getMe"]


async def test_a_page_asks_cheaply_for_what_changed(bot: Bot, side: Side) -> None:
    await bot.send_message(ALICE, "x")
    version = (await side.get(f"/sim/chat/{ALICE}"))["version"]
    same = await side.get(f"/sim/chat/{ALICE}?since={version}")
    assert same == {"version": version, "unchanged": True, "typing": False}
    await bot.send_message(ALICE, "y")
    assert (await side.get(f"/sim/chat/{ALICE}?since={version}"))["version"] > version


WRONG: list[tuple[str, dict[str, Any], int, str]] = [
    ("/sim/message", {"text": "x"}, 400, "user_id"),
    ("/sim/message", {"user_id": "Ada", "text": "x"}, 400, "user_id"),
    ("/sim/message", {"user_id": -1, "text": "x"}, 400, "user_id must be a positive"),
    ("/sim/message", {"user_id": ALICE, "text": " "}, 400, "text must not be empty"),
    ("/sim/message", {"user_id": ALICE, "text": "x" * 4097}, 400, "text must have at most 4096"),
    ("/sim/message", {"user_id": ALICE, "text": "x", "chat_id": 5}, 404, "chat_id 5 does not"),
    ("/sim/message", {"user_id": ALICE, "text": "x", "chat_id": BEN}, 400, "Ben's private chat"),
    ("/sim/message", {"user_id": ALICE, "text": "x", "loud": True}, 400, "loud"),
    ("/sim/message", {"user_id": ALICE, "text": "x" * 70_000}, 413, "65536 bytes"),
    ("/sim/callback", {"user_id": ALICE, "chat_id": ALICE}, 400, "one of label and data"),
    (
        "/sim/callback",
        {"user_id": ALICE, "chat_id": ALICE, "label": "a", "message_id": 9},
        404,
        "message_id 9 does not exist",
    ),
    (
        "/sim/callback",
        {"user_id": ALICE, "chat_id": ALICE, "label": "a", "wait_s": 31},
        400,
        "wait_s must be 0..30",
    ),
]


@pytest.mark.parametrize(("path", "body", "status", "words"), WRONG)
async def test_what_is_wrong_is_named(
    side: Side, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    assert words in (await side.post(path, body, status=status))["error"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/sim/chat/abc", "chat_id must be a whole number"),
        ("/sim/chat/7", "chat_id 7 does not exist"),
        ("/sim/chat/101?format=xml", "format must be json or text"),
        ("/sim/outbox?since=x", "since must be a whole number"),
        ("/sim/file/nothing", "file_id 'nothing' does not exist"),
    ],
)
async def test_what_cannot_be_read_is_named(side: Side, path: str, words: str) -> None:
    assert words in (await side.get(path))["error"]


async def test_the_bounds_of_what_is_kept(
    bot: Bot, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MESSAGES_PER_CHAT_MAX", 2)
    monkeypatch.setattr(limits, "OUTBOX_MAX", 3)
    monkeypatch.setattr(limits, "QUERIES_MAX", 1)
    for n in range(3):
        await bot.send_message(ALICE, str(n), reply_markup=YES_NO)
    assert await side.text(ALICE) == ("[2] bot: 1\n    [Yes] [No]\n[3] bot: 2\n    [Yes] [No]\n")
    assert [one["id"] for one in await side.calls()] == [1, 2, 3]
    await bot.get_me()
    assert [one["id"] for one in await side.calls()] == [2, 3, 4]
    tap = {"user_id": ALICE, "chat_id": ALICE, "label": "Yes"}
    first = (await side.post("/sim/callback", tap))["callback_query_id"]
    second = (await side.post("/sim/callback", tap))["callback_query_id"]
    status, _ = await side.raw("answerCallbackQuery", {"callback_query_id": first})
    assert status == 400
    assert await bot.answer_callback_query(second)


async def test_people_and_files_are_bounded(
    bot: Bot, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PEOPLE_MAX", 8)  # seven live here from the start
    monkeypatch.setattr(limits, "FILES_MAX", 1)
    await side.post("/sim/message", {"user_id": 2001, "text": "x"})
    refused = await side.post("/sim/message", {"user_id": 2002, "text": "x"}, status=400)
    assert "user_id 2002 is new and 8 people exist" in refused["error"]
    ids = []
    for n in range(2):
        sent = await bot.send_document(ALICE, BufferedInputFile(b"%d" % n, "a.csv"))
        assert sent.document is not None
        ids.append(sent.document.file_id)
    assert "does not exist" in (await side.get(f"/sim/file/{ids[0]}"))["error"]
    assert (await bot.get_file(ids[1])).file_path == "documents/file_2.csv"
