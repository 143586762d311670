"""Alerts in the topics of the admin chat, and what becomes of one whose topic is gone."""

import pytest
from aiogram.methods import SendMessage
from msgspec.structs import replace
from structlog.testing import capture_logs

from bot import notifier as module
from bot.charts import Charts
from bot.delivery import FORMS_MAX, Fate, Parcel, deliver
from bot.limits import SendLimits
from bot.markup import TEXT_UNITS_MAX
from bot.notifier import Notifier
from bot.speaker import Speaker
from bot.views.message import Button, Document, Message, Voice
from tests.fakes.alerts import breach, confirmed
from tests.fakes.telegram import ADMIN_CHAT, Answer, RecordingSession, make_bot, update
from tests.fakes.telegram import message_json as said
from tests.unit.bot.outbox_world import ANN, World

GUARD, CLOSES = 12, 15
LOST = "Bad Request: message to be replied not found"
NO_EDIT = "Bad Request: message to edit not found"
NO_MARKUP = "Bad Request: can't parse entities: Unsupported start tag"
NO_BUTTONS = "Bad Request: BUTTON_DATA_INVALID"
GONE = ["Bad Request: message thread not found", "Bad Request: TOPIC_CLOSED", "TOPIC_DELETED"]


class Forum(World):
    """A world whose admin chat has two topics."""

    def fresh(self) -> Notifier:
        """The notifier of a new process."""
        topics = {"guard": GUARD, "closes": CLOSES}
        return Notifier(
            self.bot, self.store, self.clock, Voice(), admin_chat_id=ADMIN_CHAT, topics=topics
        )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Forum:
    monkeypatch.setattr(module, "POLL_S", 0.02)
    return Forum()


def places(telegram: RecordingSession) -> list[tuple[int | None, int | None]]:
    """The topic and the answered message of each attempt to send."""
    return [
        (call.message_thread_id, call.reply_parameters and call.reply_parameters.message_id)
        for call in telegram.named("sendMessage")
    ]


async def test_an_alert_goes_to_its_topic_in_the_admin_chat_and_nowhere_else(world: Forum) -> None:
    await world.put(breach(), ADMIN_CHAT)
    await world.put(breach(), ANN)
    assert await world.notifier.drain(3)
    topics = {call.chat_id: call.message_thread_id for call in world.telegram.named("sendMessage")}
    assert topics == {ADMIN_CHAT: GUARD, ANN: None}


async def test_the_topics_move_with_the_group(world: Forum) -> None:
    world.telegram.script.append(
        Answer(400, "Bad Request: upgraded", parameters={"migrate_to_chat_id": -1002})
    )
    await world.put(breach(), ADMIN_CHAT)
    assert await world.notifier.drain(3)
    last = world.telegram.named("sendMessage")[-2:]
    assert GUARD in {call.message_thread_id for call in last if call.chat_id == -1002}


async def test_a_reply_names_no_topic_so_it_stands_with_what_it_answers(world: Forum) -> None:
    """The close has a topic of its own; Telegram puts a reply to where the answered message is."""
    first = await world.put(breach(), ADMIN_CHAT, thread="job", priority=0)
    assert await world.notifier.drain(3)
    await world.put(confirmed(), ADMIN_CHAT, thread="job", mode="reply", priority=0)
    assert await world.notifier.drain(3)
    assert places(world.telegram) == [(GUARD, None), (None, (await world.row(first)).message_id)]
    reply = world.telegram.named("sendMessage")[1].reply_parameters
    assert reply.allow_sending_without_reply is False, "Telegram would put it into General"


async def test_a_reply_to_what_is_gone_goes_to_its_own_topic_at_once(world: Forum) -> None:
    await world.put(breach(), ADMIN_CHAT, thread="job", priority=0)
    assert await world.notifier.drain(3)
    world.telegram.script.append(Answer(400, LOST))
    reply = await world.put(confirmed(), ADMIN_CHAT, thread="job", mode="reply", priority=0)
    assert await world.notifier.drain(3)
    assert places(world.telegram)[2:] == [(CLOSES, None)]
    row = await world.row(reply)
    assert (row.state, row.attempts) == ("sent", 1)


@pytest.mark.parametrize("why", GONE)
async def test_what_a_topic_does_not_take_is_in_general_in_the_same_attempt(
    world: Forum, why: str
) -> None:
    world.telegram.script.append(Answer(400, why))
    first = await world.put(breach(), ADMIN_CHAT, priority=0)
    with capture_logs() as logs:
        assert await world.notifier.drain(3)
        world.telegram.script.append(Answer(400, why))
        await world.put(breach(), ADMIN_CHAT, priority=0)
        assert await world.notifier.drain(3)
        world.telegram.script.append(Answer(400, why))
        await world.put(confirmed(), ADMIN_CHAT, priority=0)
        assert await world.notifier.drain(3)
    row = await world.row(first)
    assert (row.state, row.attempts, row.error) == ("sent", 1, None)
    tried = [topic for topic, _ in places(world.telegram)]
    assert tried == [GUARD, None, GUARD, None, CLOSES, None]
    told = [line["topic_id"] for line in logs if line["event"] == "topic_gone"]
    assert told == [GUARD, CLOSES], "each once"


@pytest.mark.parametrize(
    ("changes", "refusals", "expected", "astray_id"),
    [
        ({}, [], [(GUARD, None)], None),
        ({}, [NO_MARKUP], [(GUARD, None), (GUARD, None)], None),
        ({"reply_id": 7}, [], [(None, 7)], None),
        ({"reply_id": 7}, [LOST], [(None, 7), (GUARD, None)], None),
        ({"edit_id": 7}, [], [], None),
        ({"edit_id": 7}, [NO_EDIT], [(GUARD, None)], None),
        # a closed topic keeps the answer to a message in it out, too
        ({"reply_id": 7}, ["TOPIC_CLOSED"], [(None, 7), (None, None)], GUARD),
        ({"reply_id": 7, "topic_id": None}, ["TOPIC_CLOSED"], [(None, 7), (None, None)], None),
        # a deleted one has taken its messages with it
        ({"reply_id": 7}, [LOST, GONE[0]], [(None, 7), (GUARD, None), (None, None)], GUARD),
        ({"edit_id": 7}, [NO_EDIT, GONE[0]], [(GUARD, None), (None, None)], GUARD),
        # words that no version knows
        ({}, ["Bad Request: no"], [(GUARD, None), (None, None)], GUARD),
        ({"reply_id": 7}, ["no", "no"], [(None, 7), (GUARD, None), (None, None)], GUARD),
        # all that can be wrong at once: FORMS_MAX forms
        (
            {"reply_id": 7},
            [LOST, GONE[0], NO_MARKUP, NO_BUTTONS],
            [(None, 7), (GUARD, None), (None, None), (None, None), (None, None)],
            GUARD,
        ),
    ],
)
async def test_each_refusal_is_answered_by_a_simpler_form(
    changes: dict[str, int | None],
    refusals: list[str],
    expected: list[tuple[int | None, int | None]],
    astray_id: int | None,
) -> None:
    bot, telegram = make_bot()
    telegram.script.extend(Answer(400, why) for why in refusals)
    message = Message(html="<b>50002</b> is flat", keyboard=((Button("Why", "x"),),))
    parcel = Parcel(chat_id=ADMIN_CHAT, message=message, topic_id=GUARD)
    outcome = await deliver(bot, replace(parcel, **changes))
    assert outcome.fate is Fate.SENT
    assert places(telegram) == expected
    assert outcome.astray_id == astray_id


async def test_a_chat_that_is_gone_is_still_told_as_that_after_a_bounded_number_of_forms() -> None:
    bot, telegram = make_bot()
    why = "Bad Request: chat not found"
    telegram.script.extend(Answer(400, why) for _ in range(FORMS_MAX + 1))
    made = Parcel(chat_id=ADMIN_CHAT, message=Message(html="x"), topic_id=GUARD, reply_id=7)
    outcome = await deliver(bot, made)
    assert (outcome.fate, outcome.error, outcome.astray_id) == (Fate.UNREACHABLE, why, None)
    assert len(telegram.calls) == 3


async def test_the_pages_of_a_long_message_follow_the_first_to_where_it_went() -> None:
    bot, telegram = make_bot()
    telegram.script.append(Answer(400, GONE[0]))
    made = Parcel(chat_id=ADMIN_CHAT, message=Message(html="x " * TEXT_UNITS_MAX), topic_id=GUARD)
    outcome = await deliver(bot, made)
    assert outcome.message_id is not None
    replies = [(None, outcome.message_id)] * (outcome.pages - 1)
    assert outcome.pages > 1
    assert places(telegram) == [(GUARD, None), (None, None), *replies]
    assert outcome.astray_id == GUARD


async def _ask(telegram: RecordingSession, bot: object, around: dict[str, object]) -> None:
    body = said(1, "/report", ADMIN_CHAT)
    body["message"] |= around
    message = update(body, bot).message  # type: ignore[arg-type]  # a Bot, as the caller made it
    assert message is not None
    file = Document(name="deals.csv", content=b"x", caption="")
    await Speaker(Charts(), SendLimits()).say(message, Message(html="Here", document=file))


@pytest.mark.parametrize(
    ("around", "topic"),
    [
        ({}, None),
        ({"message_thread_id": 33, "is_topic_message": True}, 33),
        ({"message_thread_id": 33}, None),  # a thread of replies, in a group without topics
    ],
)
async def test_a_command_and_its_file_are_answered_in_the_topic_it_was_asked_in(
    around: dict[str, object], topic: int | None
) -> None:
    bot, telegram = make_bot()
    await _ask(telegram, bot, around)
    words, file = telegram.calls
    assert isinstance(words, SendMessage)
    assert [getattr(call, "message_thread_id", 0) for call in (words, file)] == [topic, topic]


async def test_an_answer_whose_topic_was_closed_meanwhile_is_given_in_general() -> None:
    bot, telegram = make_bot()
    for method in ("sendMessage", "sendDocument"):
        telegram.script.append(Answer(400, "Bad Request: TOPIC_CLOSED", method=method))
    await _ask(telegram, bot, {"message_thread_id": 33, "is_topic_message": True})
    tried = [
        (call.__api_method__, getattr(call, "message_thread_id", 0)) for call in telegram.calls
    ]
    assert tried == [
        ("sendMessage", 33),
        ("sendMessage", None),
        ("sendDocument", 33),
        ("sendDocument", None),
    ]
