"""The command menus Telegram shows, per chat. A menu is a convenience, never a right."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import BotCommand, BotCommandScopeChat, BotCommandScopeDefault

from bot.i18n import ENGLISH, languages, speaking, t
from bot.views.commands import COMMANDS, MENU_DEFAULT, CommandInfo, offered

CHATS_MAX = 500
"""Chats that get a menu of their own at a start; the others see the default one."""
log = structlog.get_logger(__name__)


async def set_commands(
    bot: Bot,
    *,
    admin_chat_id: int,
    group_language: str = ENGLISH,
    admins: Mapping[int, str] | None = None,
    clients: Mapping[int, str] | None = None,
    links: bool = False,
) -> None:
    """Tell Telegram the menus. `admins`, `clients`: private chat -> the language chosen, or "".

    `links`: clients link accounts in the chat.

    What it refuses (a chat that never wrote) is logged and left.
    """
    everybody = [command for command in COMMANDS if command.name in MENU_DEFAULT]
    try:
        for menu in _menus(everybody):
            await bot.set_my_commands(scope=BotCommandScopeDefault(), **menu)
    except (AiogramError, OSError) as error:
        log.warning("menu_not_set", chat="default", error=str(error))
        return
    admin = {admin_chat_id: group_language, **(admins or {})}
    for chat_id, language in admin.items():
        await give(bot, chat_id, language, admin=True)
    others = [(chat, language) for chat, language in (clients or {}).items() if chat not in admin]
    for chat_id, language in others[:CHATS_MAX]:
        await give(bot, chat_id, language, links=links)


async def give(
    bot: Bot, chat_id: int, language: str = "", *, admin: bool = False, links: bool = False
) -> None:
    """Show a client's or an admin's commands in their chat from now on.

    In the `language` chosen; where none was, Telegram shows those in the app's own. `links`:
    clients link accounts in the chat.
    """
    scope = BotCommandScopeChat(chat_id=chat_id)
    try:
        for menu in _menus(_for(admin=admin, links=links), language):
            await bot.set_my_commands(scope=scope, **menu)
    except (AiogramError, TimeoutError, OSError) as error:
        log.info("menu_not_set", chat=chat_id, error=str(error))


def _for(*, admin: bool, links: bool) -> list[CommandInfo]:
    """An admin's commands, or a client's."""
    return [each for each in offered(links=links and not admin) if admin or not each.admin]


async def take(bot: Bot, chat_id: int) -> None:
    """Show the default commands there again. What Telegram refuses is logged and left."""
    try:
        for language in languages():
            await bot.delete_my_commands(
                scope=BotCommandScopeChat(chat_id=chat_id), language_code=_code(language)
            )
    except (AiogramError, TimeoutError, OSError) as error:
        log.info("menu_not_taken", chat=chat_id, error=str(error))


def _menus(commands: Sequence[CommandInfo], language: str = "") -> Iterator[dict[str, Any]]:
    """One list for each language an app may have; each in `language` where it was chosen."""
    for app_language in languages():
        with speaking(language or app_language):
            listed = [
                BotCommand(command=command.name, description=t(command.says))
                for command in commands
            ]
        yield {"commands": listed, "language_code": _code(app_language)}


def _code(language: str) -> str | None:
    """English is what apps in any other language show."""
    return None if language == ENGLISH else language
