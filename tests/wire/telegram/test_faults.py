"""Scheduled faults: which calls they hit, how often, and what the real client makes of them."""

from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from bot.sandbox.telegram import limits
from tests.wire.telegram.conftest import Side

ALICE = 101
LOST = "Server disconnected|reset by peer"

KINDS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"code": 400, "description": "Bad Request: X"}, TelegramBadRequest, "Bad Request: X"),
    ({"code": 401}, TelegramUnauthorizedError, "Unauthorized"),
    ({"code": 403}, TelegramForbiddenError, "bot was blocked by the user"),
    ({"code": 404}, TelegramNotFound, "Not Found"),
    ({"code": 409}, TelegramConflictError, "Conflict"),
    ({"code": 413}, TelegramEntityTooLarge, "Request Entity Too Large"),
    ({"code": 429, "retry_after": 7}, TelegramRetryAfter, "retry after 7"),
    ({"code": 500}, TelegramServerError, "Internal Server Error"),
    ({"code": 502}, TelegramServerError, "Bad Gateway"),
    ({"code": 400, "migrate_to_chat_id": -1009}, TelegramMigrateToChat, "migrated"),
    ({"code": "drop"}, TelegramNetworkError, LOST),
    ({"code": "drop_after"}, TelegramNetworkError, LOST),
    ({"code": "truncated"}, TelegramNetworkError, "not completed|reset by peer"),
    ({"code": "html"}, ClientDecodeError, "502 Bad Gateway"),
]


@pytest.mark.parametrize(
    ("fault", "error", "words"), KINDS, ids=[f"{row[0]['code']} {row[2]}" for row in KINDS]
)
async def test_each_fault_reaches_the_client(
    bot: Bot, side: Side, fault: dict[str, Any], error: type[Exception], words: str
) -> None:
    await side.post("/sim/fault", {"method": "sendMessage", "times": 1, **fault})
    with pytest.raises(error, match=words):
        await bot.send_message(ALICE, "x")
    executed = fault["code"] in {"drop_after", "truncated"}
    assert await side.text(ALICE) == ("[1] bot: x\n" if executed else "")
    logged = (await side.calls("sendMessage"))[0]
    assert logged["status"] == fault["code"]
    await bot.send_message(ALICE, "after")  # the fault is used up


async def test_a_fault_hits_its_method_its_times_and_its_words(bot: Bot, side: Side) -> None:
    fault = {"method": "sendmessage", "code": 500, "times": 2, "contains": "bad"}
    await side.post("/sim/fault", fault)
    await bot.send_message(ALICE, "good")
    await bot.get_me()
    for _ in range(2):
        with pytest.raises(TelegramServerError):
            await bot.send_message(ALICE, "so bad")
    await bot.send_message(ALICE, "so bad")


async def test_a_fault_comes_after_the_token_and_before_the_method(side: Side) -> None:
    await side.post("/sim/fault", {"method": "*", "code": 500, "times": 1})
    assert (await side.raw("getMe", {}, token="43:X"))[0] == 401
    assert (await side.raw("noSuchMethod", {}))[0] == 500
    assert (await side.raw("noSuchMethod", {}))[0] == 404


async def test_faults_can_be_listed_and_cleared(bot: Bot, side: Side) -> None:
    await side.post("/sim/fault", {"method": "*", "code": 500, "times": 9})
    assert (await side.get("/sim/fault"))["faults"][0]["times"] == 9
    async with side.http.delete(f"{side.base_url}/sim/fault") as answer:
        assert await answer.json() == {"faults": []}
    await bot.get_me()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"code": 200, "times": 1}, "code must be 400..599"),
        ({"code": "explode", "times": 1}, "code must be 400..599 or one of drop, drop_after"),
        ({"code": 500, "times": 0}, "times must be 1..10000"),
        ({"code": 500, "times": 10_001}, "times must be 1..10000"),
        ({"code": 500, "often": 1}, "often"),
        ({"times": 1}, "code"),
    ],
)
async def test_a_wrong_fault_is_refused_naming_the_field(
    side: Side, body: dict[str, Any], words: str
) -> None:
    assert words in (await side.post("/sim/fault", body, status=400))["error"]


async def test_the_faults_that_wait_are_bounded(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FAULTS_MAX", 2)
    for _ in range(2):
        await side.post("/sim/fault", {"code": 500})
    assert "2 faults wait" in (await side.post("/sim/fault", {"code": 500}, status=400))["error"]
