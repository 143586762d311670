"""The command menus Telegram shows, per chat. A menu is a convenience, never a right."""

from collections.abc import Iterable, Sequence

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import BotCommand, BotCommandScopeChat, BotCommandScopeDefault

from bot.views.commands import COMMANDS, MENU_DEFAULT, CommandInfo

CHATS_MAX = 500
"""Chats that get a menu of their own at a start; the others see the default one."""
log = structlog.get_logger(__name__)


async def set_commands(
    bot: Bot,
    *,
    admin_chat_id: int,
    admin_ids: Sequence[int] = (),
    client_ids: Sequence[int] = (),
) -> None:
    """Tell Telegram the menus. What it refuses (a chat that never wrote) is logged and left."""
    everybody = [command for command in COMMANDS if command.name in MENU_DEFAULT]
    try:
        await bot.set_my_commands(_menu(everybody), scope=BotCommandScopeDefault())
    except (AiogramError, OSError) as error:
        log.warning("menu_not_set", chat="default", error=str(error))
        return
    admin = dict.fromkeys([admin_chat_id, *admin_ids])
    for chat_id in admin:
        await _set(bot, chat_id, COMMANDS)
    clients = [chat_id for chat_id in dict.fromkeys(client_ids) if chat_id not in admin]
    for chat_id in clients[:CHATS_MAX]:
        await _set(bot, chat_id, [command for command in COMMANDS if not command.admin])


async def give(bot: Bot, chat_id: int) -> None:
    """Show a client's commands in their chat from now on."""
    await _set(bot, chat_id, [command for command in COMMANDS if not command.admin])


async def take(bot: Bot, chat_id: int) -> None:
    """Show the default commands there again. What Telegram refuses is logged and left."""
    try:
        await bot.delete_my_commands(scope=BotCommandScopeChat(chat_id=chat_id))
    except (AiogramError, TimeoutError, OSError) as error:
        log.info("menu_not_taken", chat=chat_id, error=str(error))


async def _set(bot: Bot, chat_id: int, commands: Iterable[CommandInfo]) -> None:
    try:
        await bot.set_my_commands(_menu(commands), scope=BotCommandScopeChat(chat_id=chat_id))
    except (AiogramError, TimeoutError, OSError) as error:
        log.info("menu_not_set", chat=chat_id, error=str(error))


def _menu(commands: Iterable[CommandInfo]) -> list[BotCommand]:
    return [BotCommand(command=command.name, description=command.says) for command in commands]
