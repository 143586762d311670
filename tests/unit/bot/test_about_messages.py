"""Rows about one message, whatever its thread; and what only admins read in private."""

import pytest

from bot import notifier as module
from core.records import AlarmRow
from tests.fakes.alerts import breach, confirmed
from tests.fakes.clock import START
from tests.fakes.telegram import ADMIN_CHAT
from tests.unit.bot.outbox_world import ANN, World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "POLL_S", 0.02)
    return World()


async def test_a_row_about_one_message_edits_that_one_whatever_came_after(world: World) -> None:
    first = await world.put(breach(), ADMIN_CHAT, thread="job", priority=0)
    assert await world.notifier.drain(3)
    await world.put(confirmed(), ADMIN_CHAT, thread="job", mode="new", priority=0)
    assert await world.notifier.drain(3)
    await world.put(breach(), ADMIN_CHAT, thread="alarm:1:1", mode="edit", about_id=first)
    assert await world.notifier.drain(3)
    (edit,) = world.telegram.named("editMessageText")
    assert edit.message_id == (await world.row(first)).message_id


async def test_a_row_about_a_message_that_is_still_due_waits_for_it(world: World) -> None:
    first = await world.put(breach(), ADMIN_CHAT, priority=2)
    reply = await world.put(breach(), ADMIN_CHAT, mode="reply", about_id=first, priority=0)
    assert await world.notifier.drain(3)
    one, two = world.telegram.named("sendMessage")
    assert two.reply_parameters.message_id == (await world.row(first)).message_id
    assert one.reply_parameters is None
    assert (await world.row(reply)).state == "sent"


async def test_what_is_repeated_to_an_admin_in_private_names_the_client(world: World) -> None:
    """Only the thread says that an admin reads it there."""
    await world.store.put(
        AlarmRow(
            outbox_id=99,
            account_id=7,
            thread="x",
            kind="GuardBreached",
            opened_at=START,
            told_at=START,
        )
    )
    await world.put(breach(), ANN, thread="alarm:1", priority=0)
    assert await world.notifier.drain(3)
    (text,) = world.telegram.texts()
    assert "Client: " in text
