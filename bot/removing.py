"""Messages that leave the chat: at once, or with a warning to whoever wrote them."""

import asyncio
from typing import Final, Protocol

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramRetryAfter
from aiogram.types import Update

from bot.veil import is_to_remove, named_bot

AT_ONCE_S: Final = 3.0
"""How long an attempt may take: its writer's answer waits for the first one, and nothing else."""
TRIES: Final = 3
"""Attempts, after the one at once, where Telegram does not answer ..."""
PAUSE_S: Final = 1.0
"""... and the pause between two of them; where Telegram asks for a longer one, that ..."""
PAUSE_S_MAX: Final = 10.0
"""... up to so much; then it is not waited for."""
GONE: Final = "message to delete not found"
log = structlog.get_logger(__name__)


class Warns(Protocol):
    """`core.services.link_talks`."""

    async def not_removed(self, telegram_id: int) -> None:
        """Tell somebody that what they wrote still stands in the chat."""
        ...


class Remover:
    """Removes messages of people. `warns` is told of those that Telegram would not remove."""

    def __init__(self, bot: Bot, warns: Warns | None) -> None:
        self._bot = bot
        self._warns = warns

    async def at_once(self, update: Update) -> bool:
        """One attempt, bounded; whether nothing is left to be done."""
        if not is_to_remove(update):
            return True
        try:
            async with asyncio.timeout(AT_ONCE_S):
                return await self._removed(update)
        except (AiogramError, TimeoutError, OSError) as error:
            log.warning("message_not_removed_yet", error=str(error))
            return False

    async def early(self, update: Update) -> None:
        """One attempt for words that could not be taken yet: Telegram has them once more.

        What fails here is tried again once they were taken.
        """
        try:
            async with asyncio.timeout(AT_ONCE_S):
                await self._removed(update)
        except (AiogramError, TimeoutError, OSError) as error:
            log.warning("message_not_removed_yet", error=str(error))

    async def __call__(self, update: Update) -> None:
        """As often as it takes, bounded; then its writer is told. Raises StoreUnavailable."""
        if not is_to_remove(update):
            return
        for _ in range(TRIES):
            pause_s = PAUSE_S
            try:
                async with asyncio.timeout(AT_ONCE_S):
                    if await self._removed(update):
                        return
            except TelegramBadRequest as error:
                log.warning("message_not_removed", error=error.message)
                break  # it will not do so later either
            except TelegramRetryAfter as busy:
                pause_s = min(float(busy.retry_after), PAUSE_S_MAX)
            except (AiogramError, TimeoutError, OSError) as error:
                log.warning("message_not_removed_yet", error=str(error))
            await asyncio.sleep(pause_s)
        message = update.message
        if self._warns is not None and message is not None and message.chat.type == "private":
            # In a group whoever wrote it was told there, with the answer (`bot.middlewares`).
            await self._warns.not_removed(message.chat.id)

    async def _removed(self, update: Update) -> bool:
        message = update.message
        if message is None or not await self._is_for_us(named_bot(message)):
            return True
        try:
            return bool(await self._bot.delete_message(message.chat.id, message.message_id))
        except TelegramBadRequest as error:
            if GONE in error.message:
                return True
            raise

    async def _is_for_us(self, named: str) -> bool:
        """Whether it names no other bot, whose command in a group may be the same word."""
        return not named or named.lower() == ((await self._bot.me()).username or "").lower()
