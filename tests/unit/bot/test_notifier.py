"""The outbox is sent by urgency, within the limits, and nothing in it is lost."""

import asyncio

import pytest
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import SendMessage

from bot import notifier as module
from bot.limits import GROUP_MAX
from bot.notifier import INFO_ATTEMPTS_MAX
from bot.outbox import Outbox
from core.records import UserRow
from tests.fakes.alerts import breach, closed, confirmed, every_alert
from tests.fakes.alerts_market import market
from tests.fakes.clock import START
from tests.fakes.telegram import ADMIN_CHAT, Answer
from tests.unit.bot.outbox_world import ANN, BO, World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "POLL_S", 0.02)
    monkeypatch.setattr(module, "BACKOFF_S", (0.02, 0.02))
    monkeypatch.setattr(module, "STORE_BACKOFF_S", (0.02,))
    return World()


async def test_a_row_is_sent_once_and_keeps_its_message_id(world: World) -> None:
    row_id = await world.put(closed())
    assert await world.notifier.drain(3)
    assert await world.notifier.drain(3)
    row = await world.row(row_id)
    assert (row.state, row.message_id, row.attempts) == ("sent", 100, 1)
    assert len(world.telegram.texts()) == 1


async def test_the_attempt_is_committed_before_it_is_made(world: World) -> None:
    row_id = await world.put(closed())
    seen: list[str] = []

    async def look(_: object) -> None:
        seen.append((await world.row(row_id)).state)

    world.telegram.on_call = look
    await world.notifier.drain(3)
    assert seen == ["sending"]


async def test_criticals_go_before_what_was_said_earlier(world: World) -> None:
    await world.put(closed(), priority=2)
    await world.put(breach(), priority=0)
    await world.notifier.drain(5)
    first, second = world.telegram.texts()
    assert "Closing 50001 in" in first
    assert "You closed" in second


async def test_a_critical_passes_the_chats_that_wait_with_news(world: World) -> None:
    for chat in range(1000, 1040):
        await world.put(closed(), chat_id=chat, priority=2)
    await world.put(breach(), chat_id=2000, priority=0)
    async with world.running():
        await asyncio.sleep(0.4)
    assert world.telegram.calls[0].chat_id == 2000  # type: ignore[attr-defined] # a SendMessage


async def test_a_paused_chat_delays_nobody_else_and_gets_its_message_later(world: World) -> None:
    world.telegram.script.append(
        Answer(429, "Too Many Requests: retry after 1", chat_id=ANN, parameters={"retry_after": 1})
    )
    stopped = await world.put(breach(), priority=0)
    free = await world.put(breach(), chat_id=BO, priority=2)
    async with world.running():
        await world.until(free, "sent")
        assert (await world.row(stopped)).state == "due"
        await world.until(stopped, "sent")
    assert "(repeat)" not in world.telegram.texts(ANN)[-1]


async def test_a_group_gets_eighteen_a_minute_and_no_more(world: World) -> None:
    for _ in range(GROUP_MAX + 5):
        await world.put(market(), chat_id=ADMIN_CHAT, priority=0)
    person = await world.put(closed(), priority=2)
    async with world.running():
        await world.until(person, "sent")
        await asyncio.sleep(1.2)
    assert len(world.telegram.texts(ADMIN_CHAT)) == GROUP_MAX == 18


async def test_somebody_who_blocked_the_bot_is_given_up_and_the_admins_are_told(
    world: World,
) -> None:
    await world.store.put(
        UserRow(telegram_id=ANN, name="Ann Smith", role="client", created_at=START)
    )
    for _ in range(2):
        world.telegram.script.append(
            Answer(403, "Forbidden: bot was blocked by the user", chat_id=ANN)
        )
    rows = [await world.put(breach(), priority=0) for _ in range(2)]
    await world.notifier.drain(5)
    assert [(await world.row(row)).state for row in rows] == ["failed", "failed"]
    assert "blocked by the user" in str((await world.row(rows[0])).error)
    told = world.telegram.texts(ADMIN_CHAT)
    assert len(told) == 1, "once, not per message"
    assert "Ann Smith cannot be reached" in told[0]
    world.clock.move(2_100)
    again = await world.put(breach(), priority=0)
    await world.notifier.drain(5)
    assert (await world.row(again)).state == "sent", "a mark keeps nothing back"
    edited = world.telegram.named("editMessageText")
    assert [edit.chat_id for edit in edited] == [ADMIN_CHAT], "in the place of what told of it"
    assert "Ann Smith can be reached again" in edited[0].text
    assert "For 35 min" in edited[0].text
    assert "2 messages could not be delivered" in edited[0].text
    assert "This chat was out of reach for 35 min" in world.telegram.texts(ANN)[-1]


async def test_where_the_admins_chat_is_out_of_reach_each_admin_is_told_in_private(
    world: World,
) -> None:
    for number, role in enumerate(("admin", "owner", "client")):
        await world.store.put(
            UserRow(telegram_id=950 + number, name=role, role=role, created_at=START)
        )
    world.telegram.script.append(Answer(403, "Forbidden: bot was kicked", chat_id=ADMIN_CHAT))
    await world.put(breach(), ADMIN_CHAT, priority=0)
    await world.notifier.drain(5)
    for admin in (950, 951):
        assert "chat -1001 cannot be reached" in world.telegram.texts(admin)[0]
    assert world.telegram.texts(952) == []


async def test_a_message_telegram_cannot_parse_is_sent_in_plain_words(world: World) -> None:
    world.telegram.script.append(Answer(400, "Bad Request: can't parse entities: no end tag"))
    row_id = await world.put(breach(), priority=0)
    await world.notifier.drain(3)
    first, second = world.telegram.named("sendMessage")
    assert (first.parse_mode, second.parse_mode) == ("HTML", None)
    assert "<" not in second.text
    assert "Closing 50001 in" in second.text
    assert (await world.row(row_id)).state == "sent"


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(502, "Bad Gateway"),
        Answer(502, body="<html>Bad Gateway</html>"),
        Answer(
            error=TelegramNetworkError(SendMessage(chat_id=1, text="x"), "Request timeout error")
        ),
        Answer(error=TimeoutError()),
    ],
    ids=["5xx", "not-json", "network", "timeout"],
)
async def test_an_unknown_outcome_is_repeated_and_says_so(world: World, trouble: Answer) -> None:
    world.telegram.script.append(trouble)
    row_id = await world.put(breach(), priority=0)
    await world.notifier.drain(3)
    first, second = world.telegram.texts()
    assert not first.endswith("(repeat)")
    assert second.endswith("(repeat)")
    assert (await world.row(row_id)).state == "sent"


async def test_criticals_are_tried_for_ever_and_news_only_so_often(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.limits.PRIVATE_PER_S", 1000.0)
    for _ in range(2 * INFO_ATTEMPTS_MAX + 4):
        world.telegram.script.append(Answer(500, "Internal Server Error"))
    news = await world.put(closed(), priority=2)
    urgent = await world.put(breach(), chat_id=BO, priority=0)
    async with world.running():
        await world.until(news, "failed")
        sent = await world.until(urgent, "sent")
    assert (await world.row(news)).attempts == INFO_ATTEMPTS_MAX
    assert sent.attempts > INFO_ATTEMPTS_MAX


async def test_a_critical_does_not_wait_for_the_attempts_of_what_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """News of unknown outcome would wait for minutes here; the alert behind it does not."""
    monkeypatch.setattr(module, "BACKOFF_S", (0.02, 600.0))
    news = await world.put(closed(), priority=2, attempts=1)
    world.telegram.script.append(Answer(error=TimeoutError()))
    async with world.running():
        await world.until_tried(news)
        urgent = await world.put(breach(), priority=0)
        await world.until(urgent, "sent")
    assert (await world.row(news)).state == "due"


async def test_what_was_being_sent_when_the_app_died_is_repeated_and_marked(world: World) -> None:
    row_id = await world.put(breach(), priority=0, state="sending", attempts=1)
    async with world.running():
        await world.until(row_id, "sent")
    assert world.telegram.texts()[0].endswith("(repeat)")


async def test_an_edit_changes_the_first_message_of_its_thread(world: World) -> None:
    await world.put(market(), ADMIN_CHAT, thread="market:21")
    await world.notifier.drain(3)
    edit = await world.put(
        market(state="dismissed", version=2), ADMIN_CHAT, thread="market:21", mode="edit"
    )
    await world.notifier.drain(3)
    (call,) = world.telegram.named("editMessageText")
    assert call.message_id == 100
    assert call.reply_markup is None, "an answered warning has no buttons"
    assert (await world.row(edit)).message_id == 100


async def test_an_edit_waits_for_its_first_message_even_if_it_is_more_urgent(world: World) -> None:
    await world.put(market(), ADMIN_CHAT, thread="m", priority=2)
    await world.put(market(state="closing"), ADMIN_CHAT, thread="m", mode="edit", priority=0)
    await world.notifier.drain(3)
    assert [call.__api_method__ for call in world.telegram.calls] == [
        "sendMessage",
        "editMessageText",
    ]


async def test_of_several_edits_of_one_message_only_the_newest_is_sent(world: World) -> None:
    await world.put(market(), ADMIN_CHAT, thread="m")
    await world.notifier.drain(3)
    edits = [
        await world.put(market(state=state), ADMIN_CHAT, thread="m", mode="edit")
        for state in ("held", "closing", "resolved")
    ]
    await world.notifier.drain(3)
    (call,) = world.telegram.named("editMessageText")
    assert "Over: Gap" in call.text
    rows = [await world.row(edit) for edit in edits]
    assert [row.error for row in rows] == ["superseded", "superseded", None]
    assert {row.state for row in rows} == {"sent"}


async def test_an_edit_of_a_message_that_is_gone_is_sent_anew(world: World) -> None:
    await world.put(market(), ADMIN_CHAT, thread="m")
    await world.notifier.drain(3)
    world.telegram.script.append(
        Answer(400, "Bad Request: message to edit not found", method="editMessageText")
    )
    edit = await world.put(market(state="closing"), ADMIN_CHAT, thread="m", mode="edit")
    await world.notifier.drain(3)
    assert len(world.telegram.named("sendMessage")) == 2
    assert (await world.row(edit)).message_id == 101


async def test_not_modified_is_success(world: World) -> None:
    await world.put(market(), ADMIN_CHAT, thread="m")
    await world.notifier.drain(3)
    world.telegram.script.append(
        Answer(400, "Bad Request: message is not modified: same", method="editMessageText")
    )
    edit = await world.put(market(), ADMIN_CHAT, thread="m", mode="edit")
    await world.notifier.drain(3)
    row = await world.row(edit)
    assert (row.state, row.attempts, row.message_id) == ("sent", 1, 100)


async def test_a_reply_answers_the_first_message_of_its_thread(world: World) -> None:
    await world.put(breach(), thread="job:3", priority=0)
    await world.put(confirmed(), thread="job:3", mode="reply", priority=0)
    await world.notifier.drain(3)
    _, reply = world.telegram.named("sendMessage")
    assert reply.reply_parameters.message_id == 100


async def test_a_group_that_became_a_supergroup_gets_its_messages_there(world: World) -> None:
    world.telegram.script.append(
        Answer(400, "Bad Request: group upgraded", parameters={"migrate_to_chat_id": -100777})
    )
    rows = [await world.put(market(), ADMIN_CHAT) for _ in range(2)]
    await world.notifier.drain(3)
    chats = [call.chat_id for call in world.telegram.named("sendMessage")]
    assert chats == [ADMIN_CHAT, -100777, -100777, -100777]
    assert {(await world.row(row)).state for row in rows} == {"sent"}
    told = [text for text in world.telegram.texts(-100777) if "ADMIN_CHAT_ID" in text]
    assert len(told) == 1
    assert "Please set ADMIN_CHAT_ID=-100777 in the settings (it was -1001)." in told[0]
    world.notifier = world.fresh()
    later = await world.put(market(), ADMIN_CHAT)
    async with world.running():
        await world.until(later, "sent")
    await world.store.put(UserRow(telegram_id=950, name="Olga", role="admin", created_at=START))
    world.telegram.script.append(Answer(403, "Forbidden: bot was kicked", chat_id=-100777))
    assert world.telegram.calls[-1].chat_id == -100777, "also after a restart"  # type: ignore[attr-defined] # a SendMessage
    await world.put(market(), -100777)
    await world.notifier.drain(5)
    assert "chat -100777 cannot be reached" in world.telegram.texts(950)[0]


async def test_without_the_store_nothing_is_sent_and_nothing_ends(world: World) -> None:
    row_id = await world.put(closed())
    world.store.down = True
    async with world.running():
        await asyncio.sleep(0.1)
        assert not world.telegram.calls
        world.store.down = False
        await world.until(row_id, "sent")


async def test_a_store_lost_during_the_send_does_not_send_twice(world: World) -> None:
    row_id = await world.put(closed())

    async def lose(_: object) -> None:
        world.store.down = True

    world.telegram.on_call = lose
    async with world.running():
        await asyncio.sleep(0.15)
        world.telegram.on_call = None
        world.store.down = False
        await world.until(row_id, "sent")
        await asyncio.sleep(0.1)
    assert len(world.telegram.texts()) == 1


async def test_an_attempt_whose_commit_was_called_failed_and_held_is_ours(world: World) -> None:
    """The row says that it is being sent, and by nobody else: left at that it never leaves."""
    row_id = await world.put(breach())
    world.store.called_failed = 2  # after what an earlier run left was looked after
    async with world.running():
        row = await world.until(row_id, "sent")
    assert row.attempts == 1
    assert len(world.telegram.calls) == 1


async def test_an_alert_nobody_can_read_any_more_is_still_told(world: World) -> None:
    row_id = await world.put(breach(), priority=0, payload='{"type":"Gone"}', kind="Gone")
    await world.notifier.drain(3)
    assert "Gone" in world.telegram.texts()[0]
    assert (await world.row(row_id)).state == "sent"


async def test_a_late_message_says_so(world: World) -> None:
    await world.put(closed())
    world.clock.move(60 * 12)
    await world.notifier.drain(3)
    assert world.telegram.texts()[0].endswith("Delivered 12 min late.")


async def test_client_and_admins_read_the_same_alert_in_their_own_words(world: World) -> None:
    await world.put(breach(), ANN)
    await world.put(breach(), ADMIN_CHAT)
    await world.notifier.drain(3)
    assert "Ann Smith" not in world.telegram.texts(ANN)[0]
    assert "Client: Ann Smith, account 50001" in world.telegram.texts(ADMIN_CHAT)[0]


async def test_every_alert_goes_out(world: World) -> None:
    every = every_alert()
    for number, alert in enumerate(every):
        await world.put(alert, chat_id=3000 + number)
    assert await world.notifier.drain(20)
    assert len(world.telegram.texts()) == len(every)
    assert not [text for text in world.telegram.texts() if "no details" in text]


async def test_drain_gives_up_at_its_time(world: World) -> None:
    world.telegram.script.append(
        Answer(429, "Too Many Requests", chat_id=ANN, parameters={"retry_after": 30})
    )
    await world.put(closed())
    async with world.running():
        assert not await world.notifier.drain(0.2)


async def test_an_edit_of_unknown_outcome_is_not_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the chat would show for good what is over."""
    monkeypatch.setattr("bot.limits.PRIVATE_PER_S", 1000.0)
    await world.put(market(), BO, thread="market:21")
    await world.notifier.drain(3)
    for _ in range(INFO_ATTEMPTS_MAX + 2):
        world.telegram.script.append(Answer(500, "Internal Server Error"))
    edit = await world.put(
        market(state="resolved", version=2), BO, thread="market:21", mode="edit", priority=2
    )
    async with world.running():
        sent = await world.until(edit, "sent")
    assert sent.attempts == INFO_ATTEMPTS_MAX + 3


async def test_a_reply_whose_message_telegram_refuses_keeps_no_other_alert_back(
    world: World,
) -> None:
    refused = await world.put(breach(), ADMIN_CHAT, priority=0)
    await world.put(
        breach(), ADMIN_CHAT, mode="reply", about_id=refused, priority=0, thread="alarm:1"
    )
    other = await world.put(breach(), ADMIN_CHAT, priority=0)
    outbox = Outbox(world.store, world.clock, admin_chat_id=ADMIN_CHAT)
    picked = await outbox.pick(lambda _chat, _priority: True, frozenset({refused}), rows_max=8)
    assert [ready.row.id for ready in picked] == [other]
