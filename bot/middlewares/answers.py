"""A press is answered once, with its result: after success here, after a failure in `errors`.

aiogram's own CallbackAnswerMiddleware answers "Done" also where the handler raised.
"""

from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import TelegramObject

from bot.middlewares.context import Answerer, Handler, Toast


class AnswersMiddleware(BaseMiddleware):
    """Inner, on presses: what the handler returns is the answer."""

    async def __call__(
        self, handler: Handler, event: TelegramObject, data: dict[str, Any]
    ) -> object:
        """Handle, then answer."""
        result = await handler(event, data)
        answerer: Answerer = data["answerer"]
        await answerer.once(result if isinstance(result, Toast) else Toast())
        return result
