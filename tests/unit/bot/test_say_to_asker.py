"""An answer that in a group only the asker sees, and what is done where Telegram will not."""

import pytest
from aiogram.exceptions import TelegramForbiddenError, TelegramServerError
from aiogram.methods import SendMessage

from bot.charts import Charts
from bot.limits import SendLimits
from bot.speaker import Speaker
from bot.views.message import Message
from tests.fakes.telegram import ADMIN_CHAT, Answer, RecordingSession, make_bot, update
from tests.fakes.telegram import message_json as said

ASKER = 7


async def answered(
    *script: Answer, chat_id: int = ADMIN_CHAT, around: dict[str, object] | None = None
) -> list[SendMessage]:
    """What is sent to answer a command, where Telegram answers as scripted."""
    bot, telegram = make_bot()
    telegram.script.extend(script)
    await _ask(telegram, bot, chat_id, around or {})
    return telegram.named("sendMessage")


async def _ask(
    telegram: RecordingSession, bot: object, chat_id: int, around: dict[str, object]
) -> None:
    body = said(ASKER, "/accounts", chat_id)
    body["message"] |= around | {"message_id": 33}
    message = update(body, bot).message  # type: ignore[arg-type]  # a Bot, as the caller made it
    assert message is not None
    await Speaker(Charts(), SendLimits()).say_to_asker(message, Message(html="No."))


def receivers(calls: list[SendMessage]) -> list[int | None]:
    """For whom alone each was."""
    every = [call.ephemeral_message_parameters for call in calls]
    return [None if one is None else one.receiver_user_id for one in every]


async def test_in_a_group_it_is_for_the_asker_alone_and_answers_the_question() -> None:
    (call,) = calls = await answered()
    assert receivers(calls) == [ASKER]
    assert call.reply_parameters is not None
    assert call.reply_parameters.message_id == 33, "an older server says it to all, as a reply"


async def test_in_private_it_is_an_ordinary_message() -> None:
    assert receivers(await answered(chat_id=ASKER)) == [None]


@pytest.mark.parametrize(
    "why",
    [
        "Bad Request: BOT_NOT_ADMIN",
        "Bad Request: USER_NOT_PARTICIPANT",
        "Bad Request: message to be replied not found",
        "Bad Request: something new",
    ],
)
async def test_what_telegram_refuses_for_one_is_said_to_all(why: str) -> None:
    first, second = calls = await answered(Answer(400, why))
    assert receivers(calls) == [ASKER, None]
    assert (first.text, second.text) == ("No.", "No.")
    assert second.reply_parameters is not None
    assert second.reply_parameters.allow_sending_without_reply


async def test_where_its_topic_is_gone_it_is_still_for_one_alone() -> None:
    topic: dict[str, object] = {"message_thread_id": 5, "is_topic_message": True}
    calls = await answered(Answer(400, "Bad Request: TOPIC_CLOSED"), around=topic)
    assert receivers(calls) == [ASKER, ASKER]
    assert [call.message_thread_id for call in calls] == [5, None]


@pytest.mark.parametrize(
    ("status", "kind"), [(403, TelegramForbiddenError), (502, TelegramServerError)]
)
async def test_what_would_fail_for_all_or_may_have_arrived_is_not_said_again(
    status: int, kind: type[Exception]
) -> None:
    bot, telegram = make_bot()
    telegram.script.append(Answer(status, "no"))
    with pytest.raises(kind):
        await _ask(telegram, bot, ADMIN_CHAT, {})
    assert len(telegram.calls) == 1
