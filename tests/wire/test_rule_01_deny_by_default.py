"""Rule 1: nobody has rights but whom an admin gave them; a stranger is told so once, and may ask.

Person, role and place are checked on every message and every press.
"""

import asyncio
import json

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, OMAR, ALICE, SAM, MAX = 11, 12, 101, 999, 998
ASK = "Request access"


async def role(stage: Stage, telegram_id: int) -> str:
    """What the books say of somebody; empty where they are in none."""
    rows = await stage.rows("SELECT role FROM users WHERE telegram_id = ?", telegram_id)
    return str(rows[0][0]) if rows else ""


async def labels(stage: Stage, chat_id: int, message_id: int) -> list[str]:
    """The buttons under a message, as it stands now."""
    (message,) = [m for m in await stage.messages(chat_id) if m["id"] == message_id]
    return [button["label"] for row in message["buttons"] or [] for button in row]


async def question(stage: Stage, name: str) -> int:
    """The admins' message about somebody's request."""
    seen = await stage.hears_after(ADMIN_CHAT, 0, f"{name} asks for access")
    return int(seen["id"])


async def test_a_stranger_is_answered_once_with_their_number_and_a_way_to_ask(stage: Stage) -> None:
    told = await stage.asks(SAM, "/positions", "I do not know you yet", "999")
    assert await labels(stage, SAM, told["id"]) == [ASK]
    await stage.says(SAM, "/id")
    await stage.says(SAM, "hello?")
    await stage.asks(ALICE, "/help", "Commands")  # updates are handled in their order
    newer = [m["from"] for m in await stage.messages(SAM) if m["id"] > told["id"]]
    assert newer == ["Sam", "Sam"]
    assert await role(stage, SAM) == ""


async def test_presses_of_strangers_are_answered_and_do_nothing(stage: Stage) -> None:
    ask = json.dumps(await stage.messages(SAM))
    assert "ak1:999" in ask
    for data in ("ak1:999", "ak1:998", "ak1:-1", "aa1:1:yes", "rf1:accounts", "mw1:1:1:dismiss"):
        text = await stage.forges(MAX, data, ADMIN_CHAT, 1)
        assert "I do not know you (Telegram number 998)" in text
    told = await stage.asks(MAX, "/start", "998")
    text = await stage.forges(MAX, "ak1:999", MAX, told["id"])
    assert "I do not know you" in text, "Sam's button asks for nobody else"
    assert (await role(stage, SAM), await role(stage, MAX)) == ("", "")


async def test_a_request_is_one_message_to_the_admins_however_often_it_is_pressed(
    stage: Stage,
) -> None:
    presses = [stage.taps(SAM, ASK) for _ in range(2)]
    answers = await asyncio.gather(*presses)
    assert "Your request was sent" in answers[0]["text"] + answers[1]["text"]
    await question(stage, "Sam")
    assert await role(stage, SAM) == "pending"
    late = await stage.forges(SAM, "ak1:999", SAM, await stage.last_id(SAM))
    assert "not confirmed yet" in late
    text = await stage.transcript(ADMIN_CHAT)
    assert text.count("asks for access") == 1
    assert "@sam_nobody, number 999" in text


async def test_whoever_waits_may_do_nothing_and_cannot_let_themselves_in(stage: Stage) -> None:
    asked = await question(stage, "Sam")
    for who, words in ((SAM, "not confirmed yet"), (ALICE, "Only an admin"), (MAX, "not know")):
        text = await stage.forges(who, "aa1:1:yes", ADMIN_CHAT, asked)
        assert words in text
    assert await role(stage, SAM) == "pending"


async def test_an_approval_after_a_restart_edits_both_copies_and_says_who(stage: Stage) -> None:
    asked = await question(stage, "Sam")
    copy = await stage.hears_after(SAM, 0, "You asked for access")
    await stage.stop(stage.app_pid)
    await stage.start_app()
    await stage.ready()
    answer = await stage.taps(ADA, "Approve as client", ADMIN_CHAT, message_id=asked)
    assert answer["text"] == "Sam is a client now."
    await stage.hears_after(SAM, copy["id"], "Welcome: you have access")
    await stage.hears(SAM, "Decided by Ada")
    await stage.hears(ADMIN_CHAT, "Approved by Ada")
    assert await labels(stage, ADMIN_CHAT, asked) == []
    (mine,) = [m for m in await stage.messages(SAM) if m["id"] == copy["id"]]
    assert "You have access" in mine["text"]
    late = await stage.forges(OMAR, "aa1:1:block", ADMIN_CHAT, asked)
    assert late.startswith("Already approved by Ada at ")
    assert await role(stage, SAM) == "client"


async def test_whom_a_button_let_in_is_a_client_and_no_more_after_a_restart(stage: Stage) -> None:
    await stage.stop(stage.app_pid)
    await stage.start_app()
    await stage.ready()
    await stage.asks(SAM, "/help", "Commands")
    await stage.asks(SAM, "/accounts", "Only an admin can do that.")


async def test_a_blocked_person_presses_and_writes_in_vain(stage: Stage) -> None:
    await stage.taps(MAX, ASK)
    asked = await question(stage, "Stranger 998")
    answer = await stage.taps(OMAR, "Block", ADMIN_CHAT, message_id=asked)
    assert answer["text"] == "Stranger 998 is blocked."
    await stage.hears(MAX, "An admin has refused your request.")
    told = await stage.hears(MAX, "Your request was refused")
    assert "Omar" not in told, "whoever is refused is not told by whom"
    for data in ("ak1:998", "aa1:2:yes"):
        assert "cannot use this bot" in await stage.forges(MAX, data, MAX, 1)
    assert await role(stage, MAX) == "blocked"
    actions = await stage.rows("SELECT action, actor FROM audit_log WHERE account_id = 0")
    for link in (
        ("access_asked", "telegram:999"),
        ("access_given", "Ada"),
        ("access_asked", "telegram:998"),
        ("person_blocked", "Omar"),
    ):
        assert actions.count(link) == 1
