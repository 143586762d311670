"""A reference for every update, in every log line of it, and one answer for every button press."""

from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Any

import structlog
from aiogram import BaseMiddleware
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.types import CallbackQuery, TelegramObject, Update
from msgspec import Struct

from bot.markup import ALERT_UNITS_MAX, shortened

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]
REF_BYTES = 3
log = structlog.get_logger(__name__)


class Toast(Struct, frozen=True):
    """What a handler of a press answers: a short note, or a pop-up (`alert`)."""

    text: str = ""
    alert: bool = False


class Answerer:
    """Answers one press exactly once; the first answer stands."""

    def __init__(self, query: CallbackQuery) -> None:
        self._query = query
        self.answered = False

    async def once(self, toast: Toast) -> None:
        """Answer. A press too old for a pop-up is answered by a message, in private only."""
        if self.answered:
            return
        self.answered = True
        text = shortened(toast.text, ALERT_UNITS_MAX)
        try:
            await self._query.answer(text=text or None, show_alert=toast.alert or None)
        except TelegramBadRequest:
            await self._in_words(text)
        except (AiogramError, TimeoutError, OSError) as error:
            log.warning("press_not_answered", error=str(error))

    async def _in_words(self, text: str) -> None:
        message, bot = self._query.message, self._query.bot
        if not text or message is None or bot is None or message.chat.type != "private":
            return
        try:
            await bot.send_message(message.chat.id, text, parse_mode=None)
        except (AiogramError, TimeoutError, OSError) as error:
            log.warning("press_not_answered", error=str(error))


class ContextMiddleware(BaseMiddleware):
    """Outermost: gives `ref` and, for a press, `answerer` to everything inside."""

    async def __call__(
        self, handler: Handler, event: TelegramObject, data: dict[str, Any]
    ) -> object:
        """Bind the reference while the update is handled."""
        ref = token_hex(REF_BYTES).upper()
        data["ref"] = ref
        update_id = event.update_id if isinstance(event, Update) else None
        if isinstance(event, Update) and event.callback_query is not None:
            data["answerer"] = Answerer(event.callback_query)
        with structlog.contextvars.bound_contextvars(ref=ref, update_id=update_id):
            return await handler(event, data)
