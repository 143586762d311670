"""Rule 1, of accounts: one that its client links in the chat is guarded after an admin's yes.

The password is in nobody's hands but the broker's: neither in the database nor in a log, whatever
happens between the questions.
"""

import os
import signal
from pathlib import Path

import pytest

from bot.sandbox.people import BROKER_SERVER, DEMO_PEOPLE
from tests.wire.stage import ADMIN_CHAT, Stage, Zygote, alive, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENV = {"LOG_LEVEL": "DEBUG"}
"""Whatever is logged at all is looked through."""
(SPARE,) = DEMO_PEOPLE.spares
ADA, OMAR, ALICE, BEN, CARLA, DAI, SAM = 11, 12, 101, 102, 103, 104, 999
WRONG = "Never-Right-77"
SHOWN = "Shown-To-All-88"
WORLDS = {"world.db", "world.db-wal", "world.db-shm", "world.log"}
"""The broker's own files, and Telegram's: they know what was said to them."""


def kept(folder: Path, words: str) -> list[str]:
    """The files of the app's that have these words in them."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in WORLDS]
    assert {"reckoner.db", "app.log", "app.json", "password.keys"} <= {path.name for path in files}
    return [path.name for path in files if words.encode() in path.read_bytes()]


async def asks_for_spare(stage: Stage, who: int, password: str = SPARE.password) -> None:
    """The conversation up to the admins' question."""
    await stage.asks(who, "/link", "1 of 3", "At which server")
    await stage.taps(who, BROKER_SERVER)
    await stage.hears(who, "2 of 3")
    await stage.asks(who, str(SPARE.login), "3 of 3", "trading password")
    await stage.says(who, password)
    await stage.hears(who, "Sent: an admin reads it")


async def is_closed_at_its_limit(stage: Stage) -> None:
    """The account is guarded as any other: 24 % lost on gold, everything closed, locked.

    1 lot of 100 ounces, $30 down, at 1.27 dollars a pound: 2,362 of 10,000 pounds.
    """
    await stage.opens(SPARE.login, "XAUUSD", "buy", 1.0)
    await stage.hears(ALICE, "XAUUSD buy 1.00")
    await stage.price("XAUUSD", 1940.0, 1940.3)
    await stage.hears(ALICE, f"{SPARE.login} is flat - confirmed by two reads")
    assert await stage.is_flat(SPARE.login)
    await stage.price("XAUUSD", 1970.0, 1970.3)


async def texts(stage: Stage, chat_id: int) -> str:
    """What stands in a chat now."""
    return "\n".join(message["text"] for message in await stage.messages(chat_id))


async def test_a_client_links_an_account_and_the_password_is_nowhere(stage: Stage) -> None:
    await asks_for_spare(stage, ALICE)
    assert SPARE.password not in await texts(stage, ALICE)
    asked = await stage.hears_after(ADMIN_CHAT, 0, "Alice asks to have an account guarded", "50005")
    assert SPARE.password not in asked["text"]
    refused = await stage.taps(BEN, "Approve", ADMIN_CHAT)
    assert refused["text"] == "Only an admin can do that. Nothing was changed."
    await stage.taps(OMAR, "Approve", ADMIN_CHAT)
    await stage.hears(ALICE, "Account 50005 is guarded from now on")
    await stage.hears(ADMIN_CHAT, "Account 50005 is guarded from now on")
    await stage.asks(ALICE, "/status", "50005", "Guard watching")
    await is_closed_at_its_limit(stage)
    rows = await stage.rows("SELECT password_token FROM terminals WHERE login = ?", SPARE.login)
    assert rows[0][0].startswith("gAAAA"), "a Fernet token"
    assert kept(stage.data_dir, SPARE.password) == []


async def test_an_owner_gives_the_new_password_of_an_account_whose_broker_refuses_the_old_one(
    stage: Stage,
) -> None:
    """Her own account of the test before; its broker lets nobody in who has only the old one."""
    await stage.fault(SPARE.login, "call_fails", verb="account_info", code=-6)
    await stage.hears(ALICE, "50005: the broker refuses its password")
    await stage.hears(ADMIN_CHAT, "Its owner is asked for the new one in private")
    await stage.taps(ALICE, "Send its new password")
    await stage.hears(ALICE, "You have this account: its new password")
    await stage.says(ALICE, WRONG)
    await stage.hears_after(ALICE, 0, "The new password of 50005 is not taken", "refuses this")
    await stage.hears_after(ADMIN_CHAT, 0, "The new password of 50005 is not taken", "Alice")
    await stage.asks(ALICE, "/link", "1 of 3")
    await stage.taps(ALICE, BROKER_SERVER)
    await stage.asks(ALICE, str(SPARE.login), "You have this account: its new password")
    await stage.says(ALICE, SPARE.password)
    await stage.hears(ALICE, "The broker takes the new password of 50005")
    await stage.hears_after(ADMIN_CHAT, 0, "The broker takes the new password of 50005", "Alice")
    await stage.mend(SPARE.login)
    await stage.hears(ALICE, "Account 50005 can be read again")
    said = await texts(stage, ALICE)
    assert WRONG not in said
    assert SPARE.password not in said
    assert kept(stage.data_dir, WRONG) == kept(stage.data_dir, SPARE.password) == []


async def test_an_account_that_reckoner_has_is_refused_and_its_asker_hears_the_same(
    stage: Stage,
) -> None:
    """Ben asks for Carla's account, with whatever password: he cannot learn that it is there."""
    await stage.asks(BEN, "/link", "1 of 3")
    await stage.taps(BEN, BROKER_SERVER)
    await stage.asks(BEN, "50003", "3 of 3")
    await stage.says(BEN, WRONG)
    await stage.hears(BEN, "Sent: an admin reads it")
    asked = await stage.hears_after(ADMIN_CHAT, 0, "Ben asks", "Reckoner has this account already")
    (row,) = asked["buttons"]
    assert [button["label"] for button in row] == ["Refuse"]
    forged = asked["buttons"][0][0]["data"].replace(":0", ":1")
    said = await stage.forges(ADA, forged, ADMIN_CHAT, asked["id"])
    assert said.startswith("Reckoner has account 50003 already (Carla)")
    await stage.taps(ADA, "Refuse", ADMIN_CHAT, message_id=asked["id"])
    news = await stage.hears_after(BEN, 0, "Your account was not accepted")
    assert "already" not in news["text"]
    assert kept(stage.data_dir, WRONG) == []


async def test_a_password_at_the_wrong_question_or_in_a_group_is_not_kept_either(
    stage: Stage,
) -> None:
    await stage.asks(DAI, "/link", "1 of 3")
    await stage.asks(DAI, WRONG, "I do not know this server", "4 tries are left")
    assert WRONG not in await texts(stage, DAI)
    await stage.taps(DAI, BROKER_SERVER)
    await stage.hears(DAI, "2 of 3")
    await stage.asks(DAI, "50099", "3 of 3")
    await stage.says(DAI, WRONG, ADMIN_CHAT)
    await stage.hears(DAI, "Was that your password, in a group?")
    await stage.asks(DAI, "/cancel", "Cancelled")
    await stage.asks(DAI, WRONG, "I was not waiting for a password", "Cancelled")
    assert WRONG not in await texts(stage, DAI)
    await stage.says(DAI, f"Was it {WRONG}?", ADMIN_CHAT)
    for command in ("/lnk 50099", "/status", "/positions"):
        await stage.says(DAI, f"{command} {WRONG}")
    await stage.asks(DAI, f"/link {WRONG}", "1 of 3")
    await stage.asks(DAI, "/cancel", "Cancelled")
    assert kept(stage.data_dir, WRONG) == []


async def test_words_behind_link_in_a_group_leave_it_and_their_writer_is_warned(
    stage: Stage,
) -> None:
    """Ben, who has begun nothing, tells the group everything at once."""
    await stage.says(BEN, f"/link {BROKER_SERVER} 50097 {SHOWN}", ADMIN_CHAT)
    await stage.hears_after(ADMIN_CHAT, 0, "Ben", "may be a password", "I have removed your")
    assert SHOWN not in await texts(stage, ADMIN_CHAT)
    assert kept(stage.data_dir, SHOWN) == []


async def test_a_message_that_telegram_does_not_remove_is_told_of(stage: Stage) -> None:
    description = "Bad Request: message can't be deleted for everyone"
    fault = {"method": "deleteMessage", "code": 400, "times": 2, "description": description}
    await stage.asks(CARLA, "/link", "1 of 3")
    await stage.taps(CARLA, BROKER_SERVER)
    await stage.asks(CARLA, "50098", "3 of 3")
    await stage.post("/sim/fault", **fault)
    await stage.says(CARLA, WRONG)
    await stage.hears(CARLA, "Sent: an admin reads it")
    await stage.hears(CARLA, "I could not remove your message: do it yourself now")
    assert WRONG in await texts(stage, CARLA), "Telegram kept it"
    assert kept(stage.data_dir, WRONG) == []
    await stage.hears(ADMIN_CHAT, "Carla asks to have an account guarded")
    await stage.taps(CARLA, "Withdraw")
    await stage.hears(ADMIN_CHAT, "Carla has withdrawn account 50098")


async def test_strangers_and_admins_begin_nothing(stage: Stage) -> None:
    await stage.asks(SAM, f"/link {WRONG}", "I do not know you yet")
    await stage.says(SAM, WRONG)
    await stage.asks(ADA, "/link", "Clients link their own accounts here")
    assert await stage.rows("SELECT 1 FROM link_requests WHERE user_id NOT IN (3, 4, 5, 6)") == []
    assert kept(stage.data_dir, WRONG) == []


async def test_a_kill_between_the_questions_leaves_no_password_and_loses_none(
    zygote: Zygote, tmp_path: Path
) -> None:
    """Killed before the password, which comes to nobody; killed again once it is journalled."""
    async with staged(zygote, tmp_path, ENV) as stage:
        await stage.asks(DAI, "/link", "1 of 3")
        await stage.taps(DAI, BROKER_SERVER)
        await stage.asks(DAI, str(SPARE.login), "3 of 3")
        os.kill(stage.app_pid, signal.SIGKILL)
        await stage.until(lambda: not alive(stage.app_pid), "the end of the app")
        await stage.says(DAI, SPARE.password)
        await stage.start_app(crash_at="journalled")
        await stage.until(lambda: not alive(stage.app_pid), "the crash")
        assert SPARE.password in await texts(stage, DAI), "killed before it was removed"
        assert kept(stage.data_dir, SPARE.password) == []
        await stage.start_app()
        await stage.hears(DAI, "Sent: an admin reads it")
        assert SPARE.password not in await texts(stage, DAI)
        await stage.hears(ADMIN_CHAT, "Dai asks to have an account guarded")
        await stage.taps(ADA, "Approve", ADMIN_CHAT)
        await stage.hears(DAI, "Account 50005 is guarded from now on")
        assert kept(stage.data_dir, SPARE.password) == []
