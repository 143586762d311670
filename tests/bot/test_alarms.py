"""/ack and its button through the real dispatcher."""

import pytest

from core.records import AlarmRow, OutboxRow
from tests.fakes.alerts import breach
from tests.fakes.clock import START
from tests.fakes.rows import outbox_row
from tests.fakes.shell import ANN, OLGA, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json


@pytest.fixture
async def chat() -> Conversation:
    made = Conversation()
    alert = breach()
    row = outbox_row(alert, priority=0, thread="job:4:7", state="sent", message_id=70)
    alarm = AlarmRow(
        outbox_id=1,
        account_id=alert.account_id,
        thread="job:4:7",
        kind="GuardBreached",
        opened_at=START,
        told_at=START,
    )
    await made.store.put(row, alarm)
    return made


async def test_a_press_takes_the_alarm_and_its_message_is_brought_up_to_date(
    chat: Conversation,
) -> None:
    await chat.feed(press_json(OLGA, "al1:1", ADMIN_CHAT))
    assert chat.popup == "You have it: the guard closes everything."
    (edit,) = await chat.store.all(OutboxRow, state="due")
    assert (edit.mode, edit.about_id, edit.chat_id) == ("edit", 1, ADMIN_CHAT)
    await chat.feed(press_json(OLGA, "al1:1", ADMIN_CHAT))
    assert chat.popup == "P902 has it since 14:02:11 UTC."


async def test_the_list_says_what_nobody_has_and_a_number_takes_it(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/ack"))
    assert "Alarms that nobody has: 1" in chat.said
    assert "1: the guard closes everything, account 50001, 0 s ago" in chat.said
    await chat.feed(message_json(OLGA, "/ack 1"))
    assert chat.said == "You have it: the guard closes everything."
    await chat.feed(message_json(OLGA, "/ack"))
    assert "Nobody has to take anything." in chat.said


async def test_all_are_taken_at_once(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/ack all"))
    assert chat.said == "You have 1 alarm."
    await chat.feed(message_json(OLGA, "/ack all"))
    assert chat.said == "There was none that nobody had."
    (alarm,) = await chat.store.all(AlarmRow)
    assert alarm.taken_by == "P902"


@pytest.mark.parametrize("number", ["x", "-1", "\N{SUPERSCRIPT TWO}", str(2**63)])
async def test_what_is_no_number_is_said(chat: Conversation, number: str) -> None:
    await chat.feed(message_json(OLGA, f"/ack {number}"))
    assert "is no alarm's number" in chat.said


async def test_a_client_takes_none(chat: Conversation) -> None:
    await chat.feed(press_json(ANN, "al1:1"))
    assert chat.popup == "Only an admin can do that. Nothing was changed."
    (alarm,) = await chat.store.all(AlarmRow)
    assert alarm.taken_by is None
