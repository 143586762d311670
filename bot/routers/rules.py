"""/rules: each rule of an account, its floor worked out in words."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot.routers.logins import is_login
from bot.services import RuleBoards
from bot.speaker import Speaker
from bot.views import boards as views
from bot.views import replies
from bot.views import rules as words
from bot.views.message import Voice
from core.domain.people import Person
from core.ports import Clock

SHARED = {"role": "client", "shared": True}


def build() -> Router:
    """Rules of one's own accounts; an admin may name any."""
    router = Router(name="rules")
    router.message.register(rules, Command("rules"), flags=SHARED)
    return router


async def rules(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    rule_boards: RuleBoards,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> None:
    """Every rule of an account; in the admin chat the account must be named."""
    login = (command.args or "").strip()
    if login and not is_login(login):
        await speaker.say(message, replies.bad_login(login, command.command))
        return
    if not login and message.chat.type != "private":
        await speaker.say(message, replies.name_login(command.command))
        return
    if not login and not person.account_ids:
        await speaker.say(message, views.no_account(admin=person.is_admin))
        return
    boards = await rule_boards.of(person, int(login) if login else None)
    await speaker.say(message, words.board(boards, voice, clock.now()))
