"""Rule 1: nobody has rights but whom an admin gave them; a stranger is told so once, and may ask.

Person, role and place are checked on every message and every press.
"""

import asyncio

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, OMAR, ALICE, DAI, SAM = 11, 12, 101, 104, 999
MEG, MAX, TOM, UMA = 5001, 5002, 5003, 5004
"""Strangers, one for each test: tests of a module may meet the same world or not."""
ASK = "Request access"


async def role(stage: Stage, telegram_id: int) -> str:
    """What the books say of somebody; empty where they are in none."""
    rows = await stage.rows("SELECT role FROM users WHERE telegram_id = ?", telegram_id)
    return str(rows[0][0]) if rows else ""


async def labels(stage: Stage, chat_id: int, message_id: int) -> list[str]:
    """The buttons under a message, as it stands now."""
    (message,) = [m for m in await stage.messages(chat_id) if m["id"] == message_id]
    return [button["label"] for row in message["buttons"] or [] for button in row]


async def request_of(stage: Stage, telegram_id: int) -> int:
    """The number of somebody's request."""
    ((number,),) = await stage.rows(
        "SELECT r.id FROM access_requests r JOIN users u ON u.id = r.user_id "
        "WHERE u.telegram_id = ?",
        telegram_id,
    )
    return int(number)


async def links(stage: Stage) -> list[tuple[str, ...]]:
    """What the system's chain says, and of whom."""
    return await stage.rows("SELECT action, actor FROM audit_log WHERE account_id = 0")


async def restart(stage: Stage) -> None:
    """The app ends as asked and starts anew."""
    await stage.stop(stage.app_pid)
    await stage.start_app()
    await stage.ready()


async def question(stage: Stage, name: str) -> int:
    """The admins' message about somebody's request."""
    seen = await stage.hears_after(ADMIN_CHAT, 0, f"{name} asks for access")
    return int(seen["id"])


async def test_a_stranger_is_answered_once_with_their_number_and_a_way_to_ask(stage: Stage) -> None:
    told = await stage.asks(MEG, "/positions", "I do not know you yet", str(MEG))
    assert await labels(stage, MEG, told["id"]) == [ASK]
    await stage.says(MEG, "/id")
    await stage.says(MEG, "hello?")
    await stage.asks(ALICE, "/help", "Commands")  # updates are handled in their order
    newer = [m["from"] for m in await stage.messages(MEG) if m["id"] > told["id"]]
    assert newer == ["Stranger 5001", "Stranger 5001"]
    assert await role(stage, MEG) == ""


async def test_presses_of_strangers_are_answered_and_do_nothing(stage: Stage) -> None:
    told = await stage.asks(MAX, "/start", str(MAX))
    for data in ("ak1:5002", "ak1:-1", "aa1:1:yes", "rf1:accounts", "mw1:1:1:dismiss"):
        text = await stage.forges(MAX, data, ADMIN_CHAT, 1)
        assert "I do not know you (Telegram number 5002)" in text
    text = await stage.forges(MAX, "ak1:999", MAX, told["id"])
    assert "I do not know you" in text, "somebody else's button asks for nobody"
    assert (await role(stage, SAM), await role(stage, MAX)) == ("", "")


async def test_a_request_waits_over_a_restart_for_one_answer_that_says_who_gave_it(
    stage: Stage,
) -> None:
    await stage.asks(SAM, "/start", "I do not know you yet")
    answers = await asyncio.gather(*(stage.taps(SAM, ASK) for _ in range(2)))
    assert "Your request was sent" in answers[0]["text"] + answers[1]["text"]
    asked = await question(stage, "Sam")
    copy = await stage.hears_after(SAM, 0, "You asked for access")
    number = await request_of(stage, SAM)
    approve = f"aa1:{number}:yes"
    for who, words in ((SAM, "not confirmed yet"), (ALICE, "Only an admin"), (UMA, "not know")):
        assert words in await stage.forges(who, approve, ADMIN_CHAT, asked)
    assert "not confirmed yet" in await stage.forges(SAM, "ak1:999", SAM, copy["id"])
    assert await role(stage, SAM) == "pending"
    await restart(stage)
    answer = await stage.taps(ADA, "Approve as client", ADMIN_CHAT, message_id=asked)
    assert answer["text"] == "Sam is a client now."
    await stage.hears_after(SAM, copy["id"], "Welcome: you have access")
    await stage.hears(SAM, "Decided by Ada")
    text = await stage.hears(ADMIN_CHAT, "Approved by Ada")
    assert text.count("Sam asks for access") == 0, "the decision took the question's place"
    assert "@sam_nobody, number 999" in text
    assert await labels(stage, ADMIN_CHAT, asked) == []
    (mine,) = [m for m in await stage.messages(SAM) if m["id"] == copy["id"]]
    assert "You have access" in mine["text"]
    late = await stage.forges(OMAR, f"aa1:{number}:block", ADMIN_CHAT, asked)
    assert late.startswith("Already approved by Ada at ")
    await restart(stage)
    await stage.asks(SAM, "/help", "Commands")
    await stage.asks(SAM, "/accounts", "Only an admin can do that.")
    for link in (("access_asked", "telegram:999"), ("access_given", "Ada")):
        assert (await links(stage)).count(link) == 1


async def test_a_blocked_person_presses_and_writes_in_vain(stage: Stage) -> None:
    await stage.asks(TOM, "/start", "I do not know you yet")
    await stage.taps(TOM, ASK)
    asked = await question(stage, "Stranger 5003")
    answer = await stage.taps(OMAR, "Block", ADMIN_CHAT, message_id=asked)
    assert answer["text"] == "Stranger 5003 is blocked."
    await stage.hears(TOM, "An admin has refused your request.")
    told = await stage.hears(TOM, "Your request was refused")
    assert "Omar" not in told, "whoever is refused is not told by whom"
    number = await request_of(stage, TOM)
    for data in ("ak1:5003", f"aa1:{number}:yes"):
        assert "cannot use this bot" in await stage.forges(TOM, data, TOM, 1)
    assert await role(stage, TOM) == "blocked"
    assert ("person_blocked", "Omar") in await links(stage)


async def test_a_groups_members_read_no_figures_but_the_way_to_their_private_chat(
    stage: Stage,
) -> None:
    told = await stage.asks(ALICE, "/drawdown", "only in private", chat_id=ADMIN_CHAT)
    assert [b["label"] for row in told["buttons"] for b in row] == ["Open our private chat"]
    assert "GBP" not in told["text"]
    asked = await stage.last_id(ADMIN_CHAT)
    text = await stage.forges(ALICE, "rf1:positions", ADMIN_CHAT, asked)
    assert "only in private" in text
    await stage.asks(ADA, "/accounts", "Alice, 50001", chat_id=ADMIN_CHAT)


async def test_what_somebody_is_refused_in_a_group_no_other_member_sees(stage: Stage) -> None:
    words = "Only an admin can do that"
    told = await stage.asks(ALICE, "/warnings", words, chat_id=ADMIN_CHAT)
    assert told["only_for"] == "Alice"
    for viewer in (ADA, OMAR, None):
        shown = await stage.messages(ADMIN_CHAT, viewer)
        assert not [m for m in shown if words in m["text"] or "only in private" in m["text"]]
    assert "only_for" not in await stage.asks(ALICE, "/warnings", words), "in private it may stay"


async def test_a_client_is_blocked_after_a_preview_and_then_has_no_rights(stage: Stage) -> None:
    board = await stage.asks(ADA, "/users", "Dai: client, 50004", chat_id=ADMIN_CHAT)
    here = {"chat_id": ADMIN_CHAT, "message_id": board["id"]}
    assert "somebody else" in (await stage.taps(OMAR, "Dai", **here))["text"]
    await stage.taps(ADA, "Dai", **here)
    await stage.offers(ADMIN_CHAT, board["id"], "Block")
    await stage.taps(ADA, "Block", **here)
    await stage.offers(ADMIN_CHAT, board["id"], "Block Dai")
    assert "somebody else" in (await stage.taps(OMAR, "Block Dai", **here))["text"]
    (data,) = [
        button["data"]
        for message in await stage.messages(ADMIN_CHAT)
        if message["id"] == board["id"]
        for row in message["buttons"]
        for button in row
        if button["label"] == "Block Dai"
    ]
    done = await stage.taps(ADA, "Block Dai", **here)
    assert done["text"] == "Dai is blocked."
    assert "answered already" in await stage.forges(ADA, data, ADMIN_CHAT, board["id"])
    await stage.hears(DAI, "Your access has ended")
    seen = await stage.last_id(DAI)
    await stage.asks(DAI, "/positions", "You cannot use this bot.")
    await restart(stage)
    assert await role(stage, DAI) == "blocked"
    newer = [m["text"] for m in await stage.messages(DAI) if m["id"] > seen]
    assert len(newer) == 2, "the question and the one answer"
