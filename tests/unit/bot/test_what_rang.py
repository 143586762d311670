"""What arrived with a sound is kept with the row; a line that grows is never sent as it was."""

from typing import Any

import msgspec
import pytest

from bot.notifier import Notifier
from bot.outbox import Outbox
from bot.views.message import Voice
from core.domain.alerts import Alert
from core.domain.alerts_over import AlertsOver
from core.records import OutboxRow
from tests.fakes.alerts import breach, confirmed
from tests.fakes.alerts_over import ending
from tests.fakes.clock import FixedClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.rows import outbox_row
from tests.fakes.telegram import ADMIN_CHAT, Answer, RecordingSession, make_bot


class World:
    """A notifier with its store and its recorded Telegram."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), FixedClock()
        self.telegram: RecordingSession
        bot, self.telegram = make_bot()
        self.notifier = Notifier(bot, self.store, self.clock, Voice(), admin_chat_id=ADMIN_CHAT)

    async def sent(self, alert: Alert, **changes: Any) -> OutboxRow:
        """Send one row; answers it as it is kept then."""
        await self.store.put(outbox_row(alert, priority=1, **changes))
        assert await self.notifier.drain(3)
        (kept,) = await self.store.all(OutboxRow, dedupe_key=changes.get("dedupe_key", "k"))
        return kept


@pytest.fixture
def world() -> World:
    return World()


async def test_what_was_sent_with_a_sound_rang_and_what_was_sent_silently_did_not(
    world: World,
) -> None:
    assert (await world.sent(breach())).rang is True
    silent = AlertsOver(endings=(ending(),))
    assert (await world.sent(silent, dedupe_key="k2", thread="over")).rang is False


async def test_an_edit_does_not_ring_unless_its_message_is_gone_and_it_comes_anew(
    world: World,
) -> None:
    await world.sent(breach())
    world.telegram.script.append(
        Answer(400, "Bad Request: message to edit not found", method="editMessageText")
    )
    gone = await world.sent(confirmed(), dedupe_key="k2", mode="edit")
    assert gone.rang is True
    edited = await world.sent(confirmed(completed=True), dedupe_key="k3", mode="edit")
    assert edited.rang is False


async def test_a_line_that_has_grown_since_it_was_picked_is_not_sent_as_it_was() -> None:
    store, clock = MemoryStore(), FixedClock()
    outbox = Outbox(store, clock, admin_chat_id=ADMIN_CHAT)
    one, two = (AlertsOver(endings=(ending(),) * n) for n in (1, 2))
    await store.put(outbox_row(one, thread="over", mode="reply"))
    (picked,) = await outbox.pick(lambda *_: True, frozenset(), rows_max=1)
    async with store.writing() as tx:
        grown = msgspec.json.encode(two).decode()
        await tx.update(OutboxRow, {"id": picked.row.id}, payload=grown, mode="new")
    assert not await outbox.sending(picked.row)
    (again,) = await outbox.pick(lambda *_: True, frozenset(), rows_max=1)
    assert (again.row.payload, again.row.mode) == (grown, "new")
    assert await outbox.sending(again.row)
