"""Refresh buttons: the same board in the same place, not more often than Telegram likes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiogram.types import CallbackQuery

from bot.i18n import later, t
from bot.limits import Recently
from bot.middlewares.context import Toast
from bot.speaker import Speaker
from bot.views.message import Message

REFRESH_SPAN_S = 2.0
"""One message is refreshed once in this span at most."""
MESSAGES_MAX = 1_000
UPDATED = later("Updated")
TOO_SOON = later("Updated a moment ago")
LONGER = later("There is more than fits here: send the command for all of it")


class Refresher:
    """Edits a board in place."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._recently = Recently(REFRESH_SPAN_S, MESSAGES_MAX)

    async def __call__(
        self, query: CallbackQuery, board: Callable[[], Awaitable[Sequence[Message]]]
    ) -> Toast:
        """Read the board and show it, unless that was done a moment ago."""
        message = query.message
        key = None if message is None else (message.chat.id, message.message_id)
        if not self._recently.first(key, asyncio.get_running_loop().time()):
            return Toast(t(TOO_SOON))
        pages = await board()
        await self._speaker.show(query, pages[0])
        return Toast(t(UPDATED if len(pages) == 1 else LONGER))
