"""Menus: strangers see two commands, clients theirs, admins all of them."""

from aiogram.types import BotCommandScopeChat, BotCommandScopeDefault

from bot import menus
from bot.i18n import languages
from bot.menus import set_commands
from bot.routers import build_router
from bot.views.commands import COMMANDS
from tests.fakes.telegram import ADMIN_CHAT, Answer, make_bot


async def test_each_chat_gets_the_commands_it_may_use() -> None:
    bot, telegram = make_bot()
    await set_commands(bot, admin_chat_id=ADMIN_CHAT, admins={902: ""}, clients={900: "", 902: ""})
    menu = {
        call.scope.chat_id if isinstance(call.scope, BotCommandScopeChat) else "default": [
            command.command for command in call.commands
        ]
        for call in telegram.named("setMyCommands")
    }
    assert menu["default"] == ["help", "start"]
    assert "sync" not in menu[900]
    assert "positions" in menu[900]
    assert menu[902] == menu[ADMIN_CHAT] == [c.name for c in COMMANDS if not c.links]
    assert isinstance(telegram.calls[0].scope, BotCommandScopeDefault)  # type: ignore[attr-defined] # a SetMyCommands


async def test_a_chat_that_never_wrote_is_passed_over() -> None:
    bot, telegram = make_bot()
    telegram.script.append(Answer(400, "Bad Request: chat not found", chat_id=None))
    await set_commands(bot, admin_chat_id=ADMIN_CHAT)
    telegram.script.append(Answer(500, "down"))
    await set_commands(bot, admin_chat_id=ADMIN_CHAT)


async def test_the_number_of_menus_is_bounded() -> None:
    for count in (menus.CHATS_MAX, menus.CHATS_MAX + 1):
        bot, telegram = make_bot()
        clients = list(range(1000, 1000 + count))
        await set_commands(bot, admin_chat_id=ADMIN_CHAT, clients=dict.fromkeys(clients, ""))
        assert len(telegram.calls) == (2 + menus.CHATS_MAX) * len(languages())


async def test_a_menu_is_in_the_language_of_the_app_until_one_is_chosen() -> None:
    bot, telegram = make_bot()
    await set_commands(bot, admin_chat_id=ADMIN_CHAT, clients={900: "", 901: "en", 902: "es"})
    said = {
        (call.scope.chat_id, call.language_code): call.commands[0].description
        for call in telegram.named("setMyCommands")
        if isinstance(call.scope, BotCommandScopeChat)
    }
    spanish, english = said[902, None], said[901, None]
    assert spanish != english
    assert said[902, "es"] == spanish
    assert said[901, "es"] == english
    assert (said[900, None], said[900, "es"]) == (english, spanish)


def test_every_command_of_the_menu_is_handled() -> None:
    handled: set[str] = set()
    for router in build_router().sub_routers:
        for handler in router.message.handlers:
            for each in handler.filters or []:
                handled |= set(getattr(each.callback, "commands", ()))
    assert {command.name for command in COMMANDS} == handled
