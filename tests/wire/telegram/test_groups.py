"""Groups and topics at their bounds; what works stands in `test_independent_client.py`."""

from typing import Any

import pytest

from bot.sandbox.people import ADMIN_CHAT_ID, BOT_ID
from bot.sandbox.telegram import limits
from tests.wire.telegram.conftest import Side

ADA, ALICE = 11, 101


@pytest.fixture
async def forum(side: Side) -> int:
    """A forum of Ada's."""
    made = await side.post("/sim/group", {"title": "Forum", "members": [ADA], "forum": True})
    return int(made["chat_id"])


async def refusal(side: Side, method: str, **params: Any) -> str:
    """The words of a refused call."""
    status, envelope = await side.raw(method, params)
    assert status == envelope["error_code"], envelope
    return str(envelope["description"])


async def test_a_topic_has_a_name_of_at_most_128_units(side: Side, forum: int) -> None:
    longest = "\U0001f534" * 64
    status, made = await side.raw("createForumTopic", {"chat_id": forum, "name": longest})
    assert (status, made["result"]["name"]) == (200, longest)
    for name in (longest + "x", " ", ""):
        told = await refusal(side, "createForumTopic", chat_id=forum, name=name)
        assert told == "Bad Request: TOPIC_TITLE_INVALID"


async def test_topics_and_groups_are_bounded(
    side: Side, forum: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TOPICS_PER_CHAT_MAX", 1)
    assert (await side.raw("createForumTopic", {"chat_id": forum, "name": "1"}))[0] == 200
    assert "TOPICS_TOO_MUCH" in await refusal(side, "createForumTopic", chat_id=forum, name="2")
    monkeypatch.setattr(limits, "GROUPS_MAX", 3)  # the desk, the forum, and one more
    await side.post("/sim/group", {"title": "x" * 128, "members": [ADA]})
    refused = await side.post("/sim/group", {"title": "x", "members": [ADA]}, status=400)
    assert refused["error"] == "3 groups exist"


async def test_administrators_of_a_group_see_their_menu_as_long_as_they_are(
    side: Side, forum: int
) -> None:
    command = {"command": "pause", "description": "Pause"}
    scope = {"type": "chat_administrators", "chat_id": forum}
    await side.raw("setMyCommands", {"commands": [command], "scope": scope})

    async def seen(user_id: int) -> list[str]:
        found = await side.get(f"/sim/commands?user_id={user_id}&chat_id={forum}")
        return [one["command"] for one in found["commands"]]

    assert await seen(ADA) == ["pause"]
    assert await seen(ALICE) == []
    for status, menu in (("administrator", ["pause"]), ("member", [])):
        await side.post("/sim/member", {"chat_id": forum, "user_id": ALICE, "status": status})
        assert await seen(ALICE) == menu


WRONG: list[tuple[str, dict[str, Any], int, str]] = [
    ("/sim/group", {"title": "x" * 129, "members": [ADA]}, 400, "title must have 1..128"),
    ("/sim/group", {"title": "x", "members": []}, 400, "members must name"),
    ("/sim/group", {"title": "x", "members": [-1]}, 400, "user_id must be a positive"),
    ("/sim/group", {"title": "x", "members": [ADA], "forum": True, "basic": True}, 400, "topics"),
    ("/sim/member", {"chat_id": ALICE, "user_id": ADA, "status": "left"}, 400, "is no group"),
    ("/sim/member", {"chat_id": ADMIN_CHAT_ID, "user_id": ADA, "status": "king"}, 400, "status"),
    ("/sim/forum", {"chat_id": 4242}, 404, "does not exist"),
    ("/sim/migrate", {"chat_id": ALICE}, 400, "is no group"),
]


@pytest.mark.parametrize(("path", "body", "status", "words"), WRONG)
async def test_what_is_wrong_is_named(
    side: Side, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    assert words in (await side.post(path, body, status=status))["error"]


async def test_a_group_moves_once_and_calls_to_its_old_id_name_the_new_one(side: Side) -> None:
    made = await side.post("/sim/group", {"title": "Desk", "members": [ADA], "basic": True})
    old_id = made["chat_id"]
    assert (await side.post("/sim/forum", {"chat_id": old_id}, status=400))["error"] == (
        "basic groups have no topics"
    )
    new_id = (await side.post("/sim/migrate", {"chat_id": old_id}))["chat_id"]
    _, envelope = await side.raw("getChat", {"chat_id": old_id})
    assert envelope["parameters"] == {"migrate_to_chat_id": new_id}
    again = await side.post("/sim/migrate", {"chat_id": old_id}, status=409)
    assert again["error"] == f"chat_id {old_id} has moved to {new_id}"
    owner = await side.raw("getChatMember", {"chat_id": new_id, "user_id": ADA})
    assert owner[1]["result"]["status"] == "creator"


async def test_a_bot_that_is_no_administrator_opens_no_topics_and_one_that_left_says_nothing(
    side: Side, forum: int
) -> None:
    await side.post("/sim/member", {"chat_id": forum, "user_id": BOT_ID, "status": "member"})
    told = await refusal(side, "createForumTopic", chat_id=forum, name="x")
    assert told == "Bad Request: not enough rights to create a topic"
    assert (await side.raw("leaveChat", {"chat_id": forum}))[0] == 200
    told = await refusal(side, "sendMessage", chat_id=forum, text="x")
    assert told == "Forbidden: bot is not a member of the supergroup chat"


async def test_a_topic_that_is_not_there_or_not_changed_is_refused(side: Side, forum: int) -> None:
    _, made = await side.raw("createForumTopic", {"chat_id": forum, "name": "One"})
    place = {"chat_id": forum, "message_thread_id": made["result"]["message_thread_id"]}
    gone = {"chat_id": forum, "message_thread_id": 4242}
    for method in ("editForumTopic", "closeForumTopic", "reopenForumTopic", "deleteForumTopic"):
        assert "message thread not found" in await refusal(side, method, **gone, name="x")
    assert "NOT_MODIFIED" in await refusal(side, "editForumTopic", **place, name="One")
    assert "NOT_MODIFIED" in await refusal(side, "reopenForumTopic", **place)
    lost = {"user_id": ADA, "chat_id": forum, "text": "x", "message_thread_id": 4242}
    assert "no topic" in (await side.post("/sim/message", lost, status=404))["error"]
