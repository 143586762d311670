"""Answers to people, sent at once: text, charts, edits in place.

What a command answers does not go through the outbox: it is not state, and asking again repeats it.
Its sends count for the same limits.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramRetryAfter
from aiogram.methods import (
    EditMessageReplyMarkup,
    EditMessageText,
    SendDocument,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    EphemeralMessageParameters,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MaybeInaccessibleMessage,
    ReplyParameters,
)
from aiogram.types import Message as Asked
from msgspec import Struct

from bot import keyboards
from bot.charts import Charts
from bot.delivery import GONE_TOPIC
from bot.limits import ANSWER, SendLimits
from bot.markup import CAPTION_UNITS_MAX, utf16_length
from bot.views.message import Keyboard, Message
from bot.views.sparks import chart_in_words

ANSWER_WAIT_S_MAX = 30.0
"""The longest an answer waits for its chat's allowance, in all; then it is sent as it is, or fails.
Below it, somebody who asks four things at once gets four answers.
"""
NOT_MODIFIED = "message is not modified"
log = structlog.get_logger(__name__)
CANNOT_EDIT = ("message to edit not found", "message can't be edited", "no text in the message")


class _Place(Struct, frozen=True):
    """Where an answer goes: a chat, a topic of it, the message it answers."""

    chat_id: int
    topic_id: int | None
    reply_id: int | None = None


class Speaker:
    """Says what a handler has to say."""

    def __init__(self, charts: Charts, rates: SendLimits) -> None:
        self._charts = charts
        self._rates = rates

    async def say(
        self, asked: Asked, messages: Message | Sequence[Message], *, reply: bool = True
    ) -> None:
        """Answer a command where it was asked, topic included; in a group as a reply to it.

        Without `reply` nothing shows what was asked.
        """
        bot = asked.bot
        assert bot is not None  # noqa: S101 - aiogram mounts it on every update it feeds
        reply_id = asked.message_id if reply and asked.chat.type != "private" else None
        place = _Place(asked.chat.id, _topic_of(asked), reply_id)
        for message in [messages] if isinstance(messages, Message) else messages:
            await self._send(bot, place, message)
            await self._attach(bot, place, message)

    async def say_to_asker(self, asked: Asked, message: Message) -> None:
        """Answer so that in a group only the asker sees it; where Telegram refuses that, `say` it.

        Telegram does not promise that it arrives: only for words that may be asked for again. A
        server older than Bot API 10.3 does not know the parameter, and shows it to everybody.
        """
        bot, who = asked.bot, asked.from_user
        if asked.chat.type == "private" or bot is None or who is None:
            await self.say(asked, message)
            return
        words = SendMessage(
            chat_id=asked.chat.id,
            message_thread_id=_topic_of(asked),
            text=message.html,
            parse_mode="HTML",
            reply_parameters=ReplyParameters(message_id=asked.message_id),
            reply_markup=keyboards.markup(message.keyboard),
            ephemeral_message_parameters=EphemeralMessageParameters(receiver_user_id=who.id),
        )
        try:
            await self._call(bot, asked.chat.id, words)
        except TelegramBadRequest as refused:
            log.info("not_said_to_one_alone", error=refused.message)
            await self.say(asked, message)

    async def show(self, query: CallbackQuery, message: Message) -> None:
        """Put a message in the place of the one whose button was pressed."""
        bot, pressed = query.bot, query.message
        assert bot is not None and pressed is not None  # noqa: S101, PT018 - checked by access
        place = _Place(pressed.chat.id, _topic_of(pressed))
        if message.chart is not None or message.document is not None:
            await self._send(bot, place, message)
            await self._attach(bot, place, message)
            return
        edit = EditMessageText(
            text=message.html,
            chat_id=pressed.chat.id,
            message_id=pressed.message_id,
            parse_mode="HTML",
            reply_markup=keyboards.markup(message.keyboard),
        )
        try:
            await self._call(bot, pressed.chat.id, edit)
        except TelegramBadRequest as refused:
            if NOT_MODIFIED in refused.message:
                return
            if not any(text in refused.message for text in CANNOT_EDIT):
                raise
            await self._send(bot, place, message)

    async def below(self, query: CallbackQuery, message: Message) -> None:
        """Say something below the message whose button was pressed, which stays as it is."""
        bot, pressed = query.bot, query.message
        assert bot is not None and pressed is not None  # noqa: S101, PT018 - checked by access
        await self._send(bot, _Place(pressed.chat.id, _topic_of(pressed)), message)

    async def redraw(self, query: CallbackQuery, message: Message) -> None:
        """`show` after the press was answered: what Telegram refuses is logged and left."""
        try:
            await self.show(query, message)
        except (AiogramError, TimeoutError, OSError) as error:
            log.info("message_not_redrawn", error=str(error))

    async def without_button(self, query: CallbackQuery) -> None:
        """Take the pressed button off its message, and leave the others."""
        pressed = query.message
        shown = pressed.reply_markup if isinstance(pressed, Asked) else None
        rows = [
            [button for button in row if button.callback_data != query.data]
            for row in (shown.inline_keyboard if shown else [])
        ]
        await self._buttons(query, [row for row in rows if row])

    async def with_buttons(self, query: CallbackQuery, keyboard: Keyboard) -> None:
        """Put other buttons under the pressed message."""
        made = keyboards.markup(keyboard)
        await self._buttons(query, made.inline_keyboard if made else [])

    async def without_buttons(self, query: CallbackQuery) -> None:
        """Take all buttons off the pressed message."""
        await self._buttons(query, [])

    async def _buttons(self, query: CallbackQuery, rows: list[list[InlineKeyboardButton]]) -> None:
        bot, pressed = query.bot, query.message
        if bot is None or pressed is None:
            return
        edit = EditMessageReplyMarkup(
            chat_id=pressed.chat.id,
            message_id=pressed.message_id,
            reply_markup=InlineKeyboardMarkup(inline_keyboard=rows) if rows else None,
        )
        try:
            await self._call(bot, pressed.chat.id, edit)
        except (AiogramError, TimeoutError, OSError) as error:
            log.info("buttons_not_changed", error=str(error))

    async def _drawing(self, bot: Bot, place: _Place) -> None:
        """Say that a picture is under way: the first one takes seconds."""
        try:
            await bot.send_chat_action(
                place.chat_id, "upload_photo", message_thread_id=place.topic_id
            )
        except (AiogramError, TimeoutError, OSError) as error:
            log.info("action_not_shown", error=str(error))

    async def _send(self, bot: Bot, place: _Place, message: Message) -> None:
        chat_id, topic_id = place.chat_id, place.topic_id
        png = None
        if message.chart is not None:
            await self._drawing(bot, place)
            png = await self._charts.draw(message.chart)
        reply = (
            None
            if place.reply_id is None
            else ReplyParameters(message_id=place.reply_id, allow_sending_without_reply=True)
        )
        text = message if png else chart_in_words(message)
        if png and utf16_length(message.html) <= CAPTION_UNITS_MAX:
            captioned = SendPhoto(
                chat_id=chat_id,
                message_thread_id=topic_id,
                photo=BufferedInputFile(png, "drawdown.png"),
                caption=message.html,
                parse_mode="HTML",
                reply_parameters=reply,
                reply_markup=keyboards.markup(message.keyboard),
            )
            await self._call(bot, chat_id, captioned)
            return
        if png:
            photo = SendPhoto(
                chat_id=chat_id,
                message_thread_id=topic_id,
                photo=BufferedInputFile(png, "drawdown.png"),
            )
            await self._call(bot, chat_id, photo)
        words = SendMessage(
            chat_id=chat_id,
            message_thread_id=topic_id,
            text=text.html,
            parse_mode="HTML",
            disable_notification=message.silent or None,
            reply_parameters=reply,
            reply_markup=keyboards.markup(message.keyboard),
        )
        await self._call(bot, chat_id, words)

    async def _attach(self, bot: Bot, place: _Place, message: Message) -> None:
        """Send the file that goes with a message."""
        if message.document is None:
            return
        file = BufferedInputFile(message.document.content, message.document.name)
        caption = message.document.caption or None
        document = SendDocument(
            chat_id=place.chat_id,
            message_thread_id=place.topic_id,
            document=file,
            caption=caption,
        )
        await self._call(bot, place.chat_id, document)

    async def _call(self, bot: Bot, chat_id: int, method: TelegramMethod[Any]) -> None:
        """Send once the chat's allowance has room; where Telegram asks for a wait, wait it out.

        What the topic does not take goes to General. Raises what else Telegram answers,
        TelegramRetryAfter where ANSWER_WAIT_S_MAX is not enough.
        """
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + ANSWER_WAIT_S_MAX
        while True:
            await self._allowed(chat_id, until_s)
            self._rates.take(chat_id, now_s())
            try:
                await bot(method)
            except TelegramRetryAfter as busy:
                self._rates.told_to_wait(chat_id, now_s(), busy.retry_after)
                if now_s() + busy.retry_after > until_s:
                    raise
            except TelegramBadRequest as refused:
                if not _is_kept_out(method, refused.message):
                    raise
                general = {"message_thread_id": None, "reply_parameters": None}
                method = method.model_copy(update=general)
            else:
                return

    async def _allowed(self, chat_id: int, until_s: float) -> None:
        """Wait for the chat's allowance. Others who wait for it too may take it first."""
        now_s = asyncio.get_running_loop().time
        while wait_s := self._rates.wait_s(chat_id, now_s(), ANSWER):
            left_s = until_s - now_s()
            if left_s <= 0:
                return
            await asyncio.sleep(min(wait_s, left_s))


def _topic_of(message: MaybeInaccessibleMessage) -> int | None:
    """The topic it stands in. Outside of forums the same field names a thread of replies."""
    if isinstance(message, Asked) and message.is_topic_message:
        return message.message_thread_id
    return None


def _is_kept_out(method: TelegramMethod[Any], why: str) -> bool:
    """Whether it was for a topic that was deleted or closed meanwhile."""
    named = getattr(method, "message_thread_id", None) is not None
    return named and any(text in why for text in GONE_TOPIC)
