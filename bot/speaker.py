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
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyParameters,
)
from aiogram.types import Message as Asked

from bot import keyboards
from bot.charts import Charts
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


class Speaker:
    """Says what a handler has to say."""

    def __init__(self, charts: Charts, rates: SendLimits) -> None:
        self._charts = charts
        self._rates = rates

    async def say(self, asked: Asked, messages: Message | Sequence[Message]) -> None:
        """Answer a command where it was asked; in a group as a reply to it."""
        bot = asked.bot
        assert bot is not None  # noqa: S101 - aiogram mounts it on every update it feeds
        reply = asked.message_id if asked.chat.type != "private" else None
        for message in [messages] if isinstance(messages, Message) else messages:
            await self._send(bot, asked.chat.id, message, reply)
            await self._attach(bot, asked.chat.id, message)

    async def show(self, query: CallbackQuery, message: Message) -> None:
        """Put a message in the place of the one whose button was pressed."""
        bot, pressed = query.bot, query.message
        assert bot is not None and pressed is not None  # noqa: S101, PT018 - checked by access
        if message.chart is not None or message.document is not None:
            await self._send(bot, pressed.chat.id, message, None)
            await self._attach(bot, pressed.chat.id, message)
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
            await self._send(bot, pressed.chat.id, message, None)

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

    async def _drawing(self, bot: Bot, chat_id: int) -> None:
        """Say that a picture is under way: the first one takes seconds."""
        try:
            await bot.send_chat_action(chat_id, "upload_photo")
        except (AiogramError, TimeoutError, OSError) as error:
            log.info("action_not_shown", error=str(error))

    async def _send(self, bot: Bot, chat_id: int, message: Message, reply_to: int | None) -> None:
        png = None
        if message.chart is not None:
            await self._drawing(bot, chat_id)
            png = await self._charts.draw(message.chart)
        reply = (
            None
            if reply_to is None
            else ReplyParameters(message_id=reply_to, allow_sending_without_reply=True)
        )
        text = message if png else chart_in_words(message)
        if png and utf16_length(message.html) <= CAPTION_UNITS_MAX:
            captioned = SendPhoto(
                chat_id=chat_id,
                photo=BufferedInputFile(png, "drawdown.png"),
                caption=message.html,
                parse_mode="HTML",
                reply_parameters=reply,
                reply_markup=keyboards.markup(message.keyboard),
            )
            await self._call(bot, chat_id, captioned)
            return
        if png:
            photo = SendPhoto(chat_id=chat_id, photo=BufferedInputFile(png, "drawdown.png"))
            await self._call(bot, chat_id, photo)
        words = SendMessage(
            chat_id=chat_id,
            text=text.html,
            parse_mode="HTML",
            disable_notification=message.silent or None,
            reply_parameters=reply,
            reply_markup=keyboards.markup(message.keyboard),
        )
        await self._call(bot, chat_id, words)

    async def _attach(self, bot: Bot, chat_id: int, message: Message) -> None:
        """Send the file that goes with a message."""
        if message.document is None:
            return
        file = BufferedInputFile(message.document.content, message.document.name)
        caption = message.document.caption or None
        await self._call(
            bot, chat_id, SendDocument(chat_id=chat_id, document=file, caption=caption)
        )

    async def _call(self, bot: Bot, chat_id: int, method: TelegramMethod[Any]) -> None:
        """Send once the chat's allowance has room; where Telegram asks for a wait, wait it out.

        Raises what Telegram answers, TelegramRetryAfter where ANSWER_WAIT_S_MAX is not enough.
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
